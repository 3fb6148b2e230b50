from __future__ import annotations

import threading
import time

import pytest

from pipeline.thread_map import thread_map


def test_results_keep_the_order_of_the_items() -> None:
    def slow_if_even(number: int) -> int:
        time.sleep(0.002 * (number % 2 == 0))
        return number * 10

    assert list(thread_map(slow_if_even, range(30))) == [number * 10 for number in range(30)]


def test_two_threads_take_at_most_three_items_ahead() -> None:
    taken: list[int] = []
    items = (taken.append(number) or number for number in range(100))
    results = thread_map(str, items, max_threads=2)
    next(results)
    assert len(taken) <= 3
    results.close()


def test_exception_reaches_the_caller_and_threads_end() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(thread_map(lambda number: 1 // number, [2, 1, 0, 5]))
    assert threading.active_count() == before
