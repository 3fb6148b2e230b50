"""Which URL comes when, on a clock of the test's own where time matters."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import HostLimits, Hosts
from pipeline.collect.schedule import Job, Schedule, back_off


class Clock:
    """Moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hosts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    made = Hosts(lambda _: HostLimits(connections=2, per_second=1, patience=100))

    def wait(seconds: float) -> bool:
        clock.now += max(seconds, 1e-6)
        return True

    monkeypatch.setattr(made.changed, "wait", wait)
    return made


Urls = dict[int, str]
A, B = "http://a.org", "http://b.org"


def failure(code: str, wait: float = 0, host: str = "") -> FetchError:
    status = int(code[5:]) if code.startswith("http_") else None
    return FetchError(code, status=status, wait=wait, host=host)


def take(schedule: Schedule) -> Job:
    job = schedule.next()
    assert job
    return job


def test_hosts_do_not_hold_up_one_another(clock: Clock, hosts: Hosts) -> None:
    urls = {n: f"{A if n < 5 else B}/{n}" for n in range(10)}
    schedule = Schedule(urls, hosts, 0, clock)
    seen = []
    while job := schedule.next():
        seen.append((clock.now, job.post_id))
        assert schedule.end(job, None)
    assert sorted(post_id for _, post_id in seen) == list(urls)
    assert clock.now == pytest.approx(4)  # five of each host, a second between two
    assert {post_id for now, post_id in seen if now == 0} == {0, 5}


