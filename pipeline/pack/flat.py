"""Flat colours: the areas of one colour of a packed picture, and their mean colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.pack.extras import MAX_COLORS
from pipeline.pack.square import PAPER
from pipeline.segments import find_segments


def find_flat(
    square: NDArray[np.uint8], box: tuple[int, int, int, int]
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Return the areas of one colour of a picture, and a palette to paint them with.

    They are found at the size of the square, so that every pixel of it belongs to one, and that
    colours are those of its pixels. What lies around the box has no part in it.

    Args:
        square: (S, S, 3) uint8 RGB.
        box: of the picture in it: left, top, right, bottom, half-open, in pixels.

    Returns:
        The number of the area of every pixel, (S, S) uint16, the largest area first: from 1, and 0
        around the box; and their mean colours, (MAX_COLORS, 3) uint8 RGB, that of number 0 white
        and those of no area 0.
    """
    left, top, right, bottom = box
    picture = square[top:bottom, left:right]
    areas = _number_areas(find_segments(picture, len(square)))  # at most MAX_COLORS - 1
    numbers = np.zeros(square.shape[:2], np.uint16)
    numbers[top:bottom, left:right] = areas
    colors = np.zeros((MAX_COLORS, 3), np.uint8)
    colors[0] = PAPER
    colors[1 : int(areas.max()) + 1] = _mean_colors(picture, areas)
    return numbers, colors


def _number_areas(segments: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number segments from 1, the largest first, of equally large ones the lowest number."""
    order = np.argsort(-np.bincount(segments.ravel()), kind="stable")
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers[segments]


def _mean_colors(picture: NDArray[np.uint8], areas: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the rounded mean colours of the areas from number 1, (N, 3) uint8 RGB."""
    numbers = areas.ravel() - 1
    sums = [np.bincount(numbers, channel) for channel in picture.reshape(-1, 3).T]
    means = np.stack(sums, axis=1) / np.bincount(numbers)[:, None]
    return np.rint(means).astype(np.uint8)
