"""Hints that are spread over their areas."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.colorizer.hints import Hints
from pipeline.colorizer.spread import spread_hints
from tests.pipeline.colorizer.test_areas import SIZE, two_rooms

RED, BLUE = (200, 30, 40), (40, 60, 200)


def put(*places: tuple[int, int, tuple[int, int, int]]) -> Hints:
    hints = Hints.none(SIZE, SIZE)
    for x, y, color in places:
        hints.mask[y : y + 5, x : x + 5], hints.color[y : y + 5, x : x + 5] = True, color
    return hints


def test_a_hint_reaches_all_of_its_area_and_nothing_else() -> None:
    line = two_rooms()
    spread = spread_hints(line, put((20, 30, RED)))
    left = np.zeros((SIZE, SIZE), bool)
    left[:, :63] = True
    assert (spread.color[left] == RED).all()
    assert spread.nearness[left].min() > 0
    assert not spread.nearness[~left].any()
    assert (spread.color[~left] == RED).all()  # the only hint is the nearest of all places
    assert (spread.nearness[30:35, 20:25] == 255).all()
    assert spread.nearness[32, 25] > spread.nearness[32, 40] > spread.nearness[120, 60]


def test_several_hints_share_their_area() -> None:
    spread = spread_hints(two_rooms(), put((5, 60, RED), (50, 60, BLUE), (90, 20, BLUE)))
    assert (spread.color[:, :20] == RED).all()
    assert (spread.color[:, 40:60] == BLUE).all()
    assert (spread.color[:, 70:] == BLUE).all()
    assert {tuple(color) for color in spread.color[spread.nearness > 0]} == {RED, BLUE}


def test_colour_streams_round_a_line_that_does_not_part_an_area() -> None:
    line = two_rooms()
    line[:40, 63:65] = 255  # a wide gap
    spread = spread_hints(line, put((20, 110, RED)))
    assert (spread.color[line == 255] == RED).all()
    both = spread_hints(line, put((50, 110, RED), (110, 110, BLUE)))
    assert tuple(both.color[118, 70]) == BLUE  # nearer to the red one, but behind the line
    assert tuple(both.color[118, 57]) == RED


def test_colours_do_not_stream_through_the_paper_around_a_drawing() -> None:
    line = two_rooms()
    line[:10] = line[-10:] = 255  # both rooms are open to the paper above and below the drawing
    hints = put((20, 60, RED))
    around = spread_hints(line, hints, (0, 10, SIZE, SIZE - 10))
    assert (around.nearness[10:-10, :63] > 0).all()
    assert not around.nearness[10:-10, 65:].any()
    assert not around.nearness[:10].any()
    everywhere = spread_hints(line, hints)
    assert (everywhere.nearness[10:-10, 65:] > 0).all()  # what the box is for
    whole = spread_hints(line, hints, (0, 0, SIZE, SIZE))
    np.testing.assert_array_equal(whole.nearness, everywhere.nearness)


@pytest.mark.parametrize("seed", range(40))
def test_paper_takes_the_colour_of_a_hint_that_no_line_parts_it_from(seed: int) -> None:
    rng = np.random.default_rng(seed)
    line = np.full((96, 96), 255, np.uint8)
    for _ in range(6):
        ends, width = rng.integers(-40, 136, 4).tolist(), int(rng.integers(1, 3))
        cv2.line(line, ends[:2], ends[2:], int(rng.integers(0, 120)), width)
    hints = Hints.none(96, 96)
    for x, y in rng.integers(0, 96, (14, 2)):
        if line[y, x] == 255:
            hints.mask[y, x], hints.color[y, x] = True, rng.integers(0, 256, 3)
    color = spread_hints(line, hints).color
    _, rooms = cv2.connectedComponents((line == 255).astype(np.uint8), connectivity=4)
    for room in set(rooms[hints.mask].tolist()):
        own = {tuple(each) for each in hints.color[hints.mask & (rooms == room)].tolist()}
        assert {tuple(each) for each in color[rooms == room].tolist()} <= own


def test_a_hint_on_ink_stays_there() -> None:
    line = two_rooms()
    hints = Hints.none(SIZE, SIZE)
    hints.mask[50:60, 63:65], hints.color[50:60, 63:65] = True, RED
    spread = spread_hints(line, hints)
    assert (spread.color[50:60, 63:65] == RED).all()
    np.testing.assert_array_equal(spread.nearness > 0, hints.mask)


def test_without_hints_nothing_is_spread() -> None:
    spread = spread_hints(two_rooms(), Hints.none(SIZE, SIZE))
    assert not spread.color.any()
    assert not spread.nearness.any()


@settings(max_examples=50)
@given(
    seed=st.integers(0, 9999),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    ink=st.floats(0, 1),
    hints=st.floats(0, 1),
)
def test_any_hints_on_any_line_art_keep_their_pixels(
    seed: int, height: int, width: int, ink: float, hints: float
) -> None:
    rng = np.random.default_rng(seed)
    line = np.where(rng.random((height, width)) < ink, 0, 255).astype(np.uint8)
    mask = rng.random((height, width)) < hints**3
    color = rng.integers(0, 256, (height, width, 3), np.uint8) // 64 * 64 * mask[..., None]
    given_hints = Hints(color.astype(np.uint8), mask)
    spread = spread_hints(line, given_hints)
    again = spread_hints(line, given_hints)
    np.testing.assert_array_equal(spread.color, again.color)
    assert spread.color.shape == color.shape
    assert spread.nearness.shape == line.shape
    assert spread.color.dtype == spread.nearness.dtype == np.uint8
    np.testing.assert_array_equal(spread.color[mask], color[mask])
    assert (spread.nearness[mask] == 255).all()
    put_colors = {tuple(each) for each in color[mask]}
    assert {tuple(each) for each in spread.color.reshape(-1, 3)} <= put_colors | {(0, 0, 0)}
    assert spread.color.any() <= mask.any()
