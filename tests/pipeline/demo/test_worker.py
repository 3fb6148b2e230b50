"""The worker: batches, order, refusals, and that every request is answered."""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.demo.api_error import ApiError
from pipeline.demo.worker import ColorizeJob, Job, JobResults, SimplifyJob, SketchJob, Worker

TIMEOUT = 20  # seconds; only a failing test waits for so long
PIXEL = np.zeros((1, 1), np.uint8)


def colorize(number: int) -> ColorizeJob:
    return ColorizeJob(PIXEL, None, np.full(1, number, np.float32))


def sketch(number: int, model: str = "xdog") -> SketchJob:
    return SketchJob(model=model, picture=np.full((1, 1, 3), number, np.uint8))


def simplify(number: int, model: str = "centerline") -> SimplifyJob:
    return SimplifyJob(model=model, sketch=np.full((1, 1), number, np.uint8))


def number_of(job: Job) -> int:
    if isinstance(job, ColorizeJob):
        return int(job.z[0])
    pixels = job.picture if isinstance(job, SketchJob) else job.sketch
    return int(pixels.flat[0])


class FakeModels:
    """Returns the number of each job, once its gate is open.

    Attributes:
        gate: closed at first.
        started: counts the batches that were started.
        batches: numbers of the jobs of each batch.
        failing: the error for each number that fails.
        max_fitting: jobs that fit into memory at once.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.started = threading.Semaphore(0)
        self.batches: list[list[int]] = []
        self.failing: dict[int, BaseException] = {}
        self.max_fitting = 100

    def run_batch(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        numbers = [number_of(job) for job in jobs]
        assert len({(job.stage, job.model) for job in jobs}) == 1
        self.batches.append(numbers)
        self.started.release()
        assert self.gate.wait(TIMEOUT)
        if len(jobs) > self.max_fitting:
            raise torch.OutOfMemoryError
        for number in numbers:
            if number in self.failing:
                raise self.failing[number]
        return [np.array([number]) for number in numbers]


class FakeClock:
    """A clock that stands still until it is advanced, in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class BusyWorker:
    """A worker with many clients; a first job can keep it busy while others are queued."""

    def __init__(self, max_waiting: int = 64) -> None:
        self.models = FakeModels()
        self.clock = FakeClock()
        self.worker = Worker(self.models, max_waiting, clock=self.clock)
        self._clients = ThreadPoolExecutor(100)
        self._num_waiting = 0

    def submit(self, *jobs: Job, adds: int | None = None, **options: Any) -> "Future[JobResults]":
        """Run jobs in a thread; return when they are in the queue.

        Args:
            jobs: of one stage and model.
            adds: by how many jobs the queue grows; None for all of them.
            options: of `Worker.run`.
        """
        checked = threading.Event()
        self._num_waiting += len(jobs) if adds is None else adds

        def is_disconnected() -> bool:
            checked.set()
            return bool(options["is_disconnected"]()) if "is_disconnected" in options else False

        future = self.start(*jobs, **{**options, "is_disconnected": is_disconnected})
        while not future.done() and self.worker.queue_size() != self._num_waiting:
            checked.wait(0.001)
        return future

    def start(self, *jobs: Job, **options: Any) -> "Future[JobResults]":
        """Run jobs in a thread; return at once."""
        return self._clients.submit(self.worker.run, jobs, **options)

    def start_first(self) -> "Future[JobResults]":
        """Run a job that lasts until `go`; return when it is started."""
        future = self.start(colorize(0))
        assert self.models.started.acquire(timeout=TIMEOUT)
        return future

    def start_closing(self) -> "Future[None]":
        return self._clients.submit(self.worker.close, TIMEOUT)

    def go(self) -> None:
        """Let all jobs finish."""
        self.models.gate.set()

    def close(self) -> None:
        self.go()
        self.worker.close()
        self._clients.shutdown()


@pytest.fixture
def busy() -> Iterator[BusyWorker]:
    worker = BusyWorker()
    yield worker
    worker.close()


@pytest.fixture
def small_queue() -> Iterator[BusyWorker]:
    """A worker with room for 8 jobs in its queue."""
    worker = BusyWorker(max_waiting=8)
    yield worker
    worker.close()


def numbers(future: "Future[JobResults]") -> list[int]:
    return [int(output[0]) for output in future.result(TIMEOUT).outputs]


def error_code(future: "Future[JobResults]") -> str:
    error = future.exception(TIMEOUT)
    assert isinstance(error, ApiError), error
    return error.code


def test_single_requests_are_batches_of_one(busy: BusyWorker) -> None:
    busy.go()
    for number in range(3):
        results = busy.worker.run([colorize(number)])
        assert [int(output[0]) for output in results.outputs] == [number]
        assert results.waited == results.seconds == 0
    assert busy.models.batches == [[0], [1], [2]]


