"""One URL, against a server that misbehaves."""

import hashlib
import socket
import ssl
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.web import Web
from pipeline.collect import fetch
from pipeline.collect.client import PoliteClient
from pipeline.collect.fetch import Fetched
from pipeline.collect.fetch_many import fetch_one
from pipeline.collect.options import DownloadOptions
from pipeline.memory_budget import Claim
from sketch_models.errors import ConfigError
from tests.pipeline.collect.fake_clock import FakeClock

Files = dict[str, bytes]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Client:
    """A client that fetches one URL after the other, without waiting."""

    def __init__(self, **fields: Any) -> None:
        self.clock = FakeClock()
        self.client = PoliteClient(**fields, clock=self.clock, wait=self.clock.wait)
        self.fetcher = self.client.fetcher(self.client.schedule({}))

    def fetch(self, post_id: int, url: str) -> Fetched:
        schedule = self.client.schedule({post_id: url})
        while job := schedule.next_job():
            fetched = fetch_one(self.fetcher, schedule, job)
            self.fetcher.release()
            if fetched:
                return fetched
        raise AssertionError("the job has no result")


@pytest.fixture
def make() -> Iterator[Callable[..., Client]]:
    made = []

    def new(connect_to: dict[str, str] | None = None, **options: Any) -> Client:
        chosen = DownloadOptions(
            **{"allow_private": True, "robots_txt": False, "requests_per_second": 0} | options
        )
        hosts = ("127.0.0.1", "localhost", *(connect_to or {}))
        made.append(Client(options=chosen, allowed_hosts=hosts, connect_to=connect_to or {}))
        return made[-1]

    yield new
    for client in made:
        client.fetcher.close()


Make = Callable[..., Client]


def test_picture_is_kept_byte_for_byte(web: Web, make: Make, files: Files) -> None:
    for number, (extension, content) in enumerate(files.items()):
        url = web.put(f"//samples/7/a.{extension}?12", web.page(content))
        fetched = make().fetch(number, url)
        assert (fetched.extension, fetched.content) == (extension, content)
        row = fetched.outcome
        assert (row.id, row.code, row.url, row.status) == (number, "ok", url, 200)
        assert row.bytes == len(content)
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert not row.transient


def test_body_takes_its_bytes_however_the_server_cuts_it(
    web: Web, make: Make, files: Files
) -> None:
    body = files["jpg"] + bytes(120_000)
    pairs = [body[at : at + 2] for at in range(0, len(body), 2)]
    client, url = make(), web.put("/a.jpg", web.chunked(*pairs))
    tracemalloc.start()
    assert client.fetch(5, url).content == body
    assert tracemalloc.get_traced_memory()[1] < 6 * len(body)  # each pair takes 35 bytes, and 8
    tracemalloc.stop()


def test_body_waits_for_memory_until_its_deadline(web: Web, make: Make, files: Files) -> None:
    client = make(total_timeout=0.2, retries=0)
    url = web.put("/a.jpg", web.page(files["jpg"]))
    with client.client.memory.hold(10**9):
        row = client.fetch(5, url).outcome
    assert (row.code, row.transient) == ("timeout", True)
    for page in (web.page(files["jpg"]), web.chunked(files["jpg"]), web.page(b"junk")):
        client.fetch(5, web.put("/b.jpg", page))
    with client.client.memory.hold(10**9, 0):  # it was released every time
        pass


def test_body_without_a_length_takes_memory_as_it_grows(web: Web, make: Make, files: Files) -> None:
    client = make(total_timeout=0.2, retries=0)
    memory = client.client.memory
    short, long = web.chunked(files["jpg"]), web.chunked(*[files["jpg"] + bytes(700_000)] * 5)
    for free, page, code in (
        (1_200_000, short, "ok"),
        (2_500_000, long, "timeout"),  # of 4 MB
        (8_100_000, long, "ok"),
    ):
        with memory.hold(96_000_000 - free, 0):
            assert client.fetch(5, web.put("/a.jpg", page)).outcome.code == code, free
        with memory.hold(96_000_000, 0):  # it was released every time
            pass


