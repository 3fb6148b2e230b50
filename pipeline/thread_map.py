"""A `map` that runs on several threads and keeps the order; and a thread that reads ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

from sketch_models.cores import available_cores

T = TypeVar("T")
R = TypeVar("R")


def thread_map(
    function: Callable[[T], R], items: Iterable[T], max_threads: int = 4
) -> Generator[R, None, None]:
    """Yield `function(item)` for every item, in order, computed on threads a few items ahead.

    For functions that release the interpreter's lock, such as those of polars, NumPy and OpenCV.

    Args:
        function: called with an item, on any thread.
        items: taken by the calling thread, at most `max_threads` + 1 ahead of the results.
        max_threads: number of threads, if there are as many cores.
    """
    threads = min(max_threads, available_cores())
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def read_ahead(items: Iterable[T], size: int) -> Generator[T, None, None]:
    """Yield items in order, which one thread takes ahead of the caller.

    Args:
        items: taken on that thread alone.
        size: number of items that are ahead.
    """
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        pending = deque(pool.submit(next, iterator, end) for _ in range(size))
        while (item := pending.popleft().result()) is not end:
            pending.append(pool.submit(next, iterator, end))
            yield cast("T", item)
