"""A budget of memory that threads share: what is taken from it at one time has a bound."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class MemoryBudget:
    """Bytes that threads may hold together; those that find too few wait, one behind the other.

    A thread that does not know how many bytes it needs takes more and more of them, up to a number
    that it announces. It gets some only if all threads can still come to their ends, one behind
    the other, even if each needs all that it has announced (the banker's algorithm): so threads
    that hold some never wait for each other for ever.

    Args:
        limit: in bytes. What takes more than that alone is done alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = self._free = limit
        self._claims: set[Claim] = set()
        self._growing: list[tuple[Claim, int]] = []  # claims that wait for a size
        self._turn = threading.Lock()  # no stream of small takers overtakes a large one for ever
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, size: int, timeout: float | None = None) -> Iterator[None]:
        """Hold bytes during the block. Who holds some must not wait for more.

        Args:
            size: in bytes.
            timeout: seconds to wait at most; None for no limit.

        Raises:
            TimeoutError: if they are not free in time.
        """
        with self.claim(size, size, timeout):
            yield

    @contextlib.contextmanager
    def claim(self, size: int, most: int, timeout: float | None = None) -> Iterator[Claim]:
        """Hold bytes during the block, which may take more with `Claim.grow`.

        Args:
            size: in bytes, to begin with.
            most: that the block may hold at one time.
            timeout: seconds to wait at most; None for no limit.

        Raises:
            TimeoutError: if they are not free in time.
        """
        claim = Claim(self, min(most, self._limit))
        if not self._turn.acquire(timeout=-1 if timeout is None else timeout):
            raise TimeoutError
        try:
            with self._changed:
                size = min(size, claim.most)
                if not self._changed.wait_for(lambda: self._may_begin(claim, size), timeout):
                    raise TimeoutError
                self._claims.add(claim)
                self._give(claim, size)
        finally:
            self._turn.release()
        try:
            yield claim
        finally:
            with self._changed:
                self._claims.remove(claim)
                self._free += claim.held
                self._changed.notify_all()

    def grow(self, claim: Claim, size: int, timeout: float | None) -> None:
        """Let a claim hold more bytes; see `Claim.grow`."""
        waiting = claim, min(size, claim.most)
        with self._changed:
            self._growing.append(waiting)
            try:
                if not self._changed.wait_for(lambda: self._is_safe(*waiting), timeout):
                    raise TimeoutError
                self._give(*waiting)
            finally:
                self._growing.remove(waiting)
                self._changed.notify_all()

    def _may_begin(self, claim: Claim, size: int) -> bool:
        """Return whether a new claim may have bytes: claims that can grow now go first."""
        others_go_first = any(self._is_safe(*each) for each in self._growing)
        return not others_go_first and self._is_safe(claim, size)

    def _is_safe(self, claim: Claim, size: int) -> bool:
        """Return whether all claims can come to their ends if this one gets bytes."""
        more = size - claim.held
        if more > self._free:
            return False
        free = self._free - more
        held = {each: each.held for each in self._claims} | {claim: size}
        for each in sorted(held, key=lambda each: each.most - held[each]):
            if each.most - held[each] > free:
                return False
            free += held[each]
        return True

    def _give(self, claim: Claim, size: int) -> None:
        self._free -= size - claim.held
        claim.held = size


class Claim:
    """What a thread holds of a budget.

    Attributes:
        held: bytes.
        most: bytes that it may hold.
    """

    def __init__(self, budget: MemoryBudget, most: int) -> None:
        self._budget = budget
        self.most = most
        self.held = 0

    def grow(self, size: int, timeout: float | None = None) -> None:
        """Hold more bytes, at most as many as were announced; what is held stays meanwhile.

        Args:
            size: of all that it then holds.
            timeout: seconds to wait at most; None for no limit.

        Raises:
            TimeoutError: if they are not free in time.
        """
        if min(size, self.most) > self.held:
            self._budget.grow(self, size, timeout)
