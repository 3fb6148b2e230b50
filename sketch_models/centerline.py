"""Clean line art: the centerline of every line of a sketch, drawn with one even stroke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sketch_models.cores import available_cores
from sketch_models.option import Options, option
from sketch_models.paper import flatten

Mask = NDArray[np.uint8]
"""(H, W), 1 on the lines, else 0."""

_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
_SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class CenterlineOptions(Options, section="centerline"):
    """The line model that needs no weights."""

    low_threshold: float = option(
        0.06,
        "ink, 0 to 1, with which a line continues that high_threshold has started",
        above=0,
        at_most=1,
        renamed_from="low",
    )
    high_threshold: float = option(
        0.30,
        "ink, 0 to 1, with which a line starts",
        above=0,
        at_most=1,
        renamed_from="high",
    )
    min_length: int = option(
        12,
        "length of the shortest line that is kept",
        at_least=0,
        unit="pixels",
        renamed_from="shortest",
    )
    max_spur: int = option(
        6,
        "length of the longest side branch that is cut off",
        at_least=0,
        at_most=100,
        unit="pixels",
        renamed_from="spur",
    )
    stroke_width: float = option(
        3.0,
        "width of the drawn stroke, in pixels",
        at_least=1,
        at_most=50,
        unit="pixels",
        renamed_from="width",
    )

    flatten_paper: bool = option(
        True,
        "whether grey or cream paper, uneven light and pencil noise are removed first; "
        "clean pages stay as they are",
    )

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self.require(
            self.low_threshold <= self.high_threshold,
            "high_threshold",
            f"ink from low_threshold, which is {self.low_threshold}, to 1",
        )


class Centerline:
    """Skeletonization as a line model.

    Args:
        options: thresholds, lengths and stroke width.
    """

    batch_size = 1
    threads = available_cores()

    def __init__(self, options: CenterlineOptions) -> None:
        self._options = options

    def simplify(self, sketches: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        """Return line art, aligned to the sketches to the pixel.

        Args:
            sketches: (H, W) uint8, 0 = ink, 255 = paper, of any sizes.

        Returns:
            (H, W) uint8 of the same shapes and meaning.
        """
        return [self._line_art(sketch) for sketch in sketches]

    def _line_art(self, sketch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        options = self._options
        if options.flatten_paper:
            sketch = flatten(sketch, options.high_threshold)
        skeleton = hysteresis_skeleton(sketch, options.low_threshold, options.high_threshold)
        skeleton = prune_spurs(skeleton, options.max_spur)
        skeleton = remove_short_lines(skeleton, options.min_length)
        return draw_stroke(skeleton, options.stroke_width)


def hysteresis_skeleton(sketch: NDArray[np.uint8], low: float, high: float) -> Mask:
    """Return the skeleton of all ink above `low` that is connected to some ink above `high`.

    Args:
        sketch: (H, W) uint8, 0 = ink.
        low: ink, 0 to 1.
        high: ink, 0 to 1.

    Returns:
        Centerlines, one pixel wide.
    """
    from skimage.morphology import skeletonize  # the import takes most of a second

    weak = (sketch <= 255 * (1 - low)).astype(np.uint8)
    count, labels = cv2.connectedComponents(weak, connectivity=8)
    has_strong = np.zeros(count, bool)  # by label
    has_strong[labels[sketch <= 255 * (1 - high)]] = True
    skeleton: NDArray[np.bool_] = skeletonize(has_strong[labels])
    return skeleton.astype(np.uint8)


def prune_spurs(skeleton: Mask, length: int) -> Mask:
    """Cut off side branches of up to `length` pixels; longer lines keep their ends.

    All lines are shortened by `length` pixels at their ends; the remaining ends then grow back
    along the skeleton by the same length.
    """
    pruned: Mask = skeleton.copy()
    for _ in range(length):
        pruned[_endpoints(pruned)] = 0
    front = _endpoints(pruned).astype(np.uint8)
    for _ in range(length):
        front = np.asarray(cv2.dilate(front, _SQUARE) * skeleton, np.uint8)
        np.maximum(pruned, front, out=pruned)
    return pruned


def _endpoints(skeleton: Mask) -> NDArray[np.bool_]:
    """Return a mask of the line pixels that have one neighbour or none."""
    neighbours = cv2.filter2D(skeleton, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((neighbours <= 1) & (skeleton == 1), np.bool_)


def remove_short_lines(skeleton: Mask, min_length: int) -> Mask:
    """Remove lines of fewer than `min_length` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(skeleton, connectivity=8)
    kept = (stats[:, cv2.CC_STAT_AREA] >= min_length).astype(np.uint8)
    kept[0] = 0
    return np.asarray(kept[labels], np.uint8)


def draw_stroke(skeleton: Mask, width: float) -> NDArray[np.uint8]:
    """Draw one even, anti-aliased stroke along a skeleton.

    Args:
        skeleton: the centerlines.
        width: of the stroke, in pixels.

    Returns:
        (H, W) uint8, 0 = ink, 255 = paper.
    """
    if not skeleton.any():
        return np.full(skeleton.shape, 255, np.uint8)
    distance = cv2.distanceTransform(1 - skeleton, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    paper = np.clip(distance - (width - 1) / 2, 0, 1)
    return np.asarray(255 * paper, np.uint8)
