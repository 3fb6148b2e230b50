"""Every fault of the server is on the wire as its name says."""

import socket
from collections.abc import Iterator

import pytest

from benchmarks.harness.fault_pictures import endless_gzip, noise, picture
from benchmarks.harness.fault_server import FAULTS, Fault, FaultServer
from benchmarks.harness.web import serving
from tests.pipeline.collect.fake_clock import FakeClock


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with serving(FaultServer()) as running:
        running.wait = FakeClock().wait
        yield running


def ask(server: FaultServer, path: str, max_bytes: int = 1 << 30) -> tuple[str, bytes]:
    """Return the head and the body of a response as they are sent, until the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = bytearray()
        while len(received) < max_bytes and (more := connection.recv(1 << 20)):
            received += more
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    return head.decode("latin-1"), body


def test_every_fault_has_a_path_of_its_own(server: FaultServer) -> None:
    for fault in FAULTS:
        if fault.path.startswith("/"):
            assert fault.path in server._faulty
    assert len({fault.path for fault in FAULTS}) == len(FAULTS) == len({f.name for f in FAULTS})


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/year.jpg", "Retry-After: Fri, 01 Jan 99999999999999999999 00:00:00 GMT"),
        ("/zone.jpg", "Retry-After: Sun, 01 Mar 2026 12:01:00 +99999999999999999999"),
    ],
)
def test_absurd_retry_after_comes_once(server: FaultServer, path: str, header: str) -> None:
    server.clear()
    head, _ = ask(server, path)
    assert head.startswith("HTTP/1.1 503 ")
    assert header in head.splitlines()
    head, body = ask(server, path)
    assert head.startswith("HTTP/1.1 200 ")
    assert body.startswith(b"\xff\xd8\xff")


def test_length_of_5000_digits(server: FaultServer) -> None:
    head, body = ask(server, "/digits.jpg")
    assert f"Content-Length: {'9' * 5000}" in head.splitlines()
    assert body == picture(1)


def test_chunks_of_two_bytes_are_a_picture(server: FaultServer) -> None:
    head, body = ask(server, "/chunks.png")
    assert "Transfer-Encoding: chunked" in head.splitlines()
    whole = noise(800)
    assert 1_900_000 < len(whole) < 2_000_000
    last = b"1\r\n" + whole[-1:] + b"\r\n" if len(whole) % 2 else b""
    assert len(body) == len(whole) // 2 * len("2\r\n..\r\n") + len(last) + len("0\r\n\r\n")
    assert body.startswith(b"2\r\n\x89P\r\n2\r\nNG\r\n2\r\n\r\n\r\n2\r\n\x1a\n\r\n")
    assert body.endswith(last + b"0\r\n\r\n")


def test_body_without_end_is_longer_than_any_limit(server: FaultServer) -> None:
    head, body = ask(server, "/endless.png", max_bytes=40_000_000)
    assert "Transfer-Encoding: chunked" in head.splitlines()
    assert len(body) >= 39_000_000
    assert b"\r\n0\r\n\r\n" not in body[-2_000_000:]


def test_gzip_is_announced(server: FaultServer) -> None:
    head, body = ask(server, "/gzip.jpg")
    assert "Content-Encoding: gzip" in head.splitlines()
    assert body == endless_gzip(1000)
    assert len(body) < 1_000_000


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.name.startswith("redirect to")])
def test_redirect_leads_where_its_name_says(server: FaultServer, fault: Fault) -> None:
    head, _ = ask(server, fault.path)
    assert head.startswith("HTTP/1.1 302 ")
    to = fault.name.removeprefix("redirect to ").partition(",")[0]
    here = "" if fault.leads_away else f":{server.port}/secret.jpg"
    (location,) = (line for line in head.splitlines() if line.startswith("Location: "))
    assert location.removeprefix("Location: ").startswith(f"http://{to}{here}")
    assert fault.leads_away == location.endswith("/latest/meta-data")


@pytest.mark.parametrize(
    ("path", "start", "size"),
    [
        ("/scans.jpg", b"\xff\xd8\xff", 94_000),
        ("/comments.jpg", b"\xff\xd8\xff\xfe\0\2\xff\xfe\0\2", 30_000_000),
        ("/comments.png", b"\x89PNG", 30_200_000),
        ("/comments.gif", b"GIF8", 30_100_000),
    ],
)
def test_costly_pictures_are_sent_whole(
    server: FaultServer, path: str, start: bytes, size: int
) -> None:
    head, body = ask(server, path)
    assert f"Content-Length: {len(body)}" in head.splitlines()
    assert body.startswith(start)
    assert abs(len(body) - size) < size / 100
