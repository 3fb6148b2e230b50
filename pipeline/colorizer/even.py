"""Even areas: those that nobody gave a hint, without the smudges of a guess.

What a small network paints there is a guess, whose smudges and rims look like faults of the line
art. The mean of the guess is as near to the truth, and looks finished. What differs much from it
is no smudge, such as a pupil within an eye, or the other side of an open line: it stays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.areas import find_areas
from pipeline.colorizer.hints import Box, Hints
from pipeline.colorizer.spread import wall_around

_SMUDGE, _DETAIL = 30, 60  # of 255: differences up to the first go, from the second on they stay


def even_areas(
    picture: NDArray[np.uint8], line: NDArray[np.uint8], hints: Hints | None, box: Box
) -> NDArray[np.uint8]:
    """Return a result whose areas without a hint have their mean colour, but for strong details.

    Areas with a hint, and ink, stay as they are.

    Args:
        picture: (S, S, 3) uint8 RGB, a result.
        line: (S, S) uint8, 0 ink: its line art.
        hints: of the same size; None without any.
        box: of the drawing in the square.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    areas = find_areas(wall_around(line, box))
    pixels = np.bincount(areas.ravel())
    keeps = pixels == 0
    keeps[0] = True  # ink, and what is around the drawing
    if hints is not None:
        keeps[areas[hints.mask]] = True
    sums = [np.bincount(areas.ravel(), channel.ravel()) for channel in np.moveaxis(picture, 2, 0)]
    means = (np.stack(sums, axis=1) / np.maximum(pixels, 1)[:, None]).astype(np.float32)
    even = means[areas]
    difference = picture - even
    largest = np.abs(difference).max(axis=2, keepdims=True)
    share = np.clip((largest - _SMUDGE) / (_DETAIL - _SMUDGE), 0, 1)
    evened = np.rint(even + share * difference).astype(np.uint8)
    return np.where(keeps[areas][..., None], picture, evened)
