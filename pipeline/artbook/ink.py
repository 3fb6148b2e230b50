"""Ink: which of it is a stroke, with a line along its middle, and which an area with a rim."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_CORNER = 1.5  # how far the corner of a square is from its core, and a bit more, in radii


def areas_of_ink(ink: Mask, stroke: float) -> Mask:
    """Return where ink is wider than a stroke, with the corners of such areas, or a dot.

    Args:
        ink: (H, W), where there is ink.
        stroke: width of the widest stroke, in pixels.
    """
    depth = np.asarray(cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3), np.float32)
    dots = _dots(ink, depth, stroke)
    core = (depth > stroke / 2).astype(np.uint8)
    if not core.any():
        return dots
    around = cv2.distanceTransform(1 - core, cv2.DIST_L2, 3) <= _CORNER * stroke / 2
    return dots | (ink & around)


def _dots(ink: Mask, depth: NDArray[np.float32], stroke: float) -> Mask:
    """Return the pieces of ink that are about as long as wide, such as pupils and buttons."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    small, large = sides.min(axis=1), sides.max(axis=1)
    dots = np.zeros(ink.shape, bool)
    is_round = (small >= stroke / 4) & (large <= 2 * small) & (large < 2 * stroke)
    for index in np.flatnonzero(is_round):
        left, top, width, height = stats[index + 1, : cv2.CC_STAT_AREA]
        part = np.s_[top : top + height, left : left + width]
        piece = labels[part] == index + 1
        if 2 * depth[part][piece].max() >= 0.5 * small[index]:  # a ring is thinner
            dots[part] |= piece
    return dots


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
