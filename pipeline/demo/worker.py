"""The one thread that has the models at work, and the queue before it."""

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

from pipeline.colorizer.hints import Hints
from pipeline.demo.api_error import Problem

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PaintJob:
    """One painting of a square, which is (S, S, 3) uint8 RGB, with S the colorizer's size."""

    line: NDArray[np.uint8]  # (S, S), 0 ink, 255 paper
    hints: Hints | None  # of the same size
    z: NDArray[np.float32]  # (latent,)
    kind = "paint"
    model = ""


@dataclass(frozen=True, eq=False)
class SketchJob:
    """The lines of a colour picture, which are (H, W) float32, 1 = ink."""

    model: str
    picture: NDArray[np.uint8]  # (H, W, 3) RGB
    kind = "sketch"


@dataclass(frozen=True, eq=False)
class SimplifyJob:
    """The clean lines of a sketch, which are (H, W) uint8, 0 ink, 255 paper."""

    model: str
    sketch: NDArray[np.uint8]  # (H, W), 0 ink, 255 paper
    kind = "simplify"


Job: TypeAlias = PaintJob | SketchJob | SimplifyJob


class Draws(Protocol):
    """What does the jobs; called from the worker's thread alone."""

    def draw(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        """One result per job; the jobs are of one kind and one model."""
        ...


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        results: one per job.
        waited: seconds in the queue, until its first job was begun.
        seconds: all in all.
    """

    results: Sequence[NDArray[Any]]
    waited: float
    seconds: float


@dataclass(eq=False)
class _Request:
    """Jobs of one kind and model that were asked for together."""

    jobs: Sequence[Job]
    page: str | None
    gone: Callable[[], bool]
    asked: float = field(default_factory=time.monotonic)
    began: float = 0.0
    begun: int = 0  # jobs, the first ones
    results: list[NDArray[Any]] = field(default_factory=list)
    answer: Future[Answer] = field(default_factory=Future)

    @property
    def key(self) -> tuple[str, str]:
        """Jobs of the same key can be done together."""
        return self.jobs[0].kind, self.jobs[0].model

    @property
    def waiting(self) -> int:
        """Jobs that are not begun."""
        return len(self.jobs) - self.begun

    def begin(self, most: int) -> Sequence[Job]:
        """The next jobs, which are from now on begun."""
        self.began = self.began or time.monotonic()
        jobs = self.jobs[self.begun : self.begun + most]
        self.begun += len(jobs)
        return jobs

    def add(self, result: NDArray[Any] | Problem) -> None:
        """Takes the result of the next job; the last one, or a problem, ends the request."""
        if self.answer.done():
            return
        if isinstance(result, Problem):
            self.answer.set_exception(result)
            return
        self.results.append(result)
        if len(self.results) == len(self.jobs):
            waited, seconds = self.began - self.asked, time.monotonic() - self.asked
            self.answer.set_result(Answer(self.results, waited, seconds))


def still_here() -> bool:
    """Of a client that nobody watches: that it has not gone."""
    return False


class Worker:
    """Does jobs one batch after another; the oldest job says which kind and model is next.

    Args:
        studio: does them.
        most_waiting: jobs that may wait.
        at_once: jobs in a batch, at most; fewer from when memory is short.
    """

    def __init__(self, studio: Draws, most_waiting: int, at_once: int = 8) -> None:
        self._studio = studio
        self._most_waiting = most_waiting
        self._at_once = at_once
        self._changed = threading.Condition()
        self._requests: list[_Request] = []  # with jobs that are not begun, the oldest first
        self._running: list[_Request] = []  # of the batch that is being done
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether jobs are still done."""
        return self._thread.is_alive()

    def waiting(self) -> int:
        """Jobs in the queue."""
        with self._changed:
            return sum(request.waiting for request in self._requests)

    def ask(
        self,
        jobs: Sequence[Job],
        *,
        page: str | None = None,
        gone: Callable[[], bool] = still_here,
    ) -> Answer:
        """Has jobs done, and waits for it.

        Args:
            jobs: one or more, of one kind and model.
            page: that asks. Paintings that it has asked for before, and that are not begun, are
                not done any more: these take their place in the queue.
            gone: whether nobody waits for the answer any more; asked before the jobs are begun.

        Raises:
            Problem: `queue_full`, `superseded`, `client_gone`, `failed` or `shutting_down`.
        """
        request = _Request(jobs, page, gone)
        with self._changed:
            if self._closed or not self.alive:
                raise _shutting_down()
            self._enter(request)
            self._changed.notify_all()
        return request.answer.result()

    def close(self, patience: float = 1.0) -> None:
        """Ends the thread. What waits is refused, as is what is not done in time.

        Args:
            patience: seconds for the batch that is being done.
        """
        with self._changed:
            self._end(self._requests)
        self._thread.join(patience)
        with self._changed:
            self._end(self._running)

    def _enter(self, request: _Request) -> None:
        """Puts a request into the queue; called with the lock."""
        self._drop_gone()
        older = [other for other in self._requests if _replaces(request, other)]
        waiting = sum(other.waiting for other in self._requests if other not in older)
        if waiting + len(request.jobs) > self._most_waiting:
            raise Problem(
                "queue_full",
                f"{waiting} pictures wait already, expected at most {self._most_waiting} with "
                "yours; ask again in a moment.",
            )
        if not older:
            self._requests.append(request)
            return
        self._requests[self._requests.index(older[0])] = request
        said = "A newer request of the same page took the place of this one; use its answer."
        older[0].add(Problem("superseded", said))

    def _work(self) -> None:
        """What the thread does."""
        try:
            while batch := self._next_batch():
                self._finish(self._draw([job for _, jobs in batch for job in jobs]))
        finally:
            with self._changed:
                self._end([*self._requests, *self._running])

    def _next_batch(self) -> list[tuple[_Request, Sequence[Job]]]:
        """Waits for jobs and begins the oldest, with what can be done together with it.

        Returns:
            Requests with some of their jobs; nothing when the worker is closed.
        """
        with self._changed:
            self._drop_gone()
            while not self._requests and not self._closed:
                self._changed.wait()
                self._drop_gone()
            batch: list[tuple[_Request, Sequence[Job]]] = []
            room = self._at_once
            for request in self._requests:
                if room and request.key == self._requests[0].key:
                    batch.append((request, request.begin(room)))
                    room -= len(batch[-1][1])
            self._requests = [request for request in self._requests if request.waiting]
            self._running = [request for request, jobs in batch for _ in jobs]
            return batch

    def _drop_gone(self) -> None:
        for request in [request for request in self._requests if request.gone()]:
            self._requests.remove(request)
            request.add(Problem("client_gone", "The client hung up before its turn came."))

    def _finish(self, results: Sequence[NDArray[Any] | Problem]) -> None:
        """Hands out the results of a batch."""
        with self._changed:
            for request, result in zip(self._running, results, strict=True):
                request.add(result)
            self._running = []
            # The other jobs of a request that has failed are of no use.
            self._requests = [request for request in self._requests if not request.answer.done()]

    def _end(self, requests: Sequence[_Request]) -> None:
        """Tells those who wait that nothing more is done; called with the lock."""
        self._closed = True
        self._requests = []
        for request in requests:
            request.add(_shutting_down())
        self._changed.notify_all()

    def _draw(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any] | Problem]:
        """The results of jobs; a problem where one fails by itself."""
        try:
            results = self._studio.draw(jobs)
            assert len(results) == len(jobs)
            return results
        except Exception as error:
            short = isinstance(error, torch.OutOfMemoryError | MemoryError)
            if len(jobs) == 1:
                # Jobs are pixels: there are no words of a user that this could tell.
                _LOG.exception("A job of kind %s failed.", jobs[0].kind)
                return [_too_large() if short else _failed()]
        # What failed still held memory until here.
        size = 1
        if short:
            torch.cuda.empty_cache()
            size = self._at_once = max(1, len(jobs) // 2)
        parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        return [result for part in parts for result in self._draw(part)]


def _replaces(newer: _Request, older: _Request) -> bool:
    same = newer.page is not None and newer.page == older.page
    return same and not older.begun and newer.key == older.key == ("paint", "")


def _shutting_down() -> Problem:
    return Problem("shutting_down", "The demo is being ended; start it again to go on.")


def _failed() -> Problem:
    return Problem("failed", "The model failed on this picture; the demo's terminal says more.")


def _too_large() -> Problem:
    said = "The picture does not fit into the device's memory; make it smaller, or free some there."
    return Problem("failed", said)
