"""One URL, against a server that misbehaves."""

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from importlib.metadata import version
from typing import Any

import pytest

from pipeline.admit import Admit, FetchError, http_only
from pipeline.download_options import DownloadOptions
from pipeline.fetch import Fetcher, back_off

Web = Any  # the server of conftest.py
Files = dict[str, bytes]


class Pauses(list[float]):
    """Notes how long it was to sleep, and does not."""

    def __call__(self, seconds: float) -> bool:
        self.append(seconds)
        return False


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def make(pauses: Pauses) -> Iterator[Callable[..., Fetcher]]:
    made = []

    def new(
        connect_to: dict[str, str] | None = None, admit: Admit = http_only, **options: object
    ) -> Fetcher:
        made.append(
            Fetcher(
                DownloadOptions(**options),  # type: ignore[arg-type]
                connect_to=connect_to or {},
                pause=pauses,
                admit=admit,
            )
        )
        return made[-1]

    yield new
    for fetcher in made:
        fetcher.__exit__(None, None, None)


Make = Callable[..., Fetcher]


def test_keeps_the_bytes_of_a_picture(web: Web, make: Make, files: Files) -> None:
    for number, (kind, content) in enumerate(files.items()):
        url = web.put(f"//samples/7/a.{kind}?12", web.page(content))
        fetched = make().fetch(number, url)
        assert (fetched.part, fetched.content) == (kind, content)
        row = fetched.outcome
        assert (row.id, row.code, row.url, row.status) == (number, "ok", url, 200)
        assert row.bytes == len(content)
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert not row.transient


def test_a_url_without_an_extension_may_be_any_picture(web: Web, make: Make, files: Files) -> None:
    assert make().fetch(1, web.put("/image.php?id=3", web.page(files["png"]))).part == "png"
    assert make().fetch(1, web.put("/image.JPEG", web.page(files["jpg"]))).part == "jpg"


@pytest.mark.parametrize("status", [204, 304, 400, 403, 404, 410, 451])
def test_a_lasting_status_is_final(web: Web, make: Make, pauses: Pauses, status: int) -> None:
    fetched = make().fetch(5, web.put("/a.jpg", web.page(status=status)))
    row = fetched.outcome
    assert (row.code, row.status, row.transient) == (f"http_{status}", status, False)
    assert not fetched.content
    assert (len(web.asked), pauses) == (1, [])


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_status_is_tried_again(
    web: Web, make: Make, files: Files, pauses: Pauses, status: int
) -> None:
    url = web.put("/a.jpg", web.page(status=status), web.page(files["jpg"]))
    assert make().fetch(5, url).outcome.code == "ok"
    assert len(web.asked) == 2
    assert 0.5 <= pauses[0] <= 1


def test_gives_up_after_the_last_try(web: Web, make: Make, pauses: Pauses) -> None:
    row = make(retries=3).fetch(5, web.put("/a.jpg", web.page(status=503))).outcome
    assert (row.code, row.transient) == ("http_503", True)
    assert len(web.asked) == 4
    assert len(pauses) == 3
    assert make(retries=0).fetch(5, row.url).outcome.code == "http_503"
    assert len(web.asked) == 5


def test_backs_off_further_each_time() -> None:
    for tries in range(6):
        assert 2**tries / 2 <= back_off(tries) <= 2**tries
    assert len({back_off(0) for _ in range(9)}) > 1  # not all threads at once


def test_stops_where_it_is_told_to(web: Web) -> None:
    with Fetcher(DownloadOptions(), connect_to={}, pause=lambda _: True) as fetcher:
        row = fetcher.fetch(5, web.put("/a.jpg", web.page(status=503))).outcome
    assert (row.code, len(web.asked)) == ("http_503", 1)


def test_waits_as_long_as_the_server_says(
    web: Web, make: Make, files: Files, pauses: Pauses
) -> None:
    in_20_s = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=20), usegmt=True)
    long_ago = "Wed, 21 Oct 2015 07:28:00 GMT"
    for number, asked in enumerate(["7", in_20_s, long_ago, "soon", "-3"]):
        refusal = web.page(status=429, Retry_After=asked)
        url = web.put(f"/{number}.jpg", refusal, web.page(files["jpg"]))
        assert make().fetch(5, url).outcome.code == "ok"
    assert pauses[0] == 7
    assert 15 < pauses[1] <= 20
    assert max(pauses[2:]) <= 1


def test_does_not_wait_past_the_deadline(web: Web, make: Make, pauses: Pauses) -> None:
    refusal = web.page(status=429, Retry_After="3600")
    row = make(deadline=60.0).fetch(5, web.put("/a.jpg", refusal)).outcome
    assert (row.code, row.transient, pauses) == ("http_429", True, [])


