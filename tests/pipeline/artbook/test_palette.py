"""Palettes have enough colours, all of them in range, and moods that differ."""

import colorsys

import numpy as np

from pipeline.artbook.palette import random_palette


def test_palettes_are_colours_and_depend_on_the_seed_alone() -> None:
    palettes = [random_palette(np.random.default_rng(seed)) for seed in range(60)]
    assert palettes == [random_palette(np.random.default_rng(seed)) for seed in range(60)]
    assert len({tuple(palette) for palette in palettes}) == 60
    for palette in palettes:
        assert 4 <= len(palette) <= 13
        for color in palette:
            assert len(color) == 3
            assert all(type(value) is int and 0 <= value <= 255 for value in color)


def test_there_are_pale_dark_and_grey_palettes() -> None:
    palettes = [random_palette(np.random.default_rng(seed))[:4] for seed in range(120)]
    hsv = np.array(
        [[colorsys.rgb_to_hsv(*(c / 255 for c in color)) for color in four] for four in palettes]
    )
    saturation, brightness = hsv[..., 1], hsv[..., 2]
    assert 5 < (brightness.min(axis=1) > 0.78).sum() < 60
    assert 5 < (brightness.max(axis=1) < 0.42).sum() < 60
    assert 3 < (saturation.max(axis=1) < 0.15).sum() < 60
    assert (saturation.min(axis=1) > 0.5).sum() > 5
