"""Even areas: those without a hint lose smudges; nothing else changes."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.colorizer.areas import find_areas
from pipeline.colorizer.even import even_areas
from pipeline.colorizer.hints import Hints

SIZE = 48
WHOLE = (0, 0, SIZE, SIZE)


def two_rooms() -> NDArray[np.uint8]:
    """Return a closed square that a wall parts into a left and a right room."""
    line = np.full((SIZE, SIZE), 255, np.uint8)
    cv2.rectangle(line, (4, 4), (SIZE - 5, SIZE - 5), (0,), 2)
    cv2.line(line, (24, 4), (24, SIZE - 5), (0,), 2)
    return line


def smudges(seed: int = 0) -> NDArray[np.uint8]:
    """Return colours that differ by less than a detail does."""
    return np.random.default_rng(seed).integers(90, 119, (SIZE, SIZE, 3), np.uint8)


def test_areas_without_a_hint_get_the_mean_of_their_colours() -> None:
    line, picture = two_rooms(), smudges()
    hints = Hints.none(SIZE, SIZE)
    hints.mask[20, 10] = True
    even = even_areas(picture, line, hints, WHOLE)
    areas = find_areas(line)
    left, right = areas == areas[20, 10], areas == areas[20, 36]
    assert left.any()
    assert (left & right).sum() == 0
    np.testing.assert_array_equal(even[left], picture[left])
    np.testing.assert_array_equal(even[areas == 0], picture[areas == 0])
    expected = np.rint(picture[right].mean(axis=0))
    np.testing.assert_array_equal(even[right], np.broadcast_to(expected, even[right].shape))


def test_without_hints_every_area_is_even() -> None:
    line, picture = two_rooms(), smudges()
    none = even_areas(picture, line, None, WHOLE)
    np.testing.assert_array_equal(none, even_areas(picture, line, Hints.none(SIZE, SIZE), WHOLE))
    areas = find_areas(line)
    assert areas.max() == 3  # the rooms, and what is around them
    for number in (1, 2, 3):
        assert len(np.unique(none[areas == number], axis=0)) == 1


def test_details_stay() -> None:
    """Differences of one channel: 25 is a smudge, 45 half a detail, 100 one."""
    line = two_rooms()
    picture = np.full((SIZE, SIZE, 3), 120, np.uint8)
    for column, value in ((30, 145), (33, 165), (36, 220)):
        picture[20, column, 1] = value
    even = even_areas(picture, line, None, WHOLE)
    assert even[20, 30].tolist() == [120, 120, 120]
    assert even[20, 33, 1] == pytest.approx(142, abs=1)
    assert even[20, 36].tolist() == [120, 220, 120]
    assert even[24, 36].tolist() == [120, 120, 120]


def test_what_is_around_the_drawing_stays_and_colours_nothing() -> None:
    line, picture = np.full((SIZE, SIZE), 255, np.uint8), smudges()
    picture[:, 30:] = 0
    even = even_areas(picture, line, None, (0, 0, 30, SIZE))
    np.testing.assert_array_equal(even[:, 30:], 0)
    expected = np.rint(picture[:, :30].mean(axis=(0, 1)))
    np.testing.assert_array_equal(even[20, 10], expected)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), lines=st.integers(0, 30))
def test_any_line_art_keeps_ink_and_hinted_areas(seed: int, lines: int) -> None:
    rng = np.random.default_rng(seed)
    line = np.full((SIZE, SIZE), 255, np.uint8)
    for _ in range(lines):
        start, end = rng.integers(0, SIZE, (2, 2)).tolist()
        cv2.line(line, start, end, (int(rng.integers(0, 250)),), 1)
    hints = Hints.none(SIZE, SIZE)
    hints.mask[tuple(rng.integers(0, SIZE, (2, 5)))] = True
    picture = smudges(seed)
    even = even_areas(picture, line, hints, WHOLE)
    areas = find_areas(line)
    for number in np.unique(areas):
        area = areas == number
        if number == 0 or (area & hints.mask).any():
            np.testing.assert_array_equal(even[area], picture[area])
        else:
            assert even[area].mean(axis=0) == pytest.approx(picture[area].mean(axis=0), abs=0.5)
            assert len(np.unique(even[area], axis=0)) == 1
