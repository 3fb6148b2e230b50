"""The client that sends all requests to other people's servers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.collect.address import is_allowed
from pipeline.collect.fetch import Fetcher, RateLimiter
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import Clock, HostLimits, Hosts, Notify, Wait, ignore
from pipeline.collect.options import DownloadOptions
from pipeline.collect.robots import Robots
from pipeline.collect.schedule import Schedule, run_job
from pipeline.memory_budget import MemoryBudget

_UNLIMITED = HostLimits(connections=1_000_000, per_second=0, host_timeout=60)
_OWN = HostLimits(connections=8, per_second=0, host_timeout=60)
"""Limits of a server of this program: no more requests than it can respond to in time."""

_MAX_TEXT_BYTES = 16_000_000  # JSON takes up to thirty times as much once it is read
_BODY_BYTES = 96_000_000  # of pictures that all threads together receive, check and write


@dataclass(frozen=True, kw_only=True)
class PoliteClient:
    """Sends requests within the limits of every host; shared by all threads.

    Attributes:
        options: rules and limits.
        allowed_hosts: names of the hosts that the source implies; their subdomains too.
        connect_to: host name to `address:port`, of servers that belong to this program: their
            hosts have no limit on the rate, and these addresses are not checked.
        robots: the robots.txt of every host.
        notify: called when a host is paused for long or given up.
        clock: for the pace of the hosts and for all deadlines.
        wait: how threads wait for a host; None for the lock of `hosts`.
        hosts: their states, which outlive every schedule.
        memory: for the bodies of pictures.
    """

    options: DownloadOptions
    allowed_hosts: tuple[str, ...] = ()
    connect_to: Mapping[str, str] = field(default_factory=dict)
    robots: Robots = field(default_factory=Robots)
    notify: Notify = ignore
    clock: Clock = time.monotonic
    wait: Wait | None = None
    hosts: Hosts = field(init=False)
    memory: MemoryBudget = field(init=False, default_factory=lambda: MemoryBudget(_BODY_BYTES))

    def __post_init__(self) -> None:
        hosts = Hosts(self._limits, self.notify, clock=self.clock, wait=self.wait)
        object.__setattr__(self, "hosts", hosts)

    def _limits(self, name: str) -> HostLimits:
        """Return the limits of a host; one that gets no request needs none."""
        if name in self.connect_to:
            return _OWN
        if not is_allowed(name, (*self.allowed_hosts, *self.options.hosts)):
            return _UNLIMITED
        return self.options.limits()

    def schedule(self, urls: Mapping[int, str]) -> Schedule:
        """Make the schedule of some URLs by post id."""
        return Schedule(urls, self.hosts, self.options.retries)

    def fetcher(self, rate_limiter: RateLimiter) -> Fetcher:
        """Make the fetcher of one thread."""
        return Fetcher(
            self.options,
            allowed_hosts=self.allowed_hosts,
            connect_to=self.connect_to,
            robots=self.robots,
            rate_limiter=rate_limiter,
            memory=self.memory,
            clock=self.clock,
        )

    def get(self, url: str) -> bytes:
        """Return the body that a URL leads to, with the pace, tries and rules of pictures.

        Args:
            url: of a text, such as a page of an API of at most 16 MB.

        Raises:
            FetchError: what went wrong with the last try.
        """
        schedule = self.schedule({0: url})
        with self.fetcher(schedule) as fetcher:
            while job := schedule.next_job():
                body = run_job(schedule, job, lambda url: fetcher.get(url, _MAX_TEXT_BYTES + 1))
                if isinstance(body, FetchError):
                    raise body
                if body is not None and len(body) > _MAX_TEXT_BYTES:
                    raise FetchError("too_many_bytes", f"more than {_MAX_TEXT_BYTES:,} bytes")
                if body is not None:
                    return body
        raise AssertionError("a schedule ends after the result of its last job")
