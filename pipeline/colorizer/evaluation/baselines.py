"""Baselines without a network: fills under the line art."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from pipeline.colorizer.hints import Hints

_INK_COST = 100.0  # steps over paper that cost as much as one over ink
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # down and right to half of the eight neighbours


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
    return _under(line, hints.color[rows, columns])


def geodesic_fill(line: NDArray[np.uint8], hints: Hints) -> NDArray[np.uint8]:
    """Fill every pixel with the colour of the hint that one reaches over the least ink.

    The distance is geodesic: a step over ink is as long as a hundred steps over paper, so that
    colours stop at lines and stream through gaps.

    Args:
        line: (H, W) uint8, 0 ink.
        hints: of the same size; without any the fill is white.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if not hints.mask.any():
        return white_fill(line)
    cost = 1 + _INK_COST * (1 - line / np.float64(255))
    starts = np.flatnonzero(hints.mask)
    _, _, nearest = dijkstra(
        _grid(cost), directed=False, indices=starts, min_only=True, return_predecessors=True
    )
    return _under(line, hints.color.reshape(-1, 3)[nearest].reshape(hints.color.shape))


def _grid(cost: NDArray[np.float64]) -> coo_array:
    """Return the graph of all steps between neighbours; one costs the mean of both pixels."""
    height, width = cost.shape
    numbers = np.arange(height * width).reshape(height, width)
    starts, ends, lengths = [], [], []
    for down, right in _STEPS:
        left, end = max(0, -right), width - max(0, right)
        first = numbers[: height - down, left:end].ravel()
        second = numbers[down:, left + right : end + right].ravel()
        mean = (cost.ravel()[first] + cost.ravel()[second]) / 2
        starts.append(first)
        ends.append(second)
        lengths.append(np.hypot(down, right) * mean)
    edges = np.concatenate(starts), np.concatenate(ends)
    return coo_array((np.concatenate(lengths), edges), shape=(numbers.size, numbers.size))


def _under(line: NDArray[np.uint8], color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return colours with the line art multiplied on top."""
    inked = color.astype(np.float32) * (line[..., None] / np.float32(255))
    return np.asarray(np.rint(inked), np.uint8)
