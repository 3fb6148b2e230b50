"""Pens: widths along a line, gaps, inks."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.pen import INKS, Pen, half_widths, open_gaps, plain_pen, random_pen


def widths(pen: Pen, *, thinnest: float = 1.0, closed: bool = False) -> np.ndarray:
    return half_widths(pen, 41, 5.0, thinnest, closed, np.random.default_rng(0))


def test_a_plain_line_is_equally_wide_everywhere() -> None:
    np.testing.assert_array_equal(widths(Pen(taper=0.0)), np.full(41, 5.0))


@pytest.mark.parametrize(
    ("taper", "thinnest", "end"), [(0.6, 1.0, 0.4), (0.0, 0.3, 0.3), (0.6, 0.1, 0.1)]
)
def test_ends_are_as_thin_as_pen_or_drawing_asks(taper: float, thinnest: float, end: float) -> None:
    half = widths(Pen(taper=taper), thinnest=thinnest)
    assert half[[0, -1]] == pytest.approx(5 * end)
    assert half[20] == pytest.approx(5)
    assert (np.diff(half[:21]) >= -1e-12).all()


def test_closed_lines_do_not_taper() -> None:
    np.testing.assert_array_equal(widths(Pen(taper=0.9), closed=True), np.full(41, 5.0))


@settings(max_examples=40)
@given(swell=st.floats(0.05, 1), count=st.integers(2, 80), seed=st.integers(0, 999))
def test_a_swelling_line_has_no_hole(swell: float, count: int, seed: int) -> None:
    pen = Pen(taper=0.0, swell=swell)
    half = half_widths(pen, count, 5.0, 1.0, False, np.random.default_rng(seed))
    assert half.shape == (count,)
    assert (half >= 5 * (1 - swell) - 1e-9).all()
    assert (half <= 5 * (1 + swell) + 1e-9).all()


def test_a_pen_without_gaps_draws_whole_lines() -> None:
    rng = np.random.default_rng(0)
    assert open_gaps(Pen(gaps=0.0), 500, rng) == [(0.0, 1.0)]
    assert open_gaps(Pen(gaps=0.2), 10, rng) == [(0.0, 1.0)]  # too short for one


@settings(max_examples=60)
@given(gaps=st.floats(0.02, 0.2), length=st.floats(16, 2000), seed=st.integers(0, 999))
def test_parts_between_gaps_are_in_order_and_do_not_overlap(
    gaps: float, length: float, seed: int
) -> None:
    parts = open_gaps(Pen(gaps=gaps), length, np.random.default_rng(seed))
    ends = np.ravel(parts)
    assert parts
    assert (np.diff(ends) >= 0).all()
    assert 0 <= ends[0] <= ends[-1] <= 1
    drawn = sum(end - start for start, end in parts)
    assert drawn < 1
    assert drawn > 1 - max(1, round(gaps * length / 8)) * (10 / length + 1e-3)


def test_about_the_asked_share_of_a_long_line_is_missing() -> None:
    rng = np.random.default_rng(0)
    lines = [open_gaps(Pen(gaps=0.1), 600, rng) for _ in range(100)]
    drawn = [sum(end - start for start, end in parts) for parts in lines]
    assert 1 - np.mean(drawn) == pytest.approx(0.08, abs=0.015)  # some of them overlap


def test_only_coloured_ink_depends_on_the_fill() -> None:
    pen = Pen(ink="colored", color=(1, 2, 3), shade=0.5)
    assert pen.ink_on((200, 100, 50)) == (100, 50, 25)
    assert Pen(ink="dark", color=(1, 2, 3)).ink_on((200, 100, 50)) == (1, 2, 3)


def test_pens_are_of_every_ink_and_in_range() -> None:
    pens = [random_pen(np.random.default_rng(seed)) for seed in range(300)]
    assert pens == [random_pen(np.random.default_rng(seed)) for seed in range(300)]
    inks = Counter(pen.ink for pen in pens)
    assert set(inks) == set(INKS)
    assert inks["black"] > inks["light"]
    for pen in pens:
        assert 0.9 <= pen.width <= 30
        for share in (pen.shade, pen.taper, pen.swell, pen.opacity, pen.grain, pen.gaps):
            assert 0 <= share <= 1
        assert pen.opacity > 0.3
        assert pen.absent == 1 if pen.ink == "absent" else 0 <= pen.absent <= 0.6
    assert 0.2 < np.mean([pen.width > 5 for pen in pens]) < 0.4


@pytest.mark.parametrize("ink", INKS)
def test_an_ink_can_be_asked_for(ink: str) -> None:
    for seed in range(20):
        pen = random_pen(np.random.default_rng(seed), ink)
        assert pen.ink == ink
        if ink == "light":
            assert min(pen.color) > 200
        if ink == "black":
            assert max(pen.color) < 16


def test_wide_lines_have_no_colours_of_their_own() -> None:
    pens = [random_pen(np.random.default_rng(seed)) for seed in range(400)]
    assert not any(pen.accents for pen in pens if pen.width > 12)
    assert 0.2 < np.mean([pen.accents > 0 for pen in pens if pen.width <= 12]) < 0.5


def test_wide_lines_are_darker_than_what_they_bound() -> None:
    """A wide bright band looks like an area, with a line on either side of it."""
    pens = [random_pen(np.random.default_rng(seed)) for seed in range(400)]
    wide = [pen for pen in pens if pen.width > 12]
    assert wide
    assert not any(pen.ink == "light" for pen in wide)
    assert max(pen.shade for pen in wide) <= 0.6
    assert max(pen.shade for pen in pens) > 0.9


def test_plain_pens_are_fine_and_dark_and_leave_nothing_out() -> None:
    for seed in range(100):
        pen = plain_pen(np.random.default_rng(seed))
        assert pen.ink in ("black", "dark", "colored")
        assert max(pen.color) < 60
        assert 1.2 <= pen.width <= 5
        assert (pen.opacity, pen.grain, pen.gaps, pen.blur, pen.absent, pen.accents) == (
            1,
            0,
            0,
            0,
            0,
            0,
        )
