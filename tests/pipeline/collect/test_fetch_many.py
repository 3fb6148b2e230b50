"""Many URLs on many threads, with fetchers that need no network."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from pipeline.collect.fetch import Fetched, Fetcher, RateLimiter
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.fetch_many import fetch_in_order
from pipeline.collect.host import HostLimits, Hosts
from pipeline.collect.journal import Journal
from pipeline.collect.outcome import DownloadOutcome
from pipeline.collect.schedule import Schedule
from sketch_models.closing import Closing
from sketch_models.errors import SengaError
from tests.pipeline.collect.fake_clock import FakeClock

Answer = bytes | BaseException


def url(post_id: int) -> str:
    return f"http://a.org/{post_id}.jpg"


def picture(post_id: int, content: bytes) -> DownloadOutcome:
    digest = hashlib.sha256(content).hexdigest()
    return DownloadOutcome(
        post_id, "ok", url=url(post_id), status=200, bytes=len(content), sha256=digest
    )


class Fetches:
    """What the fetchers of all threads answer, by post id, one answer after the other."""

    def __init__(self, answers: Mapping[int, list[Answer]]) -> None:
        self.answers = {post_id: iter(several) for post_id, several in answers.items()}
        self.made: list[FakeFetcher] = []
        self.threads: set[tuple[str, bool]] = set()
        self.aborted = threading.Event()

    def make(self, _: RateLimiter) -> Fetcher:
        self.made.append(FakeFetcher(self))
        return cast(Fetcher, self.made[-1])


class FakeFetcher(Closing):
    def __init__(self, fetches: Fetches) -> None:
        self.fetches = fetches
        self.held = self.releases = 0
        self.closed = False

    def fetch(self, post_id: int, _: str) -> Fetched:
        assert self.held == 0, "the last picture was not released"
        self.held = 1
        thread = threading.current_thread()
        self.fetches.threads.add((thread.name, thread.daemon))
        answer = next(self.fetches.answers[post_id])
        if answer == b"wait":
            assert self.fetches.aborted.wait(20)
            raise FetchError("timeout")
        if isinstance(answer, BaseException):
            raise answer
        return Fetched(picture(post_id, answer), "jpg", answer)

    def release(self) -> None:
        self.held = 0
        self.releases += 1

    def abort(self) -> None:
        self.fetches.aborted.set()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "j") as journal:
        yield journal


def schedule_of(urls: Mapping[int, str], retries: int = 0, connections: int = 4) -> Schedule:
    clock = FakeClock()
    limits = HostLimits(connections=connections, per_second=0, host_timeout=100)
    return Schedule(urls, Hosts(lambda _: limits, clock=clock, wait=clock.wait), retries)


def run(
    fetches: Fetches, journal: Journal, threads: int = 1, retries: int = 0
) -> tuple[list[DownloadOutcome], list[int]]:
    """Return the outcomes as they come, and the steps of the progress."""
    urls, steps = {post_id: url(post_id) for post_id in fetches.answers}, list[int]()
    schedule = schedule_of(urls, retries)
    rows = list(fetch_in_order(urls, fetches.make, schedule, threads, journal, steps.append))
    return rows, steps


def test_outcomes_come_in_the_order_of_the_urls(journal: Journal) -> None:
    missing = FetchError("http_404", "Not Found", status=404, size=7)
    busy = FetchError("http_500", "Oops", status=500)
    fetches = Fetches({3: [b"three"], 1: [missing], 2: [busy], 5: [b"five"]})
    rows, steps = run(fetches, journal)
    assert rows == [
        picture(3, b"three"),
        DownloadOutcome(1, "http_404", "Not Found", url=url(1), status=404, bytes=7),
        DownloadOutcome(2, "http_500", "Oops", url=url(2), status=500),
        picture(5, b"five"),
    ]
    assert steps == [1, 1, 1, 1]
    assert fetches.made[0].releases == 4
    assert fetches.made[0].closed


def test_what_is_final_is_in_the_journal_with_its_picture(journal: Journal) -> None:
    gone = FetchError("http_404", status=404)
    busy = FetchError("http_500", status=500)
    run(Fetches({3: [b"three"], 1: [gone], 2: [busy]}), journal)
    assert set(journal.rows) == {1, 3}  # the third is asked for in a later run
    assert (journal.read(3), journal.extension(3)) == (b"three", "jpg")


def test_url_is_tried_again(journal: Journal) -> None:
    busy = FetchError("http_500", status=500)
    fetches = Fetches({1: [busy, b"one"], 2: [busy, busy]})
    rows, steps = run(fetches, journal, retries=1)
    assert [row.code for row in rows] == ["ok", "http_500"]
    assert steps == [1, 1]
    assert fetches.made[0].releases == 4


@pytest.mark.parametrize(("threads", "urls", "made"), [(8, 2, 2), (2, 8, 2), (3, 3, 3), (4, 0, 0)])
def test_no_more_threads_than_urls(journal: Journal, threads: int, urls: int, made: int) -> None:
    before = threading.active_count()
    fetches = Fetches({post_id: [b"x"] for post_id in range(urls)})
    rows, _ = run(fetches, journal, threads)
    assert [row.id for row in rows] == list(range(urls))
    assert len(fetches.made) == made
    assert all(fetcher.closed for fetcher in fetches.made)
    assert threading.active_count() == before
    assert fetches.threads <= {("download", True)}


def test_closing_it_cuts_off_what_is_in_flight(journal: Journal) -> None:
    fetches = Fetches({1: [b"one"], 2: [b"wait"], 3: [b"three"]})
    urls = {post_id: url(post_id) for post_id in fetches.answers}
    schedule = schedule_of(urls, connections=1)
    rows = fetch_in_order(urls, fetches.make, schedule, 1, journal, lambda _: None)
    assert next(rows).id == 1
    rows.close()
    assert fetches.made[0].closed  # its thread has ended
    assert list(journal.rows) == [1]
    assert fetches.aborted.is_set()
    assert schedule.next_job() is None


def test_unforeseen_error_is_the_outcome_of_its_url(journal: Journal) -> None:
    rows, _ = run(Fetches({1: [ZeroDivisionError("no")], 2: [b"two"]}), journal)
    assert [(row.code, "ZeroDivisionError" in row.detail) for row in rows] == [
        ("unexpected", True),
        ("ok", False),
    ]


@pytest.mark.parametrize("error", [SengaError("full"), MemoryError(), KeyboardInterrupt()])
def test_error_of_the_run_is_raised(journal: Journal, error: BaseException) -> None:
    with pytest.raises(type(error)):
        run(Fetches({1: [error], 2: [b"two"]}), journal)


def test_fetcher_that_cannot_be_made_is_raised(journal: Journal) -> None:
    def fail(_: RateLimiter) -> Fetcher:
        raise OSError("no certificates")

    urls = {1: url(1)}
    rows = fetch_in_order(urls, fail, schedule_of(urls), 1, journal, lambda _: None)
    with pytest.raises(OSError, match="no certificates"):
        next(rows)


def test_thread_that_does_not_end_is_left_behind(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.collect.fetch_many._MAX_JOIN_SECONDS", 0.01)
    monkeypatch.setattr(FakeFetcher, "abort", lambda _: None)
    fetches = Fetches({1: [b"one"], 2: [b"wait"]})
    urls = {post_id: url(post_id) for post_id in fetches.answers}
    schedule = schedule_of(urls, connections=1)
    rows = fetch_in_order(urls, fetches.make, schedule, 1, journal, lambda _: None)
    assert next(rows).id == 1
    rows.close()
    assert not fetches.made[0].closed
    fetches.aborted.set()
    for thread in threading.enumerate():
        if thread.name == "download":
            thread.join(20)
