"""Models are chosen by the type of their options; networks are loaded once per process."""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from benchmarks.harness.line_networks import write_random
from benchmarks.harness.random_weights import simo_serra, sketchkeras, write_keras
from sketch_models import line_weights, registry
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.errors import SengaError
from sketch_models.inker import Inker
from sketch_models.network_options import (
    ComputeOptions,
    InkerOptions,
    SimoSerraOptions,
    SketchKerasOptions,
    TracerOptions,
)
from sketch_models.tracer import Tracer
from sketch_models.xdog import Xdog, XdogOptions

CPU = ComputeOptions(device="cpu", precision="fp32")
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def test_filters_need_no_weights() -> None:
    assert isinstance(registry.sketch_model(XdogOptions(), CPU, "torch"), Xdog)
    assert isinstance(registry.line_model(CenterlineOptions(), CPU), Centerline)
    for options in (XdogOptions(), CenterlineOptions()):
        assert registry.unmet_requirements(options) == []
        assert registry.settings(options, CPU) == {}
        registry.prepare_weights(options)
        assert registry.weights_are_prepared(options)
        assert not registry.is_network(options)
        assert registry.is_small(options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_keras(folder / "mod.h5")
    save_file(sketchkeras(1), folder / "sketch.safetensors")
    save_file(simo_serra(), folder / "line.safetensors")
    return folder


def test_network_is_loaded_once(folder: Path) -> None:
    sketch = SketchKerasOptions(weights=str(folder / "mod.h5"))
    line = SimoSerraOptions(weights=str(folder / "line.safetensors"))
    assert not registry.weights_are_prepared(sketch)
    registry.prepare_weights(sketch)
    assert registry.weights_are_prepared(sketch)
    assert registry.is_network(line)
    assert not registry.is_small(line)
    model = registry.sketch_model(sketch, CPU, "torch")
    assert model is registry.sketch_model(sketch, CPU, "torch")
    (ink,) = model.lines([PICTURE])
    assert ink.shape == PICTURE.shape[:2]
    sketches = [(255 * (1 - ink)).astype(np.uint8)]
    (drawn,) = registry.line_model(line, CPU).simplify(sketches)
    assert drawn.shape == ink.shape


def test_shipped_networks_need_no_cache_folder(
    tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_weights, "SHIPPED_FOLDER", tmp_path)
    write_random(tmp_path / "tracer.safetensors", "tracer")
    write_random(tmp_path / "inker.safetensors", "inker")
    registry.sketch_model.cache_clear()
    registry.line_model.cache_clear()
    tracer, inker = TracerOptions(), InkerOptions()
    for options in (tracer, inker):
        assert registry.unmet_requirements(options) == []
        assert registry.weights_are_prepared(options)
        registry.prepare_weights(options)
        assert registry.is_network(options)
        assert registry.is_small(options)
    sketch = registry.sketch_model(tracer, CPU, "torch")
    assert isinstance(sketch, Tracer)
    assert sketch is registry.sketch_model(tracer, CPU, "torch")
    assert isinstance(registry.line_model(inker, CPU), Inker)
    assert not cache_folder.exists()
    registry.sketch_model.cache_clear()  # these are not the weights that come with the package
    registry.line_model.cache_clear()


def test_settings_of_shipped_networks_are_their_digest(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    for seed, name in zip((0, 0, 1), names, strict=True):
        write_random(tmp_path / name, "tracer", seed=seed)
    first, copy, other = (
        registry.settings(TracerOptions(weights=str(tmp_path / name)), CPU) for name in names
    )
    assert first == copy != other
    assert str(first["weights"]).startswith("sha256:")


def test_settings_depend_on_the_content_of_weights(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.h5"
    moved.write_bytes((folder / "mod.h5").read_bytes())
    paths = (folder / "mod.h5", moved, folder / "sketch.safetensors")
    first, copy, other = (
        registry.settings(SketchKerasOptions(weights=str(path)), CPU) for path in paths
    )
    assert first == copy != other


def test_settings_of_published_weights_are_their_digest() -> None:
    settings = registry.settings(SimoSerraOptions(weights="gan"), CPU)
    assert settings["weights"] == "md5:3a5b4088f2490ca4b8140a374e80c878"


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (SketchKerasOptions(weights="nowhere.h5"), r"\[sketchkeras\] weights = nowhere.h5: there "),
        (SketchKerasOptions(weights="gan"), "these are weights of simo_serra"),
        (SimoSerraOptions(weights="nowhere.t7"), r"\[simo_serra\] weights = nowhere.t7"),
        (TracerOptions(weights="nowhere"), r"weights of tracer = nowhere: there is no such file"),
        (InkerOptions(weights="nowhere"), r"weights of inker = nowhere: there is no such file"),
        (InkerOptions(weights=__file__), "not a weight file"),
    ],
)
def test_missing_weights_are_an_unmet_requirement(
    options: registry.ModelOptions, pattern: str
) -> None:
    (message,) = registry.unmet_requirements(options)
    assert re.search(pattern, message)


def test_file_of_another_network_is_refused(folder: Path) -> None:
    wrong = SketchKerasOptions(weights=str(folder / "line.safetensors"))
    with pytest.raises(SengaError, match="another network"):
        registry.sketch_model(wrong, CPU, "torch")
    with pytest.raises(SengaError, match="another network"):
        registry.prepare_weights(wrong)
