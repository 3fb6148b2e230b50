"""Known lines as people would draw them: thin or wide, pressed or not, clean or rough."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import log_uniform, smooth_noise

ROUGHNESS = {"original": 1.0, "enhanced": 0.4, "pured": 0.0}
"""How rough the drawing of each style is: strokes off the line, gaps, and uneven pressure."""

_WIDTHS = (0.6, 3.0)  # pixels of the result
_JITTER = 1.0  # pixels of the result, of the roughest drawing


def known_lines(
    lines: NDArray[np.uint8], scale: float, roughness: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return lines drawn again with a pen of random width and pressure.

    Args:
        lines: (H, W) uint8, 0 = ink, 255 = paper; lines are 2 to 3 pixels wide.
        scale: pixels of the page per pixel of the result, which is to be reduced by it.
        roughness: 0 for an even pen, 1 for the roughest.
        rng: the source of randomness.

    Returns:
        (H, W) uint8, 0 = ink, 255 = paper.
    """
    height, width = lines.shape
    distance = cv2.distanceTransform((lines >= 128).astype(np.uint8), cv2.DIST_L2, 5)
    pressure = np.full(lines.shape, rng.uniform(0.55, 1), np.float32)
    half = np.full(lines.shape, log_uniform(rng, *_WIDTHS) * scale / 2 - 1, np.float32)
    if roughness:
        off = roughness * _JITTER * scale * rng.random()
        distance = _moved(np.asarray(distance, np.float32), off, scale, rng)
        swell = smooth_noise(rng, height, width, 20 * scale)
        half *= 1 + np.float32(0.25 * roughness) * swell
        strength = smooth_noise(rng, height, width, 12 * scale)
        # At the roughest a tenth of the lines is missing, in gaps.
        pressure *= np.clip(1.6 + strength, 1 - roughness, 1)
    ink = pressure * np.clip(np.maximum(half, 0) - distance + 0.5, 0, 1)
    return np.asarray(np.rint(255 * (1 - ink)), np.uint8)


def _moved(
    distance: NDArray[np.float32], off: float, scale: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a map of distances that is bent by `off` pixels, on the average."""
    height, width = distance.shape
    x = np.arange(width, dtype=np.float32)[None]
    y = np.arange(height, dtype=np.float32)[:, None]
    shift = [np.float32(off) * smooth_noise(rng, height, width, 12 * scale) for _ in range(2)]
    moved = cv2.remap(
        distance, x + shift[0], y + shift[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)
