"""The foreground: the page is white, or transparent, and joined to the border."""

import numpy as np
import pytest

from pipeline.pack.mask import find_foreground

BOX = (4, 0, 28, 32)


def square_of(picture: np.ndarray) -> np.ndarray:
    """Return a picture of (32, 24) or (32, 24, 3) in a square of white."""
    square = np.full((32, 32, *picture.shape[2:]), 255, np.uint8)
    square[:, 4:28] = picture
    return square


def page(level: int = 255) -> np.ndarray:
    return np.full((32, 24, 3), level, np.uint8)


def ring(picture: np.ndarray, level: int = 0) -> np.ndarray:
    """Draw the outline of a figure, 10 x 10, whose inside stays as it is."""
    picture[8:18, 6:16] = level
    picture[9:17, 7:15] = 255
    return picture


def inside(mask: np.ndarray) -> np.ndarray:
    """Return the part of a mask in the box; there is nothing around it."""
    around = mask.copy()
    around[:, 4:28] = 0
    assert not around.any()
    assert set(np.unique(mask)) <= {0, 255}
    return mask[:, 4:28] == 255


def test_white_that_lines_enclose_is_foreground() -> None:
    expected = np.zeros((32, 24), bool)
    expected[8:18, 6:16] = True
    mask = find_foreground(square_of(ring(page())), BOX)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(inside(mask), expected)


def test_white_is_not_joined_across_the_corner_of_two_pixels() -> None:
    picture = ring(page())
    picture[8, 6] = 255  # the corner of the outline
    assert inside(find_foreground(square_of(picture), BOX))[9:17, 7:15].all()
    picture[9, 6] = 255
    assert not inside(find_foreground(square_of(picture), BOX))[9:17, 7:15].any()


@pytest.mark.parametrize(("level", "is_page"), [(255, True), (245, True), (244, False)])
def test_about_white_is_page(level: int, is_page: bool) -> None:
    mask = inside(find_foreground(square_of(page(level)), BOX))
    assert (mask != is_page).all()


@pytest.mark.parametrize("color", [(255, 255, 200), (0, 255, 255), (255, 90, 255)])
def test_a_picture_on_a_colour_is_foreground(color: tuple[int, int, int]) -> None:
    picture = page()
    picture[:] = color
    picture[10:20, 10:20] = 255
    assert inside(find_foreground(square_of(picture), BOX)).all()


@pytest.mark.parametrize(("white_rows", "is_page"), [(7, True), (6, False)])
def test_a_third_of_the_border_must_be_white(white_rows: int, is_page: bool) -> None:
    """Of 112 pixels at the border, corners counted twice, 38 and 36 are white."""
    picture = page(90)
    picture[:white_rows] = 255
    mask = inside(find_foreground(square_of(picture), BOX))
    assert (mask[:white_rows] != is_page).all()
    assert mask[white_rows:].all()


def test_opacity_decides_if_the_border_is_transparent() -> None:
    """White clothes that reach the page, and the page seen through a figure, are told apart."""
    alpha = np.zeros((32, 24), np.uint8)
    alpha[10:, 4:20] = 255
    alpha[20:24, 8:12] = 100
    alpha[25, 5] = 128
    mask = find_foreground(square_of(page()), BOX, square_of(alpha))
    np.testing.assert_array_equal(inside(mask), alpha >= 128)


def test_opacity_of_an_opaque_border_does_not_matter() -> None:
    alpha = np.full((32, 24), 255, np.uint8)
    alpha[12:15, 9:12] = 0  # within the figure
    picture = square_of(ring(page()))
    with_alpha = find_foreground(picture, BOX, square_of(alpha))
    np.testing.assert_array_equal(with_alpha, find_foreground(picture, BOX))
