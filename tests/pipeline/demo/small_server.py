"""A server of a small application, behind the demo's own."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.demo.guard import SECURITY_HEADERS
from pipeline.demo.serve import listen, serving

MAX_BODY = 600_000  # bytes; waitress by default keeps fewer in memory
TIMEOUT = 20  # seconds; only a failing test waits for so long
App = Callable[[dict[str, Any], Callable[..., Any]], list[bytes]]


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def served(app: App, threads: int = 2, timeout: int = 120) -> Iterator[http.client.HTTPConnection]:
    with (
        listen("127.0.0.1", 0) as listener,
        serving(
            app,
            listener,
            max_body=MAX_BODY,
            threads=threads,
            timeout=timeout,
            drain_timeout=TIMEOUT,
        ) as url,
    ):
        host, _, port = url.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT)
        yield connection
        connection.close()


def read_error(response: http.client.HTTPResponse) -> tuple[int, str]:
    for name, value in SECURITY_HEADERS.items():
        assert response.getheader(name) == value
    assert response.getheader("Content-Type") == "application/json"
    return response.status, json.loads(response.read())["error"]["code"]
