"""The queue: what is done together and when, who is refused, and that nobody waits for ever."""

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

from pipeline.demo.api_error import Problem
from pipeline.demo.worker import Answer, Job, PaintJob, SimplifyJob, SketchJob, Worker

WAIT = 20  # seconds; only a failing test waits for so long
PIXEL = np.zeros((1, 1), np.uint8)


def paint(number: int) -> PaintJob:
    return PaintJob(PIXEL, None, np.full(1, number, np.float32))


def sketch(number: int, model: str = "xdog") -> SketchJob:
    return SketchJob(model=model, picture=np.full((1, 1, 3), number, np.uint8))


def simplify(number: int, model: str = "centerline") -> SimplifyJob:
    return SimplifyJob(model=model, sketch=np.full((1, 1), number, np.uint8))


def number_of(job: Job) -> int:
    if isinstance(job, PaintJob):
        return int(job.z[0])
    pixels = job.picture if isinstance(job, SketchJob) else job.sketch
    return int(pixels.flat[0])


class Studio:
    """Draws the number of a job, and waits for its gate.

    Attributes:
        batches: numbers of the jobs that were drawn together.
        bad: numbers that cannot be drawn.
        room: jobs that fit into memory at once.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.batches: list[list[int]] = []
        self.bad: dict[int, BaseException] = {}
        self.room = 100

    def draw(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        numbers = [number_of(job) for job in jobs]
        assert len({(job.kind, job.model) for job in jobs}) == 1
        self.batches.append(numbers)
        self.begun.release()
        assert self.gate.wait(WAIT)
        if len(jobs) > self.room:
            raise torch.OutOfMemoryError
        for number in numbers:
            if number in self.bad:
                raise self.bad[number]
        return [np.array([number]) for number in numbers]


class Office:
    """A worker that many ask; a first job keeps it busy while the others line up."""

    def __init__(self, most_waiting: int = 64) -> None:
        self.studio = Studio()
        self.worker = Worker(self.studio, most_waiting)
        self._clients = ThreadPoolExecutor(100)
        self._waiting = 0

    def ask(self, *jobs: Job, adds: int | None = None, **how: Any) -> "Future[Answer]":
        """Asks in a thread; returns when the jobs are in the queue."""
        entered = threading.Event()
        self._waiting += len(jobs) if adds is None else adds

        def gone() -> bool:
            entered.set()
            return bool(how["gone"]()) if "gone" in how else False

        asked = self._clients.submit(self.worker.ask, jobs, **{**how, "gone": gone})
        while not asked.done() and self.worker.waiting() != self._waiting:
            entered.wait(0.001)
        return asked

    def busy(self) -> "Future[Answer]":
        """The worker has begun a job, and will not end it before its gate opens."""
        asked = self._clients.submit(self.worker.ask, [paint(0)])
        assert self.studio.begun.acquire(timeout=WAIT)
        return asked

    def go(self) -> None:
        self.studio.gate.set()

    def close(self) -> None:
        self.go()
        self.worker.close()
        self._clients.shutdown()


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.close()


@pytest.fixture
def small_office() -> Iterator[Office]:
    made = Office(most_waiting=8)
    yield made
    made.close()


def numbers(asked: "Future[Answer]") -> list[int]:
    return [int(result[0]) for result in asked.result(WAIT).results]


def code(asked: "Future[Answer]") -> str:
    error = asked.exception(WAIT)
    assert isinstance(error, Problem), error
    return error.code


def test_one_job_at_a_time_where_nobody_waits(office: Office) -> None:
    office.go()
    for number in range(3):
        answer = office.worker.ask([paint(number)])
        assert [int(result[0]) for result in answer.results] == [number]
        assert 0 <= answer.waited <= answer.seconds < WAIT
    assert office.studio.batches == [[0], [1], [2]]


def test_what_has_piled_up_is_done_together(office: Office) -> None:
    office.busy()
    asked = [office.ask(paint(number)) for number in range(1, 11)]
    assert office.worker.waiting() == 10
    office.go()
    assert [numbers(each) for each in asked] == [[number] for number in range(1, 11)]
    assert office.studio.batches == [[0], list(range(1, 9)), [9, 10]]
    assert office.worker.waiting() == 0


def test_smaller_batches() -> None:
    studio = Studio()
    studio.gate.set()
    worker = Worker(studio, 64, at_once=3)
    answer = worker.ask([paint(number) for number in range(7)])
    assert [int(result[0]) for result in answer.results] == list(range(7))
    assert studio.batches == [[0, 1, 2], [3, 4, 5], [6]]
    worker.close()


def test_the_oldest_says_what_is_next(office: Office) -> None:
    """Jobs of one kind join it from anywhere in the queue; no kind waits for ever."""
    office.busy()
    jobs = [sketch(1), paint(2), simplify(3), sketch(4, "sketchkeras"), paint(5), sketch(6)]
    asked = [office.ask(job) for job in jobs]
    office.go()
    assert [numbers(each) for each in asked] == [[1], [2], [3], [4], [5], [6]]
    assert office.studio.batches == [[0], [1, 6], [2, 5], [3], [4]]


def test_the_jobs_of_a_request_come_back_in_order_from_two_batches(office: Office) -> None:
    office.busy()
    first = office.ask(*(paint(number) for number in range(1, 6)))
    second = office.ask(*(paint(number) for number in range(6, 13)))
    third = office.ask(paint(13))
    office.go()
    assert numbers(first) == [1, 2, 3, 4, 5]
    assert numbers(second) == list(range(6, 13))
    assert numbers(third) == [13]
    assert office.studio.batches == [[0], list(range(1, 9)), list(range(9, 14))]


def test_time_in_the_queue_is_said(office: Office) -> None:
    office.busy()
    asked = office.ask(paint(1))
    threading.Event().wait(0.05)
    office.go()
    answer = asked.result(WAIT)
    assert 0.05 <= answer.waited <= answer.seconds


def test_a_full_queue(small_office: Office) -> None:
    office = small_office
    office.busy()
    asked = [office.ask(*(paint(number) for number in range(1, 7)))]
    asked.append(office.ask(paint(7)))
    with pytest.raises(Problem, match="7 pictures wait") as refused:
        office.worker.ask([paint(8), paint(9)])
    assert refused.value.code == "queue_full"
    assert refused.value.headers == {"Retry-After": "1"}
    asked.append(office.ask(paint(8)))
    assert code(office.ask(sketch(9), adds=0)) == "queue_full"
    office.go()
    assert [numbers(each) for each in asked] == [[1, 2, 3, 4, 5, 6], [7], [8]]
    assert numbers(office.ask(paint(9))) == [9]  # there is room again


def test_a_newer_painting_of_a_page_takes_the_place_of_the_older(office: Office) -> None:
    office.busy()
    older = office.ask(paint(1), page="a")
    other = office.ask(sketch(2))
    stranger = office.ask(paint(3), page="b")
    newer = office.ask(paint(4), adds=0, page="a")
    assert code(older) == "superseded"
    newest = office.ask(paint(5), paint(6), adds=1, page="a")
    assert code(newer) == "superseded"
    office.go()
    assert numbers(newest) == [5, 6]
    assert numbers(other) == [2]
    assert numbers(stranger) == [3]
    assert office.studio.batches == [[0], [5, 6, 3], [2]]


def test_nothing_else_of_a_page_is_replaced(office: Office) -> None:
    office.busy()
    asked = [office.ask(job, page="a") for job in (sketch(1), simplify(2), paint(3), sketch(4))]
    asked += [office.ask(paint(number), page=None) for number in (5, 6)]
    office.go()
    assert [numbers(each) for each in asked] == [[number] for number in range(1, 7)]


def test_what_is_begun_is_not_replaced(office: Office) -> None:
    first = office._clients.submit(office.worker.ask, [paint(1)], page="a")
    assert office.studio.begun.acquire(timeout=WAIT)
    second = office.ask(paint(2), page="a")
    office.go()
    assert numbers(first) == [1]
    assert numbers(second) == [2]


def test_a_newer_painting_needs_no_more_room_than_the_older(small_office: Office) -> None:
    office = small_office
    office.busy()
    older = office.ask(*map(paint, range(1, 4)), page="a")
    others = [office.ask(paint(number)) for number in range(4, 9)]
    too_many = office.ask(*map(paint, range(9, 13)), adds=0, page="a")
    assert code(too_many) == "queue_full"
    newer = office.ask(*map(paint, range(9, 12)), adds=0, page="a")
    assert code(older) == "superseded"
    office.go()
    assert numbers(newer) == [9, 10, 11]
    assert [numbers(each) for each in others] == [[number] for number in range(4, 9)]


def test_who_has_gone_is_not_painted_for(office: Office) -> None:
    office.busy()
    left = threading.Event()
    leaving = office.ask(paint(1), gone=left.is_set)
    staying = office.ask(paint(2))
    left.set()
    office.go()
    assert code(leaving) == "client_gone"
    assert numbers(staying) == [2]
    assert office.studio.batches == [[0], [2]]


def test_who_has_gone_makes_room(small_office: Office) -> None:
    office = small_office
    office.busy()
    left = threading.Event()
    leaving = office.ask(*map(paint, range(1, 9)), gone=left.is_set)
    left.set()
    staying = office.ask(paint(9), adds=-7)
    assert code(leaving) == "client_gone"
    office.go()
    assert numbers(staying) == [9]


def test_one_bad_job_takes_no_others_with_it(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.busy()
    office.studio.bad[3] = ValueError("a bad job")
    asked = [office.ask(paint(number)) for number in (1, 2)]
    bad = office.ask(paint(3), paint(4))
    asked.append(office.ask(paint(5)))
    office.go()
    assert [numbers(each) for each in asked] == [[1], [2], [5]]
    assert code(bad) == "failed"
    assert office.studio.batches == [[0], [1, 2, 3, 4, 5], [1], [2], [3], [4], [5]]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "a bad job" in caplog.text
    assert numbers(office.ask(paint(6))) == [6]
    assert office.worker.alive


def test_the_rest_of_a_request_that_failed_is_left_out(office: Office) -> None:
    office.busy()
    office.studio.bad[1] = ValueError("a bad job")
    asked = office.ask(*map(paint, range(1, 13)))
    office.go()
    assert code(asked) == "failed"
    assert office.worker.waiting() == 0
    assert not {9, 10, 11, 12} & {number for batch in office.studio.batches for number in batch}


def test_a_wrong_number_of_results_is_a_failure(office: Office) -> None:
    office.go()
    office.studio.draw = lambda jobs: []  # type: ignore[method-assign]  # noqa: ARG005
    assert code(office.ask(paint(1))) == "failed"
    assert office.worker.alive


def test_what_does_not_fit_is_halved_from_then_on(office: Office) -> None:
    office.busy()
    office.studio.room = 3
    asked = [office.ask(paint(number)) for number in range(1, 13)]
    office.go()
    assert [numbers(each) for each in asked] == [[number] for number in range(1, 13)]
    assert [len(batch) for batch in office.studio.batches] == [1, 8, 4, 2, 2, 4, 2, 2, 2, 2]


def test_a_picture_that_does_not_fit_by_itself(office: Office) -> None:
    office.studio.room = 0
    office.go()
    with pytest.raises(Problem, match="does not fit into the device's memory") as failed:
        office.worker.ask([paint(1)])
    assert failed.value.code == "failed"
    office.studio.room = 100
    assert numbers(office.ask(paint(2))) == [2]


def test_whoever_waits_when_it_closes_is_told(office: Office) -> None:
    running = office.busy()
    waiting = [office.ask(paint(1)), office.ask(sketch(2))]
    closing = office._clients.submit(office.worker.close, WAIT)
    assert [code(each) for each in waiting] == ["shutting_down"] * 2
    office.go()
    closing.result(WAIT)
    assert numbers(running) == [0]
    assert not office.worker.alive
    with pytest.raises(Problem) as refused:
        office.worker.ask([paint(3)])
    assert refused.value.code == "shutting_down"
    office.worker.close()  # once more


def test_it_does_not_wait_long_for_what_runs(office: Office) -> None:
    running = office.busy()
    office.worker.close(patience=0)
    assert code(running) == "shutting_down"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_leaves_nobody_waiting(office: Office) -> None:
    running = office.busy()
    waiting = office.ask(paint(1))
    office.studio.bad[0] = SystemExit()
    office.go()
    assert [code(running), code(waiting)] == ["shutting_down"] * 2
    office.worker._thread.join(WAIT)
    assert not office.worker.alive
    assert code(office.ask(paint(2), adds=0)) == "shutting_down"


@pytest.mark.parametrize("seed", range(5))
def test_of_many_at_once_everybody_gets_an_answer(seed: int) -> None:
    """Pages that repeat themselves, clients that go, bad jobs, and little memory."""
    studio = Studio()
    studio.gate.set()
    studio.bad = {number: ValueError() for number in range(0, 250, 17)}
    studio.room = 5
    worker = Worker(studio, most_waiting=16)
    expected = {"ok", "superseded", "client_gone", "queue_full", "failed"}
    start = threading.Barrier(24)

    def client(number: int) -> list[str]:
        chance = random.Random(1000 * seed + number)
        ended = []
        start.wait(WAIT)
        for _ in range(30):
            make: Callable[[int], Job] = chance.choice([paint, paint, paint, sketch, simplify])
            asked = [chance.randrange(250) for _ in range(chance.choice([1, 1, 1, 8]))]
            gone = chance.random() < 0.05
            page = chance.choice([None, "a", "b"])
            try:
                answer = worker.ask(
                    [make(each) for each in asked], page=page, gone=lambda gone=gone: gone
                )
            except Problem as problem:
                ended.append(problem.code)
            else:
                assert [int(result[0]) for result in answer.results] == asked
                assert not set(asked) & set(studio.bad)
                ended.append("ok")
        return ended

    logging.disable()
    try:
        with ThreadPoolExecutor(24) as clients:
            asked = [clients.submit(client, number) for number in range(24)]
            ended = [each for client in asked for each in client.result(WAIT)]
    finally:
        logging.disable(logging.NOTSET)
    assert len(ended) == 24 * 30
    assert set(ended) <= expected
    assert "ok" in ended
    assert worker.waiting() == 0
    assert worker.alive
    worker.close()


def test_it_may_be_closed_while_many_ask() -> None:
    studio = Studio()
    studio.gate.set()
    worker = Worker(studio, most_waiting=64)
    begun = threading.Barrier(17)

    def client() -> str:
        begun.wait(WAIT)
        try:
            while True:
                worker.ask([paint(1)])
        except Problem as problem:
            return problem.code

    with ThreadPoolExecutor(16) as clients:
        asked = [clients.submit(client) for _ in range(16)]
        begun.wait(WAIT)
        worker.ask([paint(2)])
        worker.close(WAIT)
        assert {each.result(WAIT) for each in asked} == {"shutting_down"}
