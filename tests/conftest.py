"""Settings of all tests, and a web server that misbehaves on request."""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import settings

# The same examples on every run: a failure in CI is a failure everywhere.
settings.register_profile("senga", derandomize=True, deadline=None)
settings.load_profile("senga")

Page = Callable[[BaseHTTPRequestHandler], None]


class Web(ThreadingHTTPServer):
    """Answers each path with its pages, one per request; the last one stays.

    Attributes:
        asked: the paths of all requests, in their order.
        headers: of the last request.
        connections: how many there were.
        max_in_flight: requests that were in flight at the same time.
        wait: waits between the bytes of a drip; True at the end of the server.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.pages: dict[str, list[Page]] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.connections = 0
        self.max_in_flight = 0
        self.busy: list[str] = []
        self.ended = threading.Event()
        self.wait: Callable[[float], object] = self.ended.wait

    def put(self, path: str, *pages: Page) -> str:
        """Serves pages under a path; returns its URL."""
        self.pages[path] = list(pages)
        return f"http://{self.address}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up."""

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
        """The first bytes of a longer body, then the end of the connection."""

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
            Web.page(b"", Content_Length=len(body))(handler)
            for at in range(len(body)):
                handler.wfile.write(body[at : at + 1])
                if self.wait(seconds):
                    return

        return send

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
        pages = self.server.pages.get(path) or [Web.page(b"no such page", 404)]
        try:
            (pages.pop(0) if len(pages) > 1 else pages[0])(self)
        finally:
            self.server.busy.remove(path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name there
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()
