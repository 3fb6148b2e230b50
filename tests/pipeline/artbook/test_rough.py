"""Rough strokes keep near their line, and add up as pencil does."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.rough import MEDIA, Rough, random_rough
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.curve import Points, spline
from tests.pipeline.artbook.scoring import distance_to

SIDE = 160 * OVERSAMPLING


def curve() -> Points:
    return OVERSAMPLING * spline((30.0, 60.0), (70.0, 100.0), (110.0, 70.0), (130.0, 120.0))


def mask(path: Points) -> np.ndarray:
    """Return the pixels of a path."""
    lines = np.zeros((SIDE, SIDE), bool)
    for (x0, y0), (x1, y1) in pairwise(path):
        t = np.linspace(0, 1, 200)
        rows, columns = y0 + t * (y1 - y0), x0 + t * (x1 - x0)
        lines[np.rint(rows).astype(int), np.rint(columns).astype(int)] = True
    return lines


def draw(rough: Rough, seed: int = 0, *, width: float = 6.0) -> np.ndarray:
    strokes = np.zeros((SIDE, SIDE), np.uint8)
    rough.draw(strokes, curve(), width, np.random.default_rng(seed))
    return strokes


def trace(rough: Rough, seed: int = 0) -> np.ndarray:
    strokes = np.zeros((SIDE, SIDE), np.uint8)
    rough.trace(strokes, mask(curve()), np.random.default_rng(seed))
    return strokes


@settings(max_examples=15)
@given(medium=st.sampled_from(MEDIA), seed=st.integers(0, 999))
def test_strokes_lie_within_a_few_pixels_of_their_line(medium: str, seed: int) -> None:
    rough = random_rough(np.random.default_rng(seed), medium)
    strokes = draw(rough, seed)
    off = distance_to(mask(curve())) / OVERSAMPLING
    np.testing.assert_array_equal(strokes, draw(rough, seed))
    reach = rough.overshoot + 4 * rough.jitter + rough.width * (1 + rough.swell) / 2 + 1.5
    assert off[strokes > 0].max() < reach
    assert off[strokes > 0].mean() < 2 * rough.jitter + rough.width
    # Near every part of the line there is pencil.
    assert distance_to(strokes > 0)[mask(curve())].max() / OVERSAMPLING < 4 * rough.jitter + 2


@settings(max_examples=15)
@given(medium=st.sampled_from(MEDIA), seed=st.integers(0, 999))
def test_traced_strokes_lie_within_a_few_pixels_of_their_line(medium: str, seed: int) -> None:
    rough = random_rough(np.random.default_rng(seed), medium)
    strokes = trace(rough, seed)
    off = distance_to(mask(curve())) / OVERSAMPLING
    drawn = strokes > 0
    np.testing.assert_array_equal(strokes, trace(rough, seed))
    assert drawn.any()
    assert off[drawn].max() < 6 * rough.jitter + rough.width / 2 + 1.5
    assert off[drawn].mean() < 2 * rough.jitter + rough.width


def test_an_exact_stroke_is_the_line() -> None:
    exact = Rough(passes=1, jitter=0.0, overshoot=0.0, swell=0.0, pressure=(1.0, 1.0), width=3.0)
    off = distance_to(mask(curve()))
    many = [draw(exact), *(trace(exact, seed) for seed in range(8))]  # the pressure varies
    for strokes in many:
        assert strokes.max() == 255
        assert not strokes[off > 1.5 * OVERSAMPLING + 2].any()
    assert (np.stack(many)[:, mask(curve())] > 100).mean() > 0.75


def test_strokes_over_one_another_are_darker_and_never_too_dark() -> None:
    light = Rough(passes=1, jitter=0.0, overshoot=0.0, swell=0.0, pressure=(0.3, 0.3), piece=999.0)
    strokes = np.zeros((SIDE, SIDE), np.uint8)
    rng = np.random.default_rng(0)
    darkest = []
    for _ in range(12):
        light.draw(strokes, curve(), 6.0, rng)
        darkest.append(int(strokes.max()))
    assert darkest[0] == pytest.approx(0.3 * 255, abs=2)
    assert darkest[1] == pytest.approx((1 - 0.7**2) * 255, abs=3)
    assert all(later > before for before, later in pairwise(darkest[:6]))
    assert 240 < darkest[-1] <= 255


def test_wide_lines_are_drawn_darker() -> None:
    rough = Rough(passes=1, pressure=(0.5, 0.5))
    assert draw(rough, width=12.0).max() > draw(rough, width=4.0).max() + 20


def test_every_option_does_something() -> None:
    plain = Rough(passes=1, jitter=0.5, overshoot=0.0)
    ink = draw(plain).sum()
    changes = {
        "passes": dataclasses.replace(plain, passes=4),
        "jitter": dataclasses.replace(plain, jitter=2.4),
        "overshoot": dataclasses.replace(plain, overshoot=14.0),
        "piece": dataclasses.replace(plain, piece=25.0),
        "width": dataclasses.replace(plain, width=6.0),
        "swell": dataclasses.replace(plain, swell=0.9),
        "pressure": dataclasses.replace(plain, pressure=(0.1, 0.1)),
    }
    for name, rough in changes.items():
        assert not np.array_equal(draw(rough), draw(plain)), name
    assert draw(changes["width"]).sum() > 2 * ink
    assert draw(changes["pressure"]).sum() < 0.5 * ink
    far = distance_to(mask(curve()))
    reach = [
        max(far[draw(rough, seed) > 0].max() for seed in range(6))
        for rough in (plain, changes["overshoot"])
    ]
    assert reach[1] > reach[0] + 4
    spread = [
        np.mean([far[draw(r, s) > 0].mean() for s in range(6)]) for r in (plain, changes["jitter"])
    ]
    assert spread[1] > 1.3 * spread[0]


def test_strokes_beside_the_sketch_are_cut_off() -> None:
    strokes = np.zeros((40, 40), np.uint8)
    rng = np.random.default_rng(0)
    Rough().draw(strokes, curve() + 500, 6.0, rng)
    assert not strokes.any()
    Rough().draw(strokes, curve() - np.array([60, 120]), 6.0, rng)
    assert strokes.any()


@pytest.mark.parametrize("medium", MEDIA)
def test_media_have_their_widths_and_darkness(medium: str) -> None:
    many = [random_rough(np.random.default_rng(seed), medium) for seed in range(60)]
    assert many[0] == random_rough(np.random.default_rng(0), medium)
    low, high = {
        "pencil": (0.9, 4.5),
        "ballpoint": (0.8, 1.8),
        "brush": (1.5, 7),
        "marker": (3, 10),
    }[medium]
    assert all(low <= rough.width <= high for rough in many)
    assert all(0 < rough.pressure[0] <= rough.pressure[1] <= 1 for rough in many)
    darkest = min(rough.pressure[1] for rough in many)
    assert darkest < 0.5 if medium == "pencil" else darkest >= 0.75
    assert {rough.passes for rough in many} == {1, 2, 3, 4}
    assert all(rough.jitter <= 0.6 for rough in many if rough.passes == 1)
    assert all(0 <= rough.see_through <= 0.25 for rough in many)
