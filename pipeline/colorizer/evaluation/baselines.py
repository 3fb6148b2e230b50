"""Baselines without a network: fills under the line art."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from pipeline.colorizer.hints import Hints


def white_fill(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the line art itself: (H, W) uint8, 0 ink -> (H, W, 3) uint8 RGB."""
    return np.repeat(line[..., None], 3, axis=2)


def nearest_hint_fill(line: NDArray[np.uint8], hints: Hints) -> NDArray[np.uint8]:
    """Fill every pixel with the colour of the nearest hint and multiply the line art on top.

    Args:
        line: (H, W) uint8, 0 ink.
        hints: of the same size; without any the fill is white.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if not hints.mask.any():
        return white_fill(line)
    rows, columns = distance_transform_edt(~hints.mask, return_distances=False, return_indices=True)
    filled = hints.color[rows, columns].astype(np.float32)
    result: NDArray[np.uint8] = np.rint(filled * (line[..., None] / np.float32(255))).astype(
        np.uint8
    )
    return result
