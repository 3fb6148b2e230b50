"""A server on the loopback that responds to each path with a fault of its own."""

from __future__ import annotations

import io
import struct
import time
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.harness.web import Page, Web

HOST = "booru.example"  # name of the server, which Senga connects to its address


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a download.

    Attributes:
        name: its name, for people.
        path: the path that has it; a whole URL if the fault is in the URL. `{address}` and `{port}`
            are those of the server.
        code: the outcome code that Senga must give it.
        seconds: the seconds that Senga may take for it, with all its tries.
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
    Fault("GIF named .jpg", "/gif.jpg", "ok"),
    Fault("0 bytes", "/empty.jpg", "empty"),
    Fault("JPEG that is a zip file, too", "/polyglot.jpg", "polyglot"),
)


def picture(number: int, file_format: str = "JPEG") -> bytes:
    """Return a small picture file; another for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (40, 30, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).resize((300, 400)).save(content, file_format)
    return content.getvalue()


def bomb() -> bytes:
    """Return a PNG of 400 million pixels, all of one colour."""
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
    """Return an empty zip file, which is its end record."""
    return b"PK\x05\x06" + bytes(18)


class FaultServer(Web):
    """A server with a picture at `/<number>.jpg`, and the faults of `FAULTS` at their paths.

    Attributes:
        pause: seconds before each picture that has no fault.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pause = 0.0
        self._faulty = self._faults()
        for path, pages in self._faulty.items():
            self.put(path, *pages)

    def url(self, fault: Fault, host: str = "") -> str:
        """Return the URL of a fault, under the server's address or another host."""
        if fault.path.startswith("/"):
            return f"http://{host or self.address}{fault.path}"
        return fault.path.format(address=self.address, port=self.port)

    def next_page(self, path: str) -> Page:
        """Return the next page of a path; that of a picture is made on request."""
        stem = path.lstrip("/").partition(".")[0]
        if path in self._faulty or not stem.isdecimal():
            return super().next_page(path)
        time.sleep(self.pause)
        return self.page(picture(int(stem)))

    def _faults(self) -> dict[str, list[Page]]:
        """Return the pages of each path, one per request; the last one stays."""
        page, whole = self.page, picture(1)
        length = len(whole)
        return {
            "/404.jpg": [page(b"<h1>Not found</h1>", 404)],
            "/410.jpg": [page(status=410)],
            "/429.jpg": [page(status=429, Retry_After=2), page(picture(429))],
            "/503.jpg": [page(status=503), page(status=503), page(picture(503))],
            "/reset.jpg": [self.reset, page(picture(7))],
            "/drip.jpg": [self.drip(whole, 1.0)],
            "/header.jpg": [self.raw(b"HTTP/1.1 200 OK\r\nX-Long: ", bytes(64 * 1024), 1.0)],
            "/truncated.jpg": [page(whole[:-200])],
            "/short.jpg": [self.cut(whole[:-200], announced=length)],
            "/long.jpg": [self.cut(whole, announced=length - 200)],
            "/page.jpg": [page(b"<!DOCTYPE html><h1>Sorry</h1>", Content_Type="text/html")],
            "/loop.jpg": [page(status=302, Location="/loop.jpg")],
            "/inside.jpg": [page(status=302, Location=f"http://{self.address}/secret.jpg")],
            "/cloud.jpg": [page(status=302, Location="http://169.254.169.254/latest/meta-data")],
            "/secret.jpg": [page(picture(13))],
            "/bomb.png": [page(bomb())],
            "/gif.jpg": [page(picture(1, "GIF"))],
            "/empty.jpg": [page()],
            "/polyglot.jpg": [page(whole + _end_of_zip())],
        }
