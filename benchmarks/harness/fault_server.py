"""A server on the loopback that responds to each path with a fault of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.harness.fault_pictures import (
    MILLIONS,
    ZIP_END,
    bomb,
    endless_gzip,
    noise,
    picture,
    scans,
    tiny_parts,
)
from benchmarks.harness.web import Page, Web

HOST = "booru.example"  # name of the server, which Senga connects to its address


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a download.

    Attributes:
        name: its name, for people.
        path: the path that has it; a whole URL if the fault is in the URL. `{port}` is that of the
            server.
        code: the outcome code that Senga must give it.
        leads_away: whether who requests it leaves the machine.
    """

    name: str
    path: str
    code: str
    leads_away: bool = False


FAULTS = (
    Fault("404", "/404.jpg", "http_404"),
    Fault("410", "/410.jpg", "http_410"),
    Fault("429 with Retry-After: 2, once", "/429.jpg", "ok"),
    Fault("503 with Retry-After in the year 99999999999999999999, once", "/year.jpg", "ok"),
    Fault("503 with Retry-After in a zone of 20 digits, once", "/zone.jpg", "ok"),
    Fault("503, twice", "/503.jpg", "ok"),
    Fault("connection reset, once", "/reset.jpg", "ok"),
    Fault("drip of a byte per second", "/drip.jpg", "too_slow"),
    Fault("header that drips", "/header.jpg", "timeout"),
    Fault("truncated body", "/truncated.jpg", "truncated"),
    Fault("body shorter than announced", "/short.jpg", "incomplete"),
    Fault("body longer than announced", "/long.jpg", "truncated"),
    Fault("body without end, 10 MB/s", "/endless.png", "too_many_bytes"),
    Fault("Content-Length of 5,000 digits", "/digits.jpg", "too_many_bytes"),
    Fault("2 MB in chunks of 2 bytes", "/chunks.png", "ok"),
    Fault("1 MB of gzip that expands to 1 GB, without an end", "/gzip.jpg", "not_a_picture"),
    Fault("HTML with 200", "/page.jpg", "html"),
    Fault("redirect loop", "/loop.jpg", "too_many_redirects"),
    Fault("redirect to 127.0.0.1", "/inside.jpg", "private_address"),
    Fault("redirect to 2130706433, which is 127.0.0.1", "/number.jpg", "private_address"),
    Fault("redirect to 0.0.0.0", "/zero.jpg", "private_address"),
    Fault("redirect to [::ffff:127.0.0.1]", "/mapped.jpg", "private_address"),
    Fault("redirect to 169.254.169.254", "/cloud.jpg", "private_address", leads_away=True),
    Fault("redirect to 100.100.100.200", "/alibaba.jpg", "private_address", leads_away=True),
    Fault("redirect to [64:ff9b::a9fe:a9fe]", "/nat64.jpg", "private_address", leads_away=True),
    Fault("redirect to [fd00:ec2::254]", "/aws.jpg", "private_address", leads_away=True),
    Fault("name of a private address", "http://localhost:{port}/secret.jpg", "private_address"),
    Fault("file: URL", "file:///etc/hostname", "wrong_scheme"),
    Fault("400 KB PNG of 20,000 x 20,000", "/bomb.png", "too_large"),
    Fault("94 KB JPEG of 4,000 x 4,000 with 1,000 scans", "/scans.jpg", "too_complex"),
    Fault("30 MB JPEG with 7.5 million comments", "/comments.jpg", "too_complex"),
    Fault("30 MB PNG with 2.5 million comments", "/comments.png", "too_complex"),
    Fault("30 MB GIF with 6 million comments", "/comments.gif", "too_complex"),
    Fault("GIF named .jpg", "/gif.jpg", "ok"),
    Fault("0 bytes", "/empty.jpg", "empty"),
    Fault("JPEG that is a zip file, too", "/polyglot.jpg", "polyglot"),
)


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
        return fault.path.format(port=self.port)

    def next_page(self, path: str) -> Page:
        """Return the next page of a path; that of a picture is made on request."""
        stem = path.lstrip("/").partition(".")[0]
        if path in self._faulty or not stem.isdecimal():
            return super().next_page(path)
        time.sleep(self.pause)
        return self.page(picture(int(stem)))

    def _faults(self) -> dict[str, list[Page]]:
        """Return the pages of each path, one per request; the last one stays."""
        page, whole, pixels = self.page, picture(1), noise(800)
        length, pairs = len(whole), [pixels[at : at + 2] for at in range(0, len(pixels), 2)]
        year = "Fri, 01 Jan 99999999999999999999 00:00:00 GMT"
        zone = "Sun, 01 Mar 2026 12:01:00 +99999999999999999999"
        return {
            "/404.jpg": [page(b"<h1>Not found</h1>", 404)],
            "/410.jpg": [page(status=410)],
            "/429.jpg": [page(status=429, Retry_After=2), page(picture(429))],
            "/year.jpg": [page(status=503, Retry_After=year), page(picture(9))],
            "/zone.jpg": [page(status=503, Retry_After=zone), page(picture(10))],
            "/503.jpg": [page(status=503), page(status=503), page(picture(503))],
            "/reset.jpg": [self.reset, page(picture(7))],
            "/drip.jpg": [self.drip(whole, 1.0)],
            "/header.jpg": [self.raw(b"HTTP/1.1 200 OK\r\nX-Long: ", bytes(64 * 1024), 1.0)],
            "/truncated.jpg": [page(whole[:-200])],
            "/short.jpg": [self.cut(whole[:-200], announced=length)],
            "/long.jpg": [self.cut(whole, announced=length - 200)],
            "/endless.png": [self.endless(pixels[:1_000_000], 0.1)],
            "/digits.jpg": [self.cut(whole, announced="9" * 5000)],
            "/chunks.png": [self.chunked(*pairs)],
            "/gzip.jpg": [page(endless_gzip(1000), Content_Encoding="gzip")],
            "/page.jpg": [page(b"<!DOCTYPE html><h1>Sorry</h1>", Content_Type="text/html")],
            "/secret.jpg": [page(picture(13))],
            "/bomb.png": [page(bomb())],
            "/scans.jpg": [page(scans(1000))],
            "/gif.jpg": [page(picture(1, "GIF"))],
            "/empty.jpg": [page()],
            "/polyglot.jpg": [page(whole + ZIP_END)],
            **{f"/comments.{each}": [page(tiny_parts(each, MILLIONS[each]))] for each in MILLIONS},
            **{path: [page(status=302, Location=to)] for path, to in self._redirects().items()},
        }

    def _redirects(self) -> dict[str, str]:
        """Return where each path redirects to; `/secret.jpg` is for nobody."""
        return {
            "/loop.jpg": "/loop.jpg",
            "/inside.jpg": f"http://{self.address}/secret.jpg",
            "/number.jpg": f"http://2130706433:{self.port}/secret.jpg",
            "/zero.jpg": f"http://0.0.0.0:{self.port}/secret.jpg",
            "/mapped.jpg": f"http://[::ffff:127.0.0.1]:{self.port}/secret.jpg",
            "/cloud.jpg": "http://169.254.169.254/latest/meta-data",
            "/alibaba.jpg": "http://100.100.100.200/latest/meta-data",
            "/nat64.jpg": "http://[64:ff9b::a9fe:a9fe]/latest/meta-data",
            "/aws.jpg": "http://[fd00:ec2::254]/latest/meta-data",
        }
