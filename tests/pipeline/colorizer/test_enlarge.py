"""Paintings enlarged along the lines of their drawing."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.colorizer import enlarge as enlarge_module
from pipeline.colorizer.enlarge import Enlarger


def enlarge(painting: np.ndarray, line: np.ndarray) -> np.ndarray:
    return Enlarger(line).enlarge(painting)


RED, BLUE = (200, 30, 40), (40, 60, 200)


def disc(side: int = 400) -> np.ndarray:
    """Return a circle on paper, off the grid of the painting."""
    line = np.full((side, side), 255, np.uint8)
    cv2.circle(line, (side * 19 // 40, side * 21 // 40), side // 3, 0, 3, cv2.LINE_AA)
    return line


def painted(line: np.ndarray, side: int = 50) -> np.ndarray:
    """Return a small painting: red within the circle, blue around it, and the line blurred."""
    inside = cv2.circle(np.zeros_like(line), (190, 210), 133, 255, -1)
    color = np.where(inside[..., None] > 0, RED, BLUE) * (line[..., None] / 255)
    return cv2.resize(color.astype(np.uint8), (side, side), interpolation=cv2.INTER_AREA)


def test_colours_end_at_lines_and_lines_are_sharp() -> None:
    line = disc()
    result = enlarge(painted(line), line)
    assert result.shape == (400, 400, 3)
    assert result.dtype == np.uint8
    y, x = np.ogrid[:400, :400]
    radius = np.hypot(x - 190, y - 210)
    for part, color in ((radius < 133, RED), (radius > 133, BLUE)):
        assert np.abs(result[part & (line == 255)].astype(int) - color).max() <= 6
    assert (result[line == 0] == 0).all()
    plain = cv2.resize(painted(line), (400, 400), interpolation=cv2.INTER_LINEAR)
    assert np.abs(plain[radius < 129].astype(int) - RED).max() > 60  # what it is for


def test_a_line_that_was_painted_too_wide_leaves_no_shadow() -> None:
    line = disc()
    wide = painted(line)
    small = cv2.resize(line, (50, 50), interpolation=cv2.INTER_AREA)
    beside = cv2.erode(small, np.ones((3, 3), np.uint8)) < 200
    wide[beside] = wide[beside] // 3
    result = enlarge(wide, line)
    y, x = np.ogrid[:400, :400]
    radius = np.hypot(x - 190, y - 210)
    for part, color in ((radius < 133, RED), (radius > 133, BLUE)):
        off = np.abs(result[part & (line == 255)].astype(int) - color).max(axis=1)
        assert np.percentile(off, 99) <= 8


def test_gradients_stay_smooth() -> None:
    line = disc()
    ramp = np.repeat(np.linspace(20, 235, 50)[None, :, None], 50, 0).repeat(3, 2).astype(np.uint8)
    result = enlarge(ramp, line)
    row = result[20, :, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert np.diff(row).max() <= 2
    assert row[-1] - row[0] > 200


def test_small_areas_between_lines_have_a_colour_of_the_painting() -> None:
    line = np.full((300, 300), 255, np.uint8)
    line[::10] = line[:, ::10] = 0  # areas smaller than a pixel of the painting
    result = enlarge(np.full((10, 10, 3), RED, np.uint8), line)
    assert (result[line == 255] == RED).all()


@pytest.mark.parametrize("ink", [0, 255])
def test_page_of_ink_or_of_paper(ink: int) -> None:
    line = np.full((90, 60), ink, np.uint8)
    result = enlarge(np.full((9, 6, 3), BLUE, np.uint8), line)
    assert (result == (BLUE if ink else (0, 0, 0))).all()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 9999),
    height=st.integers(2, 90),
    width=st.integers(2, 90),
    factor=st.floats(1, 9),
)
def test_any_painting_is_enlarged_within_its_range(
    seed: int, height: int, width: int, factor: float
) -> None:
    rng = np.random.default_rng(seed)
    line = np.where(rng.random((height, width)) < 0.1, rng.integers(0, 256), 255).astype(np.uint8)
    size = (max(1, int(height / factor)), max(1, int(width / factor)))
    small = rng.integers(50, 200, (*size, 3), np.uint8)
    result = enlarge(small, line)
    assert result.shape == (height, width, 3)
    assert result.max() <= 220  # a little ink is taken off
    assert result[line == 255].min(initial=255) >= 49
    np.testing.assert_array_equal(result, enlarge(small, line))


def test_colours_of_huge_drawings_are_computed_at_a_smaller_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = disc()
    exact = enlarge(painted(line), line)
    monkeypatch.setattr(enlarge_module, "_MAX_PIXELS", 200 * 200)
    sizes = []
    colors = enlarge_module._colors
    monkeypatch.setattr(
        enlarge_module, "_colors", lambda *given: (sizes.append(given[1].shape), colors(*given))[1]
    )
    result = enlarge(painted(line), line)
    assert sizes == [(200, 200)]
    assert result.shape == exact.shape
    assert np.abs(result.astype(int) - exact).mean() < 3
    assert (result[line == 0] == 0).all()


def test_a_huge_strip_keeps_a_row_at_the_smaller_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enlarge_module, "_MAX_PIXELS", 50)
    line = np.full((1, 900), 255, np.uint8)
    assert (enlarge(np.full((1, 9, 3), RED, np.uint8), line) == RED).all()


def test_areas_are_found_once_for_all_paintings_of_a_drawing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[int] = []
    find = enlarge_module.find_areas
    monkeypatch.setattr(enlarge_module, "find_areas", lambda line: (found.append(1), find(line))[1])
    line = disc()
    enlarger = Enlarger(line)
    paintings = [np.full((50, 50, 3), color, np.uint8) for color in (RED, BLUE)]
    first, second = map(enlarger.enlarge, paintings)
    assert len(found) == 1
    # A little ink, which darkens what lies beside lines, is taken off: here there was none.
    for result, color in ((first, RED), (second, BLUE)):
        assert (np.median(result[line == 255], axis=0) == color).all()
