"""Clients that are slow, or that send what is no HTTP: others get their responses all the same."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline.demo import connections
from pipeline.demo.connections import MAX_PER_ADDRESS
from tests.pipeline.demo.small_server import MAX_BODY, TIMEOUT, echo, read_error, served

Connection = http.client.HTTPConnection
HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections may wait for half a second where there are too many."""
    monkeypatch.setattr(connections, "PATIENCE", 0.5)


@contextlib.contextmanager
def opened(server: Connection, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Open connections that each send something."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = socket.create_connection((server.host, server.port), timeout=TIMEOUT)
            clients.append(stack.enter_context(client))
            client.sendall(sent)
        yield clients


def is_served(server: Connection) -> bool:
    """Send a request on a connection of its own."""
    client = Connection(server.host, server.port, timeout=TIMEOUT)
    client.request("POST", "/", b"hello", {"Connection": "close"})
    return client.getresponse().read() == b"hello"


def response(client: socket.socket) -> http.client.HTTPResponse:
    client.settimeout(TIMEOUT)
    read = http.client.HTTPResponse(client)
    read.begin()
    return read


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_closed(client: socket.socket) -> bool:
    """Whether the server has answered and closed, or only closed, a connection."""
    client.setblocking(False)
    try:
        client.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.usefixtures("impatient")
def test_slow_connections_of_one_address_are_limited() -> None:
    with served(echo, threads=20) as server, opened(server, 120, HEAD % 9 + b"x") as clients:
        assert is_served(server)
        wait_until(lambda: sum(map(is_closed, clients)) == 120 - MAX_PER_ADDRESS)
        assert all(map(is_closed, clients[: 120 - MAX_PER_ADDRESS]))  # those that waited longest
        assert is_served(server)
        assert read_error(response(clients[0])) == (408, "request_timeout")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent", [b"", b"\r\n", b"POST / HT", HEAD % 9 + b"x"])
def test_server_whose_connections_are_all_taken_is_reachable_again(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "MAX_PER_ADDRESS", 1000)  # as if each were of another
    with served(echo) as server, opened(server, 140, sent):
        assert is_served(server)


@pytest.mark.usefixtures("impatient")
def test_connections_at_work_are_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_PER_ADDRESS", 1)
    go = threading.Event()

    def slow(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        go.wait(TIMEOUT)
        return echo(environ, start)

    with (
        served(slow, threads=2, timeout=1) as server,
        opened(server, 1, b"") as idle,
        opened(server, 4, HEAD % 5 + b"hello") as busy,  # two of them wait for a thread
    ):
        wait_until(lambda: is_closed(idle[0]))
        time.sleep(1.5)  # longer than all limits
        go.set()
        for client in busy:
            assert response(client).read() == b"hello"


@pytest.mark.parametrize(
    ("sent", "drip", "expected"),
    [
        (b"POST / HTTP/1.1\r\n", b"A: b\r\n", (408, "request_timeout")),
        (HEAD % MAX_BODY, b"x", (408, "request_timeout")),
        (HEAD.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked"), b"1\r\nx\r\n",
         (408, "request_timeout")),
        (HEAD % (MAX_BODY + 1), b"x", (413, "body_too_large")),
    ],
    ids=["header", "body", "chunks", "too_large"],
)  # fmt: skip
def test_request_that_drips_is_answered_in_time(
    sent: bytes, drip: bytes, expected: tuple[int, str]
) -> None:
    with served(echo, timeout=1) as server, opened(server, 1, sent) as (client,):
        while not is_closed(client):
            with contextlib.suppress(ConnectionError):
                client.sendall(drip)
            time.sleep(0.1)
        assert read_error(response(client)) == expected


def test_client_that_takes_no_response_holds_no_thread() -> None:
    def large(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            return echo(environ, start)
        start("200 OK", [("Content-Length", str(60 << 20))])
        return [bytes(20 << 20)] * 3  # more than waitress keeps before its thread waits

    with (
        served(large, threads=1, timeout=1) as server,
        opened(server, 2, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    ):
        assert is_served(server)


def test_client_that_takes_its_time_between_requests_is_served() -> None:
    with served(echo, timeout=2) as server:
        for _ in range(3):  # three seconds in all, and never two of them
            server.request("POST", "/", b"hello")
            socket_of_first = server.sock
            assert server.getresponse().read() == b"hello"
            time.sleep(1)
            assert server.sock is socket_of_first


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000, (400, "bad_request")),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 1000, (413, "body_too_large")),
        (b"POST / HTTP/1.1\r\nContent-Length: %d" % (1 << 40), (413, "body_too_large")),
        (b"GET http://[x/ HTTP/1.1", (400, "bad_request")),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000, (400, "bad_request")),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[1],
)
def test_odd_header_is_answered_at_once(
    line: bytes, expected: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    sent = line + b"\r\nHost: 127.0.0.1\r\n\r\n{}"
    with served(echo) as server, opened(server, 1, sent) as (client,):
        assert read_error(response(client)) == expected
    assert not caplog.records


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("", 200),
        ("Content-Length: 0\r\n", 200),
        (f"Content-Length: {MAX_BODY + 1}\r\n", 413),
        ("Content-Length: ten\r\n", 400),
        ("A\r\n", 400),
    ],
)
def test_client_that_waits_to_be_asked_for_its_body_gets_a_response(
    lines: str, status: int
) -> None:
    sent = f"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{lines}\r\n".encode()
    with served(echo) as server, opened(server, 1, sent) as (client,):
        answer = response(client)
        assert answer.status == status
        answer.read()


def test_client_is_asked_for_a_body_that_it_may_send() -> None:
    head = (HEAD % 5).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    with served(echo) as server, opened(server, 1, head) as (client,):
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert response(client).read() == b"hello"


def test_addresses_of_one_customer_count_as_one() -> None:
    same = [("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "2001:db8:0:0:9::2%eth0")]
    other = [("192.0.2.1", "192.0.2.2"), ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
             ("2001:db8::1", "2001:db8:0:1::1")]  # fmt: skip
    assert all(connections._network(one) == connections._network(two) for one, two in same)
    assert not any(connections._network(one) == connections._network(two) for one, two in other)


def test_connection_is_closed_after_an_error_of_the_server() -> None:
    sent = b"GET http://[x/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with served(echo) as server, opened(server, 1, sent) as (client,):
        answer = response(client)
        assert answer.getheader("Connection") == "close"
        assert answer.getheader("Content-Type") == "application/json"
        assert answer.getheader("Cache-Control") == "no-store"
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        answer.read()
        assert client.recv(1) == b""
