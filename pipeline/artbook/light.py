"""Light: time of day, lamps, haze, focus, and all that shines or floats in front of a picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import chance, integer, log_uniform, smooth_noise

Floats = NDArray[np.float32]
Light = Callable[[Floats], Floats]
"""Changes a picture, (H, W, 3) float32 in [0, 1]; the same for every picture of its size."""


def random_lights(rng: np.random.Generator, size: int) -> list[Light]:
    """Return what the light does to a page of a size, in order; each is drawn on its own.

    Two pages of five are in plain light, whatever the chances.
    """
    if chance(rng, 0.4):
        return []
    chances: tuple[tuple[float, Callable[[np.random.Generator, int], Light]], ...] = (
        (0.06, beams),
        (0.10, glow),
        (0.08, bokeh),
        (0.07, smoke),
        (0.06, particles),
        (0.04, streaks),
        (0.20, uneven),
        (0.22, tint),
        (0.08, bloom),
        (0.25, gamma),
        (0.14, haze),
        (0.12, darkness),
        (0.16, softness),
    )
    return [make(rng, size) for probability, make in chances if chance(rng, probability)]


def _add(light: Floats) -> Light:
    return lambda picture: np.asarray(picture + light * (1 - picture), np.float32)


def _hue(rng: np.random.Generator) -> Floats:
    return np.clip(rng.uniform(0.5, 1.1, 3), 0, 1).astype(np.float32)


def beams(rng: np.random.Generator, size: int) -> Light:
    """Return beams of light from one side."""
    mask = np.zeros((size, size), np.float32)
    x, y = rng.uniform(-0.5, 1.5) * size, -0.3 * size
    for _ in range(integer(rng, 1, 6)):
        a = rng.uniform(0, np.pi)
        w = rng.uniform(0.02, 0.15)
        far = 3 * size
        ends = [(x + far * np.cos(b), y + far * np.sin(b)) for b in (a - w, a + w)]
        polygon = np.array([(x, y), *ends]).astype(np.int32)
        cv2.fillPoly(mask, [polygon], float(rng.uniform(0.1, 0.6)))
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), log_uniform(rng, 0.8, 10)), np.float32)
    return _add(mask[..., None] * _hue(rng))


def glow(rng: np.random.Generator, size: int) -> Light:
    """Return one or more soft lamps."""
    light = np.zeros((size, size), np.float32)
    x, y = np.arange(size, dtype=np.float32)[None], np.arange(size, dtype=np.float32)[:, None]
    for _ in range(integer(rng, 1, 4)):
        u, v = rng.uniform(0, size, 2)
        radius = log_uniform(rng, 6, size / 2)
        distance = np.sqrt((x - u) ** 2 + (y - v) ** 2) / radius
        light += np.float32(rng.uniform(0.2, 1)) * np.exp(-(distance ** rng.uniform(1, 4)))
    return _add(np.clip(light, 0, 1)[..., None] * _hue(rng))


def bokeh(rng: np.random.Generator, size: int) -> Light:
    """Return discs of light out of focus, some with a rim."""
    light = np.zeros((size, size), np.float32)
    for _ in range(integer(rng, 3, 25)):
        disc = np.zeros_like(light)
        center = (int(rng.integers(0, size)), int(rng.integers(0, size)))
        radius = int(log_uniform(rng, 3, 30))
        strength = float(rng.uniform(0.05, 0.4))
        cv2.circle(disc, center, radius, strength, -1, cv2.LINE_AA)
        if chance(rng, 0.4):
            cv2.circle(disc, center, radius, strength * 1.4, 1, cv2.LINE_AA)
        light += disc
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), log_uniform(rng, 0.4, 3)), np.float32)
    return _add(np.clip(light, 0, 1)[..., None] * _hue(rng))


def smoke(rng: np.random.Generator, size: int) -> Light:
    """Return smoke, steam or thin cloud in front of the picture."""
    scale = log_uniform(rng, 20, size / 2)
    field = sum(smooth_noise(rng, size, size, scale / 2**k) / 2**k for k in range(3))
    cover = np.clip((field - rng.uniform(-0.2, 0.8)) * log_uniform(rng, 0.5, 5), 0, 1)
    cover = cover * np.float32(rng.uniform(0.15, 0.8))
    color = np.full(3, rng.uniform(0, 1), np.float32)
    return lambda picture: np.asarray(picture + cover[..., None] * (color - picture), np.float32)


def particles(rng: np.random.Generator, size: int) -> Light:
    """Return snow, petals, dust or sparks in front of the picture."""
    light = np.zeros((size, size), np.float32)
    count = integer(rng, 10, 150)
    large = log_uniform(rng, 0.6, 5)
    for x, y in rng.integers(0, size, (count, 2)):
        radius = max(1, int(rng.exponential(large)))
        cv2.circle(light, (int(x), int(y)), radius, float(rng.uniform(0.2, 1)), -1, cv2.LINE_AA)
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), log_uniform(rng, 0.3, 2)), np.float32)
    return _add(light[..., None] * _hue(rng))


def streaks(rng: np.random.Generator, size: int) -> Light:
    """Return the blurred streaks of rain or of fast movement."""
    noise = np.clip(smooth_noise(rng, size, size, rng.uniform(1.5, 4)) - 0.8, 0, 1)
    length = int(log_uniform(rng, 20, size))
    streak = cv2.blur(noise, (length, 1)) * np.float32(length / 12)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.uniform(0, 180)), 1.5)
    turned = cv2.warpAffine(streak, turn, (size, size))
    turned = np.clip(turned * np.float32(rng.uniform(0.1, 0.5)), 0, 1)
    return _add(np.asarray(turned, np.float32)[..., None] * _hue(rng))


def uneven(rng: np.random.Generator, size: int) -> Light:
    """Return light from one side, a vignette, or the shadow of something large."""
    field = smooth_noise(rng, size, size, size * rng.uniform(0.4, 1.5))
    gain = np.exp(np.float32(rng.uniform(0.1, 0.8)) * field)[..., None]
    return lambda picture: np.asarray(np.clip(picture * gain, 0, 1), np.float32)


def tint(rng: np.random.Generator, _size: int) -> Light:
    """Return light of a colour: evening, neon, moon."""
    gain = rng.uniform(0.35, 1.15, 3).astype(np.float32)
    return lambda picture: np.asarray(np.clip(picture * gain, 0, 1), np.float32)


def bloom(rng: np.random.Generator, _size: int) -> Light:
    """Return light that spills over from what is bright."""
    sigma, strength = log_uniform(rng, 3, 20), np.float32(rng.uniform(0.2, 0.8))
    level = np.float32(rng.uniform(0.3, 0.8))

    def spill(picture: Floats) -> Floats:
        bright = cv2.GaussianBlur(np.maximum(picture - level, 0), (0, 0), sigma)
        return np.asarray(np.clip(picture + strength * bright, 0, 1), np.float32)

    return spill


def gamma(rng: np.random.Generator, _size: int) -> Light:
    """Return a change of the middle tones."""
    exponent = np.float32(log_uniform(rng, 0.45, 2.6))
    return lambda picture: np.asarray(np.clip(picture, 0, 1) ** exponent, np.float32)


def haze(rng: np.random.Generator, _size: int) -> Light:
    """Return low contrast: everything nearer to one colour."""
    share, color = np.float32(rng.uniform(0.1, 0.75)), rng.random(3).astype(np.float32)
    return lambda picture: np.asarray(picture + share * (color - picture), np.float32)


def darkness(rng: np.random.Generator, _size: int) -> Light:
    """Return a night in which nothing is brighter than a few percent."""
    gain = np.float32(log_uniform(rng, 0.06, 0.5))
    floor = np.float32(rng.uniform(0, 0.04))
    return lambda picture: np.asarray(picture * gain + floor, np.float32)


def softness(rng: np.random.Generator, _size: int) -> Light:
    """Return a soft focus, as of pictures painted without hard edges, or enlarged."""
    sigma = log_uniform(rng, 0.8, 2.5)  # more would hide what is small
    return lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
