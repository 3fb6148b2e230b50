"""Suggested hints: colours for the areas of a drawing that have none yet.

A colorizer that is told nothing paints everything in the mean of what it has seen, a grey. A few
colours that go together, one for each area, make a picture of it to start from.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from itertools import cycle

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.areas import GAP, find_areas_in_square, middle
from pipeline.colorizer.hints import Box, Hints
from pipeline.colorizer.spread import wall_around
from pipeline.picture import resize_long_side

Color = tuple[int, int, int]
Seed = int | tuple[int, ...]

_SIDE = 384  # pixels: areas are found in a drawing with this long side at most
_GAP = 1.5 / 256  # of the long side, in lines that is closed: areas with narrow necks stay whole
_SMALLEST = 5e-4  # of the picture: areas from here on get a hint
_RADIUS = 0.02  # of the long side, of the largest dot
_TWIN_SIZE = 0.25  # areas whose sizes differ by less, as a share of the larger one ...
_TWIN_HEIGHT = 0.06  # ... at about the same height, as a share of the picture's, have one colour
_HARMONIES = ((0.0, 0.08, 0.5), (0.0, 0.33, 0.67), (0.0, 0.42, 0.58), (0.0, 0.06, 0.13, 0.55))
"""Hues that go together, as shares of the circle of hues: complements, triads, neighbours."""
_TONES = ((0.48, 0.88), (0.16, 0.97), (0.50, 0.62), (0.32, 0.94), (0.60, 0.90), (0.42, 0.42))
"""Saturation and value (HSV) of the colours of a palette, which takes them in random order."""
_GREEN, _GREENS, _MUTED = 0.3, 0.1, 0.4
"""Hue and range of greens, which look glaring sooner than others, and how much paler they are."""
_BACKGROUND = (0.14, 0.96)  # saturation and value of what lies behind everything


def suggest_hints(
    line: NDArray[np.uint8], hints: Hints | None = None, seed: Seed = 0, box: Box | None = None
) -> Hints:
    """Return hints with a dot of a colour in every area that had none; the given ones stay.

    Areas of one size at one height, such as the two eyes of a face, get the same colour.

    Args:
        line: (H, W) uint8, 0 ink, 255 paper.
        hints: of the same size, those that a user gave.
        seed: of the palette, 0 or more, or several such numbers; the same seed gives an area the
            same colour, whatever the hints are.
        box: of the drawing, if there is a margin around it; all of the picture if None.
    """
    given = hints or Hints(
        color=np.zeros((*line.shape, 3), np.uint8), mask=np.zeros(line.shape, bool)
    )
    color, mask = given.color.copy(), given.mask.astype(np.uint8)
    scale = max(1.0, max(line.shape) / _SIDE)
    drawing = line if box is None else wall_around(line, box)
    if scale > 1:
        drawing = resize_long_side(drawing, _SIDE)
    areas, wholes = (find_areas_in_square(drawing, gap) for gap in (GAP, _GAP))
    hinted = _areas_with_hints(areas, given.mask, scale)
    colors = _color_areas(wholes, seed)
    for number in _large_areas(areas):
        x, y, depth = middle(areas == number)
        chosen = colors.get(int(wholes[y, x]))
        if number in hinted or chosen is None:
            continue
        center = round((x + 0.5) * scale - 0.5), round((y + 0.5) * scale - 0.5)
        radius = round(scale * min(_RADIUS * max(areas.shape), 0.6 * depth))
        cv2.circle(color, center, radius, chosen, -1)
        cv2.circle(mask, center, radius, 1, -1)
    color[given.mask] = given.color[given.mask]
    return Hints(color=color, mask=mask > 0)


def _areas_with_hints(areas: NDArray[np.int32], mask: NDArray[np.bool_], scale: float) -> set[int]:
    """Return the numbers of the areas that have a hint already.

    Args:
        areas: (h, w), of the reduced drawing.
        mask: (H, W), where hints are, at the drawing's own size.
        scale: H / h.
    """
    rows, columns = (np.nonzero(mask)[axis] / scale for axis in (0, 1))
    height, width = areas.shape
    hit = areas[
        np.minimum(rows.astype(int), height - 1), np.minimum(columns.astype(int), width - 1)
    ]
    return set(hit.tolist())


def _color_areas(areas: NDArray[np.int32], seed: Seed) -> dict[int, Color]:
    """Return the colour of every area that is no speck, by its number."""
    groups = _group_twins(areas)
    colors = _palette(np.random.default_rng(seed), len(groups), _behind(areas, groups))
    return {
        number: chosen for group, chosen in zip(groups, colors, strict=True) for number in group
    }


def _large_areas(areas: NDArray[np.int32]) -> list[int]:
    """Return the numbers of the areas that are no specks, the largest first."""
    sizes = np.bincount(areas.ravel())
    sizes[0] = 0  # ink
    largest = np.argsort(-sizes, kind="stable")
    return [int(number) for number in largest if sizes[number] >= _SMALLEST * areas.size]


def _group_twins(areas: NDArray[np.int32]) -> list[list[int]]:
    """Return areas in groups of one colour each, the largest first."""
    sizes = np.bincount(areas.ravel())
    groups: list[list[int]] = []
    heights: list[int] = []
    for number in _large_areas(areas):
        _, y, _ = middle(areas == number)
        for group, height in zip(groups, heights, strict=True):
            is_as_large = sizes[number] > (1 - _TWIN_SIZE) * sizes[group[0]]
            if is_as_large and abs(y - height) < _TWIN_HEIGHT * areas.shape[0]:
                group.append(number)
                break
        else:
            groups.append([number])
            heights.append(y)
    return groups


def _behind(areas: NDArray[np.int32], groups: Sequence[Sequence[int]]) -> int | None:
    """Return the index of the group that meets most of the picture's border, None without any."""
    border = np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])
    shares = [np.isin(border, group).sum() for group in groups]
    return int(np.argmax(shares)) if any(shares) else None


def _palette(rng: np.random.Generator, count: int, behind: int | None) -> list[Color]:
    """Return a colour for each group."""
    base = rng.uniform()
    harmony = _HARMONIES[rng.integers(len(_HARMONIES))]
    tones = cycle(rng.permutation(len(_TONES)).tolist())
    colors = []
    for index in range(count):
        hue = base + harmony[index % len(harmony)] + rng.uniform(-0.02, 0.02)
        saturation, value = _BACKGROUND if index == behind else _TONES[next(tones)]
        saturation *= 1 - _MUTED * np.exp(-(((hue % 1 - _GREEN) / _GREENS) ** 2))
        red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
        colors.append((round(255 * red), round(255 * green), round(255 * blue)))
    return colors
