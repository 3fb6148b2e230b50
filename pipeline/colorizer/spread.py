"""Hints that reach: their colours spread over the areas that they were put in.

A patch of a few pixels says little to a network about the far end of a sleeve. Spread hints tell
it at every pixel of an area with hints what the colour of the nearest of them is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.areas import find_areas, flood
from pipeline.colorizer.hints import Box, Hints

_FAR = 0.25  # of the long side: the distance at which a hint is half as near


@dataclass(frozen=True, kw_only=True)
class SpreadHints:
    """Hints that were spread.

    Attributes:
        color: (H, W, 3) uint8 RGB: of the nearest hint, over the least ink; 0 without any hint.
        nearness: (H, W) uint8, 255 on a hint, less the farther it is, never 0 in an area that has
            a hint; 0 in all others, and on ink without one.
    """

    color: NDArray[np.uint8]
    nearness: NDArray[np.uint8]


def spread_hints(line: NDArray[np.uint8], hints: Hints, box: Box | None = None) -> SpreadHints:
    """Spread hints over their areas.

    An area with several hints is shared by a watershed that starts from all of them; it goes on
    across the lines, to areas without a hint, whose nearness is 0.

    Args:
        line: (H, W) uint8, 0 ink.
        hints: of the same size.
        box: of the drawing, around which there is paper that colours do not flow through; all of
            it if None.
    """
    if box is not None:
        line = wall_around(line, box)
    if not hints.mask.any():
        return SpreadHints(color=np.zeros_like(hints.color), nearness=np.zeros_like(line))
    areas = find_areas(line)
    hinted = np.zeros(int(areas.max()) + 1, bool)
    hinted[areas[hints.mask]] = True
    hinted[0] = False  # ink
    reached = hinted[areas] | hints.mask
    distance = cv2.distanceTransform((~hints.mask).astype(np.uint8), cv2.DIST_L2, 5)
    color = _nearest_in_area(line, hints)
    far = np.float32(_FAR * max(line.shape))
    nearness = np.rint(255 * far / (far + distance))
    return SpreadHints(
        color=color,
        nearness=np.asarray(np.maximum(nearness, 1) * reached, np.uint8),
    )


def wall_around(line: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return line art, (H, W) uint8, with ink everywhere outside of a box."""
    left, top, right, bottom = box
    walled = np.zeros_like(line)
    walled[top:bottom, left:right] = line[top:bottom, left:right]
    return walled


def _nearest_in_area(line: NDArray[np.uint8], hints: Hints) -> NDArray[np.uint8]:
    """Return the colour of the hint whose water arrives first, (H, W, 3)."""
    codes = hints.color[hints.mask] @ np.array([1 << 16, 1 << 8, 1])
    colors, patch = np.unique(codes, return_inverse=True)
    markers = np.zeros(line.shape, np.int32)
    markers[hints.mask] = 1 + patch
    code = colors[np.maximum(flood(line, markers) - 1, 0)]
    color = np.stack([code >> 16, code >> 8 & 255, code & 255], axis=2).astype(np.uint8)
    color[hints.mask] = hints.color[hints.mask]
    return np.asarray(color, np.uint8)
