"""The picture files of the sample booru, drawn on request, in several processes if there are many.

Drawing is Python for the most part, so that threads draw one picture at a time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import CancelledError, ProcessPoolExecutor
from functools import cache, lru_cache
from multiprocessing.util import Finalize

from pipeline.sample_booru.artist.draw import draw
from pipeline.sample_booru.catalogue import post
from pipeline.sample_booru.files import encode
from sketch_models.closing import Closing
from sketch_models.cores import available_cores

_MAX_CACHED = 128  # pictures, about 25 MB
_FEW = 24  # pictures; as many take as long as processes take to start
_MAX_PROCESSES = 4  # of 80 MB each


@lru_cache(_MAX_CACHED)
def picture(post_id: int, seed: int = 0) -> bytes:
    """Return the bytes of a post's picture file, also if the server would not respond with it."""
    row = post(post_id, seed)
    content = encode(draw(post_id, seed), row.file_format, row.quality)
    return content[: len(content) // 2] if row.response == "truncated" else content


class Pictures(Closing):
    """Draws picture files for many threads: the first ones itself, then in a process per core.

    The processes serve one server after the other, as a build has one for each shard. They end with
    this process, however it ends. If one of them is killed, the rest is drawn here.

    Args:
        few: number of pictures after which processes are started.
    """

    def __init__(self, few: int = _FEW) -> None:
        self._few = few
        self._processes = min(_MAX_PROCESSES, available_cores())
        self._slots = threading.BoundedSemaphore(self._processes)
        self._lock = threading.Lock()
        self._drawn = 0
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def read(self, post_id: int, seed: int) -> bytes:
        """Return the bytes of a post's picture file."""
        pool = self._pool_if_many()
        if pool is not None:
            # A process was killed, or this one ends.
            with contextlib.suppress(RuntimeError, CancelledError):
                return pool.submit(picture, post_id, seed).result()
        with self._slots:
            return picture(post_id, seed)

    def _pool_if_many(self) -> ProcessPoolExecutor | None:
        """Return the processes, which are started once there are many pictures to draw."""
        with self._lock:
            self._drawn += 1
            if self._pool is None and self._drawn > self._few and self._processes > 1:
                # No multiprocessing.Pool: it waits for ever for the lock of a killed process.
                self._pool = ProcessPoolExecutor(
                    self._processes,
                    multiprocessing.get_context("spawn"),  # not forked: this process has threads
                    _prepare_process,
                )
            return self._pool


@cache
def pictures_of_process(_pid: int) -> Pictures:
    """Return the pictures that all servers of a process share; a forked process has others."""
    pictures = Pictures()
    # Not `atexit`, which workers skip. The queue to the processes closes at 10, too early for them.
    Finalize(None, pictures.close, exitpriority=20)
    return pictures


def _prepare_process() -> None:
    """Leave Ctrl-C, which all processes of a terminal get, to the parent, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