def test_waiting_for_memory_is_no_slowness_of_the_server(
    web: Web, make: Make, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make(total_timeout=10_000.0, min_speed=10_000.0, retries=0)
    grow = Claim.grow

    def wait(claim: Claim, size: int, timeout: float | None) -> None:
        client.clock.wait(1000)
        grow(claim, size, timeout)

    monkeypatch.setattr(Claim, "grow", wait)
    page = web.chunked(*[files["jpg"] + bytes(700_000)] * 5)
    assert client.fetch(5, web.put("/a.jpg", page)).outcome.code == "ok"
    assert client.clock.now >= 2000


def test_url_without_extension_may_be_any_picture(web: Web, make: Make, files: Files) -> None:
    assert make().fetch(1, web.put("/image.php?id=3", web.page(files["png"]))).extension == "png"
    assert make().fetch(1, web.put("/image.JPEG", web.page(files["jpg"]))).extension == "jpg"


@pytest.mark.parametrize("status", [204, 304, 400, 404, 410, 451])
def test_permanent_status_is_final(web: Web, make: Make, status: int) -> None:
    client = make()
    fetched = client.fetch(5, web.put("/a.jpg", web.page(status=status)))
    row = fetched.outcome
    assert (row.code, row.status, row.transient) == (f"http_{status}", status, False)
    assert not fetched.content
    assert (len(web.requested), client.clock.now) == (1, 0)


@pytest.mark.parametrize("status", [403, 408, 429, 500, 502, 503, 504])
def test_transient_status_is_retried(web: Web, make: Make, files: Files, status: int) -> None:
    client = make()
    url = web.put("/a.jpg", web.page(status=status), web.page(files["jpg"]))
    assert client.fetch(5, url).outcome.code == "ok"
    assert len(web.requested) == 2
    assert client.clock.now > 0.4


@pytest.mark.parametrize(
    ("status", "header", "value", "code", "size"),
    [
        (200, "Content_Length", "9" * 5000, "too_many_bytes", (1 << 63) - 1),
        (503, "Retry_After", "9" * 5000, "http_503", 0),
        (429, "Retry_After", "Fri, 01 Jan 99999999999999999999 00:00:00 GMT", "http_429", 0),
        (503, "Retry_After", "Sun, 01 Mar 2026 12:01:00 +99999999999999999999", "http_503", 0),
        (404, "Retry_After", "\u00b2", "http_404", 0),
    ],
)
def test_absurd_headers_cost_their_own_row(
    web: Web, make: Make, status: int, header: str, value: str, code: str, size: int
) -> None:
    page = web.page(status=status, **{header: value})
    row = make(retries=0).fetch(5, web.put("/a.jpg", page)).outcome
    assert (row.code, row.status, row.bytes) == (code, status, size)


@pytest.mark.parametrize("place", ["check_picture", "read_headers", "check_url"])
def test_unforeseen_errors_are_rows(
    web: Web, make: Make, files: Files, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RecursionError("too deep")

    client = make(retries=0)
    good = web.put("/a.jpg", web.page(files["jpg"]))
    with monkeypatch.context() as patch:
        patch.setattr(fetch, place, fail)
        row = client.fetch(5, good).outcome
    assert (row.code, row.transient) == ("unexpected", True)
    assert row.detail.startswith("RecursionError in test_fetch.py, line ")
    assert client.fetch(6, good).outcome.code == "ok"


@pytest.mark.parametrize("error", [ConfigError("x"), MemoryError()])
def test_errors_of_the_machine_end_the_run(
    web: Web, make: Make, files: Files, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    for place in ("check_picture", "read_headers"):
        with monkeypatch.context() as patch:
            patch.setattr(fetch, place, fail)
            with pytest.raises(type(error)):
                make().fetch(5, web.put("/a.jpg", web.page(files["jpg"])))


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (
            b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 60_000 + b"\r\n") * 5 + b"\r\n",
            "connection_failed",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 12_000, "connection_failed"),
        (CHUNKED + b"0\r\n" + (b"X: " + b"y" * 60_000 + b"\r\n") * 70 + b"\r\n", "incomplete"),
        (CHUNKED + (b"1;" + b"x" * 60_000 + b"\r\na\r\n") * 70 + b"0\r\n\r\n", "incomplete"),
    ],
    ids=["headers", "interim responses", "trailers", "lines of chunks"],
)
def test_what_is_not_the_body_is_limited(
    web: Web, make: Make, files: Files, response: bytes, code: str
) -> None:
    client = make(retries=0)
    row = client.fetch(5, web.put("/a.jpg", web.raw(response))).outcome
    assert (row.code, row.transient) == (code, True)
    assert row.detail == "HTTPException: too many bytes that are not the body"
    assert client.fetch(6, web.put("/b.jpg", web.page(files["jpg"]))).outcome.code == "ok"