def test_a_connection_that_is_reset(web: Web, make: Make, files: Files) -> None:
    url = web.put("/a.jpg", web.reset, web.page(files["jpg"]))
    assert make().fetch(5, url).outcome.code == "ok"
    row = make(retries=1).fetch(5, web.put("/b.jpg", web.reset)).outcome
    assert (row.code, row.status, row.transient) == ("connection_failed", None, True)
    assert web.asked.count("/b.jpg") == 2


def test_a_server_that_is_not_there(make: Make, pauses: Pauses) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    row = make(retries=2).fetch(5, f"http://127.0.0.1:{port}/a.jpg").outcome
    assert (row.code, row.transient, len(pauses)) == ("connection_failed", True, 2)
    assert "refused" in row.detail


def test_a_server_that_says_nothing(web: Web, make: Make) -> None:
    row = make(timeout=0.1, retries=1).fetch(5, web.put("/a.jpg", web.silence)).outcome
    assert (row.code, row.transient, len(web.asked)) == ("timeout", True, 2)


def test_a_slow_drip_ends_at_the_deadline(web: Web, make: Make, files: Files) -> None:
    start = time.monotonic()
    url = web.put("/a.jpg", web.drip(files["jpg"], 0.02))
    row = make(deadline=0.3, timeout=0.2).fetch(5, url).outcome
    assert time.monotonic() - start < 1.5
    assert (row.code, row.transient, len(web.asked)) == ("timeout", True, 1)
    assert 0 < row.bytes < len(files["jpg"])


def test_a_drip_that_makes_it(web: Web, make: Make, files: Files) -> None:
    assert make().fetch(5, web.put("/a.jpg", web.drip(files["jpg"], 0.0))).outcome.code == "ok"


def test_a_body_that_ends_early_is_tried_again(web: Web, make: Make, files: Files) -> None:
    content = files["jpg"]
    short = web.cut(content[:100], announced=len(content))
    assert make().fetch(5, web.put("/a.jpg", short, web.page(content))).outcome.code == "ok"
    row = make(retries=0).fetch(5, web.put("/a.jpg", short)).outcome
    assert (row.code, row.status, row.transient) == ("incomplete", 200, True)


def test_a_body_longer_than_announced(web: Web, make: Make, files: Files) -> None:
    """What is left over is not taken for the next answer."""
    fetcher = make()
    long = web.page(files["jpg"], Content_Length=len(files["jpg"]) - 50)
    assert fetcher.fetch(5, web.put("/a.jpg", long)).outcome.code == "truncated"
    assert fetcher.fetch(6, web.put("/b.png", web.page(files["png"]))).outcome.code == "ok"


def test_what_is_not_the_picture(web: Web, make: Make, files: Files) -> None:
    html = b"\n<!DOCTYPE html><title>Sorry</title>"
    cases = {
        "/empty.jpg": (web.page(b""), "empty"),
        "/text.jpg": (web.page(b"there is no picture"), "not_a_picture"),
        "/page.jpg": (web.page(html, Content_Type="text/html; charset=utf-8"), "html"),
        "/typeless.jpg": (web.page(html), "html"),
        "/said.jpg": (web.page(files["jpg"], Content_Type="Text/HTML"), "html"),
        "/png.jpg": (web.page(files["png"]), "wrong_type"),
        "/gif.png": (web.page(files["gif"]), "wrong_type"),
        "/jpg.gif": (web.page(files["jpg"]), "wrong_type"),
        "/cut.jpg": (web.page(files["jpg"][:-200]), "truncated"),
        "/end.jpg": (web.page(files["jpg"][:-2]), "truncated"),
        "/cut.png": (web.page(files["png"][:-200]), "truncated"),
    }
    for path, (answer, code) in cases.items():
        fetched = make().fetch(5, web.put(path, answer))
        row = fetched.outcome
        assert (path, row.code, row.status, row.transient) == (path, code, 200, False)
        assert (fetched.content, fetched.part, row.sha256) == (b"", "", "")
    assert len(web.asked) == len(cases)


def test_no_more_bytes_than_allowed(web: Web, make: Make, files: Files) -> None:
    content, size = files["png"], len(files["png"])
    announced = web.put("/announced.png", web.page(content))
    unannounced = web.put("/unannounced.png", web.chunked(content[:99], content[99:]))
    for url in (announced, unannounced):
        assert make(max_bytes=size).fetch(5, url).content == content
        row = make(max_bytes=size - 1).fetch(5, url).outcome
        assert (row.code, row.bytes, row.transient) == ("too_many_bytes", size, False)


def test_follows_redirects(web: Web, make: Make, files: Files) -> None:
    web.put("/b/c.jpg", web.page(files["jpg"]))
    url = web.put("/a/b.jpg", web.page(b"moved", 301, Location="../b/c.jpg"))
    row = make().fetch(5, url).outcome
    assert (row.code, row.url) == ("ok", url)
    assert web.asked == ["/a/b.jpg", "/b/c.jpg"]
    assert web.connections == 1


