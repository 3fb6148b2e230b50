"""Many URLs on many threads, their pictures in the order of the URLs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from queue import SimpleQueue

from pipeline.collect.fetch import Fetched, Fetcher, Turns
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.journal import Journal
from pipeline.collect.outcome import DownloadOutcome
from pipeline.collect.schedule import Job, Schedule
from pipeline.progress import Advance

Make = Callable[[Turns], Fetcher]
_Done = SimpleQueue[DownloadOutcome | BaseException]


def fetch_in_order(
    urls: Mapping[int, str],
    make: Make,
    schedule: Schedule,
    threads: int,
    journal: Journal,
    advance: Advance,
) -> Generator[DownloadOutcome, None, None]:
    """Fetches URLs by post id; yields what became of each in their order.

    A slow server holds up what is yielded, but none of the other threads: memory is bounded by
    one picture per thread and a row per URL; pictures wait in the journal. The threads end with
    the generator, each after the request that it is at; they do not keep the process alive.

    Args:
        urls: post id to URL.
        make: makes the fetcher of a thread.
        schedule: of these URLs.
        threads: how many.
        journal: gets every row that is final for this run, with its picture, as soon as it is here.
        advance: called as URLs are done, in whatever order.

    Raises:
        OSError: where the journal cannot be written.
    """
    done: _Done = SimpleQueue()
    for _ in range(min(threads, len(urls))):
        arguments = (make, schedule, journal, done)
        threading.Thread(target=_work, args=arguments, name="download", daemon=True).start()
    rows: dict[int, DownloadOutcome] = {}
    try:
        for post_id in urls:
            while post_id not in rows:
                row = done.get()
                if isinstance(row, BaseException):
                    raise row
                rows[row.id] = row
                advance(1)
            yield rows.pop(post_id)
    finally:
        schedule.stop()


def _work(make: Make, schedule: Schedule, journal: Journal, done: _Done) -> None:
    """One thread."""
    try:
        with make(schedule) as fetcher:
            while job := schedule.next():
                fetched = fetch_one(fetcher, schedule, job)
                if fetched is not None:
                    if not fetched.outcome.transient:
                        journal.add(fetched.outcome, fetched.part, fetched.content)
                    done.put(fetched.outcome)
    except BaseException as error:  # noqa: BLE001, RUF100 - raised where the rows are read
        done.put(error)


def fetch_one(fetcher: Fetcher, schedule: Schedule, job: Job) -> Fetched | None:
    """One try; what became of the job, or None where it comes again."""
    failure: FetchError | None = None
    try:
        job.refuse()
        fetched = fetcher.fetch(job.post_id, job.url)
    except FetchError as error:
        failure = error
    except BaseException:
        schedule.stop()
        raise
    if not schedule.end(job, failure):
        return None
    if failure is None:
        return fetched
    code = failure.code
    row = DownloadOutcome(
        job.post_id,
        code,
        failure.detail,
        url=job.url,
        status=failure.status,
        bytes=failure.size,
    )
    return Fetched(row)