def test_many_headers_and_trailers_are_read(web: Web, make: Make, files: Files) -> None:
    head = b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED[:-2] + b"X: %s\r\n\r\n" % (b"y" * 60_000)
    body = b"%x\r\n%s\r\n0\r\n" % (len(files["jpg"]), files["jpg"])
    response = head + body + b"X: y\r\n" * 1000 + b"\r\n"
    fetched = make(retries=0).fetch(5, web.put("/a.jpg", web.raw(response)))
    assert fetched.content == files["jpg"]


def test_last_retry_is_final(web: Web, make: Make) -> None:
    client = make(retries=3)
    row = client.fetch(5, web.put("/a.jpg", web.page(status=503))).outcome
    assert (row.code, row.transient) == ("http_503", True)
    assert len(web.requested) == 4
    assert client.clock.now > 0.5 + 1 + 2
    assert make(retries=0).fetch(5, row.url).outcome.code == "http_503"
    assert len(web.requested) == 5


def test_403_on_every_url_is_retried_next_run(web: Web, make: Make) -> None:
    row = make(retries=1).fetch(5, web.put("/a.jpg", web.page(status=403))).outcome
    assert (row.code, row.status, row.transient) == ("shut_out", 403, True)


def test_retry_after_is_respected(web: Web, make: Make, files: Files) -> None:
    in_20_s = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=20), usegmt=True)
    long_ago = "Wed, 21 Oct 2015 07:28:00 GMT"
    waited = []
    without_zone = "Wed, 21 Oct 2015 07:28:00"
    for number, retry_after in enumerate(["7", in_20_s, long_ago, "soon", "-3", without_zone]):
        refusal = web.page(status=429, Retry_After=retry_after)
        url = web.put(f"/{number}.jpg", refusal, web.page(files["jpg"]))
        client = make()
        assert client.fetch(5, url).outcome.code == "ok"
        waited.append(client.clock.now)
    assert 6.5 < waited[0] <= 8.1
    assert 15 < waited[1] <= 21.1
    assert max(waited[2:]) <= 1.1


def test_retry_after_beyond_host_timeout_gives_the_host_up(web: Web, make: Make) -> None:
    client = make(host_timeout=60.0)
    refusal = web.page(status=429, Retry_After="3600")
    row = client.fetch(5, web.put("/a.jpg", refusal)).outcome
    assert (row.code, row.transient, client.clock.now) == ("http_429", True, 0)
    assert client.fetch(6, web.put("/b.jpg", refusal)).outcome.code == "host_unavailable"
    assert web.requested == ["/a.jpg"]


def test_reset_connection_is_retried(web: Web, make: Make, files: Files) -> None:
    url = web.put("/a.jpg", web.reset, web.page(files["jpg"]))
    assert make().fetch(5, url).outcome.code == "ok"
    row = make(retries=1).fetch(5, web.put("/b.jpg", web.reset)).outcome
    assert (row.code, row.status, row.transient) == ("connection_failed", None, True)
    assert web.requested.count("/b.jpg") == 2