def test_the_type_is_that_of_the_first_url(web: Web, make: Make, files: Files) -> None:
    web.put("/deleted.png", web.page(files["png"]))
    url = web.put("/a.jpg", web.page(b"", 302, Location="/deleted.png"))
    assert make().fetch(5, url).outcome.code == "wrong_type"


def test_redirects_come_to_an_end(web: Web, make: Make) -> None:
    row = make().fetch(5, web.put("/a.jpg", web.page(b"", 302, Location="/a.jpg"))).outcome
    assert (row.code, row.status, row.transient) == ("too_many_redirects", 302, False)
    assert len(web.asked) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg"])
def test_redirects_stay_on_the_web(web: Web, make: Make, target: str) -> None:
    row = make().fetch(5, web.put("/a.jpg", web.page(b"", 302, Location=target))).outcome
    assert (row.code, row.transient) == ("wrong_scheme", False)


def test_every_request_is_admitted_first(web: Web, make: Make, files: Files) -> None:
    seen: list[str] = []

    @contextmanager
    def not_twice(url: str) -> Iterator[None]:
        seen.append(url.rpartition("/")[2])
        if url.endswith("/inside.jpg"):
            raise FetchError("refused", "an inside address")
        try:
            yield
        except FetchError as error:
            seen.append(error.code)
            raise

    web.put("/inside.jpg", web.page(files["jpg"]))
    url = web.put("/a.jpg", web.page(b"", 302, Location="/inside.jpg"))
    row = make(admit=not_twice).fetch(5, url).outcome
    assert (row.code, row.detail) == ("refused", "an inside address")
    assert make(admit=not_twice).fetch(5, web.put("/b.jpg", web.page(status=404))).outcome
    assert seen == ["a.jpg", "inside.jpg", "b.jpg", "http_404"]
    assert web.asked == ["/a.jpg", "/b.jpg"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "wrong_scheme"),
        ("samples/a.jpg", "wrong_scheme"),
        ("//safebooru.example/a.jpg", "wrong_scheme"),
        ("file:///etc/passwd", "wrong_scheme"),
        ("data:image/png;base64,AAAA", "wrong_scheme"),
        ("http://", "bad_url"),
        ("http:///a.jpg", "bad_url"),
        ("http://[::1/a.jpg", "bad_url"),
        ("http://host:port/a.jpg", "bad_url"),
        ("http://" + "a" * 70 + ".example/a.jpg", "bad_url"),
        ("http://*/a.jpg", "bad_url"),
        ("http://.example/a.jpg", "bad_url"),
    ],
)
def test_what_is_not_a_url_of_the_web(make: Make, pauses: Pauses, url: str, code: str) -> None:
    row = make().fetch(5, url).outcome
    assert (row.code, row.url, row.transient, pauses) == (code, url, False, [])


def test_a_connection_serves_many_requests(web: Web, make: Make, files: Files) -> None:
    """Whatever the answer was, as long as it was short or wanted."""
    fetcher = make()
    for number in range(4):
        fetcher.fetch(number, web.put(f"/{number}.jpg", web.page(files["jpg"])))
        fetcher.fetch(number, web.put(f"/{number}.png", web.page(b"gone" * 99, 404)))
        fetcher.fetch(
            number, web.put(f"/{number}.gif", web.page(b"<html>", Content_Type="text/html"))
        )
    assert (len(web.asked), web.connections) == (12, 1)


def test_connects_elsewhere(
    web: Web, make: Make, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    web.put("/a.jpg", web.page(files["jpg"]))
    web.put("/b.jpg", web.page(b"", 302, Location="https://safebooru.example/a.jpg"))
    fetcher = make({"safebooru.example": web.address}, retries=0)
    for url in ("http://safebooru.example/a.jpg", "https://Safebooru.Example/b.jpg"):
        assert fetcher.fetch(5, url).outcome.code == "ok"
    assert web.headers["Host"] == "safebooru.example"
    elsewhere = fetcher.fetch(5, f"http://{web.address}/a.jpg").outcome
    assert elsewhere.code == "connection_failed"  # to the proxy that the environment names


def test_says_who_it_is(web: Web, make: Make) -> None:
    make().fetch(5, web.put("/a.jpg", web.page(status=404)))
    assert web.headers["User-Agent"] == f"Senga/{version('senga')}"
    assert web.headers["Accept-Encoding"] == "identity"
    make(contact="me@example.org").fetch(5, web.put("/a.jpg", web.page(status=404)))
    assert web.headers["User-Agent"] == f"Senga/{version('senga')} (me@example.org)"
