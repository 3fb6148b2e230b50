"""Colour jitter against the standard library's HSV, pixel by pixel; flipped boxes."""

import colorsys
from dataclasses import fields

import numpy as np
import pytest

from pipeline.colorizer.options import AugmentOptions
from pipeline.colorizer.training.augment import ColorJitter, flip_box
from sketch_models.errors import ConfigError

PICTURE = np.random.default_rng(0).integers(0, 256, (16, 12, 3), dtype=np.uint8)
WHOLE = (0, 0, 12, 16)


def by_hand(pixel: np.ndarray, jitter: ColorJitter) -> list[float]:
    hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255))
    saturation = min(1, saturation * jitter.saturation)
    value *= 1 + jitter.brightness * (1 - value)
    return [255 * c for c in colorsys.hsv_to_rgb((hue + jitter.hue) % 1, saturation, value)]


@pytest.mark.parametrize(
    "jitter",
    [
        ColorJitter(hue=0.1),
        ColorJitter(hue=-0.1),
        ColorJitter(hue=0.5),
        ColorJitter(hue=-0.5),
        ColorJitter(saturation=0.9),
        ColorJitter(saturation=1.8),
        ColorJitter(brightness=0.7),
        ColorJitter(brightness=-1),
        ColorJitter(hue=-0.03, saturation=1.1, brightness=0.1),
    ],
)
def test_jitter_matches_hsv_by_hand(jitter: ColorJitter) -> None:
    picture = PICTURE.copy()
    jitter.apply(picture, WHOLE)
    expected = np.array([[by_hand(pixel, jitter) for pixel in row] for row in PICTURE])
    assert np.abs(picture - expected).max() < 0.51  # rounding
    assert (picture != PICTURE).any()


def test_no_jitter_changes_nothing() -> None:
    picture = PICTURE.copy()
    ColorJitter().apply(picture, WHOLE)
    assert (picture == PICTURE).all()


@pytest.mark.parametrize("brightness", [-1.0, -0.1, 0.1, 1.0])
def test_brightness_keeps_black_white_and_greys(brightness: float) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    ColorJitter(hue=0.3, saturation=2.0, brightness=brightness).apply(ramp, (0, 0, 256, 1))
    assert (ramp == ramp[..., :1]).all()
    assert (ramp[0, 0, 0], ramp[0, 255, 0]) == (0, 255)
    assert (np.diff(ramp[0, :, 0].astype(int)) >= 0).all()


def test_pixels_outside_of_the_box_are_unchanged() -> None:
    picture = PICTURE.copy()
    ColorJitter(hue=0.5).apply(picture, (3, 2, 9, 15))
    changed = (picture != PICTURE).any(axis=2)
    assert changed[2:15, 3:9].mean() > 0.9
    changed[2:15, 3:9] = False
    assert not changed.any()


def test_jitters_are_uniform_within_the_options() -> None:
    options = AugmentOptions(hue=0.2, saturation=0.3, brightness=0.4)
    rng = np.random.default_rng(0)
    jitters = [ColorJitter.sample(options, rng) for _ in range(2000)]
    middle = {"hue": 0.0, "saturation": 1.0, "brightness": 0.0}
    for field in fields(ColorJitter):
        limit = getattr(options, field.name)
        offsets = np.array([getattr(jitter, field.name) for jitter in jitters])
        offsets = (offsets - middle[field.name]) / limit
        assert np.abs(offsets).max() < 1
        assert abs(offsets.mean()) < 4 / (3 * 2000) ** 0.5
        assert abs((np.abs(offsets) < 0.5).mean() - 0.5) < 0.05


def test_box_flipped_twice_is_itself() -> None:
    assert flip_box((3, 2, 9, 15), 16) == (7, 2, 13, 15)
    assert flip_box(flip_box((3, 2, 9, 15), 16), 16) == (3, 2, 9, 15)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"hue": 0.6}, "hue = 0.6"),
        ({"hue": -0.1}, "hue = -0.1"),
        ({"saturation": 1.1}, "saturation = 1.1"),
        ({"brightness": 2.0}, "brightness = 2.0"),
    ],
)
def test_unusable_options_are_named(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(ConfigError, match=rf"^\[augment\] {named}: expected a number from 0 to "):
        AugmentOptions(**wrong)  # type: ignore[arg-type]
