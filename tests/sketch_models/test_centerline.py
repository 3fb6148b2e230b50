"""Centerline draws one clean, even stroke where the sketch has a line."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketch_models.centerline import (
    Centerline,
    CenterlineOptions,
    centerlines,
    stroke,
    without_specks,
    without_spurs,
)
from sketch_models.errors import ConfigError

MODEL = Centerline(CenterlineOptions())


def paper(height: int = 80, width: int = 100) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


def middle(line: np.ndarray) -> float:
    """Where a vertical line is, in pixels: the centroid of its ink in the middle rows."""
    ink = 255.0 - line[20:60]
    return float((ink.sum(0) * np.arange(line.shape[1])).sum() / ink.sum())


@pytest.mark.parametrize("width", [1, 3, 5])
def test_lines_stay_where_they_are(width: int) -> None:
    sketch = paper()
    cv2.line(sketch, (41, 5), (41, 75), 60, width)
    (line,) = MODEL.simplify([sketch])
    assert middle(line) == pytest.approx(41, abs=0.05)


@pytest.mark.parametrize("width", [2.0, 3.0, 4.5])
def test_every_stroke_has_the_width_that_was_asked_for(width: int) -> None:
    model = Centerline(CenterlineOptions(width=width))
    for drawn in (1, 4):
        sketch = paper()
        cv2.line(sketch, (41, 5), (41, 75), 0, drawn)
        (line,) = model.simplify([sketch])
        assert (255.0 - line[40]).sum() / 255 == pytest.approx(width, abs=0.1)


def test_the_result_is_thicker_and_cleaner_than_a_noisy_sketch() -> None:
    rng = np.random.default_rng(3)
    sketch = paper()
    cv2.line(sketch, (10, 10), (90, 70), 100, 1)
    sketch[rng.random(sketch.shape) < 0.01] = 200
    (line,) = MODEL.simplify([sketch])
    count, _ = cv2.connectedComponents((line < 128).astype(np.uint8))
    assert count == 2  # the paper and one line
    assert (line < 128).sum() > 1.8 * (sketch < 128).sum()


def test_hysteresis_keeps_what_hangs_on_a_strong_line() -> None:
    sketch = paper()
    sketch[40, 10:50], sketch[40, 50:90] = 100, 225  # strong, then weak
    sketch[60, 10:90] = 225  # weak alone
    skeleton = centerlines(sketch, low=0.06, high=0.3)
    assert skeleton[40, 20:80].all()
    assert not skeleton[55:65].any()


def test_spurs_go_and_ends_stay() -> None:
    skeleton = np.zeros((40, 80), np.uint8)
    skeleton[20, 10:70] = 1
    skeleton[16:20, 40] = 1
    pruned = without_spurs(skeleton, 6)
    assert not pruned[:19].any()
    assert pruned[20, 10:70].all()


def test_specks_go() -> None:
    skeleton = np.zeros((40, 80), np.uint8)
    skeleton[20, 10:70] = 1
    skeleton[5, 5:9] = 1
    assert without_specks(skeleton, 12).sum() == 60


def test_strokes_are_anti_aliased() -> None:
    skeleton = np.eye(50, dtype=np.uint8)
    greys = np.unique(stroke(skeleton, 3.0))
    assert ((greys > 0) & (greys < 255)).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_sketch_gives_line_art_of_its_size(height: int, width: int, seed: int) -> None:
    sketch = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    (line,) = MODEL.simplify([sketch])
    assert line.shape == sketch.shape
    assert line.dtype == np.uint8


@pytest.mark.parametrize("grey", [0, 255])
def test_flat_sketches_do_not_crash(grey: int) -> None:
    (line,) = MODEL.simplify([np.full((30, 30), grey, np.uint8)])
    assert line.shape == (30, 30)
    assert grey == 0 or line.min() == 255


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"high": 0.01}, {"width": 0.0}, {"spur": -1}])
def test_wrong_options_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"\[centerline\] {next(iter(wrong))} = "):
        CenterlineOptions(**wrong)
