"""The three styles of sketch, made of one ink map by thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = {"original": 0.0, "enhanced": 0.10, "pured": 0.18}
"""Ink below the threshold becomes paper, as in sketchKeras."""

STYLES = tuple(THRESHOLDS)


def ink_to_sketch(ink: NDArray[np.float32], style: str) -> NDArray[np.uint8]:
    """Return one style of an ink map as a sketch.

    Args:
        ink: (H, W) float32, about [0, 1], 1 = ink.
        style: one of `STYLES`.

    Returns:
        (H, W) uint8, 0 = ink, 255 = paper: `clip(255 (1 - ink))`, truncated.
    """
    kept = np.where(ink < THRESHOLDS[style], np.float32(0), ink)
    paper: NDArray[np.float32] = 255 * (1 - kept)
    return paper.clip(0, 255).astype(np.uint8)
