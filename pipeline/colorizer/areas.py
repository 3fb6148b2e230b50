"""Areas of line art: what its lines bound, with small gaps closed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_INK = 192  # thin lines of a reduced drawing are grey
GAP = 4 / 256
"""Share of the long side: gaps in lines up to this are closed."""

_SMALLEST = 2.5e-4  # of the picture; smaller areas are specks between lines


def find_areas(line: NDArray[np.uint8], gap: float = GAP) -> NDArray[np.int32]:
    """Return the number of the area of every pixel, 1 and up; 0 for ink.

    Args:
        line: (H, W) uint8, 0 ink.
        gap: in lines that is closed, as a share of the long side. It also parts what is joined by
            a neck as narrow.

    Returns:
        (H, W) int32.
    """
    ink = line < _INK
    width = max(1, round(gap * max(line.shape))) + 1 | 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    walls = cv2.dilate(ink.astype(np.uint8), brush)
    closed = _large_parts(np.asarray(1 - walls, np.uint8))
    # What is too narrow for the walls is bounded by lines without gaps.
    narrow = _large_parts((~ink).astype(np.uint8))
    has_closed = np.zeros(int(narrow.max()) + 1, bool)
    has_closed[narrow[closed > 0]] = True
    has_closed[0] = True  # ink
    areas = np.where(has_closed.take(narrow), closed, narrow + closed.max())
    if not areas.any():
        return areas
    is_used = np.bincount(areas.ravel()) > 0
    is_used[0] = False
    numbers = (np.cumsum(is_used, dtype=np.int32) * is_used).astype(np.int32)
    areas = numbers.take(areas)
    grown = flood(line, areas)
    grown[ink] = 0
    return grown


def find_areas_in_square(line: NDArray[np.uint8], gap: float = GAP) -> NDArray[np.int32]:
    """Find areas as colorizers do, which put a drawing into a square, with a wall at its sides.

    Args and result are those of `find_areas`.
    """
    height, width = line.shape
    rows, columns = int(height < width), int(width < height)
    padded = cv2.copyMakeBorder(line, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=0)
    areas = find_areas(np.asarray(padded, np.uint8), gap)
    return np.ascontiguousarray(areas[rows : rows + height, columns : columns + width])


def middle(area: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Return x, y of the pixel of an area that is farthest from its rim, and the distance."""
    depth = cv2.distanceTransform(np.pad(area, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return int(x), int(y), float(depth[y, x])


def _large_parts(mask: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the numbers of the connected parts that are no specks, from 1; 0 elsewhere."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= max(4, _SMALLEST * mask.size)
    large[0] = False  # what is not in the mask
    numbers = np.zeros(count, np.int32)
    numbers[large] = 1 + np.arange(large.sum())
    return np.asarray(numbers.take(np.asarray(labels, np.int32)), np.int32)


def flood(line: NDArray[np.uint8], markers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Let every marker grow over the paper, and over ink where no other comes first.

    Args:
        line: (H, W) uint8, 0 ink.
        markers: (H, W) int32, 1 and up; 0 where something may grow.

    Returns:
        (H, W) int32, without 0 if there is any marker.
    """
    # OpenCV's watershed leaves lines along the border, which are cut off again, and between basins:
    # they take the number of a neighbour.
    framed = np.pad(line, 1, mode="edge")
    basins = np.pad(markers, 1, mode="edge")
    cv2.watershed(cv2.merge([framed, framed, framed]), basins)
    basins = np.ascontiguousarray(basins[1:-1, 1:-1])
    between = basins < 1
    if between.any():
        basins[between] = _of_neighbours(basins, line >= _INK)[between]
        basins[between & (markers > 0)] = markers[between & (markers > 0)]
    return basins


def _of_neighbours(basins: NDArray[np.int32], paper: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the number of a neighbour of every pixel; of paper one that no line is between."""
    numbers = np.maximum(basins, 0).astype(np.float32)
    beside = cv2.dilate(numbers * paper, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    anywhere = cv2.dilate(numbers, np.ones((3, 3), np.uint8))
    return np.asarray(np.where(paper & (beside > 0), beside, anywhere), np.float32)
