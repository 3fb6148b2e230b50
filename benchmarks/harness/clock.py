"""Seconds, and what is compared of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Work = Callable[[], object]


def seconds_of(work: Work) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turns(works: Mapping[str, Work], repeats: int) -> dict[str, list[float]]:
    """Seconds of the calls, which take turns, so that noise of the machine meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            seconds[name].append(seconds_of(work))
    return seconds


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of what was measured in the same turn."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))
