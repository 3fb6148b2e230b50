"""What lies behind everything: white, colours, skies, blurred places, patterns; none has lines."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import chance, integer, log_uniform, smooth_noise
from pipeline.artbook.palette import random_color, random_palette
from pipeline.artbook.pattern import random_pattern
from pipeline.sample_booru.artist.canvas import OVERSAMPLING

BACKGROUNDS = ("white", "color", "gradient", "sky", "night", "blurred", "noise", "pattern")
_SHARES = (0.24, 0.11, 0.09, 0.11, 0.1, 0.08, 0.03, 0.24)


def random_kind(rng: np.random.Generator) -> str:
    """Return one of `BACKGROUNDS`."""
    return str(rng.choice(BACKGROUNDS, p=_SHARES))


def random_background(rng: np.random.Generator, size: int, kind: str) -> NDArray[np.uint8]:
    """Return a background.

    Args:
        rng: the source of randomness.
        size: side of the page, in pixels.
        kind: one of `BACKGROUNDS`.

    Returns:
        (size * OVERSAMPLING, size * OVERSAMPLING, 3) uint8 RGB.
    """
    picture = _KINDS[kind](rng, size)
    side = size * OVERSAMPLING
    large = cv2.resize(np.clip(picture, 0, 1), (side, side), interpolation=cv2.INTER_LINEAR)
    background = np.ascontiguousarray(large * 255, np.uint8)
    if kind == "night" or (kind == "sky" and chance(rng, 0.15)):
        _add_stars(background, rng)
    return background


def _plain(color: NDArray[np.float64] | tuple[float, ...], size: int) -> NDArray[np.float32]:
    return np.full((size, size, 3), color, np.float32)


def _white(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    tone = 1.0 if chance(rng, 0.6) else rng.uniform(0.9, 1)
    return _plain((tone, tone, tone), size)


def _color(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    return _plain(np.array(random_palette(rng)[0]) / 255, size)


def _ramp(rng: np.random.Generator, size: int, colors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a gradient through colours, (N, 3), at any angle."""
    angle = rng.normal(np.pi / 2, 0.5)
    line = np.linspace(-0.5, 0.5, size)
    t = 0.5 + (np.cos(angle) * line[None] + np.sin(angle) * line[:, None])
    at = np.linspace(0, 1, len(colors))
    planes = [np.interp(t, at, colors[:, channel]) for channel in range(3)]
    return np.stack(planes, axis=2).astype(np.float32)


def _gradient(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    colors = np.array(random_palette(rng)[: integer(rng, 2, 3)]) / 255
    return _ramp(rng, size, colors)


def _sky(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return a day or evening sky with clouds, soft or with rims."""
    top = np.array([rng.uniform(0.1, 0.7), rng.uniform(0.3, 0.8), rng.uniform(0.5, 1)])
    low = np.clip(top + rng.uniform(0, 0.5, 3), 0, 1)
    if chance(rng, 0.3):  # evening
        low = np.array([rng.uniform(0.7, 1), rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.5)])
    return _clouds(rng, _ramp(rng, size, np.stack([top, low])))


def _clouds(rng: np.random.Generator, sky: NDArray[np.float32]) -> NDArray[np.float32]:
    size = len(sky)
    scale = log_uniform(rng, 25, 180)
    has_rims = chance(rng, 0.15)  # then the clouds are smooth and few, as painters make them
    octaves = 2 if has_rims else 4
    field = sum(smooth_noise(rng, size, size, scale / 2**k) / 2.5**k for k in range(octaves))
    edge = np.float32(log_uniform(rng, 5, 15) if has_rims else log_uniform(rng, 0.7, 5))
    cover = np.clip((field - rng.uniform(-0.3, 1.0)) * edge, 0, 1)[..., None]
    white = np.clip(rng.uniform(0.6, 1.0) + rng.uniform(-0.1, 0.1, 3), 0, 1).astype(np.float32)
    under = np.clip(1 + 0.25 * smooth_noise(rng, size, size, scale)[..., None], 0.5, 1.1)
    opacity = np.float32(rng.uniform(0.3, 1))
    return np.asarray(sky + opacity * cover * (white * under - sky), np.float32)


def _night(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return a night sky, with clouds or a moon now and then."""
    top = rng.uniform(0, 0.25, 3) * (0.5, 0.7, 1.3)
    low = top + rng.uniform(0, 0.35, 3) * (0.5, 0.8, 1.3)
    sky = _ramp(rng, size, np.stack([top, low]))
    if chance(rng, 0.4):
        sky += (_clouds(rng, sky) - sky) * np.float32(rng.uniform(0.1, 0.5))
    if chance(rng, 0.3):
        sky += smooth_noise(rng, size, size, size / 3)[..., None] * np.float32(0.05)
    return sky


def _add_stars(background: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Add stars: points, discs and crosses of light."""
    side = len(background)
    for x, y, brightness, radius in zip(
        rng.integers(0, side, 400),
        rng.integers(0, side, 400),
        rng.beta(1, 3, 400),
        rng.exponential(1.1, 400),
        strict=True,
    ):
        if rng.random() > 0.3:
            continue
        color = np.clip(background[y, x] + 255 * brightness, 0, 255).astype(int).tolist()
        cv2.circle(background, (int(x), int(y)), max(1, int(radius)), color, -1, cv2.LINE_AA)
        if radius > 3:
            arm = int(3 * radius)
            cv2.line(background, (x - arm, y), (x + arm, y), color, 1, cv2.LINE_AA)
            cv2.line(background, (x, y - arm), (x, y + arm), color, 1, cv2.LINE_AA)


def _blurred(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return a place out of focus: boxes and discs, with lines too blurred to follow."""
    picture = (255 * _gradient(rng, size)).astype(np.uint8)
    for color in random_palette(rng) * 3:
        x, y = rng.integers(0, size, 2)
        w, h = (int(log_uniform(rng, 8, size / 2)) for _ in range(2))
        if chance(rng, 0.6):
            cv2.rectangle(picture, (x, y), (x + w, y + h), color, -1)
        else:
            cv2.circle(picture, (int(x), int(y)), w // 2, color, -1)
    sigma = log_uniform(rng, 4, 14)
    blurred = cv2.GaussianBlur(picture.astype(np.float32) / 255, (0, 0), sigma)
    return np.asarray(blurred, np.float32)


def _noise(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return brush work: colours that vary at several scales."""
    base = _gradient(rng, size)
    for _ in range(3):
        field = smooth_noise(rng, size, size, log_uniform(rng, 2, size / 2))[..., None]
        base = base + field * rng.normal(0, 0.05, 3).astype(np.float32)
    return np.asarray(base, np.float32)


def _pattern(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return wallpaper: a print on one colour or a gradient, paler than what lies in front."""
    base = _color(rng, size) if chance(rng, 0.6) else _gradient(rng, size)
    pale = np.float32(rng.uniform(0.3, 1))
    base = 1 - (1 - base) * pale
    step = log_uniform(rng, 8, max(16, size / 8))  # larger shapes are things
    shown = random_pattern(rng, size, step)
    other = np.ones(3) if chance(rng, 0.5) else np.array(random_color(rng)) / 255
    strength = np.float32(log_uniform(rng, 0.08, 0.6)) * shown[..., None]
    return np.asarray(base + strength * (other.astype(np.float32) - base), np.float32)


_KINDS = {
    "white": _white,
    "color": _color,
    "gradient": _gradient,
    "sky": _sky,
    "night": _night,
    "blurred": _blurred,
    "noise": _noise,
    "pattern": _pattern,
}
