"""Flat colours: areas that partition the content box, and their mean colours."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pack.extras import MAX_COLORS
from pipeline.pack.flat import find_flat
from pipeline.sample_booru.artist.draw import draw


@st.composite
def squares(data: st.DrawFn) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """Return a square with a picture of blocks, noise or both in it, and its box.

    In a large one areas have many pixels, so that their means are no whole numbers.
    """
    size = data(st.sampled_from([16, 40, 96, 160]))
    width, height = data(st.integers(1, size)), data(st.integers(1, size))
    left, top = (size - width) // 2, (size - height) // 2
    rng = np.random.default_rng(data(st.integers(0, 9999)))
    cells = rng.integers(0, 256, (-(-height // 7), -(-width // 7), 3), dtype=np.uint8)
    picture = cells.repeat(7, axis=0).repeat(7, axis=1)[:height, :width].astype(np.int64)
    picture += rng.integers(0, data(st.sampled_from([1, 40, 256])), picture.shape)
    square = np.full((size, size, 3), 255, np.uint8)
    square[top : top + height, left : left + width] = picture.clip(0, 255)
    return square, (left, top, left + width, top + height)


@settings(max_examples=40, deadline=None)
@given(squares())
def test_areas_partition_the_box_and_have_their_mean_colours(
    case: tuple[np.ndarray, tuple[int, int, int, int]],
) -> None:
    square, (left, top, right, bottom) = case
    numbers, colors = find_flat(square, (left, top, right, bottom))
    assert (numbers.dtype, numbers.shape) == (np.uint16, square.shape[:2])
    assert (colors.dtype, colors.shape) == (np.uint8, (MAX_COLORS, 3))
    inside = np.zeros(numbers.shape, bool)
    inside[top:bottom, left:right] = True
    assert ((numbers > 0) == inside).all()
    present, sizes = np.unique(numbers[inside], return_counts=True)
    assert present.tolist() == list(range(1, len(present) + 1))
    assert (np.diff(sizes) <= 0).all()  # the largest first
    for number in present:
        mean = square[numbers == number].astype(np.float64).mean(axis=0)
        assert np.abs(colors[number] - mean).max() <= 0.5 + 1e-9
    assert (colors[0] == 255).all()
    assert not colors[len(present) + 1 :].any()


def test_areas_are_not_joined_around_the_box() -> None:
    """Both sides of a bar are as white as the padding, which touches them."""
    square = np.full((64, 64, 3), 255, np.uint8)
    square[16:48, 20:44] = 0
    numbers, colors = find_flat(square, (0, 16, 64, 48))
    sides = {int(numbers[30, 5]), int(numbers[30, 60])}
    assert len(sides) == 2
    assert all((colors[number] == 255).all() for number in sides)


def test_a_drawing_looks_like_itself_in_flat_colours() -> None:
    square = np.asarray(cv2.resize(draw(3).color, (256, 256), interpolation=cv2.INTER_AREA))
    numbers, colors = find_flat(square, (0, 0, 256, 256))
    error = np.abs(colors[numbers].astype(int) - square).mean()
    assert 1 < error < 8
    assert 100 < numbers.max() < 600


@pytest.mark.parametrize("size", [16, 62, 63, 88, 128])
def test_a_picture_of_noise_has_fewer_areas_than_the_palette_has_colours(size: int) -> None:
    """At 62 pixels the least size of an area is one pixel; at others it is larger, or all fit."""
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    numbers, _ = find_flat(noise, (0, 0, size, size))
    assert numbers.max() < MAX_COLORS
    assert numbers.max() > size  # far from one area
