"""What threads hold together stays within the budget, and nobody waits for ever."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.memory_budget import MemoryBudget


def test_threads_together_hold_no_more_than_the_limit() -> None:
    budget, lock = MemoryBudget(100), threading.Lock()
    held, seen = 0, []

    def take(size: int) -> None:
        nonlocal held
        with budget.hold(size):
            with lock:
                held += min(size, 100)
                seen.append(held)
            threading.Event().wait(0.0005)
            with lock:
                held -= min(size, 100)

    sizes = random.Random(3).choices((1, 10, 40, 100, 1000), k=200)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(take, sizes))
    assert len(seen) == 200
    assert 50 < max(seen) <= 100
    assert held == 0


def test_what_is_not_free_in_time_is_an_error() -> None:
    budget = MemoryBudget(100)
    with budget.hold(60):
        with pytest.raises(TimeoutError), budget.hold(60, 0.01):
            pass
        with budget.hold(40, 0):  # the one that gave up holds nothing
            pass
    with budget.hold(100, 0):
        pass


def test_error_in_the_block_frees_what_was_held() -> None:
    budget = MemoryBudget(100)
    with pytest.raises(KeyError), budget.hold(100):
        raise KeyError
    with budget.hold(100, 0):
        pass


def test_small_takers_do_not_overtake_a_large_one() -> None:
    budget = MemoryBudget(100)
    order: list[int] = []

    def take(size: int) -> None:
        with budget.hold(size):
            order.append(size)

    threads = [threading.Thread(target=take, args=(size,)) for size in (100, 1)]
    with budget.hold(50):
        for thread in threads:
            thread.start()
            thread.join(0.05)  # until it waits
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [100, 1]


def test_waiting_behind_another_takes_no_longer_than_the_timeout() -> None:
    budget = MemoryBudget(100)

    def take_all() -> None:
        with budget.hold(100):
            pass

    other = threading.Thread(target=take_all)
    with budget.hold(50):
        other.start()
        other.join(0.05)  # until it waits
        with pytest.raises(TimeoutError), budget.hold(1, 0.01):
            pass
    other.join()
