"""What threads hold together stays within the budget, and nobody waits for ever."""

import contextlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.memory_budget import Claim, MemoryBudget


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


def test_claim_grows_and_frees_all_that_it_holds() -> None:
    budget = MemoryBudget(100)
    with budget.claim(10, 60, 0) as claim:
        for size in (20, 15, 60):
            claim.grow(size, 0)
        assert claim.held == 60
        with budget.hold(40, 0), pytest.raises(TimeoutError), budget.hold(1, 0):
            pass
        claim.grow(1000, 0)  # no more than it has announced
        assert claim.held == 60
    with budget.hold(100, 0):
        pass


def test_claims_that_have_not_grown_leave_the_rest_to_others() -> None:
    budget = MemoryBudget(96)
    with contextlib.ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(budget.claim(1, 30, 0))
        with budget.hold(30, 0), budget.hold(5, 0):  # 29 more let one of the 32 come to its end
            pass


def test_claim_does_not_grow_if_others_could_not_come_to_their_ends() -> None:
    budget = MemoryBudget(90)
    with budget.claim(40, 60, 0) as one, budget.claim(30, 60, 0) as other:
        with pytest.raises(TimeoutError):
            other.grow(40, 0)  # 10 would be left, with which neither comes to its end
        assert other.held == 30
        with pytest.raises(TimeoutError), budget.claim(20, 30, 0):
            pass
        with budget.claim(10, 10, 0):  # which ends by itself
            pass
        one.grow(60, 0)
        with pytest.raises(TimeoutError), budget.hold(1, 0):
            pass


@pytest.mark.parametrize("seed", range(20))
def test_some_claim_can_always_grow(seed: int) -> None:
    """Threads in any order, without threads: none waits, each tries again later."""
    rng = random.Random(seed)
    budget = MemoryBudget(100)
    stacks: dict[Claim, contextlib.ExitStack] = {}
    ended = begun = 0
    while ended < 60:
        claims = [claim for claim in stacks if claim.held == claim.most]
        for claim in rng.sample(claims, min(1, len(claims))):
            stacks.pop(claim).close()
            ended += 1
        for _ in range(rng.randrange(4)):
            stack, most = contextlib.ExitStack(), rng.choice((5, 30, 60, 100, 150))
            with contextlib.suppress(TimeoutError):
                claim = stack.enter_context(budget.claim(rng.randint(1, most), most, 0))
                stacks[claim] = stack
                begun += 1
        grown = [claim for claim in stacks if _grows(claim, rng)]
        assert grown or not stacks or any(claim.held == claim.most for claim in stacks)
        assert sum(claim.held for claim in stacks) <= 100
    assert begun >= ended


def _grows(claim: Claim, rng: random.Random) -> bool:
    try:
        claim.grow(rng.randint(claim.held, claim.most), 0)
    except TimeoutError:
        return False
    return True


def test_claim_that_can_grow_goes_before_a_new_one() -> None:
    budget = MemoryBudget(100)
    order: list[str] = []

    def grow(claim: Claim) -> None:
        claim.grow(60)
        order.append("grown")

    def begin() -> None:
        with budget.hold(50):
            order.append("begun")

    with budget.claim(10, 60, 0) as claim:
        with budget.hold(70, 0):
            threads = [threading.Thread(target=begin), threading.Thread(target=grow, args=(claim,))]
            for thread in threads:
                thread.start()
                thread.join(0.05)  # until it waits
            assert order == []
        threads[1].join()
        assert order == ["grown"]
    threads[0].join()
    assert order == ["grown", "begun"]


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
