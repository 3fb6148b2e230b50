"""Lines that are much wider than a pen stroke: filled, so that each is one line and not two edges.

They are found by morphology (Serra, "Image Analysis and Mathematical Morphology", 1982): a closing
fills what is dark and narrower than its disk, and the difference to the picture, the black top-hat,
is exactly the area of the line.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_BRIGHT_DISK = 5  # pixels of half size; bright spots below it do not divide a dark area into lines
_MARGIN = 1.8  # of the closing's disk: where two lines cross, the dark area is wider than either
_SHARE = 0.75  # of the way down to the darkest pixel nearby, of every pixel of a line
_MEAN_SHARE = 0.91  # of the pixels away from its edges: what an outline bounds is brighter than it
_EDGE = 2.5  # pixels of half size, from the edge of a line
_MIN_CONTRAST = 0.18  # of a line to both of its sides, after `gain`
_MIN_LENGTH = 3.5  # in widths: what is shorter is a spot, and keeps its outline
_BRIGHTEST = 0.7  # share of the brightest channel in the brightness, the rest is the grey picture
_SMALLEST = 1e-3  # contrast, against division by 0
_SQUARE = np.ones((3, 3), np.uint8)


def wide_lines(
    picture: NDArray[np.uint8],
    grey: NDArray[np.float32],
    gain: NDArray[np.float32],
    max_width: float,
) -> NDArray[np.float32]:
    """Return the areas of all lines from about 6 pixels to `max_width`.

    Brightness is mostly that of the brightest channel: outlines are dark in all of them, so that
    an area of a dark colour inside a black outline is no line.

    Args:
        picture: (H, W, 3) uint8 RGB, of even sides.
        grey: (H, W) float32 in [0, 1], its brightness.
        gain: (H, W) float32, 1 or more: the factor of contrasts.
        max_width: of a line, in pixels.

    Returns:
        (H, W) float32 in [0, 1], 1 = line. It is made at half the size.
    """
    height, width = grey.shape
    size = (width // 2, height // 2)
    contrast, share = _darkness(_halve(_brightness(picture, grey), size), max_width / 2)
    is_line = (share >= _SHARE) & (contrast * _halve(gain, size) >= _MIN_CONTRAST)
    mask = np.asarray(cv2.morphologyEx(is_line.astype(np.uint8), cv2.MORPH_OPEN, _SQUARE), np.uint8)
    lines = _long_areas(mask, share)
    return np.asarray(cv2.resize(lines, (width, height), interpolation=cv2.INTER_LINEAR))


def _brightness(picture: NDArray[np.uint8], grey: NDArray[np.float32]) -> NDArray[np.float32]:
    red, green, blue = cv2.split(picture)
    brightest = cv2.max(cv2.max(red, green), blue).astype(np.float32)
    return np.asarray(cv2.addWeighted(brightest, _BRIGHTEST / 255, grey, 1 - _BRIGHTEST, 0))


def _halve(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _darkness(
    brightness: NDArray[np.float32], max_width: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the contrast of the darkest pixel nearby to the sides of a line, and a share of it.

    Args:
        brightness: (H, W) float32 in [0, 1].
        max_width: of a line, in pixels.

    Returns:
        (H, W) float32 each: the contrast, 0 to 1; and how far down every pixel is from the
        brightness of the sides, 0, to the darkest pixel, 1. Wider areas have no contrast inside.
    """
    levels = np.rint(brightness * 255).astype(np.uint8)  # of which morphology is fast
    without_spots = cv2.morphologyEx(levels, cv2.MORPH_OPEN, _disk(_BRIGHT_DISK))
    sides = cv2.morphologyEx(without_spots, cv2.MORPH_CLOSE, _disk(_MARGIN * max_width))
    nearby = round(max_width) + 2
    darkest = cv2.erode(levels, np.ones((nearby, nearby), np.uint8))
    contrast = cv2.subtract(sides, darkest).astype(np.float32) / np.float32(255)
    depth = cv2.subtract(sides, levels).astype(np.float32) / np.float32(255)
    return contrast, depth / np.maximum(contrast, _SMALLEST)


def _disk(diameter: float) -> NDArray[np.uint8]:
    side = 2 * (round(diameter) // 2) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _long_areas(mask: NDArray[np.uint8], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mask as 0 or 1, without what is short for its width or has a darker outline.

    The mean distance to the edge is a quarter of a line's width; a line of l widths has an area of
    16 l times its square.
    """
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    if count == 1:
        return mask.astype(np.float32)
    inside = np.flatnonzero(mask)
    distances = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 3), np.float32)
    distance = distances.ravel()[inside]
    of_area = np.asarray(labels, np.int32).ravel()[inside]
    size, mean_distance = _means(of_area, distance, count)
    deep = distance >= _EDGE
    deep_size, mean_share = _means(of_area[deep], share.ravel()[inside[deep]], count)
    is_line = size >= 16 * _MIN_LENGTH * mean_distance**2
    is_line &= (mean_share >= _MEAN_SHARE) | (deep_size == 0)
    is_line[0] = False  # the rest of the picture
    return np.asarray(is_line.astype(np.float32)[labels])


def _means(
    labels: NDArray[np.int32], values: NDArray[np.float32], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the number of values of each label, and their mean, 0 if there are none."""
    sizes = np.bincount(labels, minlength=count)
    return sizes, np.bincount(labels, values, minlength=count) / np.maximum(sizes, 1)
