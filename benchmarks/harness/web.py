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
"""Answers one request."""


class Web(ThreadingHTTPServer):
    """Answers each path with its pages, one per request; the last one stays.

    Attributes:
        port: on 127.0.0.1.
        address: `127.0.0.1:port`.
        asked: the paths of all requests, in their order.
        headers: of the last request.
        connections: how many there were.
        max_in_flight: requests that were in flight at the same time.
        ended: when the server is about to stop, so that slow answers stop, too.
        wait: waits between the bytes of a drip; true at the end of the server.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.connections = 0
        self.max_in_flight = 0
        self.busy: list[str] = []
        self.ended = threading.Event()
        self.wait: Callable[[float], object] = self.ended.wait
        self._pages: dict[str, tuple[Page, ...]] = {}
        self._answered: Counter[str] = Counter()

    def put(self, path: str, *pages: Page) -> str:
        """Serves pages under a path; returns its URL."""
        self._pages[path] = pages
        self._answered[path] = 0
        return f"http://{self.address}{path}"

    def forget(self) -> None:
        """Begins anew: nothing was asked for, and every path is at its first page."""
        self.asked.clear()
        self._answered.clear()

    def find(self, path: str) -> Page:
        """The page that is next under a path."""
        pages = self._pages.get(path) or (self.page(b"no such page", 404),)
        place = min(self._answered[path], len(pages) - 1)
        self._answered[path] += 1
        return pages[place]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up."""

    # Pages

    @staticmethod
    def page(body: bytes = b"", status: int = 200, **headers: object) -> Page:
        """A whole answer; in the names of headers, underscores stand for hyphens."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in ({"Content_Length": len(body)} | headers).items():
                handler.send_header(name.replace("_", "-"), str(value))
            handler.end_headers()
            handler.wfile.write(body)

        return send

    @staticmethod
    def cut(body: bytes, announced: int) -> Page:
        """A body of another length than announced, then the end of the connection."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            Web.page(body, Content_Length=announced)(handler)
            handler.close_connection = True

        return send

    @staticmethod
    def chunked(*chunks: bytes) -> Page:
        """A body without an announced length."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for chunk in [*chunks, b""]:
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

        return send

    def drip(self, body: bytes, seconds: float) -> Page:
        """A body that comes byte by byte, with a pause after each."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            Web.page(Content_Length=len(body))(handler)
            self._drip(handler, body, seconds)

        return send

    def raw(self, start: bytes, rest: bytes = b"", seconds: float = 0.0) -> Page:
        """Bytes that need not be HTTP, `rest` byte by byte; then the end of the connection."""

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
        """No answer."""
        self.ended.wait(30)
        handler.close_connection = True

    @staticmethod
    def reset(handler: BaseHTTPRequestHandler) -> None:
        """The connection is torn down."""
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())  # at once, whoever else refers to it
        handler.close_connection = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Web

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        path = self.requestline.split()[1]  # `self.path` has lost a slash of a leading pair
        self.server.asked.append(path)
        self.server.headers = dict(self.headers)
        self.server.busy.append(path)
        self.server.max_in_flight = max(self.server.max_in_flight, len(self.server.busy))
        try:
            self.server.find(path)(self)
        finally:
            self.server.busy.remove(path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name there
        pass


Served = TypeVar("Served", bound=Web)


@contextmanager
def serving(server: Served) -> Iterator[Served]:
    """Runs a server in a thread of this process, to the end of the block."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
