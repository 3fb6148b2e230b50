"""The web server: where it listens, what it refuses by itself, and how it ends."""

import http.client
import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.demo.guard import HEADERS
from pipeline.demo.serve import is_public, listen, serving, url
from sketch_models.errors import SengaError

MOST = 600_000  # bytes of a body; waitress by itself keeps fewer in memory
App = Callable[[dict[str, Any], Callable[..., Any]], list[bytes]]


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def served(app: App, threads: int = 2) -> Iterator[http.client.HTTPConnection]:
    with (
        listen("127.0.0.1", 0) as listener,
        serving(app, listener, max_body=MOST, threads=threads) as address,
    ):
        host, _, port = address.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        yield connection
        connection.close()


def refusal(connection: http.client.HTTPConnection) -> tuple[int, str]:
    response = connection.getresponse()
    for name, value in HEADERS.items():
        assert response.getheader(name) == value
    assert response.getheader("Content-Type") == "application/json"
    return response.status, json.loads(response.read())["error"]["code"]


def test_bodies_up_to_the_limit_come_back() -> None:
    with served(echo) as connection:
        for size in (0, 1, MOST):  # on one connection
            connection.request("POST", "/", b"x" * size)
            assert len(connection.getresponse().read()) == size


@pytest.mark.parametrize("size", [MOST + 1, 50 * MOST])
def test_a_client_that_sends_too_much_hears_so(size: int) -> None:
    with served(echo) as connection:
        connection.request("POST", "/", b"x" * size)
        assert refusal(connection) == (413, "body_too_large")
        connection.request("POST", "/", b"x")  # reconnects
        assert connection.getresponse().read() == b"x"


def test_what_is_no_http_is_refused_as_json() -> None:
    with served(echo) as connection:
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", "many")
        connection.endheaders()
        assert refusal(connection) == (400, "bad_request")


def test_an_application_that_fails_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def broken(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:  # noqa: ARG001
        raise ValueError

    with served(broken) as connection:
        connection.request("GET", "/")
        assert refusal(connection) == (500, "failed")
    assert "ValueError" in caplog.text


def ten_times(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read() * 10
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def test_nothing_is_put_into_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with served(ten_times) as connection:
        connection.request("POST", "/", b"x" * MOST)
        assert len(connection.getresponse().read()) == 10 * MOST


def test_an_application_learns_that_a_client_has_gone() -> None:
    asked, learned = threading.Event(), threading.Event()

    def patient(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        asked.set()
        end = time.monotonic() + 20
        while not environ["waitress.client_disconnected"]() and time.monotonic() < end:
            time.sleep(0.001)
        learned.set()
        return echo(environ, start)

    with served(patient) as connection:
        connection.request("GET", "/")
        assert asked.wait(20)
        connection.close()
        assert learned.wait(10)


def test_it_ends_at_once_and_gives_the_port_back() -> None:
    with served(echo) as connection:
        connection.request("GET", "/")  # kept alive, and idle
        connection.getresponse().read()
        port = connection.port
        started = time.monotonic()
    assert time.monotonic() - started < 2
    with listen("127.0.0.1", port):
        pass
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("waitress") or name == "serve"]


def test_an_answer_on_its_way_arrives_before_the_end() -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        asked.set()
        go.wait(20)
        return echo(environ, start)

    with served(slow) as connection:
        connection.request("POST", "/", b"x")
        assert asked.wait(20)
        threading.Timer(0.1, go.set).start()
        connection.close = lambda: None  # type: ignore[method-assign]
    assert connection.getresponse().read() == b"x"
    http.client.HTTPConnection.close(connection)


def test_a_taken_port_a_foreign_address_no_address() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SengaError, match=f"--port = {port}: something listens there"):
            listen("127.0.0.1", port)
    for host in ("192.0.2.1", "nowhere.invalid", "a" * 70, "127.0.0.1:80"):
        with pytest.raises(SengaError, match=f"--host = {host}: this machine has no such address"):
            listen(host, 0)


@pytest.mark.parametrize(
    ("host", "shown", "public"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost", "", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("::1", "[::1]", False),
        ("::", "[::1]", True),
    ],
)
def test_addresses(host: str, shown: str, public: bool) -> None:
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with listen(host, 0) as listener:
        port = listener.getsockname()[1]
        assert url(listener).startswith(f"http://{shown}")
        assert url(listener).endswith(f":{port}")
        assert is_public(listener) == public


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_the_whole_demo_is_served(server: str) -> None:
    connection = http.client.HTTPConnection(server.removeprefix("http://"), timeout=20)
    for path, kind in (("/", "text/html"), ("/healthz", "application/json")):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        assert response.read()
        assert str(response.getheader("Content-Type")).startswith(kind)
    connection.close()
