"""The web server: where it listens, which requests it refuses itself, and how it stops."""

import http.client
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from waitress.trigger import trigger

from pipeline.demo.serve import is_public, listen, page_url
from sketch_models.errors import SengaError
from tests.pipeline.demo.small_server import MAX_BODY, TIMEOUT, echo, read_error, served


def test_bodies_up_to_the_limit_are_accepted() -> None:
    with served(echo) as connection:
        for size in (0, 1, MAX_BODY):  # on one connection
            connection.request("POST", "/", b"x" * size)
            assert len(connection.getresponse().read()) == size


@pytest.mark.parametrize("size", [MAX_BODY + 1, 50 * MAX_BODY])
def test_client_gets_a_response_to_a_body_that_is_too_large(size: int) -> None:
    with served(echo) as connection:
        connection.request("POST", "/", b"x" * size)
        assert read_error(connection.getresponse()) == (413, "body_too_large")
        connection.request("POST", "/", b"x")  # reconnects
        assert connection.getresponse().read() == b"x"


def test_invalid_http_is_refused_as_json() -> None:
    with served(echo) as connection:
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", "many")
        connection.endheaders()
        assert read_error(connection.getresponse()) == (400, "bad_request")


def test_exception_of_the_application_is_logged_and_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:  # noqa: ARG001
        raise ValueError

    with served(broken) as connection:
        connection.request("GET", "/")
        assert read_error(connection.getresponse()) == (500, "failed")
    assert "ValueError" in caplog.text


def ten_times(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read() * 10
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def test_no_temporary_files_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with served(ten_times) as connection:
        connection.request("POST", "/", b"x" * MAX_BODY)
        assert len(connection.getresponse().read()) == 10 * MAX_BODY


def test_application_can_see_that_a_client_disconnected() -> None:
    requested, noticed = threading.Event(), threading.Event()

    def wait_for_disconnect(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        requested.set()
        end = time.monotonic() + TIMEOUT
        while not environ["waitress.client_disconnected"]() and time.monotonic() < end:
            time.sleep(0.001)
        noticed.set()
        return echo(environ, start)

    with served(wait_for_disconnect) as connection:
        connection.request("GET", "/")
        assert requested.wait(TIMEOUT)
        connection.close()
        assert noticed.wait(TIMEOUT)


def test_server_stops_while_its_loop_is_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    def wake_and_pull(self: trigger) -> None:
        for _ in range(2):  # of which the first is of another thread, just before
            os.write(self.trigger, b"x")
            time.sleep(0.05)

    with served(echo) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()
        monkeypatch.setattr(trigger, "_physical_pull", wake_and_pull)


def test_server_stops_despite_an_idle_connection_and_frees_its_port() -> None:
    with served(echo) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close = lambda: None  # type: ignore[method-assign]  # it stays open, and idle
        port = connection.port
    with listen("127.0.0.1", port):
        pass
    http.client.HTTPConnection.close(connection)
    # Its threads have ended by themselves: after a timeout, some would still run.
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("waitress") or name == "serve"]


def test_request_in_progress_is_answered_before_the_server_stops() -> None:
    requested, go = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        requested.set()
        go.wait(TIMEOUT)
        return echo(environ, start)

    with served(slow) as connection:
        connection.request("POST", "/", b"x")
        assert requested.wait(TIMEOUT)
        threading.Timer(0.1, go.set).start()
        connection.close = lambda: None  # type: ignore[method-assign]
    assert connection.getresponse().read() == b"x"
    http.client.HTTPConnection.close(connection)


def test_wrong_port_or_host_is_an_error() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SengaError, match=f"--port = {port}: another program listens there"):
            listen("127.0.0.1", port)
    for host in ("192.0.2.1", "nowhere.invalid", "a" * 70, "127.0.0.1:80"):
        with pytest.raises(SengaError, match=f"--host = {host}: this machine has no such address"):
            listen(host, 0)


@pytest.mark.parametrize(
    ("host", "url_host", "public"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost", "", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("::1", "[::1]", False),
        ("::", "[::1]", True),
    ],
)
def test_page_url_and_is_public(host: str, url_host: str, public: bool) -> None:
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with listen(host, 0) as listener:
        port = listener.getsockname()[1]
        assert page_url(listener).startswith(f"http://{url_host}")
        assert page_url(listener).endswith(f":{port}")
        assert is_public(listener) == public


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_page_and_health_are_served(server: str) -> None:
    connection = http.client.HTTPConnection(server.removeprefix("http://"), timeout=TIMEOUT)
    for path, media_type in (("/", "text/html"), ("/healthz", "application/json")):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        assert response.read()
        assert str(response.getheader("Content-Type")).startswith(media_type)
    connection.close()
