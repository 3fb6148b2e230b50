"""The order of requests, on a `FakeClock` if time matters."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import HostLimits, Hosts
from pipeline.collect.schedule import Job, Schedule, backoff
from tests.pipeline.collect.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hosts(clock: FakeClock) -> Hosts:
    limits = HostLimits(connections=2, per_second=1, host_timeout=100)
    return Hosts(lambda _: limits, clock=clock, wait=clock.wait)


A, B = "http://a.org", "http://b.org"


def failure(code: str, retry_after: float = 0, host: str = "") -> FetchError:
    status = int(code[5:]) if code.startswith("http_") else None
    return FetchError(code, status=status, retry_after=retry_after, host=host)


def next_job(schedule: Schedule) -> Job:
    job = schedule.next_job()
    assert job
    return job


def test_hosts_do_not_delay_each_other(clock: FakeClock, hosts: Hosts) -> None:
    urls = {n: f"{A if n < 5 else B}/{n}" for n in range(10)}
    schedule = Schedule(urls, hosts, 0)
    started = []
    while job := schedule.next_job():
        started.append((clock.now, job.post_id))
        assert schedule.finish(job, None) == "ok"
    assert sorted(post_id for _, post_id in started) == list(urls)
    assert clock.now == pytest.approx(4)  # five of each host, a second between two
    assert {post_id for now, post_id in started if now == 0} == {0, 5}


def test_paused_host_does_not_delay_others(clock: FakeClock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1", 2: f"{A}/2", 3: f"{B}/3", 4: f"{B}/4"}, hosts, 3)
    job = next_job(schedule)
    assert schedule.finish(job, failure("http_429", retry_after=50)) is None
    order = [next_job(schedule) for _ in range(2)]
    assert [job.post_id for job in order] == [3, 4]
    assert clock.now < 5
    for job in order:
        schedule.finish(job, None)
    assert next_job(schedule).post_id in (1, 2)
    assert clock.now >= 50


def test_transient_failure_is_retried_with_backoff_then_final(
    clock: FakeClock, hosts: Hosts
) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 3)
    for tries in range(1, 5):
        job = next_job(schedule)
        assert job.tries == tries
        assert schedule.finish(job, failure("http_500")) == ("http_500" if tries == 4 else None)
    assert schedule.next_job() is None
    assert clock.now >= 0.5 + 1 + 2


@pytest.mark.parametrize("host", ["", "b.org"])
def test_job_waits_as_long_as_the_server_asks(clock: FakeClock, hosts: Hosts, host: str) -> None:
    """Even if its own host need not pause: after a 500, and after a redirect to another host."""
    schedule = Schedule({1: f"{A}/1"}, hosts, 3)
    error = failure("http_500", retry_after=50, host=host)
    assert schedule.finish(next_job(schedule), error) is None
    assert hosts.get("a.org").ready_at() < 2
    next_job(schedule)
    assert 50 <= clock.now < 52


def test_permanent_failure_is_final(hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 3)
    assert schedule.finish(next_job(schedule), failure("http_404")) == "http_404"
    assert schedule.next_job() is None


@pytest.mark.parametrize("served", [True, False])
def test_403_is_about_the_file_if_the_host_served_others(hosts: Hosts, served: bool) -> None:
    schedule = Schedule({1: f"{A}/1", 2: f"{A}/2"}, hosts, 3)
    error = failure("http_403")
    assert schedule.finish(next_job(schedule), error) is None
    other = next_job(schedule)
    while other.post_id == 1:
        assert schedule.finish(other, failure("http_403")) is None
        other = next_job(schedule)
    assert schedule.finish(other, None if served else failure("http_404"))
    assert schedule.finish(next_job(schedule), error) == "http_403"


def test_403_is_final_when_it_comes_twice(hosts: Hosts) -> None:
    """Even if the host served another during the first try: once may be "slow down"."""
    schedule = Schedule({1: f"{A}/1", 2: f"{A}/2"}, hosts, 3)
    first, other = next_job(schedule), next_job(schedule)
    assert schedule.finish(other, None) == "ok"
    assert hosts.get("a.org").last_success > first.first_started
    assert schedule.finish(first, failure("http_403")) is None
    again = next_job(schedule)
    assert (again.post_id, again.tries) == (first.post_id, 2)
    assert schedule.finish(again, failure("http_403")) == "http_403"


def test_403_on_every_url_is_shut_out(hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 1)
    assert schedule.finish(next_job(schedule), failure("http_403")) is None
    assert schedule.finish(next_job(schedule), failure("http_403")) == "shut_out"


def test_jobs_of_a_given_up_host_are_returned_without_waiting(
    clock: FakeClock, hosts: Hosts
) -> None:
    schedule = Schedule({n: f"{A}/{n}" for n in range(30)}, hosts, 0)
    assert schedule.finish(next_job(schedule), failure("http_429", retry_after=101))
    before = clock.now
    rest = [next_job(schedule) for _ in range(29)]
    assert all(job.given_up and job.tries == 0 for job in rest)
    assert clock.now == before
    assert all(schedule.finish(job, failure("host_unavailable")) for job in rest)
    assert schedule.next_job() is None


def test_job_of_a_given_up_host_keeps_its_last_failure(hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1", 2: f"{A}/2", 3: f"{A}/3"}, hosts, 3)
    first, second = next_job(schedule), next_job(schedule)
    assert schedule.finish(first, failure("timeout")) is None
    assert schedule.finish(second, failure("http_429", retry_after=101))
    codes = {}
    while job := schedule.next_job():
        with pytest.raises(FetchError) as caught:
            job.raise_if_given_up()
        codes[job.post_id] = caught.value.code
        schedule.finish(job, caught.value)
    assert codes == {first.post_id: "timeout", 3: "host_unavailable"}


def test_failure_after_a_redirect_counts_for_the_second_host(
    clock: FakeClock, hosts: Hosts
) -> None:
    schedule = Schedule({n: f"{A}/{n}" for n in range(20)}, hosts, 0)
    while job := schedule.next_job():
        with pytest.raises(FetchError) as caught, schedule.slot("b.org", clock.now + 1000):
            raise failure("timeout")
        schedule.finish(job, caught.value)
    assert not hosts.get("a.org").given_up
    assert hosts.get("a.org").ready_at() <= clock.now + 1
    assert hosts.get("b.org").given_up


def test_slot_is_not_awaited_past_the_deadline(clock: FakeClock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 0)
    hosts.get("b.org").start(0)
    hosts.get("b.org").start(0)
    with pytest.raises(FetchError) as caught, schedule.slot("b.org", clock.now + 5):
        pass
    assert caught.value.code == "host_unavailable"
    assert 5 <= clock.now < 8


def test_stop_ends_all_waiting_threads() -> None:
    hosts = Hosts(lambda _: HostLimits(connections=1, per_second=0.01, host_timeout=100))
    schedule = Schedule({n: f"{A}/{n}" for n in range(9)}, hosts, 0)
    next_job(schedule)
    threads = [threading.Thread(target=schedule.next_job) for _ in range(4)]
    for thread in threads:
        thread.start()
    schedule.stop()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_invalid_urls_are_handed_out_at_once() -> None:
    free = HostLimits(connections=99, per_second=0, host_timeout=100)
    schedule = Schedule({1: "http://[", 2: "data:,x"}, Hosts(lambda _: free), 0)
    assert [next_job(schedule).host for _ in range(2)] == ["", ""]


def test_backoff_doubles_with_jitter() -> None:
    for tries in range(6):
        assert 2**tries / 2 <= backoff(tries) <= 2**tries
    assert len({backoff(0) for _ in range(9)}) > 1  # not all threads at once


RESULTS = st.sampled_from([None, "http_404", "http_429", "timeout", "http_403", "incomplete"])


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.lists(RESULTS, min_size=4, max_size=4))))
def test_every_url_gets_one_final_code(jobs: list[tuple[str, list[str | None]]]) -> None:
    clock, finished = FakeClock(), []
    limits = HostLimits(connections=2, per_second=10, host_timeout=500)
    hosts = Hosts(lambda _: limits, clock=clock, wait=clock.wait)
    schedule = Schedule({n: f"{host}/{n}" for n, (host, _) in enumerate(jobs)}, hosts, 3)
    while job := schedule.next_job():
        code = "host_unavailable" if job.given_up else jobs[job.post_id][1][job.tries - 1]
        if schedule.finish(job, failure(code) if code else None):
            finished.append(job.post_id)
    assert sorted(finished) == list(range(len(jobs)))


def test_threads_share_the_jobs_within_the_limit() -> None:
    free = Hosts(lambda _: HostLimits(connections=4, per_second=0, host_timeout=100))
    schedule = Schedule({n: f"{A}/{n}" for n in range(400)}, free, 0)
    started: list[int] = []
    in_flight, max_in_flight, lock = 0, 0, threading.Lock()

    def work(take_next: Callable[[], Job | None] = schedule.next_job) -> None:
        nonlocal in_flight, max_in_flight
        while job := take_next():
            with lock:
                in_flight += 1
                max_in_flight = max(max_in_flight, in_flight)
                started.append(job.post_id)
            with lock:
                in_flight -= 1
            schedule.finish(job, None)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert sorted(started) == list(range(400))
    assert max_in_flight <= 4


def test_slot_of_a_given_up_host_is_refused_at_once(clock: FakeClock, hosts: Hosts) -> None:
    schedule = Schedule({1: f"{A}/1"}, hosts, 0)
    host = hosts.get("b.org")
    host.start(0)
    host.finish(0, 0, failure("http_429", retry_after=101))
    assert host.given_up
    with pytest.raises(FetchError) as caught, schedule.slot("b.org", clock.now + 500):
        pass
    assert (caught.value.code, clock.now) == ("host_unavailable", 0)
