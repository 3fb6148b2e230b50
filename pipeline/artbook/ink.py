"""Ink: which of it is a stroke, with a line along its middle, and which an area with a rim."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_CORNER = 1.5  # how far the corner of a square is from its core, and a bit more, in radii


def areas_of_ink(ink: Mask, stroke: float) -> Mask:
    """Return where ink is wider than a stroke, with the corners of such areas.

    Args:
        ink: (H, W), where there is ink.
        stroke: width of the widest stroke, in pixels.
    """
    depth = cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3)
    core = (depth > stroke / 2).astype(np.uint8)
    if not core.any():
        return np.zeros_like(ink)
    return ink & (cv2.distanceTransform(1 - core, cv2.DIST_L2, 3) <= _CORNER * stroke / 2)


def lines_of_ink(ink: Mask, stroke: float) -> Mask:
    """Return the lines of ink, one pixel wide: the middle of strokes, the rim of areas.

    Args:
        ink: (H, W), where there is ink.
        stroke: width of the widest stroke, in pixels.
    """
    from skimage.morphology import skeletonize  # the import takes most of a second

    area = areas_of_ink(ink, stroke)
    depth = cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3)
    middle: Mask = skeletonize(ink & ~area)
    return middle | (area & (depth <= 1.5))
