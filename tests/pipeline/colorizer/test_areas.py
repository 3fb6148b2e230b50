"""Areas of line art that is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.colorizer.areas import find_areas

SIZE = 128


def two_rooms(gap: int = 0) -> np.ndarray:
    """Return a page whose left and right are parted by a line, with a gap in its middle."""
    line = np.full((SIZE, SIZE), 255, np.uint8)
    line[:, 63:65] = 0
    line[60 : 60 + gap, 63:65] = 255
    return line


@pytest.mark.parametrize(("gap", "areas"), [(0, 2), (1, 2), (2, 2), (20, 1)])
def test_lines_part_areas_even_if_they_have_small_gaps(gap: int, areas: int) -> None:
    line = two_rooms(gap)
    found = find_areas(line)
    assert found.shape == line.shape
    assert len(np.unique(found[line == 255])) == areas
    assert not found[line == 0].any()
    assert found[line == 255].all()
    assert (found[64, 10] != found[64, 120]) == (areas == 2)


@settings(max_examples=30)
@given(seed=st.integers(0, 999), height=st.integers(1, 80), width=st.integers(1, 80))
def test_areas_of_any_line_art_are_numbered_from_one(seed: int, height: int, width: int) -> None:
    line = (np.random.default_rng(seed).random((height, width)) < 0.9).astype(np.uint8) * 255
    found = find_areas(line)
    numbers = np.unique(found[found > 0])
    assert found.dtype == np.int32
    np.testing.assert_array_equal(numbers, 1 + np.arange(len(numbers)))
    assert not found[line == 0].any()


def test_page_without_paper_has_no_area() -> None:
    assert not find_areas(np.zeros((30, 30), np.uint8)).any()


def test_a_room_that_is_too_narrow_for_gaps_is_an_area_of_its_own() -> None:
    line = two_rooms()
    line[:, 67] = 0
    found = find_areas(line)
    numbers = {int(found[64, x]) for x in (10, 66, 120)}
    assert len(numbers) == 3
    assert (found[:, 65:67] == found[64, 66]).all()


def test_thin_grey_lines_of_a_reduced_drawing_part_areas() -> None:
    large = np.full((900, 900), 255, np.uint8)
    large[299:302] = 0  # between two pixels of the reduced drawing
    line = cv2.resize(large, (192, 192), interpolation=cv2.INTER_AREA)
    assert 128 < line.min() < 192
    found = find_areas(line)
    assert len(np.unique(found[found > 0])) == 2
    assert found[0, 0] != found[-1, -1]
