"""Centerline draws one clean, even stroke where the sketch has a line."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketch_models.centerline import (
    Centerline,
    CenterlineOptions,
    draw_stroke,
    hysteresis_skeleton,
    prune_spurs,
    remove_short_lines,
)
from sketch_models.errors import ConfigError

MODEL = Centerline(CenterlineOptions())


def blank_sketch(height: int = 80, width: int = 100) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


def line_position(line: np.ndarray) -> float:
    """Position of a vertical line in pixels: the centroid of its ink in the middle rows."""
    ink = 255.0 - line[20:60]
    return float((ink.sum(0) * np.arange(line.shape[1])).sum() / ink.sum())


@pytest.mark.parametrize("width", [1, 3, 5])
def test_line_keeps_its_position(width: int) -> None:
    sketch = blank_sketch()
    cv2.line(sketch, (41, 5), (41, 75), 60, width)
    (line,) = MODEL.simplify([sketch])
    assert line_position(line) == pytest.approx(41, abs=0.05)


@pytest.mark.parametrize("width", [2.0, 3.0, 4.5])
def test_stroke_has_the_configured_width(width: int) -> None:
    model = Centerline(CenterlineOptions(stroke_width=width))
    for drawn in (1, 4):
        sketch = blank_sketch()
        cv2.line(sketch, (41, 5), (41, 75), 0, drawn)
        (line,) = model.simplify([sketch])
        assert (255.0 - line[40]).sum() / 255 == pytest.approx(width, abs=0.1)


def test_noise_is_removed_and_the_line_is_thicker() -> None:
    rng = np.random.default_rng(3)
    sketch = blank_sketch()
    cv2.line(sketch, (10, 10), (90, 70), 100, 1)
    sketch[rng.random(sketch.shape) < 0.01] = 200
    (line,) = MODEL.simplify([sketch])
    count, _ = cv2.connectedComponents((line < 128).astype(np.uint8))
    assert count == 2  # the paper and one line
    assert (line < 128).sum() > 1.8 * (sketch < 128).sum()


def test_hysteresis_keeps_weak_ink_connected_to_strong_ink() -> None:
    sketch = blank_sketch()
    sketch[40, 10:50], sketch[40, 50:90] = 100, 225  # strong, then weak
    sketch[60, 10:90] = 225  # weak alone
    skeleton = hysteresis_skeleton(sketch, low=0.06, high=0.3)
    assert skeleton[40, 20:80].all()
    assert not skeleton[55:65].any()


def test_spurs_are_pruned_and_ends_stay() -> None:
    skeleton = np.zeros((40, 80), np.uint8)
    skeleton[20, 10:70] = 1
    skeleton[16:20, 40] = 1
    pruned = prune_spurs(skeleton, 6)
    assert not pruned[:19].any()
    assert pruned[20, 10:70].all()


def test_short_lines_are_removed() -> None:
    skeleton = np.zeros((40, 80), np.uint8)
    skeleton[20, 10:70] = 1
    skeleton[5, 5:9] = 1
    assert remove_short_lines(skeleton, 12).sum() == 60


def test_strokes_are_anti_aliased() -> None:
    skeleton = np.eye(50, dtype=np.uint8)
    greys = np.unique(draw_stroke(skeleton, 3.0))
    assert ((greys > 0) & (greys < 255)).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_line_art_has_the_size_of_any_sketch(height: int, width: int, seed: int) -> None:
    sketch = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    (line,) = MODEL.simplify([sketch])
    assert line.shape == sketch.shape
    assert line.dtype == np.uint8


@pytest.mark.parametrize("grey", [0, 255])
def test_flat_sketches_do_not_crash(grey: int) -> None:
    (line,) = MODEL.simplify([np.full((30, 30), grey, np.uint8)])
    assert line.shape == (30, 30)
    assert grey == 0 or line.min() == 255


@pytest.mark.parametrize(
    "wrong",
    [{"low_threshold": 0.0}, {"high_threshold": 0.01}, {"stroke_width": 0.0}, {"max_spur": -1}],
)
def test_wrong_option_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"\[centerline\] {next(iter(wrong))} = "):
        CenterlineOptions(**wrong)
