"""Methods compared picture by picture.

Pictures differ far more from each other than methods do: the intervals of two means can overlap
though one method is better on every picture. The interval of the mean difference shows it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from pipeline.colorizer.evaluation.bootstrap import bootstrap_interval
from pipeline.colorizer.evaluation.scores import (
    METRICS,
    POSTERIOR,
    THE_TRUTH,
    Score,
    json_value,
)

MethodKey = tuple[str, str]
"""A method's name, and where its z comes from."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The mean of one method's metric minus that of another, over the same pictures.

    Attributes:
        method: name of the method.
        z: where its z comes from; empty for a method without z.
        other: name of the method that it is compared with.
        other_z: where that method's z comes from.
        hints: hint patches per picture.
        metric: one of `METRICS`.
        mean: over the pictures on which both have a value; NaN if there is none.
        low: lower bound of its 95 % bootstrap interval.
        high: upper bound of its 95 % bootstrap interval.
        n: number of these pictures.
    """

    method: str
    z: str
    other: str
    other_z: str
    hints: int
    metric: str
    mean: float
    low: float
    high: float
    n: int

    @property
    def winner(self) -> MethodKey | None:
        """The better method; None if the interval holds 0, or neither side is better."""
        if not (self.low > 0 or self.high < 0) or not METRICS[self.metric].better:
            return None
        is_higher = self.low > 0
        first = is_higher == (METRICS[self.metric].better == "higher")
        return (self.method, self.z) if first else (self.other, self.other_z)


def compare(
    values: Mapping[MethodKey, Mapping[str, Sequence[float]]], hints: int, seed: int
) -> Iterator[Difference]:
    """Yield the differences of all pairs of methods that have not seen the truth.

    The later of two methods comes first, so that a colorizer is compared with a fill. Methods with
    z are compared if both take it from the same place.

    Args:
        values: by method and metric, one value per picture, in the same order everywhere.
        hints: hint patches per picture.
        seed: of the bootstrap.
    """
    rivals = [key for key in values if key[0] != THE_TRUTH and key[1] != POSTERIOR]
    for (other, other_z), (method, z) in combinations(rivals, 2):
        if other == method or (other_z and z and other_z != z):
            continue
        first, second = values[method, z], values[other, other_z]
        for metric in first:
            interval = bootstrap_interval(
                np.subtract(first[metric], second[metric]).tolist(), seed=seed
            )
            yield Difference(
                method=method,
                z=z,
                other=other,
                other_z=other_z,
                hints=hints,
                metric=metric,
                mean=interval.mean,
                low=interval.low,
                high=interval.high,
                n=interval.n,
            )


def differences_to_json(differences: Iterable[Difference]) -> str:
    """Return those differences that have a mean as a JSON list of objects, one per line."""
    rows = [
        json.dumps({key: json_value(value) for key, value in asdict(each).items()})
        for each in differences
        if math.isfinite(each.mean)
    ]
    return "[\n" + ",\n".join(rows) + "\n]\n"


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best score of a metric among methods that do not use the truth.

    Attributes:
        score: of the best method.
        clear: whether it is better than every other method that it was compared with, picture by
            picture. If the interval of a difference holds 0, that proves nothing.
    """

    score: Score
    clear: bool


def best(
    scores: Iterable[Score], differences: Iterable[Difference], metric: str, hints: int
) -> Best | None:
    """Return the best score of a metric with a number of hints.

    None if there is no score, or if neither higher nor lower is better.
    """
    better = METRICS[metric].better
    rivals = [
        score
        for score in scores
        if (score.metric, score.hints) == (metric, hints) and score.has_mean and not score.is_bound
    ]
    if not rivals or not better:
        return None
    score = (max if better == "higher" else min)(rivals, key=lambda score: score.mean)
    winner = score.method, score.z
    compared = [
        each
        for each in differences
        if (each.metric, each.hints) == (metric, hints)
        and winner in ((each.method, each.z), (each.other, each.other_z))
    ]
    return Best(
        score=score, clear=bool(compared) and all(each.winner == winner for each in compared)
    )
