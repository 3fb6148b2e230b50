"""Which URL is asked for next: every host at its own pace, none of them holding up the others."""

from __future__ import annotations

import contextlib
import heapq
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import Host, Hosts
from pipeline.collect.outcome import is_transient

_BACK_OFF = 1.0  # seconds before the second try, doubled for each further one


@dataclass
class Job:
    """A URL to fetch.

    Attributes:
        host: by its URL; empty where that has none.
        tries: how many there have been, this one included.
        started: when the last one was.
        since: when the first one was.
        given_up: whether its host is not to be asked any more.
        failure: of the last try.
    """

    post_id: int
    url: str
    host: str
    tries: int = 0
    started: float = -math.inf
    since: float = math.inf
    given_up: bool = False
    failure: FetchError | None = None

    def refuse(self) -> None:
        """Raises FetchError where the host is given up: the last failure, or that."""
        if self.given_up:
            raise self.failure or FetchError("host_unavailable", f"{self.host} was given up")


@dataclass
class _Queue:
    """The jobs of one host: those that never were tried, and those to try again by their time."""

    host: Host
    fresh: deque[Job] = field(default_factory=deque)
    again: list[tuple[float, int, Job]] = field(default_factory=list)

    def ready_at(self) -> float:
        """When the next job may begin; infinity where there is none."""
        job_at = -math.inf if self.fresh else self.again[0][0] if self.again else math.inf
        if self.host.given_up:
            return -math.inf if self.fresh or self.again else math.inf
        return max(job_at, self.host.ready_at())

    def take(self, now: float) -> Job:
        """The next job: what was put off comes first, once its time has come."""
        if self.again and (not self.fresh or self.again[0][0] <= now):
            return heapq.heappop(self.again)[2]
        return self.fresh.popleft()


class Schedule:
    """Hands jobs to threads, and takes them back where another try may help.

    No thread waits with a job in its hands: what has to wait, for a pause of its host or for its
    own back-off, waits here.

    Args:
        urls: by post id.
        hosts: their state, which outlives the schedule.
        retries: further tries of a URL after a failure that may pass.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        urls: Mapping[int, str],
        hosts: Hosts,
        retries: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hosts = hosts
        self._retries = retries
        self._clock = clock
        self._left = len(urls)  # jobs that have not come to their end
        self._stopped = False
        self._queues: dict[str, _Queue] = {}
        with hosts.changed:
            for post_id, url in urls.items():
                name = _host(url)
                if name not in self._queues:
                    self._queues[name] = _Queue(hosts.get(name))
                self._queues[name].fresh.append(Job(post_id, url, name))

    def next(self) -> Job | None:
        """Waits for a job; None where there will be no more. `end` must follow."""
        with self._hosts.changed:
            while self._left and not self._stopped:
                now = self._clock()
                queue = min(self._queues.values(), key=_Queue.ready_at)
                ready_at = queue.ready_at()
                if ready_at <= now:
                    return self._begin(queue, now)
                # One of those that wait is notified; a second later at most the others look, too.
                self._hosts.changed.wait(min(1.0, ready_at - now))
            return None

    def _begin(self, queue: _Queue, now: float) -> Job:
        job = queue.take(now)
        job.given_up = queue.host.given_up
        if not job.given_up:
            job.tries += 1
            job.started = now
            job.since = min(job.since, now)
            queue.host.start(now)
        return job

    def end(self, job: Job, failure: FetchError | None) -> bool:
        """Says what came of a job.

        Returns:
            Whether that is final; else the job comes again.
        """
        with self._hosts.changed:
            now = self._clock()
            host = self._hosts.get(job.host)
            was_well = host.answered_at
            if not job.given_up:
                elsewhere = failure is not None and failure.host not in ("", job.host)
                host.end(job.started, now, None if elsewhere else failure)
            final = failure is None or self._is_final(job, failure, host, was_well)
            if final:
                self._left -= 1
                if failure and failure.code == "http_403" and not was_well > job.since:
                    failure.code = "shut_out"
            else:
                at = now + max(failure.wait if failure else 0.0, back_off(job.tries - 1))
                job.failure = failure
                heapq.heappush(self._queues[job.host].again, (at, job.post_id, job))
            self._hosts.changed.notify(1 if self._left else 1_000)
            return final

    def _is_final(self, job: Job, failure: FetchError, host: Host, was_well: float) -> bool:
        if job.given_up or job.tries > self._retries or failure.wait > host.patience:
            return True
        if failure.code == "http_403":  # "slow down", unless others were served meanwhile
            return job.tries > 1 and was_well > job.since
        return not is_transient(failure.code)

    @contextlib.contextmanager
    def visit(self, name: str, deadline: float) -> Iterator[None]:
        """A request that a redirect leads to another host, which has a pace of its own.

        Raises:
            FetchError: `host_unavailable` where it is not that host's turn before the deadline.
        """
        with self._hosts.changed:
            host = self._hosts.get(name)
            while host.given_up or host.ready_at() > self._clock():
                if host.given_up or self._clock() > deadline or self._stopped:
                    raise FetchError("host_unavailable", name, host=name)
                self._hosts.changed.wait(min(1.0, max(0.01, host.ready_at() - self._clock())))
            started = self._clock()
            host.start(started)
        failure: FetchError | None = None
        try:
            yield
        except FetchError as error:
            failure = error
            failure.host = failure.host or name
            raise
        finally:
            with self._hosts.changed:
                host.end(started, self._clock(), failure)
                self._hosts.changed.notify()

    def slow_to(self, name: str, delay: float) -> None:
        """A host wants `delay` seconds between two requests."""
        with self._hosts.changed:
            self._hosts.get(name).slow_to(delay)

    def stop(self) -> None:
        """No more jobs, whatever is left."""
        with self._hosts.changed:
            self._stopped = True
            self._hosts.changed.notify_all()


def back_off(tries: int) -> float:
    """Seconds to wait after the given number of earlier tries: 1, 2, 4 ..., less up to a half."""
    return _BACK_OFF * 2.0**tries * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _host(url: str) -> str:
    """The host whose queue a URL waits in; whether it is a URL at all is for others to say."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
