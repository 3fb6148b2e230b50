"""A web server on the loopback that misbehaves on request, for tests and benchmarks."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

Page = Callable[[BaseHTTPRequestHandler], None]
"""Responds to one request."""


class Web(ThreadingHTTPServer):
    """A server that responds to each path with its pages, one per request; the last one stays.

    Attributes:
        port: on 127.0.0.1.
        address: `127.0.0.1:port`.
        requested: paths of all requests, in their order.
        headers: headers of the last request.
        connections: number of connections.
        in_flight: paths of the requests that are being responded to.
        max_in_flight: the largest number of requests in flight at the same time.
        stopping: set when the server is about to stop, so that slow responses stop, too.
        wait: called with the seconds between two bytes of a drip; returns whether to stop.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        self.requested: list[str] = []
        self.headers: dict[str, str] = {}
        self.connections = 0
        self.max_in_flight = 0
        self.in_flight: list[str] = []
        self.stopping = threading.Event()
        self.wait: Callable[[float], object] = self.stopping.wait
        self._pages: dict[str, tuple[Page, ...]] = {}
        self._num_served: Counter[str] = Counter()

    def put(self, path: str, *pages: Page) -> str:
        """Serve pages under a path; return its URL."""
        self._pages[path] = pages
        self._num_served[path] = 0
        return f"http://{self.address}{path}"

    def clear(self) -> None:
        """Forget all requests: every path is at its first page again."""
        self.requested.clear()
        self._num_served.clear()

    def next_page(self, path: str) -> Page:
        """Return the next page of a path; that of the status 404 if it has none."""
        pages = self._pages.get(path) or (self.page(b"no such page", 404),)
        index = min(self._num_served[path], len(pages) - 1)
        self._num_served[path] += 1
        return pages[index]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up."""

    # Pages

    @staticmethod
    def page(body: bytes = b"", status: int = 200, **headers: object) -> Page:
        """Return a whole response; in the names of headers, underscores stand for hyphens."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in ({"Content_Length": len(body)} | headers).items():
                handler.send_header(name.replace("_", "-"), str(value))
            handler.end_headers()
            handler.wfile.write(body)

        return send

    @staticmethod
    def cut(body: bytes, announced: int | str) -> Page:
        """Return a body of another length than announced, then the end of the connection."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            Web.page(body, Content_Length=announced)(handler)
            handler.close_connection = True

        return send

    @staticmethod
    def chunked(*chunks: bytes) -> Page:
        """Return a body without an announced length."""
        content = b"".join(map(_framed, [*chunks, b""]))

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(content)

        return send

    def endless(self, chunk: bytes, seconds: float) -> Page:
        """Return a body of the same chunk again and again, with a pause before each."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            while not self.wait(seconds):
                handler.wfile.write(_framed(chunk))
            handler.close_connection = True

        return send

    def drip(self, body: bytes, seconds: float) -> Page:
        """Return a body that comes byte by byte, with a pause after each."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            Web.page(Content_Length=len(body))(handler)
            self._drip(handler, body, seconds)

        return send

    def raw(self, start: bytes, rest: bytes = b"", seconds: float = 0.0) -> Page:
        """Return bytes that need not be HTTP, `rest` byte by byte; then the connection ends."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(start)
            self._drip(handler, rest, seconds)
            handler.close_connection = True

        return send

    def _drip(self, handler: BaseHTTPRequestHandler, content: bytes, seconds: float) -> None:
        for at in range(len(content)):
            handler.wfile.write(content[at : at + 1])
            if self.wait(seconds):
                handler.close_connection = True
                return

    def silence(self, handler: BaseHTTPRequestHandler) -> None:
        """Never respond."""
        self.stopping.wait(30)
        handler.close_connection = True

    @staticmethod
    def reset(handler: BaseHTTPRequestHandler) -> None:
        """Reset the connection."""
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())  # at once, whoever else refers to it
        handler.close_connection = True


def _framed(chunk: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(chunk), chunk)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Web

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        path = self.requestline.split()[1]  # `self.path` has lost a slash of a leading pair
        self.server.requested.append(path)
        self.server.headers = dict(self.headers)
        self.server.in_flight.append(path)
        self.server.max_in_flight = max(self.server.max_in_flight, len(self.server.in_flight))
        try:
            self.server.next_page(path)(self)
        finally:
            self.server.in_flight.remove(path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name there
        pass


Served = TypeVar("Served", bound=Web)


@contextmanager
def serving(server: Served) -> Iterator[Served]:
    """Run a server in a thread of this process, until the end of the block."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
