"""The order of requests: every host at its own pace, none of them holding up the others."""

from __future__ import annotations

import contextlib
import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import Host, Hosts
from pipeline.collect.outcome import is_transient
from pipeline.outcome import OK

T = TypeVar("T")

_BACKOFF = 1.0  # seconds before the second try, doubled for each further one


@dataclass
class Job:
    """A URL to fetch.

    Attributes:
        post_id: the post that it belongs to.
        url: the URL.
        host: of the URL; empty if it has none.
        tries: number of tries, the current one included.
        first_started: when the first try was started.
        started: when the last try was started.
        given_up: whether its host gets no further request.
        failure: of the last try.
    """

    post_id: int
    url: str
    host: str
    tries: int = 0
    first_started: float = math.inf
    started: float = -math.inf
    given_up: bool = False
    failure: FetchError | None = None

    def raise_if_given_up(self) -> None:
        """Raise FetchError if the host is given up: the job's last failure, if it has one."""
        if self.given_up:
            raise self.failure or FetchError("host_unavailable", f"{self.host} was given up")


@dataclass
class _Queue:
    """The jobs of one host: those without a try, and those to try again, by their time."""

    host: Host
    fresh: deque[Job] = field(default_factory=deque)
    retries: list[tuple[float, int, Job]] = field(default_factory=list)

    def ready_at(self) -> float:
        """Return when the next job may start; infinity if there is none."""
        job_at = -math.inf if self.fresh else self.retries[0][0] if self.retries else math.inf
        if self.host.given_up:
            return -math.inf if self.fresh or self.retries else math.inf
        return max(job_at, self.host.ready_at())

    def pop(self, now: float) -> Job:
        """Take the next job; a retry comes first once its time has come."""
        if self.retries and (not self.fresh or self.retries[0][0] <= now):
            return heapq.heappop(self.retries)[2]
        return self.fresh.popleft()


class Schedule:
    """Hands jobs to threads, and takes them back if another try may help.

    No thread holds a job that has to wait, for a pause of its host or for its own back-off: the
    job waits in the schedule.

    Args:
        urls: by post id.
        hosts: their state, which outlives the schedule; its clock is that of the schedule.
        max_retries: further tries of a URL after a transient failure.
    """

    def __init__(self, urls: Mapping[int, str], hosts: Hosts, max_retries: int) -> None:
        self._hosts = hosts
        self._max_retries = max_retries
        self._unfinished = len(urls)
        self._stopped = False
        self._queues: dict[str, _Queue] = {}
        with hosts.changed:
            for post_id, url in urls.items():
                name = _hostname(url)
                if name not in self._queues:
                    self._queues[name] = _Queue(hosts.get(name))
                self._queues[name].fresh.append(Job(post_id, url, name))

    def next_job(self) -> Job | None:
        """Wait for a job; return None if there will be no more. `finish` must follow."""
        with self._hosts.changed:
            while self._unfinished and not self._stopped:
                now = self._hosts.clock()
                queue = min(self._queues.values(), key=_Queue.ready_at)
                ready_at = queue.ready_at()
                if ready_at <= now:
                    return self._start(queue, now)
                # One waiting thread is notified; the others look again after a second at most.
                self._hosts.wait(min(1.0, ready_at - now))
            return None

    def _start(self, queue: _Queue, now: float) -> Job:
        job = queue.pop(now)
        job.given_up = queue.host.given_up
        if not job.given_up:
            job.tries += 1
            job.started = now
            job.first_started = min(job.first_started, now)
            queue.host.start(now)
        return job

    def finish(self, job: Job, failure: FetchError | None) -> str | None:
        """Record the result of a try.

        Returns:
            The code of its outcome, `ok` or that of the failure; None if the job is tried again.
        """
        with self._hosts.changed:
            now = self._hosts.clock()
            host = self._hosts.get(job.host)
            last_success = host.last_success
            if not job.given_up:
                elsewhere = failure is not None and failure.host not in ("", job.host)
                host.finish(job.started, now, None if elsewhere else failure)
            code = OK if failure is None else self._final_code(job, failure, host, last_success)
            if failure is not None and code is None:
                self._retry(job, failure, now)
            else:
                self._unfinished -= 1
            self._hosts.changed.notify(1 if self._unfinished else 1_000)
            return code

    def _final_code(
        self, job: Job, failure: FetchError, host: Host, last_success: float
    ) -> str | None:
        """Return the code of a failure, or None if the job is tried again."""
        code, may_pass = _classify(job, failure, last_success)
        exhausted = job.given_up or job.tries > self._max_retries
        if exhausted or failure.retry_after > host.host_timeout or not may_pass:
            return code
        return None

    def _retry(self, job: Job, failure: FetchError, now: float) -> None:
        retry_at = now + max(failure.retry_after, backoff(job.tries - 1))
        job.failure = failure
        heapq.heappush(self._queues[job.host].retries, (retry_at, job.post_id, job))

    @contextlib.contextmanager
    def slot(self, name: str, deadline: float) -> Iterator[None]:
        """Hold a slot of another host, to which a redirect leads, for one request.

        Raises:
            FetchError: `host_unavailable` if that host has no slot before the deadline.
        """
        with self._hosts.changed:
            host = self._hosts.get(name)
            while host.given_up or host.ready_at() > self._hosts.clock():
                now = self._hosts.clock()
                if host.given_up or now > deadline or self._stopped:
                    raise FetchError("host_unavailable", name, host=name)
                self._hosts.wait(min(1.0, max(0.01, host.ready_at() - now)))
            started = self._hosts.clock()
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
                host.finish(started, self._hosts.clock(), failure)
                self._hosts.changed.notify()

    def set_crawl_delay(self, name: str, seconds: float) -> None:
        """Lower the rate of a host to what its robots.txt asks for."""
        with self._hosts.changed:
            self._hosts.get(name).set_crawl_delay(seconds)

    def stop(self) -> None:
        """Hand out no more jobs."""
        with self._hosts.changed:
            self._stopped = True
            self._hosts.changed.notify_all()


def run_job(schedule: Schedule, job: Job, fetch: Callable[[str], T]) -> T | FetchError | None:
    """Try a job once.

    Args:
        schedule: that handed out the job.
        job: to try.
        fetch: fetches its URL.

    Returns:
        What `fetch` returned; the failure if it is final; None if the job is tried again.
    """
    failure: FetchError | None = None
    try:
        job.raise_if_given_up()
        result = fetch(job.url)
    except FetchError as error:
        failure = error.without_frames()
    except BaseException:
        schedule.stop()
        raise
    code = schedule.finish(job, failure)
    if failure is None:
        return result
    if code is None:
        return None
    failure.code = code
    return failure


def backoff(tries: int) -> float:
    """Return the seconds to wait after some earlier tries: 1, 2, 4 ..., less up to a half."""
    return _BACKOFF * 2.0**tries * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _classify(job: Job, failure: FetchError, last_success: float) -> tuple[str, bool]:
    """Return the code of a failure, and whether it is transient.

    A 403 means "not this file" or, on many boorus, "slow down". If the host has served others
    since the job's first try, it is about the file: `http_403`, final when it comes twice. Else
    the host serves nothing: `shut_out`, which is transient.
    """
    if failure.code != "http_403":
        return failure.code, is_transient(failure.code)
    if last_success > job.first_started:
        return "http_403", job.tries == 1
    return "shut_out", True


def _hostname(url: str) -> str:
    """Return the host whose queue a URL waits in; empty if it has none, which is checked later."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
