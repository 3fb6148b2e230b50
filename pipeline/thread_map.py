"""Runs a function over a stream on several threads, and gives the results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    function: Callable[[T], R], items: Iterable[T], at_most: int = 4
) -> Generator[R, None, None]:
    """Like `map`, a few items ahead: for work that leaves the interpreter, such as polars.

    Args:
        function: what to do with an item, on any thread.
        items: taken from the calling thread, and no more than `at_most` + 1 ahead.
        at_most: threads, where there are as many cores.
    """
    threads = min(at_most, os.cpu_count() or 1)
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
