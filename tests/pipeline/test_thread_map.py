from __future__ import annotations

import threading
import time

import pytest

from pipeline.thread_map import in_order


def test_results_come_in_the_order_of_the_items() -> None:
    def slow_if_even(number: int) -> int:
        time.sleep(0.002 * (number % 2 == 0))
        return number * 10

    assert list(in_order(slow_if_even, range(30))) == [number * 10 for number in range(30)]


def test_items_are_taken_a_few_ahead_and_no_more() -> None:
    taken: list[int] = []
    results = in_order(str, (taken.append(number) or number for number in range(100)), at_most=2)
    next(results)
    assert len(taken) <= 3
    results.close()


def test_an_error_reaches_the_caller_and_no_thread_stays() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda number: 1 // number, [2, 1, 0, 5]))
    assert threading.active_count() == before
