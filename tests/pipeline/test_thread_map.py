from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.thread_map import read_ahead, thread_map


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


def test_items_are_read_ahead_in_order_on_one_thread() -> None:
    threads = set()
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            threads.add(threading.get_ident())
            taken.append(number)
            yield number

    ahead = read_ahead(items(), 3)
    assert next(ahead) == 0
    assert len(taken) <= 4
    assert list(ahead) == list(range(1, 50))
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_exception_of_what_is_read_ahead_comes_behind_the_items_before_it() -> None:
    before = threading.active_count()
    ahead = read_ahead((1 // number for number in [1, 1, 0, 1]), 2)
    assert [next(ahead), next(ahead)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(ahead)
    assert threading.active_count() == before
