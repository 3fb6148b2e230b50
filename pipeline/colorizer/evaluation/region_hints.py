"""Hints of Hint-AUC: a scribble and a dot in every region of the original, without any chance.

Madono, Yuan and Simo-Serra, "Hint-AUC: Deterministic Region-based Hint Generation for Line Art
Colorization Evaluation", IEEE TVCG 2026: the original is segmented (Felzenszwalb and Huttenlocher
2004), each segment is split into its connected parts, and the longest path through the skeleton of
a part becomes a scribble of its mean colour. The dot is the pixel of the scribble that is nearest
to all others. The path is that of `path_method="geodesic"` of the package hintauc.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from skimage.measure import label
from skimage.morphology import skeletonize

from pipeline.colorizer.hints import Hints
from pipeline.segments import SIDE, find_segments

KINDS = ("scribbles", "dots")
"""The two kinds of hints."""

RATIOS = (0.0, 0.01, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of the regions with hints that Hint-AUC integrates over."""

_GRID = 64  # of the picture that hints are put on
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # down and right to half of the eight neighbours
_EQUAL = 1e-12  # lengths that differ by less are equal


@dataclass(frozen=True, kw_only=True)
class RegionHints:
    """The regions of a picture and their hints, on a grid of 64 x 64.

    Attributes:
        regions: (64, 64) int32: the number of the region, from 0, the largest first.
        colors: (N, 3) uint8 RGB: the mean colour of every region.
        scribbles: (64, 64) bool.
        dots: (64, 64) bool.
    """

    regions: NDArray[np.int32]
    colors: NDArray[np.uint8]
    scribbles: NDArray[np.bool_]
    dots: NDArray[np.bool_]

    def at(self, ratio: float, kind: str, height: int, width: int) -> Hints:
        """Return the hints of the largest regions.

        Args:
            ratio: share of the regions that have hints, 0 to 1, rounded down to whole ones.
            kind: one of `KINDS`.
            height: of the hints, in pixels.
            width: of the hints, in pixels.
        """
        mask = self.scribbles if kind == "scribbles" else self.dots
        mask = mask & (self.regions < int(ratio * len(self.colors)))
        color = self.colors[self.regions] * mask[..., None]
        size = (width, height)
        return Hints(
            np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_NEAREST), np.uint8),
            cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0,
        )


def find_region_hints(picture: NDArray[np.uint8]) -> RegionHints:
    """Return the regions of a picture and their hints.

    Args:
        picture: (H, W, 3) uint8 RGB; it is segmented at 512 x 512.
    """
    large = picture
    if picture.shape[:2] != (SIDE, SIDE):
        shrinks = min(picture.shape[:2]) > SIDE
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        large = np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=method), np.uint8)
    segments = find_segments(large)
    grid = (_GRID, _GRID)
    few = cv2.resize(segments.astype(np.float32), grid, interpolation=cv2.INTER_NEAREST)
    small = np.asarray(cv2.resize(large, grid), np.float64)
    regions = _number_regions(few.astype(np.int32))
    colors = np.empty((regions.max() + 1, 3), np.uint8)
    scribbles, dots = np.zeros((2, *grid), bool)
    for number in range(len(colors)):
        region = regions == number
        colors[number] = small[region].mean(axis=0)
        path = longest_path(skeletonize(region))
        scribbles |= path
        places = np.argwhere(path)
        if len(places):
            distances = np.abs(places[:, None] - places).sum(axis=(1, 2))
            dots[tuple(places[np.argmin(distances)])] = True
    return RegionHints(regions=regions, colors=colors, scribbles=scribbles, dots=dots)


def _number_regions(segments: NDArray[np.int32]) -> NDArray[np.int32]:
    """Split segments into their connected parts, and number these from the largest down, from 0.

    Of parts of one size the order is that of hintauc: by a code of the segment's number. Parts that
    were split off have the first codes that are free.
    """
    parts = np.asarray(label(segments, background=-1, connectivity=1) - 1, np.int32)
    first = np.unique(parts, return_index=True)[1]  # of each part, in reading order
    codes = _code(segments.ravel()[first].astype(np.int64))
    taken, split = set(codes.tolist()), np.zeros(len(codes), bool)
    for code in np.unique(codes):
        split[np.flatnonzero(codes == code)[1:]] = True
    free = (code for code in map(int, _code(np.arange(2 * len(codes)))) if code not in taken)
    for part in np.flatnonzero(split)[np.argsort(codes[split], kind="stable")]:
        codes[part] = next(free)
    order = np.lexsort((codes, -np.bincount(parts.ravel())))
    numbers = np.empty(len(order), np.int32)
    numbers[order] = np.arange(len(order))
    return np.asarray(numbers[parts], np.int32)


def _code(number: NDArray[np.int64]) -> NDArray[np.int64]:
    return number * 1_000_003 % 255**3


def longest_path(skeleton: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the longest of all shortest paths between two pixels of a skeleton, (H, W) bool.

    Paths go to all eight neighbours, but around corners of the skeleton. Of equally long ones it is
    that which starts, and then that which ends, at the first pixel in reading order.
    """
    path = np.zeros(skeleton.shape, bool)
    rows, columns = np.nonzero(skeleton)
    if not len(rows):
        return path
    graph = _graph(skeleton, rows, columns)
    starts = _possible_ends(graph)
    distances = dijkstra(graph, indices=starts)
    distances[np.isinf(distances)] = -1
    start = int(np.argmax(distances.max(axis=1)))
    length = distances[start]
    at = int(np.flatnonzero(length > length.max() - _EQUAL)[0])
    while True:
        path[rows[at], columns[at]] = True
        if at == starts[start]:
            return path
        neighbours = graph.indices[graph.indptr[at] : graph.indptr[at + 1]]
        steps = graph.data[graph.indptr[at] : graph.indptr[at + 1]]
        at = int(neighbours[np.abs(length[neighbours] + steps - length[at]) <= _EQUAL * 1e3].min())


def _graph(
    skeleton: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> csr_array:
    """Return the steps between the pixels of a skeleton as a sparse matrix of their lengths."""
    count = len(rows)
    number = np.full((skeleton.shape[0] + 2, skeleton.shape[1] + 2), -1)
    number[rows + 1, columns + 1] = np.arange(count)
    starts, ends, lengths = [], [], []
    for down, right in _STEPS:
        end = number[rows + 1 + down, columns + 1 + right]
        exists = end >= 0
        if down and right:
            exists &= number[rows + 1 + down, columns + 1] < 0
            exists &= number[rows + 1, columns + 1 + right] < 0
        starts.append(np.flatnonzero(exists))
        ends.append(end[exists])
        lengths.append(np.full(int(exists.sum()), np.hypot(down, right)))
    first, second, length = (np.concatenate(parts) for parts in (starts, ends, lengths))
    both = np.concatenate([first, second]), np.concatenate([second, first])
    return coo_array((np.concatenate([length, length]), both), shape=(count, count)).tocsr()


def _possible_ends(graph: csr_array) -> NDArray[np.intp]:
    """Return the pixels at which the longest path may start: on a tree, its leaves."""
    _, part = connected_components(graph, directed=False)
    degree = np.diff(graph.indptr)
    is_tree = np.bincount(part, weights=degree) / 2 < np.bincount(part)
    return np.flatnonzero(~is_tree[part] | (degree <= 1))
