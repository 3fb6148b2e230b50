"""Whose server gets how many requests: other people's by the options, our own as it can respond."""

import pytest

from benchmarks.harness.web import Web
from pipeline.collect.client import PoliteClient
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.options import DownloadOptions
from tests.pipeline.collect.fake_clock import FakeClock

OWN, OTHER = "safebooru.example", "other.example"


def starts(client: PoliteClient, clock: FakeClock, name: str, requests: int) -> float:
    """Return the seconds until a host may have got a number of requests, each done at once."""
    begin = clock()
    with client.hosts.changed:
        host = client.hosts.get(name)
        for _ in range(requests):
            clock.now = max(clock.now, host.ready_at())
            host.start(clock.now)
            host.finish(clock.now, clock.now, None)
    return clock() - begin


def client_of(clock: FakeClock) -> PoliteClient:
    return PoliteClient(
        options=DownloadOptions(),
        allowed_hosts=(OWN, OTHER),
        connect_to={OWN: "127.0.0.1:9"},
        clock=clock,
        wait=clock.wait,
    )


def test_only_our_own_server_has_no_rate() -> None:
    clock = FakeClock()
    client = client_of(clock)
    assert starts(client, clock, OWN, 301) < 0.01
    assert starts(client, clock, OTHER, 301) == pytest.approx(30, abs=0.5)


def test_our_own_server_gets_no_more_requests_than_it_can_respond_to() -> None:
    clock = FakeClock()
    client = client_of(clock)
    with client.hosts.changed:
        host = client.hosts.get(OWN)
        for _ in range(8):
            assert host.ready_at() <= clock.now + 1e-3
            host.start(clock.now)
        assert host.ready_at() == float("inf")


def test_robots_txt_of_other_hosts_is_respected(web: Web) -> None:
    web.put("/robots.txt", web.page(b"User-agent: *\nDisallow: /"))
    options = DownloadOptions(allow_private=True)
    client = PoliteClient(
        options=options, allowed_hosts=("127.0.0.1",), connect_to={OWN: web.address}
    )
    with pytest.raises(FetchError, match="robots_txt"):
        client.get(f"http://{web.address}/a")