def test_queued_jobs_are_batched(busy: BusyWorker) -> None:
    busy.start_first()
    futures = [busy.submit(colorize(number)) for number in range(1, 11)]
    assert busy.worker.queue_size() == 10
    busy.go()
    assert [numbers(each) for each in futures] == [[number] for number in range(1, 11)]
    assert busy.models.batches == [[0], list(range(1, 9)), [9, 10]]
    assert busy.worker.queue_size() == 0


def test_batches_have_at_most_max_batch_jobs() -> None:
    models = FakeModels()
    models.gate.set()
    worker = Worker(models, 64, max_batch=3)
    results = worker.run([colorize(number) for number in range(7)])
    assert [int(output[0]) for output in results.outputs] == list(range(7))
    assert models.batches == [[0, 1, 2], [3, 4, 5], [6]]
    worker.close()


def test_oldest_job_decides_stage_and_model_of_the_batch(busy: BusyWorker) -> None:
    """Jobs of its stage and model join it from anywhere in the queue; no stage starves."""
    busy.start_first()
    jobs = [sketch(1), colorize(2), simplify(3), sketch(4, "sketchkeras"), colorize(5), sketch(6)]
    futures = [busy.submit(job) for job in jobs]
    busy.go()
    assert [numbers(each) for each in futures] == [[1], [2], [3], [4], [5], [6]]
    assert busy.models.batches == [[0], [1, 6], [2, 5], [3], [4]]


def test_outputs_of_a_request_keep_their_order_over_two_batches(busy: BusyWorker) -> None:
    busy.start_first()
    first = busy.submit(*(colorize(number) for number in range(1, 6)))
    second = busy.submit(*(colorize(number) for number in range(6, 13)))
    third = busy.submit(colorize(13))
    busy.go()
    assert numbers(first) == [1, 2, 3, 4, 5]
    assert numbers(second) == list(range(6, 13))
    assert numbers(third) == [13]
    assert busy.models.batches == [[0], list(range(1, 9)), list(range(9, 14))]


def test_durations_are_measured(busy: BusyWorker) -> None:
    busy.start_first()
    future = busy.submit(colorize(1))
    busy.clock.now += 5
    busy.go()
    results = future.result(TIMEOUT)
    assert results.waited == results.seconds == 5


