"""Enlarge what the networks paint to the size of the drawing: along its lines, not across them."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.areas import find_areas

_PAPER = 232  # brightness of line art from which a pixel has no ink to speak of
_BESIDE = 1  # pixels of the painting beside lines, whose colours are not trusted
_MAX_PIXELS = 1 << 23  # that colours are computed at; it takes about 80 bytes each


class Enlarger:
    """Enlarges paintings of one drawing, whose areas are found once.

    Attributes:
        line: the drawing, (H, W) uint8, 0 ink.
    """

    def __init__(self, line: NDArray[np.uint8]) -> None:
        self.line = line

    def enlarge(self, painted: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a painting at the size of the drawing, with the drawing on top.

        Every pixel is interpolated between those pixels of the painting that lie in its own area
        and have no ink, so that no colour crosses a line and no blurred line is left.

        Args:
            painted: (h, w, 3) uint8 RGB, smaller than the drawing.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        line = self.line
        color = _colors(painted, self._smaller, self._areas)
        if color.shape[:2] != line.shape:
            color = np.asarray(cv2.resize(color, line.shape[::-1]), np.uint8)
        on_top = cv2.multiply(color, cv2.merge([line, line, line]), scale=1 / 255)
        return np.asarray(on_top, np.uint8)

    @cached_property
    def _smaller(self) -> NDArray[np.uint8]:
        """The drawing, reduced if it is so large that colours need not be."""
        shrink = max(1.0, np.sqrt(self.line.size / _MAX_PIXELS))
        if shrink == 1:
            return self.line
        size = tuple(max(1, round(side / shrink)) for side in self.line.shape[::-1])
        smaller = cv2.resize(self.line, size, interpolation=cv2.INTER_AREA)
        return np.asarray(smaller, np.uint8)

    @cached_property
    def _areas(self) -> NDArray[np.int32]:
        return find_areas(self._smaller)


def _colors(
    painted: NDArray[np.uint8], line: NDArray[np.uint8], areas: NDArray[np.int32]
) -> NDArray[np.uint8]:
    """Return the colours of a painting without lines, at the size of its line art.

    Args:
        painted: (h, w, 3).
        line: (H, W).
        areas: (H, W), those of the line art.
    """
    if not areas.any():
        return np.asarray(cv2.resize(painted, line.shape[::-1]), np.uint8)
    height, width = painted.shape[:2]
    small_line = cv2.resize(line, (width, height), interpolation=cv2.INTER_AREA)
    small = areas[_middles(height, line.shape[0])[:, None], _middles(width, line.shape[1])]
    small = np.where(small_line >= _PAPER, small, 0)
    # A little ink has darkened the pixels beside lines.
    gain = np.where(small > 0, np.float32(255) / np.maximum(small_line, 1), np.float32(1))
    cleared = np.minimum(painted * gain[..., None], np.float32(255))
    _spread_inwards(cleared, small)
    return np.asarray(cv2.convertScaleAbs(_interpolate(cleared, small, areas)), np.uint8)


def _spread_inwards(painted: NDArray[np.float32], small: NDArray[np.int32]) -> None:
    """Give pixels beside lines the colours of those farther off in their areas, in place.

    The networks paint lines wider than they are, and not always with the colour of the right area.
    What lies nowhere far enough from lines keeps its colour.

    Args:
        painted: (h, w, 3).
        small: (h, w): the area of its pixels; 0 for those that do not count.
    """
    height, width = small.shape
    clear = cv2.erode((small > 0).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=_BESIDE)
    area = np.pad(small, 1)
    for _ in range(_BESIDE + 1):  # once more for corners
        known, colors = np.pad(clear, 1), np.pad(painted, ((1, 1), (1, 1), (0, 0)))
        total, count = np.zeros_like(painted), np.zeros(small.shape, np.float32)
        for y, x in np.ndindex(3, 3):
            shifted = slice(y, y + height), slice(x, x + width)
            near = ((area[shifted] == small) & (known[shifted] > 0)).astype(np.float32)
            total += colors[shifted] * near[..., None]
            count += near
        found = (count > 0) & (clear == 0) & (small > 0)
        painted[found] = total[found] / count[found][:, None]
        clear[found] = 1


def _middles(count: int, length: int) -> NDArray[np.int_]:
    """Return which of `length` pixels are in the middle of each of `count` larger ones."""
    return np.asarray((np.arange(count) + 0.5) * length / count, np.int_)


def _interpolate(
    painted: NDArray[np.float32], small: NDArray[np.int32], areas: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Interpolate within areas.

    Args:
        painted: (h, w, 3).
        small: (h, w): the area of its pixels; 0 for those that do not count.
        areas: (H, W): the area of the pixels of the result; 0 for ink.

    Returns:
        (H, W, 3) float32 in [0, 255].
    """
    rows, columns = (_neighbours(*each) for each in zip(painted.shape, areas.shape, strict=False))
    planes = cv2.split(painted)
    totals = [np.zeros(areas.shape, np.float32) for _ in planes]
    weights = np.zeros(areas.shape, np.float32)
    for y, down in rows:
        small_rows, plane_rows = small[y], [plane[y] for plane in planes]
        for x, right in columns:
            weight = np.outer(down, right)
            weight *= small_rows.take(x, axis=1) == areas
            weights += weight
            for total, plane in zip(totals, plane_rows, strict=True):
                total += weight * plane.take(x, axis=1)
    found = weights > 1e-3
    weights[~found] = 1
    color = np.asarray(cv2.merge([total / weights for total in totals]), np.float32)
    lost = ~found & (areas > 0)
    color[lost] = _means(painted, small, int(areas.max()))[areas[lost]]
    return _under_ink(color, areas)


def _neighbours(count: int, length: int) -> list[tuple[NDArray[np.int_], NDArray[np.float32]]]:
    """Return the two pixels of `count` that each of `length` lies between, and their weights."""
    at = (np.arange(length) + 0.5) * count / length - 0.5
    first = np.floor(at).astype(np.int_)
    share = np.asarray(at - first, np.float32)
    last = count - 1
    return [
        (np.clip(first, 0, last), 1 - share),
        (np.clip(first + 1, 0, last), share),
    ]


def _means(
    painted: NDArray[np.float32], small: NDArray[np.int32], areas: int
) -> NDArray[np.float32]:
    """Return the mean colour of every area, (N, 3); that of all of them where nothing counts."""
    flat = small.ravel()
    counts = np.bincount(flat, minlength=areas + 1).astype(np.float32)
    sums = [np.bincount(flat, painted[..., channel].ravel(), areas + 1) for channel in range(3)]
    means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]
    means[counts == 0] = painted.reshape(-1, 3).mean(axis=0)
    return means.astype(np.float32)


def _under_ink(color: NDArray[np.float32], areas: NDArray[np.int32]) -> NDArray[np.float32]:
    """Give ink the colour of the nearest pixel beside it, which shows through its soft edges."""
    ink = areas == 0
    _, nearest = cv2.distanceTransformWithLabels(
        ink.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros(int(nearest.max()) + 1, np.int_)
    place[nearest[~ink]] = np.flatnonzero(~ink)
    color[ink] = color.reshape(-1, 3)[place[nearest[ink]]]
    return color
