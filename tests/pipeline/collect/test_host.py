"""The pace and the pauses of one host; the tests pass the time of every request."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import Host, HostLimits, Hosts

LIMITS = HostLimits(connections=2, per_second=10, host_timeout=600)


def failure(code: str, retry_after: float = 0) -> FetchError:
    status = int(code[5:]) if code.startswith("http_") else None
    return FetchError(code, status=status, retry_after=retry_after)


def request(host: Host, now: float, failed: FetchError | None = None) -> None:
    host.start(now)
    host.finish(now, now, failed)


def test_connections_at_once_are_limited() -> None:
    host = Host("a", LIMITS)
    host.start(0)
    assert host.ready_at() < math.inf
    host.start(0.1)
    assert host.ready_at() == math.inf
    host.finish(0, 1, None)
    assert host.ready_at() <= 1


@given(st.lists(st.floats(0, 0.5), min_size=20, max_size=60))
def test_rate_stays_within_the_limit(pauses: list[float]) -> None:
    host, now, sent = Host("a", LIMITS), 0.0, []
    for pause in pauses:
        now = max(now + pause, host.ready_at())
        request(host, now)
        sent.append(now)
    for first in range(len(sent) - 10):
        assert sent[first + 10] - sent[first] >= 1 - 1e-6


def test_unlimited_host_is_ready_at_once() -> None:
    host = Host("a", HostLimits(connections=2, per_second=0, host_timeout=9))
    for number in range(1000):
        request(host, number / 1e5)
    assert host.ready_at() < 0.0101


def test_429_halves_the_rate_and_good_responses_restore_it() -> None:
    host = Host("a", LIMITS)
    request(host, 0)
    request(host, 1, failure("http_429"))
    slow = host.rate
    assert slow <= 5
    for number in range(10):
        request(host, 2 + number)
    assert slow < host.rate < 10
    for number in range(50):
        request(host, 20 + number)
    assert host.rate == 10


def test_429s_of_requests_in_flight_lower_the_rate_once() -> None:
    host = Host("a", HostLimits(connections=8, per_second=10, host_timeout=600))
    for number in range(4):
        host.start(number / 10)
    for number in range(4):
        host.finish(number / 10, 1 + number / 10, failure("http_429"))
    assert host.rate == pytest.approx(5, abs=1)


def test_retry_after_pauses_the_host() -> None:
    host = Host("a", LIMITS)
    request(host, 10, failure("http_503", retry_after=30))
    assert host.ready_at() == 40
    assert not host.given_up


def test_retry_after_beyond_host_timeout_gives_the_host_up() -> None:
    host = Host("a", LIMITS)
    request(host, 10, failure("http_429", retry_after=3600))
    assert host.given_up


def test_403s_among_good_responses_keep_the_rate() -> None:
    host = Host("a", LIMITS)
    for number in range(40):
        request(host, number, failure("http_403") if number % 2 else None)
    assert host.rate == 10
    assert host.ready_at() <= 40


def test_403s_in_a_row_lower_the_rate_and_pause_the_host() -> None:
    host = Host("a", LIMITS)
    request(host, 0)
    for number in range(1, 9):
        request(host, number, failure("http_403"))
    assert host.rate < 10
    assert host.ready_at() >= 8 + 10


def test_circuit_opens_after_failures_and_a_good_probe_closes_it() -> None:
    host = Host("a", LIMITS)
    request(host, 0)
    for number in range(8):
        request(host, 1 + number, failure("timeout"))
    assert host.ready_at() == 18
    host.start(18)
    assert host.ready_at() == math.inf  # one probe alone
    host.finish(18, 20, failure("timeout"))
    assert host.ready_at() == 40  # twice as long
    request(host, 40)
    assert host.ready_at() <= 40.1
    host.start(41)
    assert host.ready_at() < math.inf  # two again


def test_pauses_double_up_to_five_minutes() -> None:
    host, now = Host("a", HostLimits(connections=2, per_second=10, host_timeout=1e6)), 8.0
    request(host, 0)
    for number in range(7):
        request(host, 1 + number, failure("timeout"))
    pauses = []
    for _ in range(8):
        request(host, now, failure("timeout"))
        pauses.append(host.ready_at() - now)
        now = host.ready_at()
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize("code", ["http_500", "http_502", "http_599"])
def test_errors_of_the_server_open_the_circuit(code: str) -> None:
    host = Host("a", LIMITS)
    request(host, 0)
    for number in range(8):
        request(host, 1 + number, failure(code))
    assert host.ready_at() == 18


def test_url_that_was_not_requested_says_nothing_about_the_host() -> None:
    host = Host("a", LIMITS)
    request(host, 0)
    for number in range(8):
        request(host, 1 + number, failure("timeout"))
        request(host, 1 + number, failure("robots_txt"))  # without a status: no request was sent
    assert host.last_success == 0
    assert host.ready_at() == 18


def test_404s_keep_the_circuit_closed() -> None:
    host = Host("a", LIMITS)
    for number in range(100):
        request(host, number, failure("http_404"))
    assert host.ready_at() <= 100


def test_host_that_never_responded_is_given_up_early() -> None:
    host, now = Host("a", LIMITS), 0.0
    while not host.given_up:
        now = max(now, host.ready_at())
        request(host, now, failure("connection_failed"))
    assert now < 15


def test_host_that_has_responded_is_given_up_after_host_timeout() -> None:
    host, now = Host("a", LIMITS), 0.0
    request(host, 0)
    while not host.given_up:
        now = max(now, host.ready_at())
        request(host, now, failure("http_503"))
    assert 600 < now < 900 + 600


def test_long_pauses_are_notified_with_their_reason() -> None:
    lines: list[str] = []
    host = Host("a.org", LIMITS, lines.append)
    request(host, 0, failure("http_429", retry_after=1))
    request(host, 10, failure("http_429", retry_after=30))
    request(host, 50, failure("http_429", retry_after=9999))
    request(host, 60, failure("http_429", retry_after=9999))
    assert lines == [
        "a.org: no requests for 30 s (http_429)",
        "a.org: no more requests in this run, it asks for a pause of 9999 s",
    ]


def test_crawl_delay_lowers_the_rate() -> None:
    host = Host("a", LIMITS)
    host.set_crawl_delay(0)
    assert host.rate == 10
    host.set_crawl_delay(4)
    for number in range(100):
        request(host, number)
    assert host.rate == 0.25


def test_hosts_returns_the_same_state_for_a_name() -> None:
    hosts = Hosts(lambda name: HostLimits(connections=len(name), per_second=1, host_timeout=1))
    assert hosts.get("abc") is hosts.get("abc")
    assert hosts.get("abc") is not hosts.get("b")


def test_failures_of_requests_that_were_sent_before_a_pause_do_not_prolong_it() -> None:
    host = Host("a", HostLimits(connections=3, per_second=10, host_timeout=600))
    request(host, 0)
    host.start(0.5)
    for number in range(8):
        request(host, 1 + number, failure("timeout"))
    host.finish(0.5, 9, failure("timeout"))
    assert host.ready_at() == 18
    request(host, 18, failure("timeout"))
    assert host.ready_at() == 38


def test_short_pause_does_not_cut_a_longer_one() -> None:
    lines: list[str] = []
    host = Host("a.org", LIMITS, lines.append)
    host.start(9)
    request(host, 10, failure("http_429", retry_after=100))
    host.finish(9, 11, failure("http_429", retry_after=20))
    assert host.ready_at() == 110
    assert lines == ["a.org: no requests for 100 s (http_429)"]
