"""Confidence intervals of means over pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean with the bounds of its bootstrap interval.

    Attributes:
        mean: NaN if there are no values.
        low: lower bound of the interval.
        high: upper bound of the interval.
        n: number of values.
    """

    mean: float
    low: float
    high: float
    n: int


def bootstrap_interval(
    values: Sequence[float], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """Return the percentile bootstrap interval of a mean (Efron 1979).

    Args:
        values: one per picture; NaN for a picture without a value, which is left out.
        seed: of the resampling.
        resamples: number of times that pictures are drawn again, with replacement.
        level: share of resampled means inside the interval.
    """
    valid = np.asarray(values, float)
    valid = valid[~np.isnan(valid)]
    if not len(valid):
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"), n=0)
    rng = np.random.default_rng(seed)
    means = valid[rng.integers(len(valid), size=(resamples, len(valid)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean=float(valid.mean()), low=float(low), high=float(high), n=len(valid))
