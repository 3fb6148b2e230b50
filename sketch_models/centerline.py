"""Clean line art: the middle of every line of a sketch, drawn again with one even stroke."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sketch_models.option import Options, option

Mask = NDArray[np.uint8]
"""(H, W), 1 on the lines, else 0."""

_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
_BLOCK = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class CenterlineOptions(Options, section="centerline"):
    """The line model that needs no weights."""

    low: float = option(
        0.06, "ink, 0 to 1, with which a line goes on that `high` has begun", above=0, at_most=1
    )
    high: float = option(0.30, "ink, 0 to 1, with which a line begins", above=0, at_most=1)
    shortest: int = option(
        12, "length of the shortest line that is kept", at_least=0, unit="pixels"
    )
    spur: int = option(
        6,
        "length of the longest side branch that is cut off",
        at_least=0,
        at_most=100,
        unit="pixels",
    )
    width: float = option(
        3.0, "width of the drawn stroke, in pixels", at_least=1, at_most=50, unit="pixels"
    )

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self.require(self.low <= self.high, "high", f"ink from low, which is {self.low}, to 1")


class Centerline:
    """The filter as a line model."""

    batch_size = 1
    threads = os.cpu_count() or 1

    def __init__(self, options: CenterlineOptions) -> None:
        self._options = options

    def simplify(self, sketches: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        """Draws line art, aligned to the sketches to the pixel.

        Args:
            sketches: (H, W) uint8, 0 = ink, 255 = paper, of any sizes.

        Returns:
            (H, W) uint8 of the same shapes and meaning.
        """
        return [self._line_art(sketch) for sketch in sketches]

    def _line_art(self, sketch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        o = self._options
        skeleton = centerlines(sketch, o.low, o.high)
        skeleton = without_spurs(skeleton, o.spur)
        skeleton = without_specks(skeleton, o.shortest)
        return stroke(skeleton, o.width)


def centerlines(sketch: NDArray[np.uint8], low: float, high: float) -> Mask:
    """The skeleton of the ink that is at least `low` and hangs together with some of `high`.

    Args:
        sketch: (H, W) uint8, 0 = ink.
        low: ink, 0 to 1.
        high: ink, 0 to 1.

    Returns:
        Centre lines, one pixel wide.
    """
    from skimage.morphology import skeletonize  # takes most of a second, and few need it

    weak = (sketch <= 255 * (1 - low)).astype(np.uint8)
    count, labels = cv2.connectedComponents(weak, connectivity=8)
    begun = np.zeros(count, bool)
    begun[labels[sketch <= 255 * (1 - high)]] = True
    begun[0] = False
    skeleton: NDArray[np.bool_] = skeletonize(begun[labels])
    return skeleton.astype(np.uint8)


def without_spurs(skeleton: Mask, length: int) -> Mask:
    """Cuts off side branches of up to `length` pixels; longer lines keep their ends.

    All ends are eaten back by `length` pixels, then those that are left grow back along the
    skeleton by as much.
    """
    eaten: Mask = skeleton.copy()
    for _ in range(length):
        eaten[_ends(eaten)] = 0
    front = _ends(eaten).astype(np.uint8)
    for _ in range(length):
        front = np.asarray(cv2.dilate(front, _BLOCK) * skeleton, np.uint8)
        np.maximum(eaten, front, out=eaten)
    return eaten


def _ends(skeleton: Mask) -> NDArray[np.bool_]:
    """Where a line has one neighbour or none."""
    neighbours = cv2.filter2D(skeleton, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((neighbours <= 1) & (skeleton == 1), np.bool_)


def without_specks(skeleton: Mask, shortest: int) -> Mask:
    """Leaves out lines of fewer than `shortest` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(skeleton, connectivity=8)
    kept = (stats[:, cv2.CC_STAT_AREA] >= shortest).astype(np.uint8)
    kept[0] = 0
    return np.asarray(kept[labels], np.uint8)


def stroke(skeleton: Mask, width: float) -> NDArray[np.uint8]:
    """Draws one even, anti-aliased stroke along a skeleton.

    Args:
        skeleton: the centre lines.
        width: of the stroke, in pixels.

    Returns:
        (H, W) uint8, 0 = ink, 255 = paper.
    """
    if not skeleton.any():
        return np.full(skeleton.shape, 255, np.uint8)
    away = cv2.distanceTransform(1 - skeleton, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    paper = np.clip(away - (width - 1) / 2, 0, 1)
    return np.asarray(255 * paper, np.uint8)
