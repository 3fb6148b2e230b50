"""Fetch many URLs on many threads, and yield their outcomes in the order of the URLs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping
from queue import SimpleQueue

from pipeline.collect.fetch import Fetched, Fetcher, RateLimiter
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.journal import Journal
from pipeline.collect.outcome import DownloadOutcome
from pipeline.collect.schedule import Job, Schedule, run_job
from pipeline.picture import return_freed_memory
from pipeline.progress import OnProgress
from pipeline.unexpected import UNEXPECTED, log
from sketch_models.errors import SengaError

_MAX_JOIN_SECONDS = 10.0  # a picture of 100 million pixels takes less to decode

MakeFetcher = Callable[[RateLimiter], Fetcher]
_Results = SimpleQueue[DownloadOutcome | BaseException]


def fetch_in_order(
    urls: Mapping[int, str],
    make_fetcher: MakeFetcher,
    schedule: Schedule,
    threads: int,
    journal: Journal,
    on_progress: OnProgress,
) -> Generator[DownloadOutcome, None, None]:
    """Fetch URLs by post id; yield an outcome for each, in their order.

    A slow server holds up what is yielded, but none of the other threads: memory is bounded by
    one picture per thread and a row per URL; pictures wait in the journal. The threads end with
    the generator, which cuts their requests off: a thread that is in a library's C++ while the
    interpreter ends would abort the process.

    Args:
        urls: post id to URL.
        make_fetcher: makes the fetcher of a thread.
        schedule: of these URLs.
        threads: number of threads.
        journal: gets every row that is final for this run, with its picture, at once.
        on_progress: called as URLs are done, in whatever order.

    Raises:
        OSError: if the journal cannot be written.
    """
    return_freed_memory()
    results: _Results = SimpleQueue()
    fetchers: list[Fetcher] = []
    arguments = (make_fetcher, schedule, journal, results, fetchers)
    workers = [
        threading.Thread(target=_worker, args=arguments, name="download", daemon=True)
        for _ in range(min(threads, len(urls)))
    ]
    for worker in workers:
        worker.start()
    rows: dict[int, DownloadOutcome] = {}
    try:
        for post_id in urls:
            while post_id not in rows:
                row = results.get()
                if isinstance(row, BaseException):
                    raise row
                rows[row.id] = row
                on_progress(1)
            yield rows.pop(post_id)
    finally:
        schedule.stop()
        for fetcher in fetchers:
            fetcher.abort()
        until = time.monotonic() + _MAX_JOIN_SECONDS
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))


def _worker(
    make_fetcher: MakeFetcher,
    schedule: Schedule,
    journal: Journal,
    results: _Results,
    fetchers: list[Fetcher],
) -> None:
    """Run jobs until there are no more: the target of one thread."""
    try:
        with make_fetcher(schedule) as fetcher:
            fetchers.append(fetcher)
            while job := schedule.next_job():
                row = _fetch_and_keep(fetcher, schedule, job, journal)
                fetcher.release()
                if row is not None:
                    results.put(row)
    except BaseException as error:  # noqa: BLE001, RUF100 - the reader raises it
        results.put(error)


def _fetch_and_keep(
    fetcher: Fetcher, schedule: Schedule, job: Job, journal: Journal
) -> DownloadOutcome | None:
    """Try a job once, and write what is final; return its outcome, None if it is tried again."""
    fetched = fetch_one(fetcher, schedule, job)
    if fetched is None:
        return None
    if not fetched.outcome.transient:
        journal.add(fetched.outcome, fetched.extension, fetched.content)
    return fetched.outcome


def _fetch(fetcher: Fetcher, post_id: int, url: str) -> Fetched:
    """Fetch a URL; raise FetchError whatever is wrong with it or with the answer."""
    try:
        return fetcher.fetch(post_id, url)
    except (FetchError, SengaError, MemoryError):
        raise
    except Exception as error:
        raise FetchError(UNEXPECTED, log(f"picture {post_id}", error)) from error


def fetch_one(fetcher: Fetcher, schedule: Schedule, job: Job) -> Fetched | None:
    """Try a job once; return its outcome and picture, or None if it is tried again."""
    fetched = run_job(schedule, job, lambda url: _fetch(fetcher, job.post_id, url))
    if not isinstance(fetched, FetchError):
        return fetched
    return Fetched(
        DownloadOutcome(
            job.post_id,
            fetched.code,
            fetched.detail,
            url=job.url,
            status=fetched.status,
            bytes=fetched.size,
        )
    )