def test_jobs_wait_until_their_own_batch_starts(busy: BusyWorker) -> None:
    run_batch = busy.models.run_batch

    def run_for_5_seconds(jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        outputs = run_batch(jobs)
        busy.clock.now += 5
        return outputs

    busy.models.run_batch = run_for_5_seconds  # type: ignore[method-assign]
    busy.start_first()
    futures = [busy.submit(colorize(number)) for number in range(1, 11)]
    busy.go()
    results = [future.result(TIMEOUT) for future in futures]
    assert [each.waited for each in results] == [5] * 8 + [10] * 2
    assert [each.seconds for each in results] == [10] * 8 + [15] * 2


def test_full_queue_refuses_more(small_queue: BusyWorker) -> None:
    busy = small_queue
    busy.start_first()
    futures = [busy.submit(*(colorize(number) for number in range(1, 7)))]
    futures.append(busy.submit(colorize(7)))
    with pytest.raises(ApiError, match="7 pictures are waiting") as refused:
        busy.worker.run([colorize(8), colorize(9)])
    assert refused.value.code == "queue_full"
    assert refused.value.headers == {"Retry-After": "1"}
    futures.append(busy.submit(colorize(8)))
    assert error_code(busy.submit(sketch(9), adds=0)) == "queue_full"
    busy.go()
    assert [numbers(each) for each in futures] == [[1, 2, 3, 4, 5, 6], [7], [8]]
    assert numbers(busy.submit(colorize(9))) == [9]  # the queue has room again


def test_newer_colorize_request_of_a_page_replaces_the_older(busy: BusyWorker) -> None:
    busy.start_first()
    older = busy.submit(colorize(1), client_id="a")
    other = busy.submit(sketch(2))
    other_page = busy.submit(colorize(3), client_id="b")
    newer = busy.submit(colorize(4), adds=0, client_id="a")
    assert error_code(older) == "superseded"
    newest = busy.submit(colorize(5), colorize(6), adds=1, client_id="a")
    assert error_code(newer) == "superseded"
    busy.go()
    assert numbers(newest) == [5, 6]
    assert numbers(other) == [2]
    assert numbers(other_page) == [3]
    assert busy.models.batches == [[0], [5, 6, 3], [2]]


def test_other_requests_of_a_page_are_not_replaced(busy: BusyWorker) -> None:
    busy.start_first()
    futures = [
        busy.submit(job, client_id="a") for job in (sketch(1), simplify(2), colorize(3), sketch(4))
    ]
    futures += [busy.submit(colorize(number), client_id=None) for number in (5, 6)]
    busy.go()
    assert [numbers(each) for each in futures] == [[number] for number in range(1, 7)]


def test_started_request_is_not_replaced(busy: BusyWorker) -> None:
    first = busy.start(colorize(1), client_id="a")
    assert busy.models.started.acquire(timeout=TIMEOUT)
    second = busy.submit(colorize(2), client_id="a")
    busy.go()
    assert numbers(first) == [1]
    assert numbers(second) == [2]


def test_request_that_is_started_in_part_is_not_replaced(busy: BusyWorker) -> None:
    first = busy.start(*map(colorize, range(1, 13)), client_id="a")
    assert busy.models.started.acquire(timeout=TIMEOUT)
    assert busy.worker.queue_size() == 4  # eight of them are running
    second = busy.start(colorize(13), client_id="a")
    while busy.worker.queue_size() != 5 and not first.done():
        threading.Event().wait(0.001)
    busy.go()
    assert numbers(first) == list(range(1, 13))
    assert numbers(second) == [13]


def test_replaced_jobs_do_not_count_for_the_queue_limit(small_queue: BusyWorker) -> None:
    busy = small_queue
    busy.start_first()
    older = busy.submit(*map(colorize, range(1, 4)), client_id="a")
    others = [busy.submit(colorize(number)) for number in range(4, 9)]
    too_many = busy.submit(*map(colorize, range(9, 13)), adds=0, client_id="a")
    assert error_code(too_many) == "queue_full"
    newer = busy.submit(*map(colorize, range(9, 12)), adds=0, client_id="a")
    assert error_code(older) == "superseded"
    busy.go()
    assert numbers(newer) == [9, 10, 11]
    assert [numbers(each) for each in others] == [[number] for number in range(4, 9)]


def test_jobs_of_a_disconnected_client_are_dropped(busy: BusyWorker) -> None:
    busy.start_first()
    disconnected = threading.Event()
    dropped = busy.submit(colorize(1), is_disconnected=disconnected.is_set)
    kept = busy.submit(colorize(2))
    disconnected.set()
    busy.go()
    assert error_code(dropped) == "client_gone"
    assert numbers(kept) == [2]
    assert busy.models.batches == [[0], [2]]


def test_job_of_a_client_that_is_gone_already_is_dropped_by_an_idle_worker(
    busy: BusyWorker,
) -> None:
    busy.go()
    for number in range(50):  # the worker may or may not wait when the next one comes
        assert numbers(busy.start(colorize(number))) == [number]
        gone = busy.start(colorize(99), is_disconnected=lambda: True)
        assert error_code(gone) == "client_gone"
    assert [99] not in busy.models.batches


def test_disconnected_client_frees_its_queue_slots(small_queue: BusyWorker) -> None:
    busy = small_queue
    busy.start_first()
    disconnected = threading.Event()
    dropped = busy.submit(*map(colorize, range(1, 9)), is_disconnected=disconnected.is_set)
    disconnected.set()
    kept = busy.submit(colorize(9), adds=-7)
    assert error_code(dropped) == "client_gone"
    busy.go()
    assert numbers(kept) == [9]


def test_failing_job_does_not_fail_its_batch(
    busy: BusyWorker, caplog: pytest.LogCaptureFixture
) -> None:
    busy.start_first()
    busy.models.failing[3] = ValueError("a failing job")
    futures = [busy.submit(colorize(number)) for number in (1, 2)]
    failing = busy.submit(colorize(3), colorize(4))
    futures.append(busy.submit(colorize(5)))
    busy.go()
    assert [numbers(each) for each in futures] == [[1], [2], [5]]
    assert error_code(failing) == "failed"
    assert busy.models.batches == [[0], [1, 2, 3, 4, 5], [1], [2], [3], [4], [5]]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "a failing job" in caplog.text
    assert numbers(busy.submit(colorize(6))) == [6]
    assert busy.worker.is_alive


def test_other_jobs_of_a_failed_request_are_skipped(busy: BusyWorker) -> None:
    busy.start_first()
    busy.models.failing[1] = ValueError("a failing job")
    future = busy.submit(*map(colorize, range(1, 13)))
    busy.go()
    assert error_code(future) == "failed"
    assert busy.worker.queue_size() == 0
    assert not {9, 10, 11, 12} & {number for batch in busy.models.batches for number in batch}


def test_wrong_number_of_outputs_fails_the_request(busy: BusyWorker) -> None:
    busy.go()
    busy.models.run_batch = lambda jobs: []  # type: ignore[method-assign]  # noqa: ARG005
    assert error_code(busy.submit(colorize(1))) == "failed"
    assert busy.worker.is_alive


def test_batch_that_does_not_fit_into_memory_is_halved_from_then_on(busy: BusyWorker) -> None:
    busy.start_first()
    busy.models.max_fitting = 3
    futures = [busy.submit(colorize(number)) for number in range(1, 13)]
    busy.go()
    assert [numbers(each) for each in futures] == [[number] for number in range(1, 13)]
    assert [len(batch) for batch in busy.models.batches] == [1, 8, 4, 2, 2, 4, 2, 2, 2, 2]


def test_single_picture_that_does_not_fit_fails(busy: BusyWorker) -> None:
    busy.models.max_fitting = 0
    busy.go()
    with pytest.raises(ApiError, match="does not fit into the device's memory") as failed:
        busy.worker.run([colorize(1)])
    assert failed.value.code == "failed"
    busy.models.max_fitting = 100
    assert numbers(busy.submit(colorize(2))) == [2]


def test_queued_requests_fail_when_the_worker_closes(busy: BusyWorker) -> None:
    running = busy.start_first()
    waiting = [busy.submit(colorize(1)), busy.submit(sketch(2))]
    closing = busy.start_closing()
    assert [error_code(each) for each in waiting] == ["shutting_down"] * 2
    busy.go()
    closing.result(TIMEOUT)
    assert numbers(running) == [0]
    assert not busy.worker.is_alive
    with pytest.raises(ApiError) as refused:
        busy.worker.run([colorize(3)])
    assert refused.value.code == "shutting_down"
    busy.worker.close()  # a second time does nothing


def test_close_fails_the_running_batch_after_its_timeout(busy: BusyWorker) -> None:
    running = busy.start_first()
    busy.worker.close(timeout=0)
    assert error_code(running) == "shutting_down"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_all_requests_fail_if_the_thread_dies(busy: BusyWorker) -> None:
    running = busy.start_first()
    waiting = busy.submit(colorize(1))
    busy.models.failing[0] = SystemExit()
    busy.go()
    assert [error_code(running), error_code(waiting)] == ["shutting_down"] * 2
    busy.worker._thread.join(TIMEOUT)
    assert not busy.worker.is_alive
    assert error_code(busy.submit(colorize(2), adds=0)) == "shutting_down"


@pytest.mark.parametrize("seed", range(5))
def test_every_one_of_many_concurrent_requests_is_answered(seed: int) -> None:
    """Random requests repeat client ids, disconnect, fail and run out of memory."""
    models = FakeModels()
    models.gate.set()
    models.failing = {number: ValueError() for number in range(0, 250, 17)}
    models.max_fitting = 5
    worker = Worker(models, max_waiting=16)
    expected = {"ok", "superseded", "client_gone", "queue_full", "failed"}
    start = threading.Barrier(24)

    def client(number: int) -> list[str]:
        chance = random.Random(1000 * seed + number)
        outcomes = []
        start.wait(TIMEOUT)
        for _ in range(30):
            make: Callable[[int], Job] = chance.choice(
                [colorize, colorize, colorize, sketch, simplify]
            )
            sent = [chance.randrange(250) for _ in range(chance.choice([1, 1, 1, 8]))]
            disconnected = chance.random() < 0.05
            client_id = chance.choice([None, "a", "b"])
            try:
                results = worker.run(
                    [make(each) for each in sent],
                    client_id=client_id,
                    is_disconnected=lambda value=disconnected: value,
                )
            except ApiError as error:
                outcomes.append(error.code)
            else:
                assert [int(output[0]) for output in results.outputs] == sent
                assert not set(sent) & set(models.failing)
                outcomes.append("ok")
        return outcomes

    logging.disable()
    try:
        with ThreadPoolExecutor(24) as clients:
            futures = [clients.submit(client, number) for number in range(24)]
            outcomes = [each for client in futures for each in client.result(TIMEOUT)]
    finally:
        logging.disable(logging.NOTSET)
    assert len(outcomes) == 24 * 30
    assert set(outcomes) <= expected
    assert "ok" in outcomes
    assert worker.queue_size() == 0
    assert worker.is_alive
    worker.close()


def test_worker_can_be_closed_during_many_requests() -> None:
    models = FakeModels()
    models.gate.set()
    worker = Worker(models, max_waiting=64)
    ready = threading.Barrier(17)

    def client() -> str:
        ready.wait(TIMEOUT)
        try:
            while True:
                worker.run([colorize(1)])
        except ApiError as error:
            return error.code

    with ThreadPoolExecutor(16) as clients:
        futures = [clients.submit(client) for _ in range(16)]
        ready.wait(TIMEOUT)
        worker.run([colorize(2)])
        worker.close(TIMEOUT)
        assert {each.result(TIMEOUT) for each in futures} == {"shutting_down"}
