"""How sure a mean over pictures is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean with the bounds of its bootstrap interval.

    Attributes:
        mean: NaN where there are no values.
        low: its lower bound.
        high: its upper bound.
        n: values that it is of.
    """

    mean: float
    low: float
    high: float
    n: int


def interval(
    values: Sequence[float], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """The percentile bootstrap interval of a mean (Efron 1979).

    Args:
        values: one per picture; NaN where a picture has none, which is left out.
        seed: of the resampling.
        resamples: how often pictures are drawn again, with replacement.
        level: share of resampled means inside the interval.
    """
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    if not len(known):
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"), n=0)
    random = np.random.default_rng(seed)
    means = known[random.integers(len(known), size=(resamples, len(known)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean=float(known.mean()), low=float(low), high=float(high), n=len(known))
