"""Fills under the line art."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.colorizer.evaluation.baselines import geodesic_fill, nearest_hint_fill, white_fill
from pipeline.colorizer.hints import Hints


def two_hints() -> Hints:
    hints = Hints.none(4, 10)
    hints.mask[1, 1], hints.color[1, 1] = True, (200, 0, 0)
    hints.mask[1, 8], hints.color[1, 8] = True, (0, 100, 50)
    return hints


def test_white_fill_is_the_line_art() -> None:
    line = np.arange(40, dtype=np.uint8).reshape(4, 10)
    assert (white_fill(line) == line[..., None]).all()


def test_every_pixel_has_the_colour_of_the_nearest_hint() -> None:
    filled = nearest_hint_fill(np.full((4, 10), 255, np.uint8), two_hints())
    assert (filled[:, :5] == (200, 0, 0)).all()
    assert (filled[:, 5:] == (0, 100, 50)).all()


def test_lines_are_multiplied_on_top() -> None:
    line = np.full((4, 10), 255, np.uint8)
    line[2] = 0
    line[3] = 51
    filled = nearest_hint_fill(line, two_hints())
    assert (filled[2] == 0).all()
    assert (filled[3, 0] == (40, 0, 0)).all()


def test_fill_without_hints_is_white() -> None:
    line = np.full((4, 10), 255, np.uint8)
    assert (nearest_hint_fill(line, Hints.none(4, 10)) == 255).all()


def test_geodesic_fill_does_not_cross_lines() -> None:
    line = np.full((60, 80), 255, np.uint8)
    line[:, 20] = 0  # the first hint is nearer to all that is right of it than the second
    hints = Hints.none(60, 80)
    hints.mask[30, 15], hints.color[30, 15] = True, (200, 0, 0)
    hints.mask[30, 79], hints.color[30, 79] = True, (0, 100, 50)
    filled = geodesic_fill(line, hints)
    assert (filled[:, :20] == (200, 0, 0)).all()
    assert (filled[:, 21:] == (0, 100, 50)).all()
    assert (filled[:, 20] == 0).all()
    assert (nearest_hint_fill(line, hints)[:, 21:40] == (200, 0, 0)).all()


def test_geodesic_fill_streams_through_a_gap_and_crosses_where_there_is_no_other_hint() -> None:
    line = np.full((40, 60), 255, np.uint8)
    line[:, 30] = 0
    hints = Hints.none(40, 60)
    hints.mask[5, 5], hints.color[5, 5] = True, (90, 60, 30)
    for gap in (None, 20):
        if gap:
            line[gap, 30] = 255
        assert (geodesic_fill(line, hints)[line == 255] == (90, 60, 30)).all()


@settings(max_examples=30)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    count=st.integers(0, 5),
    seed=st.integers(0, 999),
)
def test_without_lines_both_fills_keep_the_hints_and_use_no_other_colour(
    height: int, width: int, count: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    hints = Hints.none(height, width)
    for _ in range(count):
        y, x = rng.integers(height), rng.integers(width)
        hints.mask[y, x], hints.color[y, x] = True, rng.integers(0, 256, 3)
    paper = np.full((height, width), 255, np.uint8)
    for fill in (geodesic_fill, nearest_hint_fill):
        filled = fill(paper, hints)
        assert filled.dtype == np.uint8
        np.testing.assert_array_equal(filled[hints.mask], hints.color[hints.mask])
        put = {tuple(color) for color in hints.color[hints.mask]} or {(255, 255, 255)}
        assert {tuple(color) for color in filled.reshape(-1, 3)} <= put


@pytest.mark.parametrize("fill", [geodesic_fill, nearest_hint_fill])
def test_fill_leaves_line_art_and_hints_alone(fill: object) -> None:
    line, hints = np.full((4, 10), 200, np.uint8), two_hints()
    before = line.copy(), hints.color.copy(), hints.mask.copy()
    fill(line, hints)  # type: ignore[operator]
    for was, now in zip(before, (line, hints.color, hints.mask), strict=True):
        np.testing.assert_array_equal(was, now)
