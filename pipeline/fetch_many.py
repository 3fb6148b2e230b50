"""Many URLs on many threads, their pictures in the order of the URLs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from pipeline.download_outcome import DownloadOutcome
from pipeline.fetch import Fetched, Fetcher
from pipeline.outcome import OK
from pipeline.progress import Advance
from pipeline.spool import Spool

Make = Callable[[Callable[[float], bool]], Fetcher]
_Jobs = SimpleQueue[tuple[int, str]]
_Done = SimpleQueue[DownloadOutcome | BaseException]


def fetch_in_order(
    urls: Mapping[int, str],
    make: Make,
    threads: int,
    folder: Path,
    advance: Advance,
) -> Generator[Fetched, None, None]:
    """Fetches URLs by post id; yields what became of each in their order.

    A slow server holds up what is yielded, but none of the other threads: memory is bounded by
    one picture per thread and what the spool holds. The threads end with the generator, each
    after the request that it is at; they do not keep the process alive.

    Args:
        urls: post id to URL.
        make: makes the fetcher of a thread, given its `pause`.
        threads: how many.
        folder: of the spool's file.
        advance: called as URLs are done, in whatever order.

    Raises:
        OSError: where the spool cannot be written.
    """
    jobs: _Jobs = SimpleQueue()
    done: _Done = SimpleQueue()
    stop = threading.Event()
    for job in urls.items():
        jobs.put(job)
    with Spool(folder) as spool:
        for _ in range(min(threads, len(urls))):
            work = partial(_work, make, jobs, spool, done, stop)
            threading.Thread(target=work, name="download", daemon=True).start()
        rows: dict[int, DownloadOutcome] = {}
        try:
            for post_id in urls:
                while post_id not in rows:
                    row = done.get()
                    if isinstance(row, BaseException):
                        raise row
                    rows[row.id] = row
                    advance(1)
                row = rows.pop(post_id)
                yield Fetched(row, *(spool.take(post_id) if row.code == OK else ()))
        finally:
            stop.set()


def _work(make: Make, jobs: _Jobs, spool: Spool, done: _Done, stop: threading.Event) -> None:
    """One thread."""
    try:
        with make(stop.wait) as fetcher:
            while not stop.is_set():
                fetched = fetcher.fetch(*jobs.get_nowait())
                if fetched.content:
                    spool.add(fetched.outcome.id, fetched.part, fetched.content)
                done.put(fetched.outcome)
    except Empty:
        pass
    except BaseException as error:  # noqa: BLE001, RUF100 - raised where the rows are read
        done.put(error)
