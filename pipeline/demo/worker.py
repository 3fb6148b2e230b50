"""The one thread that runs the models, and the queue in front of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.colorizer.hints import Box, Hints
from pipeline.demo.api_error import ApiError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ColorizeJob:
    """A drawing to colorize, in a square of the colorizer's size S; the output is (S, S, 3) RGB."""

    line: NDArray[np.uint8]  # (S, S), 0 ink, 255 paper
    hints: Hints | None  # of the same size
    z: NDArray[np.float32]  # (latent_dim,)
    box: Box | None = None  # where in the square the drawing is; everywhere if None
    reference: NDArray[np.uint8] | None = None  # (S, S, 3) RGB, whose z is added
    stage = "colorize"
    model = ""


@dataclass(frozen=True, eq=False)
class SketchJob:
    """A colour picture to sketch; the output is its ink, (H, W) float32, 1 = ink."""

    model: str
    picture: NDArray[np.uint8]  # (H, W, 3) RGB
    stage = "sketch"


@dataclass(frozen=True, eq=False)
class SimplifyJob:
    """A sketch to simplify; the output is clean lines, (H, W) uint8, 0 ink, 255 paper."""

    model: str
    sketch: NDArray[np.uint8]  # (H, W), 0 ink, 255 paper
    stage = "simplify"


Job: TypeAlias = ColorizeJob | SketchJob | SimplifyJob


