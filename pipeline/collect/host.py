"""How one host is treated: how much at once, how often, and when to leave it in peace.

The pace is additive increase and multiplicative decrease, as in TCP's congestion control
(Chiu and Jain 1989); the pauses are those of a circuit breaker (Nygard, "Release It!").
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.collect.fetch_error import FetchError

_REFUSALS = {"http_403", "http_429", "http_503"}  # "slow down"
_TROUBLE = {"connection_failed", "timeout", "too_slow", "tls_failed", *_REFUSALS}
_SLOWEST = 0.05  # requests per second
_STEPS = 50  # good answers from the slowest pace to the full one
_UNLIMITED = 1e6  # requests per second
_GUESS = 100.0  # requests per second of an unlimited host, before any was measured
_TRIP = 8  # failures in a row that open the circuit
_FIRST_PAUSE = 10.0  # seconds, doubled for each further one
_LONGEST_PAUSE = 300.0
_WORTH_TELLING = 5.0  # seconds of a pause
_UNSURE = 3  # refusals in a row before a 403, which may mean one file alone, is taken for a signal


Tell = Callable[[str], None]
"""Is told what a person who waits wants to know, a line each."""


def silence(line: str) -> None:
    """A `Tell` for callers where nobody waits."""


@dataclass(frozen=True, kw_only=True)
class HostLimits:
    """What is asked of one host at most.

    Attributes:
        connections: requests at once.
        per_second: requests per second; 0 for no limit.
        patience: seconds without a good answer after which its URLs are left for a later run.
    """

    connections: int
    per_second: float
    patience: float


class Host:
    """One host. Not safe for threads: `Hosts` has the lock.

    Times are seconds on a monotonic clock.

    Args:
        name: of the host.
        limits: what it is asked at most.
        tell: is told when it is paused for long or given up.
    """

    def __init__(self, name: str, limits: HostLimits, tell: Tell = silence) -> None:
        self.name = name
        self._tell = tell
        self.given_up = False
        self.answered_at = -math.inf
        self._limits = limits
        self._most = limits.per_second or _UNLIMITED
        self._rate = self._most
        self._in_use = 0
        self._next = -math.inf  # when the pace allows another request
        self._paused_until = -math.inf
        self._pause = _FIRST_PAUSE
        self._slowed_at = -math.inf
        self._failures = 0  # in a row
        self._troubled_at = math.inf  # since when there has been no good answer
        self._started_at = -math.inf  # of the latest request
        self._gap = 1 / min(self._most, _GUESS)  # seconds between two requests, of late

    @property
    def patience(self) -> float:
        """Seconds that it may keep its URLs waiting."""
        return self._limits.patience

    @property
    def rate(self) -> float:
        """Requests per second that the host gets for now."""
        return self._rate

    def slow_to(self, delay: float) -> None:
        """Takes a host at its word that wants `delay` seconds between two requests."""
        if delay > 0:
            self._most = min(self._most, max(1 / delay, _SLOWEST))
            self._rate = min(self._rate, self._most)

    def ready_at(self) -> float:
        """When the next request may be sent; infinity where others must end first."""
        most = 1 if self._failures >= _TRIP else self._limits.connections  # a probe, after a pause
        return math.inf if self._in_use >= most else max(self._next, self._paused_until)

    def start(self, now: float) -> None:
        """Takes a connection, and the next place in the pace."""
        self._in_use += 1
        if self._started_at > -math.inf:
            self._gap += (now - self._started_at - self._gap) * 0.1
        self._started_at = now
        self._next = max(now, self._next) + 1 / self._rate

    def end(self, started: float, now: float, failure: FetchError | None) -> None:
        """Gives the connection back, and learns from what came of the request.

        Args:
            started: when it was sent.
            now: when it ended.
            failure: None for a good answer.
        """
        self._in_use -= 1
        if failure is None or not _is_trouble(failure):
            if failure is None or failure.status is not None:  # else it was not asked at all
                self._be_well(now)
            return
        self._failures += 1
        self._troubled_at = min(self._troubled_at, started)
        if failure.code in _REFUSALS:
            self._slow_down(started, now, failure)
        if self._failures >= _TRIP and started >= self._paused_until:
            self._open(now, failure.code)
        if now - self._troubled_at > self._limits.patience:
            self._give_up(f"no good answer for {self._limits.patience:.0f} s")

    def _be_well(self, now: float) -> None:
        self.answered_at = now
        self._failures = 0
        self._troubled_at = math.inf
        self._pause = _FIRST_PAUSE
        self._rate = min(self._most, self._rate + min(self._most, _GUESS) / _STEPS)

    def _slow_down(self, started: float, now: float, failure: FetchError) -> None:
        if failure.code == "http_403" and self._failures < _UNSURE:
            return
        if failure.wait > self._limits.patience:
            self._give_up(f"it asks for a pause of {failure.wait:.0f} s")
        else:
            self._pause_until(now, failure.wait, failure.code)
        if started > self._slowed_at:  # else it was sent before the pace went down
            self._rate = max(_SLOWEST, min(self._rate, 1 / max(self._gap, 1e-6)) / 2)
            self._slowed_at = now

    def _open(self, now: float, code: str) -> None:
        if self.answered_at == -math.inf and self._pause > _FIRST_PAUSE:
            self._give_up(f"it has never answered ({code})")  # there may be no network
            return
        self._pause_until(now, self._pause, code)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _pause_until(self, now: float, seconds: float, code: str) -> None:
        if now + seconds > self._paused_until:
            if seconds >= _WORTH_TELLING and self._paused_until <= now:
                self._tell(f"{self.name} is left in peace for {seconds:.0f} s ({code})")
            self._paused_until = now + seconds

    def _give_up(self, why: str) -> None:
        if not self.given_up:
            self._tell(f"{self.name} is left for a later run: {why}")
        self.given_up = True


def _is_trouble(failure: FetchError) -> bool:
    """Whether a failure says something of the host, rather than of one picture."""
    return failure.code in _TROUBLE or (failure.status or 0) >= 500


class Hosts:
    """All hosts, for as long as the process lives.

    Attributes:
        changed: guards everything here, and is notified when a host may be ready sooner.
    """

    def __init__(self, limits: Callable[[str], HostLimits], tell: Tell = silence) -> None:
        self.changed = threading.Condition()
        self._tell = tell
        self._limits = limits
        self._hosts: dict[str, Host] = {}

    def get(self, name: str) -> Host:
        """A host by its name; call it with `changed` held."""
        if name not in self._hosts:
            self._hosts[name] = Host(name, self._limits(name), self._tell)
        return self._hosts[name]
