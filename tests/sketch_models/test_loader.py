"""Models by name take what people have, and say in one sentence what they do not take."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

import sketch_models
from benchmarks.harness.line_networks import write_random
from sketch_models import line_weights, loader, registry
from sketch_models.errors import ConfigError, WeightsError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (40, 60, 3), np.uint8)


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of shipped weights, which are random."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr(line_weights, "SHIPPED_FOLDER", folder)
    for network in ("tracer", "inker"):
        write_random(folder / f"{network}.safetensors", network)
    registry.sketch_model.cache_clear()
    registry.line_model.cache_clear()
    yield folder
    registry.sketch_model.cache_clear()
    registry.line_model.cache_clear()


def test_pictures_become_line_art() -> None:
    (ink,) = sketch_models.load("tracer").lines([RGB])
    assert ink.shape == RGB.shape[:2]
    assert ink.dtype == np.float32
    sketches = [sketch_models.ink_to_sketch(ink, style) for style in sketch_models.STYLES]
    for line in sketch_models.load("inker").simplify(sketches):
        assert line.shape == RGB.shape[:2]
        assert line.dtype == np.uint8


FORMS = {
    "grey": RGB[..., 0],
    "rgba": np.dstack([RGB, np.zeros(RGB.shape[:2], np.uint8)]),
    "16 bits": RGB.astype(np.uint16) * 257,
    "one column": RGB[:, :1],
    "read-only": np.frombuffer(RGB.tobytes(), np.uint8).reshape(RGB.shape),
}


@pytest.mark.parametrize("name", ["tracer", "xdog"])
@pytest.mark.parametrize("form", FORMS)
def test_pictures_of_any_form_are_taken(name: loader.SketchName, form: str) -> None:
    picture = FORMS[form]
    (ink,) = sketch_models.load(name).lines([picture])
    assert ink.shape == picture.shape[:2]


@pytest.mark.parametrize("name", ["inker", "centerline"])
@pytest.mark.parametrize("form", FORMS)
def test_sketches_of_any_form_are_taken(name: loader.LineName, form: str) -> None:
    sketch = FORMS[form]
    (line,) = sketch_models.load(name).simplify([sketch])
    assert line.shape == sketch.shape[:2]


def test_several_batches_keep_their_order() -> None:
    pictures: list[NDArray[np.uint8]] = [RGB[:, :width] for width in (10, 60, 33, 7, 60)]
    model = sketch_models.load("xdog")
    inks = model.lines(pictures)
    assert [ink.shape for ink in inks] == [picture.shape[:2] for picture in pictures]
    np.testing.assert_array_equal(inks[2], model.lines([pictures[2]])[0])
    assert model.lines([]) == []


def test_options_are_those_of_the_model(tmp_path: Path) -> None:
    thin = sketch_models.load("centerline", stroke_width=1.0, min_length=0)
    thick = sketch_models.load("centerline", stroke_width=9.0, min_length=0)
    sketch = np.full((40, 40), 255, np.uint8)
    sketch[20, 5:35] = 0
    assert (thick.simplify([sketch])[0] < 128).sum() > 3 * (thin.simplify([sketch])[0] < 128).sum()
    path = write_random(tmp_path / "mine", "tracer", seed=5)
    (ink,) = sketch_models.load("tracer", weights=str(path)).lines([RGB])
    assert not np.array_equal(ink, sketch_models.load("tracer").lines([RGB])[0])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pencil", {}, "There is no model pencil. Sketch models: tracer, xdog"),
        ("tracer", {"sigma": 1.0}, "tracer has no option sigma. Options: weights."),
        ("xdog", {"sigma": -1.0}, r"\[xdog\] sigma = -1.0: expected a number of pixels"),
        ("tracer", {"device": "gpu"}, r"\[compute\] device = gpu: expected auto, cpu"),
    ],
)
def test_what_does_not_exist_is_named(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sketch_models.load(name, **options)  # type: ignore[call-overload]


def test_missing_weights_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_weights, "SHIPPED_FOLDER", tmp_path / "none")
    registry.sketch_model.cache_clear()
    with pytest.raises(WeightsError, match=r"weights of tracer = shipped: there is no such file"):
        sketch_models.load("tracer")


def test_one_array_is_not_a_list_of_pictures() -> None:
    with pytest.raises(ValueError, match=r"One array is given: expected a list of pictures"):
        sketch_models.load("xdog").lines(RGB)  # type: ignore[arg-type]


def test_names_are_those_of_the_registry() -> None:
    assert get_args(loader.SketchName) == registry.SKETCH_MODELS
    assert get_args(loader.LineName) == registry.LINE_MODELS


def test_importing_loads_nothing_heavy() -> None:
    code = "import sketch_models, sys; print({'torch', 'numpy', 'cv2'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_names_of_the_package_exist() -> None:
    for name in sketch_models.__all__:
        assert name in dir(sketch_models)
        assert getattr(sketch_models, name)
    with pytest.raises(AttributeError, match="'sketch_models' has no attribute 'Load'"):
        sketch_models.Load  # type: ignore[attr-defined]  # noqa: B018