def test_refused_connection_is_transient(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    row = make(retries=2).fetch(5, f"http://127.0.0.1:{port}/a.jpg").outcome
    assert (row.code, row.transient) == ("connection_failed", True)
    assert row.detail == "ConnectionRefusedError: [Errno 111] Connection refused"


def test_missing_response_is_a_timeout(web: Web, make: Make) -> None:
    row = make(first_byte_timeout=0.1, retries=1).fetch(5, web.put("/a.jpg", web.silence)).outcome
    assert (row.code, row.transient, len(web.requested)) == ("timeout", True, 2)


def test_slow_body_ends_at_the_deadline(web: Web, make: Make, files: Files) -> None:
    client = make(total_timeout=10.0, min_speed=0.0, retries=0)
    web.wait = client.clock.wait_beside_a_client
    row = client.fetch(5, web.put("/a.jpg", web.drip(files["jpg"], 0.5))).outcome
    assert (row.code, row.transient, len(web.requested)) == ("timeout", True, 1)
    assert 0 < row.bytes < len(files["jpg"])


def test_slow_chunk_header_ends_at_the_deadline(web: Web, make: Make) -> None:
    """It is read as one line, so that no read of the fetcher returns meanwhile."""
    client = make(total_timeout=10.0, min_speed=0.0, retries=0)

    def send(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"0")
            client.clock.wait_beside_a_client(0.5)

    row = client.fetch(5, web.put("/a.jpg", send)).outcome
    assert (row.code, row.transient) == ("timeout", True)


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nX-Long: "])
def test_slow_header_ends_at_its_deadline(web: Web, make: Make, line: bytes) -> None:
    client = make(connect_timeout=1.0, first_byte_timeout=2.0, retries=0)

    def send(handler: Any) -> None:
        handler.wfile.write(line)
        for _ in range(1000):
            handler.wfile.write(b"x")
            client.clock.wait_beside_a_client(0.02)

    row = client.fetch(5, web.put("/a.jpg", send)).outcome
    assert (row.code, row.transient) == ("timeout", True)
    assert row.detail == "before the complete header"


def test_deadline_of_a_request_does_not_end_the_next(web: Web, make: Make, files: Files) -> None:
    client = make(total_timeout=10.0, min_speed=0.0, retries=0)
    web.wait = client.clock.wait_beside_a_client
    assert client.fetch(5, web.put("/a.jpg", web.drip(files["jpg"], 0.5))).outcome.code != "ok"

    def send(handler: Any) -> None:
        watch()
        web.page(files["jpg"])(handler)

    watch = client.fetcher._checked.enforce_deadline  # which the watchdog may call at any time
    for number in range(5):
        client.clock.wait(20)
        watch()
        assert client.fetch(5, web.put(f"/{number}.jpg", send)).outcome.code == "ok"


def test_body_below_min_speed_is_too_slow(web: Web, make: Make, files: Files) -> None:
    client = make(min_speed=1000.0, retries=0)
    web.wait = client.clock.wait_beside_a_client
    row = client.fetch(5, web.put("/a.jpg", web.drip(files["jpg"], 0.5))).outcome
    assert (row.code, row.transient) == ("too_slow", True)
    assert "bytes/s" in row.detail


def test_slow_body_within_deadline_is_kept(web: Web, make: Make, files: Files) -> None:
    client = make(min_speed=0.0, total_timeout=60.0)
    web.wait = client.clock.wait
    url = web.put("/a.jpg", web.drip(files["jpg"], 50.0 / len(files["jpg"])))
    assert client.fetch(5, url).outcome.code == "ok"
    assert client.clock.now == pytest.approx(50, rel=0.01)


def test_incomplete_body_is_retried(web: Web, make: Make, files: Files) -> None:
    content = files["jpg"]
    short = web.cut(content[:100], announced=len(content))
    assert make().fetch(5, web.put("/a.jpg", short, web.page(content))).outcome.code == "ok"
    row = make(retries=0).fetch(5, web.put("/a.jpg", short)).outcome
    assert (row.code, row.status, row.transient) == ("incomplete", 200, True)


def test_header_that_is_cut_off_is_incomplete(web: Web, make: Make) -> None:
    """What is left of it reads like an empty response."""

    def send(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
        handler.close_connection = True

    row = make(retries=0).fetch(5, web.put("/a.jpg", send)).outcome
    assert (row.code, row.transient) == ("incomplete", True)


def test_body_longer_than_announced_is_cut(web: Web, make: Make, files: Files) -> None:
    """The rest is not taken for the next response."""
    fetcher = make()
    too_long = web.page(files["jpg"], Content_Length=len(files["jpg"]) - 50)
    assert fetcher.fetch(5, web.put("/a.jpg", too_long)).outcome.code == "truncated"
    assert fetcher.fetch(6, web.put("/b.png", web.page(files["png"]))).outcome.code == "ok"


def test_body_that_is_not_the_picture_has_its_code(web: Web, make: Make, files: Files) -> None:
    html = b"\n<!DOCTYPE html><title>Sorry</title>"
    cases = {
        "/empty.jpg": (web.page(b""), "empty"),
        "/text.jpg": (web.page(b"there is no picture"), "not_a_picture"),
        "/page.jpg": (web.page(html, Content_Type="text/html; charset=utf-8"), "html"),
        "/typeless.jpg": (web.page(html), "html"),
        "/said.jpg": (web.page(files["jpg"], Content_Type="Text/HTML"), "html"),
        "/cut.jpg": (web.page(files["jpg"][:-200]), "truncated"),
        "/end.jpg": (web.page(files["jpg"][:-2]), "truncated"),
        "/cut.png": (web.page(files["png"][:-200]), "truncated"),
    }
    for path, (page, code) in cases.items():
        fetched = make().fetch(5, web.put(path, page))
        row = fetched.outcome
        assert (path, row.code, row.status, row.transient) == (path, code, 200, False)
        assert (fetched.content, fetched.extension, row.sha256) == (b"", "", "")
    assert len(web.requested) == len(cases)


def test_body_over_max_bytes_is_refused(web: Web, make: Make, files: Files) -> None:
    content, size = files["png"], len(files["png"])
    announced = web.put("/announced.png", web.page(content))
    unannounced = web.put("/unannounced.png", web.chunked(content[:99], content[99:]))
    for url in (announced, unannounced):
        assert make(max_bytes=size).fetch(5, url).content == content
        row = make(max_bytes=size - 1).fetch(5, url).outcome
        assert (row.code, row.bytes, row.transient) == ("too_many_bytes", size, False)


def test_body_that_is_cut_at_max_bytes_is_not_kept(web: Web, make: Make, files: Files) -> None:
    """The first bytes are a whole picture of just the length that is allowed, but not all."""
    content = files["png"]
    url = web.put("/a.png", web.chunked(content, b"more"))
    row = make(max_bytes=len(content)).fetch(5, url).outcome
    assert (row.code, row.transient) == ("too_many_bytes", False)


def test_redirects_are_followed_on_one_connection(web: Web, make: Make, files: Files) -> None:
    web.put("/b/c.jpg", web.page(files["jpg"]))
    url = web.put("/a/b.jpg", web.page(b"moved", 301, Location="../b/c.jpg"))
    row = make().fetch(5, url).outcome
    assert (row.code, row.url) == ("ok", url)
    assert web.requested == ["/a/b.jpg", "/b/c.jpg"]
    assert web.connections == 1


def test_file_of_another_type_than_its_url_is_kept_under_its_own(
    web: Web, make: Make, files: Files
) -> None:
    for name, extension in (("/png.jpg", "png"), ("/gif.png", "gif"), ("/jpg.webp", "jpg")):
        url = web.put(name, web.page(files[extension]))
        fetched = make().fetch(5, url)
        assert (fetched.outcome.code, fetched.extension) == ("ok", extension)
        assert make(wrong_type="drop").fetch(5, url).outcome.code == "wrong_type"


def test_redirect_to_a_file_of_another_type_is_not_the_picture(
    web: Web, make: Make, files: Files
) -> None:
    web.put("/deleted.png", web.page(files["png"]))
    url = web.put("/a.jpg", web.page(b"", 302, Location="/deleted.png"))
    assert make().fetch(5, url).outcome.code == "wrong_redirect"
    assert make(wrong_type="drop").fetch(5, url).outcome.code == "wrong_type"
    for last in ("/files/a.jpg", "/files/12"):
        web.put(last, web.page(files["png"]))
        url = web.put("/b.jpg", web.page(b"", 302, Location=last))
        assert make().fetch(5, url).outcome.code == "ok"


def test_endless_redirects_are_ended(web: Web, make: Make) -> None:
    row = make().fetch(5, web.put("/a.jpg", web.page(b"", 302, Location="/a.jpg"))).outcome
    assert (row.code, row.status, row.transient) == ("too_many_redirects", 302, False)
    assert len(web.requested) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg"])
def test_redirects_to_other_schemes_are_refused(web: Web, make: Make, target: str) -> None:
    row = make().fetch(5, web.put("/a.jpg", web.page(b"", 302, Location=target))).outcome
    assert (row.code, row.transient) == ("wrong_scheme", False)


def test_every_redirect_is_checked_for_its_host_and_address(
    web: Web, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {"inside.example": "127.0.0.1", "cloud.example": "169.254.169.254"}
    resolve = socket.getaddrinfo

    def fake_getaddrinfo(host: str, *arguments: Any, **named: Any) -> Any:
        return resolve(addresses.get(host, host), *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", fake_getaddrinfo)
    web.put("/secret.jpg", web.page(files["jpg"]))
    port = web.server_address[1]
    for number, (target, code) in enumerate(
        {
            f"http://127.0.0.1:{port}/secret.jpg": "wrong_host",
            f"http://inside.example:{port}/secret.jpg": "private_address",
            "http://cloud.example/latest/meta-data": "private_address",
            "http://169.254.169.254/latest/meta-data": "wrong_host",
            f"http://safebooru.example@127.0.0.1:{port}/secret.jpg": "bad_url",
            "file:///etc/passwd": "wrong_scheme",
        }.items()
    ):
        web.put(f"/{number}.jpg", web.page(b"", 302, Location=target))
        options = DownloadOptions(robots_txt=False, hosts=("example",))
        connect_to = {"safebooru.example": web.address}
        client = Client(options=options, connect_to=connect_to)
        row = client.fetch(5, f"http://safebooru.example/{number}.jpg").outcome
        assert (target, row.code) == (target, code)
        assert not row.transient
    assert "/secret.jpg" not in web.requested


def test_host_is_resolved_once_per_connection(
    web: Web, make: Make, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checked address is connected to, whatever the name resolves to a moment later."""
    addresses, resolved = ["127.0.0.1", "169.254.169.254"], []
    resolve = socket.getaddrinfo

    def rebind(host: str, *arguments: Any, **named: Any) -> Any:
        if host == "localhost":
            resolved.append(host)
            host = addresses.pop(0)
        return resolve(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    web.put("/a.jpg", web.page(files["jpg"]))
    port = web.server_address[1]
    assert make().fetch(5, f"http://localhost:{port}/a.jpg").outcome.code == "ok"
    assert resolved == ["localhost"]
    row = make().fetch(5, f"http://localhost:{port}/a.jpg").outcome
    assert row.code == "private_address"


def test_second_address_is_tried_if_the_first_fails(
    web: Web, make: Make, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    port = web.server_address[1]

    def two(host: str, *arguments: Any, **named: Any) -> Any:
        if host != "localhost":
            return resolve(host, *arguments, **named)
        return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.9", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    web.put("/a.jpg", web.page(files["jpg"]))
    assert make().fetch(5, f"http://localhost:{port}/a.jpg").outcome.code == "ok"


def test_unknown_host_is_transient(make: Make) -> None:
    row = make(hosts=("invalid",), retries=0).fetch(5, "http://no.invalid/a.jpg").outcome
    assert (row.code, row.transient) == ("connection_failed", True)


def test_robots_txt_is_respected(web: Web, make: Make, files: Files) -> None:
    web.put("/robots.txt", web.page(b"User-agent: *\nDisallow: /images/\n"))
    closed = web.put("/images/a.jpg", web.page(files["jpg"]))
    opened = web.put("/samples/a.jpg", web.page(files["jpg"]))
    client = make(robots_txt=True)
    assert client.fetch(5, closed).outcome.code == "robots_txt"
    assert client.fetch(6, opened).outcome.code == "ok"
    assert web.requested == ["/robots.txt", "/samples/a.jpg"]
    moved = web.put("/b.jpg", web.page(b"", 302, Location="/images/a.jpg"))
    assert client.fetch(7, moved).outcome.code == "robots_txt"
    assert make(robots_txt=False).fetch(8, closed).outcome.code == "ok"


def test_crawl_delay_of_robots_txt_is_kept(web: Web, make: Make, files: Files) -> None:
    web.put("/robots.txt", web.page(b"User-agent: *\nCrawl-delay: 8\n"))
    client, times = make(robots_txt=True), []
    for number in range(3):
        assert client.fetch(number, web.put(f"/{number}.jpg", web.page(files["jpg"]))).content
        times.append(client.clock.now)
    assert times[2] - times[1] == pytest.approx(8, abs=0.1)
    assert client.client.hosts.get("127.0.0.1").rate == 1 / 8


def test_missing_robots_txt_allows_everything(web: Web, make: Make, files: Files) -> None:
    url = web.put("/a.jpg", web.page(files["jpg"]))
    assert make(robots_txt=True).fetch(5, url).outcome.code == "ok"
    assert web.requested == ["/robots.txt", "/a.jpg"]


def test_redirect_of_robots_txt_is_followed(web: Web, make: Make, files: Files) -> None:
    web.put("/robots.txt", web.page(b"", 302, Location="/rules.txt"))
    web.put("/rules.txt", web.page(b"User-agent: *\nDisallow: /\n"))
    url = web.put("/a.jpg", web.page(files["jpg"]))
    assert make(robots_txt=True).fetch(5, url).outcome.code == "robots_txt"


def test_x_robots_tag_is_respected(web: Web, make: Make, files: Files) -> None:
    url = web.put("/a.jpg", web.page(files["jpg"], X_Robots_Tag="noindex, noai"))
    row = make().fetch(5, url).outcome
    assert (row.code, row.detail, row.transient) == ("noai", "X-Robots-Tag: noindex, noai", False)
    assert make(x_robots_tag=False).fetch(5, url).outcome.code == "ok"


@pytest.mark.parametrize("media_type", ["application/zip", "text/plain", "video/mp4"])
def test_content_type_of_something_else_is_refused(
    web: Web, make: Make, files: Files, media_type: str
) -> None:
    row = (
        make().fetch(5, web.put("/a.jpg", web.page(files["jpg"], Content_Type=media_type))).outcome
    )
    assert (row.code, row.transient) == ("wrong_content_type", False)
    assert media_type in row.detail


@pytest.mark.parametrize("media_type", ["image/png", "application/octet-stream", "Image/JPEG; q=1"])
def test_content_types_of_careless_servers_are_accepted(
    web: Web, make: Make, files: Files, media_type: str
) -> None:
    url = web.put("/a.jpg", web.page(files["jpg"], Content_Type=media_type))
    assert make().fetch(5, url).outcome.code == "ok"


def test_certificate_is_checked_for_the_host_name(
    web: Web, make: Make, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files_of = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files_of], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    web.put("/a.jpg", web.page(files["jpg"]))
    port = web.server_address[1]
    row = make(retries=0).fetch(5, f"https://localhost:{port}/a.jpg").outcome
    assert (row.code, row.transient) == ("tls_failed", True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert make().fetch(5, f"https://localhost:{port}/a.jpg").outcome.code == "ok"
    row = make(retries=0).fetch(5, f"https://127.0.0.1:{port}/a.jpg").outcome
    assert row.code == "tls_failed"
    client = make(total_timeout=10.0, min_speed=0.0, retries=0)
    web.wait = client.clock.wait_beside_a_client
    slow = web.put("/b.jpg", web.drip(files["jpg"], 0.5)).replace("http:", "https:")
    slow = slow.replace("127.0.0.1", "localhost")
    assert client.fetch(5, slow).outcome.code == "timeout"


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
        ("http://elsewhere.example/a.jpg", "wrong_host"),
    ],
)
def test_refused_url_gets_no_request(make: Make, url: str, code: str) -> None:
    client = make()
    row = client.fetch(5, url).outcome
    assert (row.code, row.url, row.transient, client.clock.now) == (code, url, False, 0)


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "*", ".example", "xn--\u0fff.example"])
def test_impossible_host_names_have_a_code(make: Make, host: str) -> None:
    row = make(hosts=("*",), retries=0).fetch(5, f"http://{host}/a.jpg").outcome
    assert row.code in ("bad_url", "connection_failed")


def test_connection_is_reused_for_every_short_response(web: Web, make: Make, files: Files) -> None:
    """Whatever its status, as long as it is read or short enough to drain."""
    fetcher = make()
    for number in range(4):
        fetcher.fetch(number, web.put(f"/{number}.jpg", web.page(files["jpg"])))
        fetcher.fetch(number, web.put(f"/{number}.png", web.page(b"gone" * 99, 404)))
        fetcher.fetch(
            number, web.put(f"/{number}.gif", web.page(b"<html>", Content_Type="text/html"))
        )
    assert (len(web.requested), web.connections) == (12, 1)


def test_connect_to_replaces_the_address_and_the_proxy(
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


def test_user_agent_names_program_and_contact(web: Web, make: Make) -> None:
    make().fetch(5, web.put("/a.jpg", web.page(status=404)))
    assert web.headers["User-Agent"] == f"Senga/{version('senga')}"
    assert web.headers["Accept-Encoding"] == "identity"
    make(contact="me@example.org").fetch(5, web.put("/a.jpg", web.page(status=404)))
    assert web.headers["User-Agent"] == f"Senga/{version('senga')} (me@example.org)"


def test_closed_fetcher_has_closed_its_connections(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    monkeypatch.setattr(fetch.Transport, "close", lambda self: closed.append(self))
    make().fetcher.close()
    assert len(set(closed)) == 2


def test_cause_of_a_failure_is_its_detail(make: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.jpg"
        row = make(retries=0).fetch(1, url).outcome
    assert (row.code, row.status) == ("connection_failed", None)
    assert row.detail == "ConnectionRefusedError: [Errno 111] Connection refused"
