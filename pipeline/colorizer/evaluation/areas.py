"""What a user sees of the hints: how the areas that they were put in came out.

Areas are what the line art bounds, see `find_areas`. Of hints with several colours in one
area nobody can say how it should look: such areas are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from pipeline.colorizer.areas import find_areas
from pipeline.colorizer.hints import Hints

Picture = NDArray[np.float32]
"""(H, W, 3) RGB in [0, 1]."""

_BORDER = 6 / 256  # of the long side: how far from a hinted area leaked colour is looked for
_FLAT = 1.0  # deviation in Lab that nobody sees
_OTHER, _SAME = 20.0, 10.0  # CIEDE2000 of another colour, and of about the same


@dataclass(frozen=True, kw_only=True)
class HintedArea:
    """An area with hints of one colour.

    Attributes:
        mask: (H, W) bool.
        color: (3,) uint8 RGB of its hints.
    """

    mask: NDArray[np.bool_]
    color: NDArray[np.uint8]


def hinted_areas(areas: NDArray[np.int32], hints: Hints) -> Iterator[HintedArea]:
    """Yield the areas that have hints of one colour.

    Args:
        areas: (H, W), as of `find_areas`.
        hints: of the same size.
    """
    on_paper = hints.mask & (areas > 0)
    for number in np.unique(areas[on_paper]):
        mask = areas == number
        colors = np.unique(hints.color[mask & on_paper], axis=0)
        if len(colors) == 1:
            yield HintedArea(mask=mask, color=colors[0])


def area_metrics(
    result: Picture, truth: Picture, line: NDArray[np.uint8], hints: Hints
) -> dict[str, float]:
    """Return how the hinted areas came out; NaN without any.

    Args:
        result: the colorized picture.
        truth: the original, of the same size.
        line: (H, W) uint8, 0 ink.
        hints: of the same size.

    Returns:
        `area_difference`, the median CIEDE2000 between a hint and the mean colour of its area;
        `unevenness`, the median deviation of the colours in an area as a multiple of the
        original's; `leakage`, the share of the pixels beside hinted areas, where the original has
        another colour, that have the colour of the hint, 0 to 1. An area that has a hint of about
        the same colour itself is not looked at: the colour is its own.
    """
    lab, true_lab = np.float32(rgb2lab(result)), np.float32(rgb2lab(truth))
    areas = find_areas(line)
    differences, unevenness = [], []
    hint_lab = np.float32(rgb2lab(hints.color / 255))
    leaked = beside = 0
    for area in hinted_areas(areas, hints):
        hint = np.float32(rgb2lab(area.color[None, None] / 255)[0, 0])
        inside, true_inside = lab[area.mask], true_lab[area.mask]
        differences.append(float(_difference(inside.mean(axis=0)[None], hint)[0]))
        unevenness.append(_deviation(inside) / _deviation(true_inside))
        alike = hints.mask.copy()
        alike[alike] = _difference(hint_lab[alike], hint) < _OTHER
        near = _beside(area.mask, areas) & ~np.isin(areas, areas[alike])
        near[near] = _difference(true_lab[near], hint) > _OTHER
        leaked += int((_difference(lab[near], hint) < _SAME).sum())
        beside += int(near.sum())
    return {
        "area_difference": float(np.median(differences)) if differences else float("nan"),
        "unevenness": float(np.median(unevenness)) if unevenness else float("nan"),
        "leakage": leaked / beside if beside else float("nan"),
    }


def _difference(lab: NDArray[np.float32], hint: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the CIEDE2000 of colours, (N, 3) Lab, to one, (3,): (N,)."""
    return np.asarray(deltaE_ciede2000(lab, hint[None]), np.float32)


def _deviation(lab: NDArray[np.float32]) -> float:
    """Return the standard deviation of colours, (N, 3) Lab; at least one that can be seen."""
    return max(_FLAT, float(np.sqrt(lab.var(axis=0).sum())))


def _beside(mask: NDArray[np.bool_], areas: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the pixels of other areas that are near an area."""
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray((distance <= _BORDER * max(mask.shape) + 2) & (areas > 0) & ~mask)
