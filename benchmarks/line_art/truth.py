"""Turn ink, areas and strokes into lines one pixel wide.

The same rules hold for the truth and for what a method finds: ink up to `MAX_WIDTH` wide is a line
and has a centre line; wider ink, or a dot, is an area filled with black, and its outline is the
line.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from pipeline.artbook.ink import areas_of_ink, lines_of_ink

SIZE = 768  # pixels; the long side of every picture
MAX_WIDTH = 30  # pixels; ink that is wider is a filled area


def centre_lines(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the lines of ink: centre lines, and outlines of filled areas; one pixel wide."""
    skeleton: NDArray[np.bool_] = skeletonize(lines_of_ink(ink, MAX_WIDTH))
    return skeleton


def narrow_ink(color: NDArray[np.uint8], max_grey: int) -> NDArray[np.bool_]:
    """Return the narrow dark parts of a flat picture: lines that were drawn as areas."""
    dark = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY) <= max_grey
    return dark & ~_grown(areas_of_ink(dark, MAX_WIDTH), 2)


def edges(color: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels whose right or lower neighbour has another colour."""
    found = np.zeros(color.shape[:2], bool)
    found[:, :-1] |= (color[:, :-1] != color[:, 1:]).any(axis=2)
    found[:-1] |= (color[:-1] != color[1:]).any(axis=2)
    return found


def area_ink(color: NDArray[np.uint8], max_grey: int = 40) -> NDArray[np.bool_]:
    """Return the ink of a picture of plain colours: narrow dark parts, and edges of areas.

    The edges of a narrow dark part are none of areas.
    """
    narrow = narrow_ink(color, max_grey)
    return _grown(edges(color) & ~_grown(narrow, 2), 1) | narrow


def distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of every pixel to the nearest one of the mask, in pixels."""
    inverse = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inverse, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    return distance_to(mask) <= pixels
