"""Areas of line art: what its lines bound, with small gaps closed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_INK = 128
_GAP = 4 / 256  # of the long side: gaps up to this are closed
_SMALLEST = 2.5e-4  # of the picture; smaller areas are specks between lines


def find_areas(line: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the number of the area of every pixel, 1 and up; 0 for ink.

    Args:
        line: (H, W) uint8, 0 ink.

    Returns:
        (H, W) int32.
    """
    ink = line < _INK
    gap = max(1, round(_GAP * max(line.shape)))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap + 1 | 1, gap + 1 | 1))
    walls = cv2.dilate(ink.astype(np.uint8), brush)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - walls, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= max(4, _SMALLEST * line.size)
    large[0] = False  # the walls
    numbers = np.zeros(count, np.int32)
    numbers[large] = 1 + np.arange(large.sum())
    areas = np.asarray(numbers[labels], np.int32)
    if not areas.any():
        return areas
    outside = (areas == 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(nearest.max()) + 1, np.int32)
    inside = outside == 0
    of_label[nearest[inside]] = areas[inside]
    grown = of_label[nearest]
    grown[ink] = 0
    return np.asarray(grown, np.int32)
