"""The models: which are loaded, how they are described, and what they return."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.colorizer.colorizer import Colorizer
from pipeline.demo import models as module
from pipeline.demo.api_error import ApiError
from pipeline.demo.models import Models
from pipeline.demo.options import DemoOptions
from pipeline.demo.worker import ColorizeJob, SimplifyJob, SketchJob
from sketch_models import line_weights, registry
from sketch_models.errors import SengaError
from tests.pipeline.demo.conftest import SIZE

pytestmark = pytest.mark.usefixtures("no_weights")


def load(path: Path | str = "", **options: str) -> Models:
    return Models.load(DemoOptions(colorizer=str(path), device="cpu", **options))


def unavailable_reason(models: Models) -> str:
    """The reason why there is no colorizer, which is the same everywhere."""
    assert models.colorizer is None
    described = models.describe()["colorizer"]
    assert not described["available"]
    assert described["generator"] is described["size"] is described["latent"] is None
    assert described["parameters"] is described["metrics"] is None
    assert described["device"] == "cpu"
    with pytest.raises(ApiError) as refused:
        models.require_colorizer()
    assert refused.value.code == "colorizer_unavailable"
    assert refused.value.message == described["reason"]
    models.require_model("sketch", "xdog")  # is loaded all the same
    return refused.value.message


def test_loaded_models_are_described(models: Models, colorizer_file: Path) -> None:
    description = dict(models.describe()["colorizer"])  # others read it, too
    assert models.colorizer is not None
    assert description["parameters"] == models.colorizer.num_parameters > 1000
    assert description.pop("train").endswith("TrainColorizer")
    del description["parameters"]
    assert description == {
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
    assert (models.size, models.latent_dim, models.max_batch) == (SIZE, 8, 4)
    assert models.describe()["styles"] == ["original", "enhanced", "pured"]
    json.dumps(models.describe())


def test_metrics_beside_the_colorizer_are_described(colorizer_file: Path, tmp_path: Path) -> None:
    shutil.copy(colorizer_file, tmp_path)
    (tmp_path / "metrics.json").write_text('{"psnr": 20.5}', encoding="utf-8")
    description = load(tmp_path).describe()["colorizer"]
    assert (description["name"], description["metrics"]) == (tmp_path.name, {"psnr": 20.5})
    (tmp_path / "metrics.json").write_text("{", encoding="utf-8")
    assert load(tmp_path).describe()["colorizer"]["metrics"] is None


def test_colorizer_is_named_after_its_file(colorizer_file: Path, tmp_path: Path) -> None:
    path = shutil.copy(colorizer_file, tmp_path / "mine.safetensors")
    assert load(path).describe()["colorizer"]["name"] == "mine"


def test_default_colorizer_is_the_shipped_one(
    colorizer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "model")
    assert str(tmp_path / "model" / "colorizer.safetensors") in unavailable_reason(load())
    shutil.copytree(colorizer_file.parent, tmp_path / "model")
    description = load().describe()["colorizer"]
    shown = (description["name"], description["shipped"], description["available"])
    assert shown == ("senga-demo", True, True)


def test_missing_colorizer_gives_a_reason(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        reason = unavailable_reason(load(path))
        assert reason.startswith(f"There is no colorizer at {path}")
        assert "--colorizer" in reason
        assert "TrainColorizer" in reason


@pytest.mark.parametrize("damage", ["garbage", "empty", "truncated", "headless", "foreign"])
def test_broken_colorizer_gives_a_reason(colorizer_file: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "broken.safetensors"
    whole = colorizer_file.read_bytes()
    if damage == "headless":
        save_file({"weight": np.zeros(3, np.float32)}, path)
    elif damage == "foreign":
        save_file({"weight": np.zeros(3, np.float32)}, path, {"colorizer": "[]"})
    else:
        content = {"garbage": b"\xff" * 999, "empty": b"", "truncated": whole[: len(whole) // 2]}
        path.write_bytes(content[damage])
    reason = unavailable_reason(load(path))
    assert str(path) in reason
    assert reason.endswith(".")


def test_missing_device_is_an_error(colorizer_file: Path) -> None:
    with pytest.raises(SengaError, match="cuda:99"):
        Models.load(DemoOptions(colorizer=str(colorizer_file), device="cuda:99"))


def test_missing_weights_give_the_command_that_fetches_them(models: Models) -> None:
    for stage, network, name in (
        ("sketch", "sketchkeras", "sketchkeras"),
        ("simplify", "simo_serra", "gan"),
    ):
        *others, network_model = models.describe()[stage]
        assert [(each["available"], each["reason"]) for each in others] == [(True, None)] * 2
        assert (network_model["name"], network_model["available"]) == (network, False)
        assert f"python -m sketch_models.weights fetch {name}" in network_model["reason"]
        with pytest.raises(ApiError) as refused:
            models.require_model(stage, network)
        assert refused.value.code == "model_unavailable"
        assert refused.value.message == network_model["reason"]


def test_wrong_weights_give_a_reason(colorizer_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "mod.h5"
    path.write_bytes(b"no weights")
    for sketchkeras, text in ((path, str(path)), ("gan", "simo_serra"), ("no.h5", "no such file")):
        description = load(colorizer_file, sketchkeras=str(sketchkeras)).describe()["sketch"][-1]
        assert not description["available"]
        assert text in description["reason"]


def test_unknown_model_name_is_refused(models: Models) -> None:
    for stage in ("sketch", "simplify"):
        with pytest.raises(ApiError, match="'dream', expected") as refused:
            models.require_model(stage, "dream")
        assert refused.value.code == "bad_field"


def test_batch_is_colorized_as_one_by_one(models: Models, colorizer_file: Path) -> None:
    colorizer = Colorizer.load(colorizer_file, "cpu")
    rng = np.random.default_rng(0)
    jobs = [
        ColorizeJob(
            rng.integers(0, 256, (SIZE, SIZE), np.uint8), None, rng.standard_normal(8, np.float32)
        )
        for _ in range(3)
    ]
    outputs = models.run_batch(jobs)
    for job, result in zip(jobs, outputs, strict=True):
        assert result.shape == (SIZE, SIZE, 3)
        alone = colorizer.colorize(job.line, z=job.z)
        assert np.abs(result.astype(int) - alone).max() <= 1
    reference = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    with_reference = ColorizeJob(jobs[0].line, None, jobs[0].z, reference=reference)
    (result,) = models.run_batch([with_reference])
    z = jobs[0].z + colorizer.encode_reference(reference)
    np.testing.assert_allclose(result, colorizer.colorize(jobs[0].line, z=z), atol=1)
    boxed = ColorizeJob(jobs[0].line, None, jobs[0].z, (0, 0, SIZE, SIZE // 2))
    assert models.run_batch([boxed])[0].shape == (SIZE, SIZE, 3)
    assert models.run_batch([models.warmup_job()])[0].shape == (SIZE, SIZE, 3)


def test_damaged_shipped_weights_give_a_reason(
    colorizer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_weights, "SHIPPED_FOLDER", tmp_path)
    (tmp_path / "tracer.safetensors").write_bytes(b"no weights")
    registry.sketch_model.cache_clear()
    registry.line_model.cache_clear()
    damaged = load(colorizer_file)
    for stage, text in (("sketch", "tracer.safetensors: not a"), ("simplify", "no such file")):
        network, filter_model, _ = damaged.describe()[stage]
        assert (network["available"], filter_model["available"]) == (False, True)
        assert text in network["reason"]


@pytest.mark.parametrize(("sketch", "line"), [("tracer", "inker"), ("xdog", "centerline")])
def test_sketch_and_line_models_find_lines(models: Models, sketch: str, line: str) -> None:
    picture = np.full((40, 30, 3), 255, np.uint8)
    picture[:, 14:16] = 0
    ink = models.run_batch([SketchJob(model=sketch, picture=picture)] * 2)
    assert [each.shape for each in ink] == [(40, 30)] * 2
    assert ink[0].max() > 0.5
    clean = models.run_batch([SimplifyJob(model=line, sketch=picture[..., 0])])
    assert clean[0].shape == (40, 30)
    assert clean[0].min() < 128
