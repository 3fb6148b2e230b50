"""Rate limits and pauses of one host: how many requests at once, how often, when to pause.

The pace is additive increase and multiplicative decrease, as in TCP's congestion control
(Chiu and Jain 1989); the pauses are those of a circuit breaker (Nygard, "Release It!").
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.collect.fetch_error import FetchError

_SLOW_DOWN = {"http_403", "http_429", "http_503"}
_HOST_FAILURES = {"connection_failed", "timeout", "too_slow", "tls_failed", *_SLOW_DOWN}
_MIN_RATE = 0.05  # requests per second
_STEPS = 50  # good responses from the lowest rate to the full one
_UNLIMITED = 1e6  # requests per second
_ASSUMED_RATE = 100.0  # requests per second of an unlimited host, before any was measured
_MAX_FAILURES = 8  # in a row; they open the circuit
_MIN_PAUSE = 10.0  # seconds, doubled for each further pause
_MAX_PAUSE = 300.0
_MIN_NOTIFIED_PAUSE = 5.0  # seconds
_MIN_403 = 3  # in a row; fewer may be about single files, and do not lower the rate

Clock = Callable[[], float]
"""Seconds on a clock that never goes back, such as `time.monotonic`."""

Wait = Callable[[float], object]
"""Waits for some seconds at most, with `Hosts.changed` held, as `Condition.wait` does."""

Notify = Callable[[str], None]
"""Called with a line for the user, such as the reason of a long pause."""


def ignore(line: str) -> None:
    """A `Notify` that does nothing."""


@dataclass(frozen=True, kw_only=True)
class HostLimits:
    """Limits on the requests to one host.

    Attributes:
        connections: requests at once.
        per_second: requests per second; 0 for no limit.
        host_timeout: seconds without a good response after which its URLs are left for a later run.
    """

    connections: int
    per_second: float
    host_timeout: float


class Host:
    """The state of one host. Not thread-safe: `Hosts` has the lock.

    Times are seconds on the clock of `Hosts`.

    Args:
        name: of the host.
        limits: on the requests to it.
        notify: called when it is paused for long or given up.

    Attributes:
        given_up: whether it gets no further request in this run.
        last_success: when it last gave a good response; minus infinity if never.
    """

    def __init__(self, name: str, limits: HostLimits, notify: Notify = ignore) -> None:
        self.name = name
        self._notify = notify
        self.given_up = False
        self.last_success = -math.inf
        self._limits = limits
        self._max_rate = limits.per_second or _UNLIMITED
        self._rate = self._max_rate
        self._in_flight = 0
        self._next_slot = -math.inf  # when the rate allows another request
        self._paused_until = -math.inf
        self._pause = _MIN_PAUSE
        self._slowed_at = -math.inf
        self._failures = 0  # in a row
        self._failing_since = math.inf  # the first request after the last good response
        self._last_start = -math.inf  # of a request
        self._mean_interval = 1 / min(self._max_rate, _ASSUMED_RATE)  # seconds between requests

    @property
    def host_timeout(self) -> float:
        """Seconds without a good response after which it is given up."""
        return self._limits.host_timeout

    @property
    def rate(self) -> float:
        """Current limit on the requests per second."""
        return self._rate

    def set_crawl_delay(self, seconds: float) -> None:
        """Lower the rate to what robots.txt asks for; 0 changes nothing."""
        if seconds > 0:
            self._max_rate = min(self._max_rate, max(1 / seconds, _MIN_RATE))
            self._rate = min(self._rate, self._max_rate)

    def ready_at(self) -> float:
        """Return when the next request may be sent; infinity if another must finish first."""
        half_open = self._failures >= _MAX_FAILURES  # one probe alone, after a pause
        limit = 1 if half_open else self._limits.connections
        return math.inf if self._in_flight >= limit else max(self._next_slot, self._paused_until)

    def start(self, now: float) -> None:
        """Take a connection, and the next slot of the rate."""
        self._in_flight += 1
        if self._last_start > -math.inf:
            self._mean_interval += (now - self._last_start - self._mean_interval) * 0.1
        self._last_start = now
        self._next_slot = max(now, self._next_slot) + 1 / self._rate

    def finish(self, started: float, now: float, failure: FetchError | None) -> None:
        """Release the connection, and adapt the pace to the result of the request.

        Args:
            started: when it was sent.
            now: when it finished.
            failure: None for a good response.
        """
        self._in_flight -= 1
        if failure is None or not _is_host_failure(failure):
            if failure is None or failure.status is not None:  # else no request was sent at all
                self._record_success(now)
            return
        self._failures += 1
        self._failing_since = min(self._failing_since, started)
        if failure.code in _SLOW_DOWN:
            self._slow_down(started, now, failure)
        if self._failures >= _MAX_FAILURES and started >= self._paused_until:
            self._open_circuit(now, failure.code)
        if now - self._failing_since > self._limits.host_timeout:
            self._give_up(f"no good response for {self._limits.host_timeout:.0f} s")

    def _record_success(self, now: float) -> None:
        self.last_success = now
        self._failures = 0
        self._failing_since = math.inf
        self._pause = _MIN_PAUSE
        step = min(self._max_rate, _ASSUMED_RATE) / _STEPS
        self._rate = min(self._max_rate, self._rate + step)

    def _slow_down(self, started: float, now: float, failure: FetchError) -> None:
        if failure.code == "http_403" and self._failures < _MIN_403:
            return
        if failure.retry_after > self._limits.host_timeout:
            self._give_up(f"it asks for a pause of {failure.retry_after:.0f} s")
        else:
            self._pause_for(now, failure.retry_after, failure.code)
        if started > self._slowed_at:  # else it was sent before the rate went down
            self._rate = max(_MIN_RATE, min(self._rate, 1 / max(self._mean_interval, 1e-6)) / 2)
            self._slowed_at = now

    def _open_circuit(self, now: float, code: str) -> None:
        if self.last_success == -math.inf and self._pause > _MIN_PAUSE:
            self._give_up(f"it has never responded ({code})")  # there may be no network
            return
        self._pause_for(now, self._pause, code)
        self._pause = min(2 * self._pause, _MAX_PAUSE)

    def _pause_for(self, now: float, seconds: float, code: str) -> None:
        if now + seconds > self._paused_until:
            if seconds >= _MIN_NOTIFIED_PAUSE and self._paused_until <= now:
                self._notify(f"{self.name}: no requests for {seconds:.0f} s ({code})")
            self._paused_until = now + seconds

    def _give_up(self, reason: str) -> None:
        if not self.given_up:
            self._notify(f"{self.name}: no more requests in this run, {reason}")
        self.given_up = True


def _is_host_failure(failure: FetchError) -> bool:
    """Return whether a failure is about the host, rather than about one picture."""
    return failure.code in _HOST_FAILURES or (failure.status or 0) >= 500


class Hosts:
    """The states of all hosts, for as long as the process lives.

    Args:
        limits: gives the limits of a host by its name.
        notify: called when a host is paused for long or given up.
        clock: on which all times are.
        wait: how threads wait for a host; the default waits until `changed` is notified.

    Attributes:
        changed: guards everything here, and is notified when a host may be ready sooner.
    """

    def __init__(
        self,
        limits: Callable[[str], HostLimits],
        notify: Notify = ignore,
        *,
        clock: Clock = time.monotonic,
        wait: Wait | None = None,
    ) -> None:
        self.changed = threading.Condition()
        self.clock = clock
        self.wait: Wait = wait or self.changed.wait
        self._notify = notify
        self._limits = limits
        self._hosts: dict[str, Host] = {}

    def get(self, name: str) -> Host:
        """Return a host by its name; call it with `changed` held."""
        if name not in self._hosts:
            self._hosts[name] = Host(name, self._limits(name), self._notify)
        return self._hosts[name]
