"""The pace and the pauses of one host, on a clock of the test's own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import Host, HostLimits, Hosts

LIMITS = HostLimits(connections=2, per_second=10, patience=600)


def failure(code: str, wait: float = 0) -> FetchError:
    status = int(code[5:]) if code.startswith("http_") else None
    return FetchError(code, status=status, wait=wait)


def ask(host: Host, now: float, result: FetchError | None = None) -> None:
    host.start(now)
    host.end(now, now, result)


def test_connections_are_limited() -> None:
    host = Host("a", LIMITS)
    host.start(0)
    assert host.ready_at() < math.inf
    host.start(0.1)
    assert host.ready_at() == math.inf
    host.end(0, 1, None)
    assert host.ready_at() <= 1


@given(st.lists(st.floats(0, 0.5), min_size=20, max_size=60))
def test_never_faster_than_the_limit(pauses: list[float]) -> None:
    host, now, sent = Host("a", LIMITS), 0.0, []
    for pause in pauses:
        now = max(now + pause, host.ready_at())
        ask(host, now)
        sent.append(now)
    for first in range(len(sent) - 10):
        assert sent[first + 10] - sent[first] >= 1 - 1e-6


def test_without_a_limit_there_is_no_pace() -> None:
    host = Host("a", HostLimits(connections=2, per_second=0, patience=9))
    for number in range(1000):
        ask(host, number / 1e5)
    assert host.ready_at() < 0.0101


def test_a_refusal_halves_the_pace_and_good_answers_bring_it_back() -> None:
    host = Host("a", LIMITS)
    ask(host, 0)
    ask(host, 1, failure("http_429"))
    slow = host.rate
    assert slow <= 5
    for number in range(10):
        ask(host, 2 + number)
    assert slow < host.rate < 10
    for number in range(50):
        ask(host, 20 + number)
    assert host.rate == 10


def test_refusals_of_requests_that_were_on_their_way_count_once() -> None:
    host = Host("a", HostLimits(connections=8, per_second=10, patience=600))
    for number in range(4):
        host.start(number / 10)
    for number in range(4):
        host.end(number / 10, 1 + number / 10, failure("http_429"))
    assert host.rate == pytest.approx(5, abs=1)


def test_waits_as_long_as_the_host_says() -> None:
    host = Host("a", LIMITS)
    ask(host, 10, failure("http_503", wait=30))
    assert host.ready_at() == 40
    assert not host.given_up


def test_a_host_that_asks_for_more_than_our_patience_is_given_up() -> None:
    host = Host("a", LIMITS)
    ask(host, 10, failure("http_429", wait=3600))
    assert host.given_up


def test_some_403_among_good_answers_are_no_signal() -> None:
    host = Host("a", LIMITS)
    for number in range(40):
        ask(host, number, failure("http_403") if number % 2 else None)
    assert host.rate == 10
    assert host.ready_at() <= 40


def test_403_alone_is_a_signal() -> None:
    host = Host("a", LIMITS)
    ask(host, 0)
    for number in range(1, 9):
        ask(host, number, failure("http_403"))
    assert host.rate < 10
    assert host.ready_at() >= 8 + 10


def test_the_circuit_opens_and_a_probe_closes_it() -> None:
    host = Host("a", LIMITS)
    ask(host, 0)
    for number in range(8):
        ask(host, 1 + number, failure("timeout"))
    assert host.ready_at() == 18
    host.start(18)
    assert host.ready_at() == math.inf  # one probe alone
    host.end(18, 20, failure("timeout"))
    assert host.ready_at() == 40  # twice as long
    ask(host, 40)
    assert host.ready_at() <= 40.1
    host.start(41)
    assert host.ready_at() < math.inf  # two again


def test_dead_pictures_do_not_open_it() -> None:
    host = Host("a", LIMITS)
    for number in range(100):
        ask(host, number, failure("http_404"))
    assert host.ready_at() <= 100


def test_a_host_that_never_answered_is_given_up_soon() -> None:
    host, now = Host("a", LIMITS), 0.0
    while not host.given_up:
        now = max(now, host.ready_at())
        ask(host, now, failure("connection_failed"))
    assert now < 15


def test_a_host_that_has_answered_is_given_up_when_patience_ends() -> None:
    host, now = Host("a", LIMITS), 0.0
    ask(host, 0)
    while not host.given_up:
        now = max(now, host.ready_at())
        ask(host, now, failure("http_503"))
    assert 600 < now < 900 + 600


def test_says_why_it_waits() -> None:
    told: list[str] = []
    host = Host("a.org", LIMITS, told.append)
    ask(host, 0, failure("http_429", wait=1))
    ask(host, 10, failure("http_429", wait=30))
    ask(host, 50, failure("http_429", wait=9999))
    ask(host, 60, failure("http_429", wait=9999))
    assert told == [
        "a.org is left in peace for 30 s (http_429)",
        "a.org is left for a later run: it asks for a pause of 9999 s",
    ]


def test_a_host_may_want_to_be_asked_less_often() -> None:
    host = Host("a", LIMITS)
    host.slow_to(0)
    assert host.rate == 10
    host.slow_to(4)
    for number in range(100):
        ask(host, number)
    assert host.rate == 0.25


def test_hosts_keep_their_state() -> None:
    hosts = Hosts(lambda name: HostLimits(connections=len(name), per_second=1, patience=1))
    assert hosts.get("abc") is hosts.get("abc")
    assert hosts.get("abc") is not hosts.get("b")