def test_a_paused_host_lets_the_others_go_on(clock: Clock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1", 2: f"{A}/2", 3: f"{B}/3", 4: f"{B}/4"}, hosts, 3, clock)
    job = take(schedule)
    assert not schedule.end(job, failure("http_429", wait=50))
    order = [take(schedule) for _ in range(2)]
    assert [job.post_id for job in order] == [3, 4]
    assert clock.now < 5
    for job in order:
        schedule.end(job, None)
    assert take(schedule).post_id in (1, 2)
    assert clock.now >= 50


def test_what_may_pass_is_tried_again_and_then_given_up(clock: Clock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 3, clock)
    for tries in range(1, 5):
        job = take(schedule)
        assert job.tries == tries
        assert schedule.end(job, failure("http_500")) == (tries == 4)
    assert schedule.next() is None
    assert clock.now >= 0.5 + 1 + 2


def test_what_lasts_is_final(clock: Clock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 3, clock)
    assert schedule.end(take(schedule), failure("http_404"))
    assert schedule.next() is None


@pytest.mark.parametrize("served", [True, False])
def test_403_means_the_file_where_others_were_served(
    clock: Clock, hosts: Hosts, served: bool
) -> None:
    schedule = Schedule({1: f"{A}/1", 2: f"{A}/2"}, hosts, 3, clock)
    error = failure("http_403")
    assert not schedule.end(take(schedule), error)
    other = take(schedule)
    while other.post_id == 1:
        assert not schedule.end(other, failure("http_403"))
        other = take(schedule)
    assert schedule.end(other, None if served else failure("http_404")) is True
    again = take(schedule)
    assert schedule.end(again, error) is True
    assert error.code == "http_403"


def test_403_for_everything_is_for_another_day(clock: Clock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 1, clock)
    assert not schedule.end(take(schedule), failure("http_403"))
    error = failure("http_403")
    assert schedule.end(take(schedule), error)
    assert error.code == "shut_out"


def test_the_urls_of_a_host_that_is_given_up_come_back_at_once(clock: Clock, hosts: Hosts) -> None:
    schedule = Schedule({n: f"{A}/{n}" for n in range(30)}, hosts, 0, clock)
    assert schedule.end(take(schedule), failure("http_429", wait=101))
    before = clock.now
    rest = [take(schedule) for _ in range(29)]
    assert all(job.given_up and job.tries == 0 for job in rest)
    assert clock.now == before
    assert all(schedule.end(job, failure("host_unavailable")) for job in rest)
    assert schedule.next() is None


def test_what_failed_before_its_host_was_given_up_says_how(clock: Clock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1", 2: f"{A}/2", 3: f"{A}/3"}, hosts, 3, clock)
    first, second = take(schedule), take(schedule)
    assert not schedule.end(first, failure("timeout"))
    assert schedule.end(second, failure("http_429", wait=101))
    codes = {}
    while job := schedule.next():
        with pytest.raises(FetchError) as caught:
            job.refuse()
        codes[job.post_id] = caught.value.code
        schedule.end(job, caught.value)
    assert codes == {first.post_id: "timeout", 3: "host_unavailable"}


def test_a_redirect_to_a_host_in_trouble_is_not_the_first_ones_fault(
    clock: Clock, hosts: Hosts
) -> None:
    schedule = Schedule({n: f"{A}/{n}" for n in range(20)}, hosts, 0, clock)
    while job := schedule.next():
        with pytest.raises(FetchError) as caught, schedule.visit("b.org", clock.now + 1000):
            raise failure("timeout")
        schedule.end(job, caught.value)
    assert not hosts.get("a.org").given_up
    assert hosts.get("a.org").ready_at() <= clock.now + 1
    assert hosts.get("b.org").given_up


def test_a_visit_does_not_wait_past_the_deadline(clock: Clock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 0, clock)
    hosts.get("b.org").start(0)
    hosts.get("b.org").start(0)
    with pytest.raises(FetchError) as caught, schedule.visit("b.org", clock.now + 5):
        pass
    assert caught.value.code == "host_unavailable"
    assert 5 <= clock.now < 8


def test_stop_wakes_everybody() -> None:
    hosts = Hosts(lambda _: HostLimits(connections=1, per_second=0.01, patience=100))
    schedule = Schedule({n: f"{A}/{n}" for n in range(9)}, hosts, 0)
    take(schedule)
    threads = [threading.Thread(target=schedule.next) for _ in range(4)]
    for thread in threads:
        thread.start()
    schedule.stop()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_urls_that_are_none_wait_for_nobody() -> None:
    free = HostLimits(connections=99, per_second=0, patience=100)
    schedule = Schedule({1: "http://[", 2: "data:,x"}, Hosts(lambda _: free), 0)
    assert [take(schedule).host for _ in range(2)] == ["", ""]


def test_backs_off_further_each_time() -> None:
    for tries in range(6):
        assert 2**tries / 2 <= back_off(tries) <= 2**tries
    assert len({back_off(0) for _ in range(9)}) > 1  # not all threads at once


FATES = st.sampled_from([None, "http_404", "http_429", "timeout", "http_403", "incomplete"])


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.lists(FATES, min_size=4, max_size=4))))
def test_every_url_comes_to_one_end(jobs: list[tuple[str, list[str | None]]]) -> None:
    clock, ended = Clock(), []
    hosts = Hosts(lambda _: HostLimits(connections=2, per_second=10, patience=500))
    hosts.changed.wait = lambda seconds: bool(setattr(clock, "now", clock.now + seconds + 1e-6))  # type: ignore[method-assign,assignment]
    schedule = Schedule({n: f"{host}/{n}" for n, (host, _) in enumerate(jobs)}, hosts, 3, clock)
    while job := schedule.next():
        code = "host_unavailable" if job.given_up else jobs[job.post_id][1][job.tries - 1]
        if schedule.end(job, failure(code) if code else None):
            ended.append(job.post_id)
    assert sorted(ended) == list(range(len(jobs)))


def test_threads_share_the_work() -> None:
    free = Hosts(lambda _: HostLimits(connections=4, per_second=0, patience=100))
    schedule = Schedule({n: f"{A}/{n}" for n in range(400)}, free, 0)
    seen: list[int] = []
    count, most, lock = 0, 0, threading.Lock()

    def work(take_next: Callable[[], Job | None] = schedule.next) -> None:
        nonlocal count, most
        while job := take_next():
            with lock:
                count += 1
                most = max(most, count)
                seen.append(job.post_id)
            with lock:
                count -= 1
            schedule.end(job, None)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert sorted(seen) == list(range(400))
    assert most <= 4
