"""How well lines agree with the true ones: F1 of their centre lines, within 2 pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE = 2.0
"""Pixels between two centre lines that count as the same."""

_INK = 0.5  # probability from which a pixel is ink


def line_f1(
    probability: NDArray[np.float32], lines: NDArray[np.uint8], weight: NDArray[np.uint8]
) -> float:
    """Return the harmonic mean of precision and recall of the centre lines, 0 to 1.

    Args:
        probability: (H, W) float32 in [0, 1], of ink.
        lines: (H, W) uint8, the true lines, 0 = ink.
        weight: (H, W) uint8; where it is 0, neither side counts.

    Returns:
        1 if there are no lines and none were found.
    """
    found, true = centre_lines(probability >= _INK), centre_lines(lines < 128)
    counted = weight > 0
    counted_found, counted_true = found & counted, true & counted
    if not counted_found.any() or not counted_true.any():
        return float(counted_found.any() == counted_true.any())
    precision = float((_distance_to(true)[counted_found] <= MAX_DISTANCE).mean())
    recall = float((_distance_to(found)[counted_true] <= MAX_DISTANCE).mean())
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def centre_lines(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the skeleton of ink, one pixel wide."""
    from skimage.morphology import skeletonize  # the import takes most of a second

    skeleton: NDArray[np.bool_] = skeletonize(ink)
    return skeleton


def _distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of every pixel to the nearest one of the mask, in pixels."""
    inverse = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inverse, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
