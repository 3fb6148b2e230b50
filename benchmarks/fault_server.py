"""A server on the loopback that answers each path with a fault of its own."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

HOST = "booru.example"  # under which Senga knows the server, as it knows the sample booru
Answer = Callable[["Handler"], None]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        name: for people.
        path: that shows it; a whole URL where the fault is in the URL. `{address}` and `{port}` are
            those of the server.
        code: what Senga must make of it.
        seconds: that Senga may take for it, with all its tries.
    """

    name: str
    path: str
    code: str
    seconds: float = 3.0


FAULTS = (
    Fault("404", "/404.jpg", "http_404"),
    Fault("410", "/410.jpg", "http_410"),
    Fault("429 with Retry-After: 2, once", "/429.jpg", "ok", 6.0),
    Fault("503, twice", "/503.jpg", "ok", 8.0),
    Fault("connection reset, once", "/reset.jpg", "ok", 5.0),
    Fault("drip of a byte per second", "/drip.jpg", "too_slow", 40.0),
    Fault("header that drips", "/header.jpg", "timeout", 40.0),
    Fault("truncated body", "/truncated.jpg", "truncated"),
    Fault("body shorter than announced", "/short.jpg", "incomplete", 12.0),
    Fault("body longer than announced", "/long.jpg", "truncated"),
    Fault("HTML with 200", "/page.jpg", "html"),
    Fault("redirect loop", "/loop.jpg", "too_many_redirects"),
    Fault("redirect to 127.0.0.1", "/inside.jpg", "private_address"),
    Fault("redirect to 169.254.169.254", "/cloud.jpg", "private_address"),
    Fault("name of a private address", "http://localhost:{port}/secret.jpg", "private_address"),
    Fault("file: URL", "file:///etc/hostname", "wrong_scheme"),
    Fault("400 KB PNG of 20,000 x 20,000", "/bomb.png", "too_large"),
    Fault("GIF named .jpg", "/gif.jpg", "wrong_type"),
    Fault("0 bytes", "/empty.jpg", "empty"),
    Fault("JPEG that is a zip file, too", "/polyglot.jpg", "polyglot"),
)


def picture(number: int, kind: str = "JPEG") -> bytes:
    """A small picture; another for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (40, 30, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).resize((300, 400)).save(content, kind)
    return content.getvalue()


def bomb() -> bytes:
    """A PNG that says truly that it has 400 million pixels, all of one colour."""
    side = 20_000
    packer = zlib.compressobj(9)
    row = bytes(1 + side)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def _end_of_zip() -> bytes:
    """The record at the end of an empty zip file."""
    return b"PK\x05\x06" + bytes(18)


class Server(ThreadingHTTPServer):
    """Answers `/<number>.jpg` with a picture, and the paths of `FAULTS` with their faults.

    Attributes:
        address: `127.0.0.1:port`.
        asked: how often each path was.
        pause: seconds before each good answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        self.asked: Counter[str] = Counter()
        self.pause = 0.0
        self.ended = threading.Event()
        self.wait: Callable[[float], object] = self.ended.wait  # between the bytes of a drip
        self.bomb = bomb()

    def url(self, fault: Fault, host: str = "") -> str:
        """Where a fault is, under the server's address or another host."""
        if fault.path.startswith("/"):
            return f"http://{host or self.address}{fault.path}"
        return fault.path.format(address=self.address, port=self.port)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        stem = self.path.lstrip("/").partition(".")[0]
        if stem.isdecimal() and self.path not in ("/404.jpg", "/410.jpg", "/429.jpg", "/503.jpg"):
            time.sleep(self.server.pause)
            self.send(200, picture(int(stem)))
            return
        getattr(self, f"fault_{stem}", self.fault_404)()

    def send(self, status: int, body: bytes = b"", **headers: object) -> None:
        """A whole answer; in the names of headers, underscores stand for hyphens."""
        self.send_response(status)
        for name, value in ({"Content_Length": len(body)} | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def first(self, times: int) -> bool:
        """Whether this is one of the first requests for its path."""
        return self.server.asked[self.path] <= times

    def fault_404(self) -> None:
        self.send(404, b"<h1>Not found</h1>")

    def fault_410(self) -> None:
        self.send(410)

    def fault_429(self) -> None:
        if self.first(1):
            self.send(429, Retry_After=2)
        else:
            self.send(200, picture(429))

    def fault_503(self) -> None:
        if self.first(2):
            self.send(503)
        else:
            self.send(200, picture(503))

    def fault_reset(self) -> None:
        if not self.first(1):
            self.send(200, picture(7))
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def drip(self, content: bytes) -> None:
        for at in range(len(content)):
            self.wfile.write(content[at : at + 1])
            if self.server.wait(1):
                break
        self.close_connection = True

    def fault_drip(self) -> None:
        self.send(200, Content_Length=len(picture(1)))
        self.drip(picture(1))

    def fault_header(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        self.drip(bytes(64 * 1024))

    def fault_truncated(self) -> None:
        self.send(200, picture(1)[:-200])

    def fault_short(self) -> None:
        self.send(200, picture(1)[:-200], Content_Length=len(picture(1)))
        self.close_connection = True

    def fault_long(self) -> None:
        self.send(200, picture(1), Content_Length=len(picture(1)) - 200)
        self.close_connection = True

    def fault_page(self) -> None:
        self.send(200, b"<!DOCTYPE html><h1>Sorry</h1>", Content_Type="text/html")

    def fault_loop(self) -> None:
        self.send(302, Location="/loop.jpg")

    def fault_inside(self) -> None:
        self.send(302, Location=f"http://{self.server.address}/secret.jpg")

    def fault_cloud(self) -> None:
        self.send(302, Location="http://169.254.169.254/latest/meta-data")

    def fault_secret(self) -> None:
        self.send(200, picture(13))

    def fault_bomb(self) -> None:
        self.send(200, self.server.bomb)

    def fault_gif(self) -> None:
        self.send(200, picture(1, "GIF"))

    def fault_empty(self) -> None:
        self.send(200)

    def fault_polyglot(self) -> None:
        self.send(200, picture(1) + _end_of_zip())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name there
        pass


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server in a thread of this process."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
