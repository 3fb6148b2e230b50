"""Patterns printed on cloth and on walls, of one colour, which have no lines."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import chance, integer, smooth_noise

Floats = NDArray[np.float32]

PATTERNS = ("stripes", "checks", "plaid", "dots", "diamonds", "shapes")
"""What patterns show; `shapes` are hearts, petals and stars."""

_SHARES = (0.3, 0.12, 0.15, 0.2, 0.1, 0.13)


def random_pattern(
    rng: np.random.Generator, size: int, step: float, kind: str | None = None
) -> Floats:
    """Return a pattern with sharp rims.

    Args:
        rng: the source of randomness.
        size: its side, in pixels.
        step: distance between two stripes, or rows of dots, in pixels.
        kind: one of `PATTERNS`; None draws one.

    Returns:
        (size, size) float32 in [0, 1]: how much there is of its colour.
    """
    kind = kind or str(rng.choice(PATTERNS, p=_SHARES))
    turn = rng.choice((0.0, np.pi / 4, np.pi / 2, rng.uniform(0, np.pi)))
    x = np.arange(size, dtype=np.float32)[None] + np.float32(rng.uniform(0, step))
    y = np.arange(size, dtype=np.float32)[:, None] + np.float32(rng.uniform(0, step))
    if chance(rng, 0.3):  # cloth that hangs in folds
        x = x + np.float32(step / 3) * smooth_noise(rng, size, size, max(8.0, 4 * step))
    across = (np.float32(np.cos(turn)) * x + np.float32(np.sin(turn)) * y) / np.float32(step)
    along = (np.float32(np.cos(turn)) * y - np.float32(np.sin(turn)) * x) / np.float32(step)
    if kind == "shapes":
        return _shapes(across, along, step, rng)
    return _waves(kind, across, along, step, rng)


def _cover(distance: Floats, step: float) -> Floats:
    """Return 1 inside, where a distance in steps is positive, else 0, with a rim of a pixel."""
    return np.asarray(np.clip(distance * np.float32(step) + 0.5, 0, 1), np.float32)


def _stripes(across: Floats, share: float, step: float) -> Floats:
    """Return stripes that take a share of every step."""
    from_middle = np.abs(across - np.round(across))
    return _cover(np.float32(share / 2) - from_middle, step)


def _waves(
    kind: str, across: Floats, along: Floats, step: float, rng: np.random.Generator
) -> Floats:
    share = float(rng.uniform(0.15, 0.6))
    if kind == "stripes":
        return _stripes(across, share, step)
    if kind == "checks":
        first, second = _stripes(across, 0.5, step), _stripes(along, 0.5, step)
        return np.asarray(first + second - 2 * first * second, np.float32)
    if kind == "plaid":
        bands = (_stripes(across, share, step) + _stripes(along, share, step)) / 2
        thin = np.maximum(
            _stripes(across + np.float32(0.5), 0.06, step),
            _stripes(along + np.float32(0.5), 0.06, step),
        )
        return np.asarray(np.maximum(bands, np.float32(rng.uniform(0, 0.8)) * thin), np.float32)
    along = along + np.float32(0.5) * (np.round(across) % 2)  # rows are shifted
    u, v = across - np.round(across), along - np.round(along)
    if kind == "diamonds":
        return _cover(np.float32(share * 0.8) - np.abs(u) - np.abs(v), step)
    return _cover(np.float32(share * 0.7) - np.hypot(u, v), step)


def _shapes(across: Floats, along: Floats, step: float, rng: np.random.Generator) -> Floats:
    """Return one shape over and over, in rows that are shifted, or scattered and turned."""
    size = across.shape[0]
    if chance(rng, 0.5):
        shown = np.zeros((size, size), np.uint8)
        for x, y in rng.uniform(0, size, (integer(rng, 4, 4 + int(size / step) ** 2 // 2), 2)):
            around = _shape(rng, step * rng.uniform(0.15, 0.4), rng.uniform(0, 2 * np.pi))
            points = np.round((np.array([x, y]) + around) * 16).astype(np.int32)
            cv2.fillPoly(shown, [points], (255,), cv2.LINE_AA, 4)
        return np.asarray(shown / np.float32(255), np.float32)
    along = along + np.float32(0.5) * (np.round(across) % 2)
    angle = np.arctan2(along - np.round(along), across - np.round(across))
    radius = np.hypot(along - np.round(along), across - np.round(across))
    petals, depth = integer(rng, 2, 6), rng.uniform(0.1, 0.6)
    wave = np.abs(np.cos(petals / 2 * angle))
    rim = np.float32(rng.uniform(0.2, 0.4)) * (1 - depth + depth * wave)
    return _cover(np.asarray(rim - radius, np.float32), step)


def _shape(rng: np.random.Generator, radius: float, turn: float) -> NDArray[np.float64]:
    """Return a petal, a heart or a star around 0, (N, 2)."""
    t = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    kind = integer(rng, 0, 2)
    if kind == 0:
        x, y = np.cos(t), 0.45 * np.sin(t) * (1 + 0.4 * np.cos(t))
    elif kind == 1:
        x = np.sin(t) ** 3
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    else:
        t = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        reach = np.where(np.arange(10) % 2 == 0, 1.0, 0.45)
        x, y = reach * np.cos(t), reach * np.sin(t)
    c, s = np.cos(turn), np.sin(turn)
    return radius * np.stack([c * x - s * y, s * x + c * y], axis=1)
