"""Draws from a seeded generator."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

NOISE_DEVIATION = 1.2
"""Standard deviation of `smooth_noise`."""

_COARSE = 32.0  # pixels: the size of bumps that need not be computed at every pixel


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return True with a probability."""
    return bool(rng.random() < probability)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between two positive ones, every factor as likely as every other."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def integer(rng: np.random.Generator, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`, both included."""
    return int(rng.integers(low, high + 1))


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, scale: float
) -> NDArray[np.float32]:
    """Return smooth noise.

    Args:
        rng: the source of randomness.
        height: in pixels.
        width: in pixels.
        scale: size of its bumps, in pixels.

    Returns:
        (height, width) float32 of mean 0 and of `NOISE_DEVIATION`, about.
    """
    if scale > _COARSE:  # four times as fast, and as smooth
        small = smooth_noise(rng, -(-height // 4) + 2, -(-width // 4) + 2, scale / 4)
        size = (4 * small.shape[1], 4 * small.shape[0])
        large = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large[4 : 4 + height, 4 : 4 + width], np.float32)
    rows, columns = (max(4, int(np.ceil(side / scale)) + 3) for side in (height, width))
    coarse = rng.standard_normal((rows, columns), np.float32)
    fine = cv2.resize(
        coarse,
        (int(columns * scale) + 1, int(rows * scale) + 1),
        interpolation=cv2.INTER_CUBIC,
    )
    top, left = (int(scale) if side > 1 else 0 for side in (height, width))
    part = fine[top : top + height, left : left + width]
    if part.shape != (height, width):
        part = cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(part * np.float32(1.4), np.float32)
