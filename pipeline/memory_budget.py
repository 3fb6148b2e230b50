"""A budget of memory that threads share: what is taken from it at one time has a bound."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class MemoryBudget:
    """Bytes that threads may hold together; those that find too few wait, one behind the other.

    Args:
        limit: in bytes. What takes more than that alone is done alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = self._free = limit
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
        size = min(size, self._limit)
        if not self._turn.acquire(timeout=-1 if timeout is None else timeout):
            raise TimeoutError
        try:
            with self._changed:
                if not self._changed.wait_for(lambda: self._free >= size, timeout):
                    raise TimeoutError
                self._free -= size
        finally:
            self._turn.release()
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()
