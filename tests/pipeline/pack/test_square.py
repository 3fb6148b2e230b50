"""Colour and line art go through one mapping and stay aligned, whatever their resolutions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.pack.square import Placement, resampled

SIZE = 64
sides = st.integers(1, 400)


def strip(length: int, start: float, end: float) -> NDArray[np.float64]:
    """Ink of a stroke from `start` to `end` (shares of the length) over exact pixel areas."""
    edges = np.arange(length + 1)
    return np.diff(np.clip(edges, start * length, end * length))


def cross(width: int, height: int, x: float, y: float, thick: float) -> NDArray[np.uint8]:
    """A vertical and a horizontal stroke, black on white, anti-aliased exactly."""
    across = strip(width, x - thick / 2, x + thick / 2)[None, :]
    down = strip(height, y - thick / 2, y + thick / 2)[:, None]
    ink = 1 - (1 - across) * (1 - down)
    return np.rint(255 * (1 - ink)).astype(np.uint8)


def centroids(square: NDArray[np.uint8], box: tuple[int, int, int, int]) -> tuple[float, float]:
    """Where the two strokes are, in pixels of the square, by the ink beyond the other stroke."""
    left, top, right, bottom = box
    ink = 255.0 - square[top:bottom, left:right]
    places = []
    for axis in (0, 1):
        profile = ink.sum(axis)
        profile -= profile.min()
        places.append(float((profile * (np.arange(profile.size) + 0.5)).sum() / profile.sum()))
    return places[0], places[1]


def working_size(width: int, height: int, long: int) -> tuple[int, int]:
    """The resolution of the line art: the long side is fixed, the aspect kept."""
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
def test_colour_and_line_coincide(
    width: int, height: int, long: int, x: float, y: float, fit: str
) -> None:
    # Enlarged more than twice, a stroke is too blurred to be measured.
    assume(min(working_size(width, height, long)) >= SIZE // 2)
    place = Placement.of(width, height, SIZE, fit)
    gray = cross(width, height, x, y, 0.06)
    color = place.square(np.repeat(gray[..., None], 3, axis=2))
    line = place.square(cross(*working_size(width, height, long), x, y, 0.06))
    expected = centroids(line, place.box)
    assert centroids(color[..., 1], place.box) == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize(
    ("width", "height"), [(850, 1200), (1201, 333), (64, 64), (31, 17), (900, 65)]
)
def test_a_stroke_lands_where_it_belongs(width: int, height: int) -> None:
    """The absolute position, not only the agreement of two pictures."""
    place = Placement.of(width, height, SIZE, "pad")
    found = centroids(place.square(cross(width, height, 0.45, 0.55, 0.08)), place.box)
    left, top, right, bottom = place.box
    assert found == pytest.approx((0.45 * (right - left), 0.55 * (bottom - top)), abs=0.25)


@given(width=sides, height=sides)
def test_padding_keeps_everything_and_centres_it(width: int, height: int) -> None:
    place = Placement.of(width, height, SIZE, "pad")
    left, top, right, bottom = place.box
    assert max(right - left, bottom - top) == SIZE
    assert right - left == pytest.approx(SIZE * width / max(width, height), abs=0.95)
    assert bottom - top == pytest.approx(SIZE * height / max(width, height), abs=0.95)
    assert 0 <= (SIZE - right) - left <= 1
    assert 0 <= (SIZE - bottom) - top <= 1


@settings(deadline=None)
@given(width=sides, height=sides)
def test_only_the_box_is_painted(width: int, height: int) -> None:
    place = Placement.of(width, height, SIZE, "pad")
    left, top, right, bottom = place.box
    square = place.square(np.zeros((height, width), np.uint8))
    painted = np.zeros((SIZE, SIZE), bool)
    painted[top:bottom, left:right] = True
    assert (square == np.where(painted, 0, 255)).all()


def test_cropping_fills_the_square_with_the_middle() -> None:
    stripes = np.repeat(np.array([[10, 20, 30]], np.uint8), 100, axis=1).repeat(100, axis=0)
    place = Placement.of(300, 100, SIZE, "crop")
    assert place.box == (0, 0, SIZE, SIZE)
    assert (place.square(stripes) == 20).all()
    assert (place.square(np.repeat(stripes, 2, axis=1))[:, 2:-2] == 20).all()


@settings(deadline=None)
@given(width=st.integers(1, 60), height=st.integers(1, 60))
def test_shrinking_is_the_mean_over_exact_areas(width: int, height: int) -> None:
    rng = np.random.default_rng(width * 100 + height)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    wide, high = max(1, width * 3 // 7), max(1, height * 3 // 7)

    def areas(length: int, cells: int) -> NDArray[np.float64]:
        edges = np.linspace(0, length, cells + 1)
        rows = pairwise(edges)
        return np.array([strip(length, a / length, b / length) / (b - a) for a, b in rows])

    expected = np.einsum("yh,hwc,xw->yxc", areas(height, high), picture, areas(width, wide))
    assert np.abs(resampled(picture, wide, high) - expected).max() <= 1
