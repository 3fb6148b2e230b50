"""Measure seconds, and compare them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

Work = Callable[[], object]
K = TypeVar("K", bound=Hashable)


def seconds_of(work: Work) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def time_in_turns(works: Mapping[K, Work], repeats: int) -> dict[K, list[float]]:
    """Return the seconds of each call; they take turns, so that noise hits all alike."""
    seconds: dict[K, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            seconds[name].append(seconds_of(work))
    return seconds


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios of values that were measured in the same turn."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))
