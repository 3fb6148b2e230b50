"""How well lines that were found agree with the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.line_art.truth import distance_to

MAX_DISTANCE = 2.0  # pixels, at a long side of 768


@dataclass(frozen=True, kw_only=True)
class Score:
    """Precision and recall of the lines of one picture, 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def score(
    predicted: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    certain: NDArray[np.bool_] | None = None,
) -> Score:
    """Compare lines one pixel wide: a pixel is right if the other ones are within 2 pixels.

    Args:
        predicted: (H, W), the lines that were found.
        truth: (H, W), the lines that are there.
        certain: (H, W), where it is known whether there is a line; pixels elsewhere do not count.
    """
    counted, wanted = predicted, truth
    if certain is not None:
        counted, wanted = predicted & certain, truth & certain
    return Score(precision=_share_near(counted, truth), recall=_share_near(wanted, predicted))


def _share_near(lines: NDArray[np.bool_], others: NDArray[np.bool_]) -> float:
    """Return the share of the lines that has others within the distance; 0 without any lines."""
    if not lines.any() or not others.any():
        return 0.0
    return float((distance_to(others)[lines] <= MAX_DISTANCE).mean())
