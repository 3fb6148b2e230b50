"""Light is a function of the picture alone, stays in range, and makes no lines."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook import light
from pipeline.artbook.light import Light, random_lights
from tests.pipeline.artbook.conftest import SIZE, DrawScene

KINDS: dict[str, Callable[[np.random.Generator, int], Light]] = {
    make.__name__: make
    for make in (
        light.beams,
        light.glow,
        light.bokeh,
        light.smoke,
        light.particles,
        light.streaks,
        light.uneven,
        light.tint,
        light.bloom,
        light.gamma,
        light.haze,
        light.darkness,
        light.softness,
    )
}
IN_FRONT = ("beams", "glow", "bokeh", "particles", "streaks")  # add light, and nothing else


def picture(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((size, size, 3), np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_light_does_the_same_to_equal_pictures(kind: str) -> None:
    shine = KINDS[kind](np.random.default_rng(1), 96)
    before = picture(96)
    first = shine(before)
    shine(picture(96, seed=1))
    np.testing.assert_array_equal(shine(before), first)
    np.testing.assert_array_equal(before, picture(96))
    np.testing.assert_array_equal(KINDS[kind](np.random.default_rng(1), 96)(before), first)
    assert first.shape == before.shape
    assert first.dtype == np.float32
    other = KINDS[kind](np.random.default_rng(2), 96)(before)
    assert not np.array_equal(other, first)


@settings(max_examples=60)
@given(kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 999), size=st.integers(64, 90))
def test_light_stays_in_range(kind: str, seed: int, size: int) -> None:
    lit = KINDS[kind](np.random.default_rng(seed), size)(picture(size, seed))
    assert lit.min() >= -1e-6
    assert lit.max() <= 1 + 1e-6


@pytest.mark.parametrize("kind", IN_FRONT)
def test_light_in_front_only_brightens(kind: str) -> None:
    before = picture(80)
    many = [KINDS[kind](np.random.default_rng(seed), 80)(before) for seed in range(5)]
    assert all((lit >= before - 1e-6).all() for lit in many)
    assert sum(lit.mean() > before.mean() for lit in many) >= 3  # beams can pass a page by


def test_lights_do_what_they_are_called() -> None:
    before = picture(80)
    for seed in range(8):
        dark, hazy, curved = (
            KINDS[kind](np.random.default_rng(seed), 80)(before)
            for kind in ("darkness", "haze", "gamma")
        )
        assert dark.max() < 0.55
        assert np.ptp(hazy[..., 0]) < 0.91 * np.ptp(before[..., 0])
        order = np.argsort(before[..., 0], axis=None)
        assert (np.diff(curved[..., 0].ravel()[order]) >= 0).all()
        (tinted,) = (KINDS["tint"](np.random.default_rng(seed), 80)(before),)
        gain = tinted.mean(axis=(0, 1)) / before.mean(axis=(0, 1))
        assert (gain < 1.16).all()
        assert np.ptp(gain) > 0.02


def test_bloom_spills_over_from_what_is_bright_alone() -> None:
    dark, lamp = np.zeros((80, 80, 3), np.float32), np.zeros((80, 80, 3), np.float32)
    lamp[35:45, 35:45] = 1
    shine = KINDS["bloom"](np.random.default_rng(0), 80)
    assert shine(dark).max() == 0
    assert shine(lamp)[40, 48].min() > 0.003


@pytest.mark.parametrize("kind", KINDS)
def test_light_makes_no_lines_and_hides_few(kind: str, draw_scene: DrawScene) -> None:
    plain = draw_scene().lines < 128
    for seed in range(4):
        lit = KINDS[kind](np.random.default_rng(seed), SIZE)
        page = draw_scene(lights=[lit])
        lines = page.lines < 128
        assert not (lines & ~plain).any()
        assert (lines | (page.weight == 0))[plain].mean() > 0.7
        assert draw_scene(lambda _: None, lights=[lit]).lines.min() == 255


def test_most_pages_are_in_one_or_a_few_lights() -> None:
    counts = [len(random_lights(np.random.default_rng(seed), 64)) for seed in range(200)]
    assert 0.3 < counts.count(0) / len(counts) < 0.5
    assert 1 < np.mean(counts) < 3