class BatchRunner(Protocol):
    """An object that runs jobs; called from the worker's thread alone."""

    def run_batch(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        """Return one output per job; all jobs have the same stage and model."""
        ...


@dataclass(frozen=True)
class JobResults:
    """The outputs of a request, and their durations.

    Attributes:
        outputs: one per job.
        waited: seconds in the queue, until the first job was started.
        seconds: from entering the queue to the last output.
    """

    outputs: Sequence[NDArray[Any]]
    waited: float
    seconds: float


@dataclass(eq=False)
class _Request:
    """Jobs of one stage and model that were submitted together."""

    jobs: Sequence[Job]
    client_id: str | None
    is_disconnected: Callable[[], bool]
    queued_at: float  # seconds, by the worker's clock
    started_at: float | None = None  # seconds, by the same clock
    num_started: int = 0  # of the jobs, which start in order
    outputs: list[NDArray[Any]] = field(default_factory=list)
    future: Future[JobResults] = field(default_factory=Future)

    @property
    def key(self) -> tuple[str, str]:
        """Stage and model: jobs of the same key can share a batch."""
        return self.jobs[0].stage, self.jobs[0].model

    @property
    def num_waiting(self) -> int:
        """The number of jobs that are not started."""
        return len(self.jobs) - self.num_started

    def start(self, limit: int, now: float) -> Sequence[Job]:
        """Return the next jobs, at most `limit`, and mark them as started."""
        if self.started_at is None:
            self.started_at = now
        jobs = self.jobs[self.num_started : self.num_started + limit]
        self.num_started += len(jobs)
        return jobs

    def add_output(self, output: NDArray[Any] | ApiError, now: float) -> None:
        """Add the output of the next job; the last one, or an error, completes the request."""
        if self.future.done():
            return
        if isinstance(output, ApiError):
            self.fail(output)
            return
        self.outputs.append(output)
        if len(self.outputs) == len(self.jobs):
            assert self.started_at is not None
            waited, seconds = self.started_at - self.queued_at, now - self.queued_at
            self.future.set_result(JobResults(self.outputs, waited, seconds))

    def fail(self, error: ApiError) -> None:
        """Complete the request with an error, unless it is complete."""
        if not self.future.done():
            self.future.set_exception(error)


def never_disconnected() -> bool:
    """Return False: the default for clients whose connection is not watched."""
    return False


class Worker:
    """A thread that runs jobs in batches; each has the stage and model of the oldest job.

    Args:
        models: the models, which run the batches.
        max_waiting: jobs that may wait in the queue.
        max_batch: jobs in a batch; halved when the device runs out of memory.
        clock: a function that returns the current time, in seconds.
    """

    def __init__(
        self,
        models: BatchRunner,
        max_waiting: int,
        max_batch: int = 8,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: list[_Request] = []  # with jobs that are not started, the oldest first
        self._running: list[_Request] = []  # of the current batch, one per job
        self._closed = False
        self._thread = threading.Thread(target=self._run_forever, name="worker", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs jobs."""
        return self._thread.is_alive()

    def queue_size(self) -> int:
        """Return the number of jobs that wait in the queue."""
        with self._changed:
            return sum(request.num_waiting for request in self._queue)

    def run(
        self,
        jobs: Sequence[Job],
        *,
        client_id: str | None = None,
        is_disconnected: Callable[[], bool] = never_disconnected,
    ) -> JobResults:
        """Queue jobs and block until they are done.

        Args:
            jobs: one or more, of one stage and model.
            client_id: of the page that sent them. These jobs replace colorize jobs of the same
                page that are not started, and take their place in the queue.
            is_disconnected: whether the client has closed its connection; called before the jobs
                are started, which are then dropped.

        Raises:
            ApiError: `queue_full`, `superseded`, `client_gone`, `failed` or `shutting_down`.
        """
        request = _Request(jobs, client_id, is_disconnected, self._clock())
        with self._changed:
            if self._closed or not self.is_alive:
                raise _shutting_down()
            self._enqueue(request)
            self._changed.notify_all()
        return request.future.result()

    def close(self, timeout: float = 1.0) -> None:
        """Stop the thread; requests that are not done in time fail as `shutting_down`.

        Args:
            timeout: seconds that the current batch may still take.
        """
        with self._changed:
            self._shut_down(self._queue)
        self._thread.join(timeout)
        with self._changed:
            self._shut_down(self._running)

    def _enqueue(self, request: _Request) -> None:
        """Put a request into the queue; the caller holds the lock."""
        self._drop_disconnected()
        replaced = [other for other in self._queue if _replaces(request, other)]
        waiting = sum(other.num_waiting for other in self._queue if other not in replaced)
        if waiting + len(request.jobs) > self._max_waiting:
            raise ApiError(
                "queue_full",
                f"The queue is full: {waiting} pictures are waiting, and with yours there would be "
                f"more than {self._max_waiting}. Try again in a moment.",
            )
        if not replaced:
            self._queue.append(request)
            return
        self._queue[self._queue.index(replaced[0])] = request
        replaced[0].fail(
            ApiError(
                "superseded", "A newer request of the same page replaced this one. Use its result."
            )
        )

    def _run_forever(self) -> None:
        try:
            while batch := self._next_batch():
                self._deliver(self._run_batch([job for _, jobs in batch for job in jobs]))
        finally:
            with self._changed:
                self._shut_down([*self._queue, *self._running])

    def _next_batch(self) -> list[tuple[_Request, Sequence[Job]]]:
        """Wait for jobs; start the oldest, and others of its stage and model that fit.

        Returns:
            Requests with some of their jobs; empty when the worker is closed.
        """
        with self._changed:
            self._drop_disconnected()
            while not self._queue and not self._closed:
                self._changed.wait()
                self._drop_disconnected()
            batch: list[tuple[_Request, Sequence[Job]]] = []
            free = self._max_batch
            for request in self._queue:
                if free and request.key == self._queue[0].key:
                    batch.append((request, request.start(free, self._clock())))
                    free -= len(batch[-1][1])
            self._queue = [request for request in self._queue if request.num_waiting]
            self._running = [request for request, jobs in batch for _ in jobs]
            return batch

    def _drop_disconnected(self) -> None:
        for request in [request for request in self._queue if request.is_disconnected()]:
            self._queue.remove(request)
            request.fail(ApiError("client_gone", "The client disconnected before its turn."))

    def _deliver(self, outputs: Sequence[NDArray[Any] | ApiError]) -> None:
        """Hand the outputs of a batch to its requests."""
        with self._changed:
            for request, output in zip(self._running, outputs, strict=True):
                request.add_output(output, self._clock())
            self._running = []
            # If one job of a request failed, the others need not run.
            self._queue = [request for request in self._queue if not request.future.done()]

    def _shut_down(self, requests: Sequence[_Request]) -> None:
        """Refuse all further work and fail these requests; the caller holds the lock."""
        self._closed = True
        self._queue = []
        for request in requests:
            request.fail(_shutting_down())
        self._changed.notify_all()

    def _run_batch(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any] | ApiError]:
        """Return an output per job, or an error for a job that fails even on its own."""
        try:
            outputs = self._models.run_batch(jobs)
            assert len(outputs) == len(jobs)
            return outputs
        except Exception as error:
            out_of_memory = isinstance(error, torch.OutOfMemoryError | MemoryError)
            if len(jobs) == 1:
                # Jobs are pixels: the traceback cannot repeat any words of a user.
                _LOG.exception("A %s job failed.", jobs[0].stage)
                return [_out_of_memory() if out_of_memory else _failed()]
        # Outside of the except block, where the error would keep the batch's memory in use.
        size = 1
        if out_of_memory:
            torch.cuda.empty_cache()
            size = self._max_batch = max(1, len(jobs) // 2)
        parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        return [output for part in parts for output in self._run_batch(part)]


def _replaces(newer: _Request, older: _Request) -> bool:
    same_page = newer.client_id is not None and newer.client_id == older.client_id
    colorizes = newer.key == older.key == ("colorize", "")
    return same_page and colorizes and not older.num_started


def _shutting_down() -> ApiError:
    return ApiError("shutting_down", "The demo is shutting down. Start it again to continue.")


def _failed() -> ApiError:
    return ApiError("failed", "The model failed on this picture. The demo's terminal shows why.")


def _out_of_memory() -> ApiError:
    return ApiError(
        "failed",
        "The picture does not fit into the device's memory. Make it smaller, or free memory on "
        "the device.",
    )
