"""Colour and line art are fitted into squares and stay aligned at any resolution."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.pack.square import Placement, resample

SIZE = 64
sides = st.integers(1, 400)


def stroke_profile(length: int, start: float, end: float) -> NDArray[np.float64]:
    """Return the ink of a stroke from `start` to `end` (shares of the length) over pixel areas."""
    edges = np.arange(length + 1)
    return np.diff(np.clip(edges, start * length, end * length))


def cross(width: int, height: int, x: float, y: float, thick: float) -> NDArray[np.uint8]:
    """Draw a vertical and a horizontal stroke, black on white, anti-aliased exactly."""
    across = stroke_profile(width, x - thick / 2, x + thick / 2)[None, :]
    down = stroke_profile(height, y - thick / 2, y + thick / 2)[:, None]
    ink = 1 - (1 - across) * (1 - down)
    return np.rint(255 * (1 - ink)).astype(np.uint8)


def centroids(square: NDArray[np.uint8], box: tuple[int, int, int, int]) -> tuple[float, float]:
    """Return the positions of the two strokes in pixels, by the ink beyond the other stroke."""
    left, top, right, bottom = box
    ink = 255.0 - square[top:bottom, left:right]
    places = []
    for axis in (0, 1):
        profile = ink.sum(axis)
        profile -= profile.min()
        places.append(float((profile * (np.arange(profile.size) + 0.5)).sum() / profile.sum()))
    return places[0], places[1]


def working_size(width: int, height: int, long: int) -> tuple[int, int]:
    """Return the resolution of line art whose long side is `long`, keeping the aspect."""
    scale = long / max(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))


@settings(max_examples=150, deadline=None)
@given(
    width=st.integers(41, 500),
    height=st.integers(41, 500),
    long=st.sampled_from([96, 192, 301]),
    x=st.floats(0.42, 0.58),
    y=st.floats(0.42, 0.58),
    fit=st.sampled_from(["pad", "crop"]),
)
@example(width=425, height=600, long=384, x=0.5, y=0.5, fit="pad")
@example(width=499, height=97, long=301, x=0.42, y=0.58, fit="pad")
@example(width=97, height=499, long=192, x=0.58, y=0.42, fit="crop")
def test_colour_and_line_are_aligned(
    width: int, height: int, long: int, x: float, y: float, fit: str
) -> None:
    # Enlarged more than twice, a stroke is too blurred to be measured.
    assume(min(working_size(width, height, long)) >= SIZE // 2)
    placement = Placement.of(width, height, SIZE, fit)
    gray = cross(width, height, x, y, 0.06)
    color = placement.to_square(np.repeat(gray[..., None], 3, axis=2))
    line = placement.to_square(cross(*working_size(width, height, long), x, y, 0.06))
    expected = centroids(line, placement.box)
    assert centroids(color[..., 1], placement.box) == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize(
    ("width", "height"), [(850, 1200), (1201, 333), (64, 64), (31, 17), (900, 65)]
)
def test_stroke_has_the_right_position(width: int, height: int) -> None:
    """Check the absolute position, not only that two pictures agree."""
    placement = Placement.of(width, height, SIZE, "pad")
    position = centroids(placement.to_square(cross(width, height, 0.45, 0.55, 0.08)), placement.box)
    left, top, right, bottom = placement.box
    assert position == pytest.approx((0.45 * (right - left), 0.55 * (bottom - top)), abs=0.25)


@given(width=sides, height=sides)
def test_padding_centres_the_uncropped_picture(width: int, height: int) -> None:
    placement = Placement.of(width, height, SIZE, "pad")
    left, top, right, bottom = placement.box
    assert max(right - left, bottom - top) == SIZE
    assert right - left == pytest.approx(SIZE * width / max(width, height), abs=0.95)
    assert bottom - top == pytest.approx(SIZE * height / max(width, height), abs=0.95)
    assert 0 <= (SIZE - right) - left <= 1
    assert 0 <= (SIZE - bottom) - top <= 1


@settings(deadline=None)
@given(width=sides, height=sides)
def test_square_is_paper_outside_the_box(width: int, height: int) -> None:
    placement = Placement.of(width, height, SIZE, "pad")
    left, top, right, bottom = placement.box
    square = placement.to_square(np.zeros((height, width), np.uint8))
    painted = np.zeros((SIZE, SIZE), bool)
    painted[top:bottom, left:right] = True
    assert (square == np.where(painted, 0, 255)).all()


def test_cropping_fills_the_square_with_the_centre() -> None:
    stripes = np.repeat(np.array([[10, 20, 30]], np.uint8), 100, axis=1).repeat(100, axis=0)
    placement = Placement.of(300, 100, SIZE, "crop")
    assert placement.box == (0, 0, SIZE, SIZE)
    assert (placement.to_square(stripes) == 20).all()
    assert (placement.to_square(np.repeat(stripes, 2, axis=1))[:, 2:-2] == 20).all()


@settings(deadline=None)
@given(width=st.integers(1, 60), height=st.integers(1, 60))
def test_shrinking_averages_exact_areas(width: int, height: int) -> None:
    rng = np.random.default_rng(width * 100 + height)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    wide, high = max(1, width * 3 // 7), max(1, height * 3 // 7)

    def areas(length: int, cells: int) -> NDArray[np.float64]:
        edges = np.linspace(0, length, cells + 1)
        rows = pairwise(edges)
        return np.array([stroke_profile(length, a / length, b / length) / (b - a) for a, b in rows])

    expected = np.einsum("yh,hwc,xw->yxc", areas(height, high), picture, areas(width, wide))
    assert np.abs(resample(picture, wide, high) - expected).max() <= 1
