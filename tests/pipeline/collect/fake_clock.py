"""A clock that tests can move, so that they need not wait."""

import threading
import time


class FakeClock:
    """A clock that moves only when somebody waits on it.

    `wait` does not let other threads run, so that a download on this clock has one thread.

    Attributes:
        now: seconds since it was made, which is the sum of all waits.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        with self._lock:
            self.now += max(seconds, 1e-6)

    def wait_beside_a_client(self, seconds: float) -> None:
        """Wait in the thread of a server, whose client gets a millisecond to notice."""
        self.wait(seconds)
        time.sleep(0.001)
