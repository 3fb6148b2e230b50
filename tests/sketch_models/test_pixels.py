"""Pictures of every form become RGB or grey; anything else is refused in one sentence."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from sketch_models.pixels import to_grey, to_rgb

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (4, 5, 3), np.uint8)
GREY = RGB[..., 0]


def with_opacity(pixels: NDArray[np.uint8], opacity: int) -> NDArray[np.uint8]:
    return np.dstack([pixels, np.full(pixels.shape[:2], opacity, np.uint8)])


def test_rgb_and_grey_stay_as_they_are() -> None:
    np.testing.assert_array_equal(to_rgb(RGB), RGB)
    np.testing.assert_array_equal(to_grey(GREY), GREY)


@pytest.mark.parametrize("grey", [GREY, GREY[..., None], with_opacity(GREY, 255)])
def test_grey_becomes_rgb(grey: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(to_rgb(grey), np.dstack([GREY] * 3))
    np.testing.assert_allclose(to_grey(grey).astype(int), GREY.astype(int), atol=1)


def test_transparent_pixels_become_white() -> None:
    np.testing.assert_array_equal(to_rgb(with_opacity(RGB, 255)), RGB)
    assert (to_rgb(with_opacity(RGB, 0)) == 255).all()
    assert (to_grey(with_opacity(GREY, 0)) == 255).all()
    half = to_rgb(with_opacity(np.zeros((2, 2, 3), np.uint8), 51))
    assert (half == 204).all()


@pytest.mark.parametrize("pixels", [RGB, GREY, with_opacity(RGB, 255)])
def test_of_16_bits_the_upper_8_count(pixels: NDArray[np.uint8]) -> None:
    deep = pixels.astype(np.uint16) * 256 + 255
    np.testing.assert_array_equal(to_rgb(deep), to_rgb(pixels))
    np.testing.assert_array_equal(to_grey(deep), to_grey(pixels))


def test_grey_of_colours_is_their_luma() -> None:
    green = np.full((2, 2, 3), (0, 255, 0), np.uint8)
    assert (to_grey(green) == 150).all()  # 0.587 of 255


@pytest.mark.parametrize(
    ("picture", "what"),
    [
        (RGB / 255, "array of shape (4, 5, 3) float64"),
        (GREY > 10, "array of shape (4, 5) bool"),
        (RGB.astype(np.int32), "int32"),
        (np.zeros((0, 5, 3), np.uint8), "shape (0, 5, 3)"),
        (np.zeros((4, 5, 5), np.uint8), "shape (4, 5, 5)"),
        (np.zeros((1, 4, 5, 3), np.uint8), "shape (1, 4, 5, 3)"),
        (np.zeros(5, np.uint8), "shape (5,)"),
        ("picture.png", "A picture is a str"),
        (None, "A picture is a NoneType"),
    ],
)
def test_anything_else_is_refused(picture: object, what: str) -> None:
    for convert in (to_rgb, to_grey):
        with pytest.raises(ValueError, match=f"{re.escape(what)}.*: expected a NumPy array"):
            convert(picture)
