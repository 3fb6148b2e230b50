"""The models: what is loaded, what is said of it, and what is drawn."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.colorizer.colorizer import Colorizer
from pipeline.demo import studio as module
from pipeline.demo.options import DemoOptions
from pipeline.demo.problem import Problem
from pipeline.demo.studio import Studio
from pipeline.demo.worker import PaintJob, SimplifyJob, SketchJob
from sketch_models.errors import SengaError
from tests.pipeline.demo.conftest import SIZE

pytestmark = pytest.mark.usefixtures("no_weights")


def load(path: Path | str = "", **options: str) -> Studio:
    return Studio.load(DemoOptions(colorizer=str(path), device="cpu", **options))


def reason(studio: Studio) -> str:
    """Why there is no colorizer."""
    assert studio.colorizer is None
    described = studio.describe()["colorizer"]
    assert not described["available"]
    assert described["generator"] is described["size"] is described["latent"] is None
    assert described["parameters"] is described["metrics"] is None
    assert described["device"] == "cpu"
    with pytest.raises(Problem) as refused:
        studio.require("colorizer")
    assert refused.value.code == "colorizer_unavailable"
    assert refused.value.message == described["reason"]
    studio.require("sketch", "xdog")  # which works all the same
    return refused.value.message


def test_what_is_loaded_is_described(studio: Studio, colorizer_file: Path) -> None:
    found = studio.describe()["colorizer"]
    assert studio.colorizer is not None
    assert found["parameters"] == studio.colorizer.num_parameters > 1000
    assert found.pop("train").endswith("TrainColorizer")
    del found["parameters"]
    assert found == {
        "available": True,
        "reason": None,
        "name": colorizer_file.parent.name,
        "shipped": False,
        "generator": "netl_spade",
        "size": SIZE,
        "latent": 8,
        "device": "cpu",
        "metrics": None,
    }
    assert (studio.size, studio.latent, studio.at_once) == (SIZE, 8, 4)
    assert studio.describe()["styles"] == ["original", "enhanced", "pured"]
    json.dumps(studio.describe())


def test_a_folder_with_metrics(colorizer_file: Path, tmp_path: Path) -> None:
    shutil.copy(colorizer_file, tmp_path)
    (tmp_path / "metrics.json").write_text('{"psnr": 20.5}', encoding="utf-8")
    found = load(tmp_path).describe()["colorizer"]
    assert (found["name"], found["metrics"]) == (tmp_path.name, {"psnr": 20.5})
    (tmp_path / "metrics.json").write_text("{", encoding="utf-8")
    assert load(tmp_path).describe()["colorizer"]["metrics"] is None


def test_a_file_of_another_name(colorizer_file: Path, tmp_path: Path) -> None:
    path = shutil.copy(colorizer_file, tmp_path / "mine.safetensors")
    assert load(path).describe()["colorizer"]["name"] == "mine"


def test_the_demos_own(
    colorizer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "model")
    assert str(tmp_path / "model" / "colorizer.safetensors") in reason(load())
    shutil.copytree(colorizer_file.parent, tmp_path / "model")
    found = load().describe()["colorizer"]
    assert (found["name"], found["shipped"], found["available"]) == ("senga-demo", True, True)


def test_no_colorizer_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        said = reason(load(path))
        assert said.startswith(f"There is no colorizer at {path}")
        assert "--colorizer" in said
        assert "TrainColorizer" in said


@pytest.mark.parametrize("kind", ["garbage", "empty", "truncated", "headless", "foreign"])
def test_a_broken_colorizer(colorizer_file: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "broken.safetensors"
    whole = colorizer_file.read_bytes()
    if kind == "headless":
        save_file({"weight": np.zeros(3, np.float32)}, path)
    elif kind == "foreign":
        save_file({"weight": np.zeros(3, np.float32)}, path, {"colorizer": "[]"})
    else:
        content = {"garbage": b"\xff" * 999, "empty": b"", "truncated": whole[: len(whole) // 2]}
        path.write_bytes(content[kind])
    said = reason(load(path))
    assert str(path) in said
    assert "TrainColorizer" in said


def test_a_device_that_is_not_there(colorizer_file: Path) -> None:
    with pytest.raises(SengaError, match="cuda:99"):
        Studio.load(DemoOptions(colorizer=str(colorizer_file), device="cuda:99"))


def test_networks_without_weights_say_how_to_get_them(studio: Studio) -> None:
    for kind, network, name in (
        ("sketch", "sketchkeras", "sketchkeras"),
        ("simplify", "simo_serra", "gan"),
    ):
        always, found = studio.describe()[kind]
        assert always["available"]
        assert always["reason"] is None
        assert (found["name"], found["available"]) == (network, False)
        assert f"python -m sketch_models.weights fetch {name}" in found["reason"]
        with pytest.raises(Problem) as refused:
            studio.require(kind, network)
        assert refused.value.code == "model_unavailable"
        assert refused.value.message == found["reason"]


def test_weights_that_are_named_but_wrong(colorizer_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "mod.h5"
    path.write_bytes(b"no weights")
    for sketchkeras, said in ((path, str(path)), ("gan", "simo_serra"), ("no.h5", "no such file")):
        studio = load(colorizer_file, sketchkeras=str(sketchkeras))
        found = studio.describe()["sketch"][1]
        assert not found["available"]
        assert said in found["reason"]


def test_names_that_nobody_knows(studio: Studio) -> None:
    for kind in ("sketch", "simplify"):
        with pytest.raises(Problem, match="'dream', expected") as refused:
            studio.require(kind, "dream")
        assert refused.value.code == "bad_field"


def test_it_paints_as_the_colorizer_does(studio: Studio, colorizer_file: Path) -> None:
    colorizer = Colorizer.load(colorizer_file, "cpu")
    rng = np.random.default_rng(0)
    jobs = [
        PaintJob(
            rng.integers(0, 256, (SIZE, SIZE), np.uint8), None, rng.standard_normal(8, np.float32)
        )
        for _ in range(3)
    ]
    drawn = studio.draw(jobs)
    for job, painted in zip(jobs, drawn, strict=True):
        assert painted.shape == (SIZE, SIZE, 3)
        alone = colorizer.colorize(job.line, z=job.z)
        assert np.abs(painted.astype(int) - alone).max() <= 1
    assert studio.draw([studio.blank()])[0].shape == (SIZE, SIZE, 3)


def test_it_draws_lines(studio: Studio) -> None:
    picture = np.full((40, 30, 3), 255, np.uint8)
    picture[:, 14:16] = 0
    ink = studio.draw([SketchJob(model="xdog", picture=picture)] * 2)
    assert [found.shape for found in ink] == [(40, 30)] * 2
    assert ink[0].max() > 0.5
    clean = studio.draw([SimplifyJob(model="centerline", sketch=picture[..., 0])])
    assert clean[0].shape == (40, 30)
    assert clean[0].min() < 128
