"""Draw pairs into `train.h5` and the test sets: `python -m pipeline.pairs.draw job.json folder`."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime, timezone
from pathlib import Path

import cv2
import torch

from pipeline import store
from pipeline.child_process import run_main
from pipeline.pack.dataset_file import Chunk, DatasetWriter, Row, picture_names
from pipeline.pairs.draw_job import FEWER_PROCESSES, FILES, DrawJob
from pipeline.pairs.pair import SOURCES, PairArtist
from pipeline.picture import keep_freed_memory
from sketch_models.cores import available_cores
from sketch_models.errors import SengaError

_AHEAD = 4  # pictures per process that wait for an earlier one

_artists: list[PairArtist] = []  # of this process


def draw_all(job: DrawJob, folder: Path, on_progress: Callable[[int], None]) -> None:
    """Draw the file to train on and one for each test set.

    Args:
        job: what to draw.
        folder: for `train.h5`, `test.h5` and the others of `FILES`; it must exist.
        on_progress: called with the number of pictures since the last call.

    Raises:
        SengaError: If the disk is full, or the system has killed one of the processes.
    """
    processes = job.processes or available_cores()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare)
    try:
        with store.explain_write_errors(folder):
            for name, subject in FILES.items():
                rows = _rows(pool, job, job.ids(name), subject, _AHEAD * processes)
                _write(folder / f"{name}.h5", job, name, len(job.ids(name)), rows, on_progress)
    except BrokenProcessPool:
        raise SengaError(
            f"A process that draws was killed. If the system ran out of memory, {FEWER_PROCESSES}."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    """Load the models of a process, which has one core and ends with the one that started it."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    keep_freed_memory()
    _artists.append(PairArtist())


def _exit_with_parent() -> None:
    """Exit as soon as the parent process has ended, however that happened."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _draw_row(post_id: int, size: int, subject: str, compression: str) -> Row:
    pair = _artists[0].draw(post_id, size, subject)
    pictures = {"color": pair.color, **{f"line/{name}": line for name, line in pair.lines.items()}}
    return Row(
        id=post_id,
        box=(0, 0, size, size),
        tags=pair.tags,
        sha256=hashlib.sha256(pair.color.tobytes()).hexdigest(),
        pictures={name: Chunk.compress(each, compression) for name, each in pictures.items()},
    )


def _rows(
    pool: ProcessPoolExecutor, job: DrawJob, ids: Iterable[int], subject: str, ahead: int
) -> Iterator[Row]:
    """Yield the rows of a file in order, with a bounded number of them in memory."""
    pending: deque[Future[Row]] = deque()
    for post_id in ids:
        pending.append(pool.submit(_draw_row, post_id, job.size, subject, job.compression))
        if len(pending) > ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _write(
    path: Path,
    job: DrawJob,
    split: str,
    count: int,
    rows: Iterator[Row],
    on_progress: Callable[[int], None],
) -> None:
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with DatasetWriter(
        path,
        count,
        size=job.size,
        names=picture_names(tuple(f"_{source}" for source in SOURCES)),
        compression=job.compression,
        attributes={**job.attributes, "split": split, "created": created},
    ) as file:
        for row in rows:
            file.append(row)
            on_progress(1)


def main(arguments: list[str]) -> None:
    """Run the command: draw by a job file, into a folder."""
    if len(arguments) != 2:
        raise SengaError("usage: python -m pipeline.pairs.draw JOB.json FOLDER")
    job = DrawJob.from_json(Path(arguments[0]).read_text(encoding="utf-8"))
    draw_all(job, Path(arguments[1]), _Printer())


class _Printer:
    """Prints the number of pictures so far, a line of JSON each time."""

    def __init__(self) -> None:
        self._done = 0

    def __call__(self, pictures: int) -> None:
        self._done += pictures
        sys.stdout.write(json.dumps({"images": self._done}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(run_main(main, sys.argv[1:]))
