"""The demo behind its real server: whatever clients send, it goes on serving."""

import base64
import contextlib
import http.client
import json
import logging
import os
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.demo.app import create_app
from pipeline.demo.models import Studio
from pipeline.demo.options import DemoOptions
from pipeline.demo.serve import listen, serving
from pipeline.demo.worker import Job, Worker
from pipeline.picture import decode, encode_png

MOST = 2_000_000  # bytes of a body
OPTIONS = DemoOptions(max_body=MOST, max_pixels=1_000_000, queue=8)
LINE = np.repeat(np.random.default_rng(0).integers(0, 256, (60, 6), dtype=np.uint8), 8, axis=1)
TEXT = base64.b64encode(encode_png(LINE)).decode()


class Gate(Studio):
    """Real models that wait for a gate where it is closed."""

    def __init__(self, *places: Any) -> None:
        super().__init__(*places)
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Semaphore(0)
        self.drawn = 0

    def draw(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        self.begun.release()
        assert self.open.wait(20)
        self.drawn += len(jobs)
        return super().draw(jobs)


@pytest.fixture(scope="module")
def studio(colorizer_file: Path, no_weights: None) -> Gate:  # noqa: ARG001
    loaded = Gate.load(DemoOptions(colorizer=str(colorizer_file), device="cpu"))
    assert isinstance(loaded, Gate)
    return loaded


@pytest.fixture(scope="module")
def port(studio: Gate) -> Iterator[int]:
    worker = Worker(studio, OPTIONS.queue)
    app = create_app(studio, worker, OPTIONS)
    with listen("127.0.0.1", 0) as listener:
        number = listener.getsockname()[1]
        with serving(app, listener, max_body=MOST, threads=24):
            yield number
    worker.close()


@pytest.fixture(autouse=True)
def serves_on(port: int) -> Iterator[None]:
    yield
    assert get(port, "/healthz")[0] == 200
    status, said = post(port, "/api/colorize", {"line": TEXT})
    assert (status, said["width"], said["height"]) == (200, 48, 60)


def get(port: int, path: str) -> tuple[int, Any]:
    return ask(port, "GET", path, b"", {})


def post(port: int, path: str, body: object, **headers: str) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(port, "POST", path, content, kind | sent)


def ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    status, body = answer
    assert set(body["error"]) == {"code", "message"}
    return status, body["error"]["code"]


@contextlib.contextmanager
def raw(port: int, sent: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(sent)
        yield client


def head(path: str = "/api/colorize", *lines: str) -> bytes:
    first = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
    return "\r\n".join([*first, *lines, "", ""]).encode()


def heard(client: socket.socket) -> tuple[int, Any]:
    """One answer, as far as it is there."""
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.status, json.loads(response.read())


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG in black and white, 1 bit per pixel; without rows, it only claims to be one."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + start + pixels + chunk(b"IEND", b"")


def line(content: bytes) -> dict[str, str]:
    return {"line": base64.b64encode(content).decode()}


def test_a_painting_is_the_colorizers(port: int, studio: Gate) -> None:
    _, said = post(port, "/api/colorize", {"line": TEXT, "shift": 1})
    assert studio.colorizer is not None
    painted = studio.colorizer.colorize(LINE, z=np.ones(studio.latent, np.float32))
    assert (decode(base64.b64decode(said["image"])) == painted).all()
    assert 0 <= said["waited"] <= said["seconds"]


def test_lines_of_real_models(port: int) -> None:
    picture = np.full((80, 60, 3), 255, np.uint8)
    picture[20:60, 20:24] = 0
    sent = base64.b64encode(encode_png(picture)).decode()
    for path, size in (("/api/sketch", (96, 128)), ("/api/simplify", (60, 80))):
        body = {"image": sent} | ({"size": 128} if path == "/api/sketch" else {})
        status, said = post(port, path, body)
        assert (status, said["width"], said["height"]) == (200, *size)
        drawn = decode(base64.b64decode(said["line"]))
        assert drawn.min() < 128 < np.median(drawn)


@pytest.mark.parametrize("shape", [(16, 3000), (3000, 16)])
def test_a_strip(port: int, shape: tuple[int, int]) -> None:
    strip = np.full(shape, 255, np.uint8)
    strip[4:8] = 0
    sent = base64.b64encode(encode_png(strip)).decode()
    assert post(port, "/api/sketch", {"image": sent, "size": 64})[0] == 200
    assert post(port, "/api/simplify", {"image": sent})[0] == 200
    status, said = post(port, "/api/colorize", {"line": sent})
    assert (status, said["height"], said["width"]) == (200, *shape)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (line(b"hello, I am no picture"), (422, "not_a_picture")),
        (line(b"\x89PNG\r\n\x1a\n" + b"\x01" * 99), (422, "broken_picture")),
        (line(png(50_000, 50_000)), (413, "picture_too_large")),
        (line(png(10_000, 10_000)), (413, "picture_too_large")),
        (line(png(20_000, 20_000, bytes(20_000 * 2501))), (413, "picture_too_large")),  # whole
        (line(png(900, 900)), (422, "broken_picture")),
        (line(png(1, 1, b"\0\0")), (422, "picture_too_small")),
        (b'{"line": ', (400, "wrong_json")),
        (b"[1]", (400, "wrong_json")),
        ({}, (400, "missing_field")),
        ({"line": TEXT, "colour": 1}, (400, "unknown_field")),
        ({"line": 1}, (400, "bad_field")),
        ({"line": "%"}, (400, "not_base64")),
        (b" " * (MOST + 1), (413, "body_too_large")),
        (b" " * (MOST * 8), (413, "body_too_large")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_bad_input(port: int, body: object, expected: tuple[int, str]) -> None:
    assert code(post(port, "/api/colorize", body)) == expected


def test_a_body_of_just_the_limit(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    assert post(port, "/api/colorize", body.ljust(MOST))[0] == 200


def test_addresses_and_foreigners(port: int) -> None:
    assert code(get(port, "/nowhere")) == (404, "not_found")
    assert code(get(port, "/api/colorize")) == (405, "wrong_method")
    assert code(ask(port, "GET", "/", b"", {"Host": "evil.example"})) == (403, "wrong_host")
    body = {"line": TEXT}
    answer = post(port, "/api/colorize", body, Origin="http://evil.example")
    assert code(answer) == (403, "foreign_page")
    assert post(port, "/api/colorize", body, Origin=f"http://127.0.0.1:{port}")[0] == 200


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def test_a_body_in_chunks(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    sent = head("/api/colorize", "Transfer-Encoding: chunked") + chunks(body, 100) + b"0\r\n\r\n"
    with raw(port, sent) as client:
        assert heard(client)[0] == 200


def test_chunks_without_end(port: int) -> None:
    with raw(port, head("/api/colorize", "Transfer-Encoding: chunked")) as client:
        try:
            for _ in range(64):
                client.sendall(chunks(b" " * 1_000_000, 1_000_000))
            answer = code(heard(client))
        except OSError:  # the connection was closed before it was all sent
            answer = (413, "body_too_large")
    assert answer == (413, "body_too_large")


def test_chunks_beyond_the_limit(port: int) -> None:
    sent = head("/api/colorize", "Transfer-Encoding: chunked") + b"%x\r\n" % (MOST + 100)
    with raw(port, sent + b" " * (MOST + 1)) as client:
        assert code(heard(client)) == (413, "body_too_large")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 9999999999999",),
        ("Content-Length: -1",),
        ("Content-Length: ten",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Transfer-Encoding: gzip",),
        ("Expect: 100-continue", "Content-Length: 9999999999999"),
    ],
)
def test_a_length_that_cannot_be(port: int, lines: tuple[str, ...]) -> None:
    with raw(port, head("/api/colorize", *lines) + b"{}") as client:
        client.settimeout(0.2)
        try:
            assert heard(client)[0] in (400, 413)
        except TimeoutError:
            assert "9" in lines[-1]  # it is read to its end; this client goes away before


def test_a_length_that_is_too_small(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    with raw(port, head("/api/colorize", "Content-Length: 5") + body) as client:
        assert code(heard(client)) == (400, "wrong_json")


def test_a_length_that_is_too_large(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    with raw(port, head("/api/colorize", f"Content-Length: {len(body) + 9}") + body):
        assert get(port, "/healthz")[0] == 200


@pytest.mark.parametrize("sent", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nA\r\n\r\n"])
def test_no_http(port: int, sent: bytes) -> None:
    with raw(port, sent) as client:
        assert code(heard(client)) == (400, "bad_request")


@pytest.mark.parametrize("sent", [b"\r\n" * 9, b"\x16\x03\x01" + bytes(200), b"x" * 300_000])
def test_what_never_becomes_a_request(port: int, sent: bytes) -> None:
    with contextlib.suppress(ConnectionError), raw(port, sent):
        assert get(port, "/healthz")[0] == 200


def test_a_client_that_goes_away_in_its_body(port: int, studio: Gate) -> None:
    drawn = studio.drawn
    body = json.dumps({"line": TEXT}).encode()
    for share in (0, 10, len(body) - 1):
        for reset in (False, True):
            sent = head("/api/colorize", f"Content-Length: {len(body)}") + body[:share]
            with raw(port, sent) as client:
                if reset:
                    linger = struct.pack("ii", 1, 0)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert get(port, "/healthz")[1]["queue"] == 0
    assert studio.drawn == drawn


def test_a_client_that_goes_away_while_it_waits(port: int, studio: Gate) -> None:
    drawn = studio.drawn
    body = json.dumps({"line": TEXT}).encode()
    sent = head("/api/colorize", f"Content-Length: {len(body)}") + body
    with closed(studio), raw(port, sent) as first:
        assert studio.begun.acquire(timeout=60)  # it is being painted
        with raw(port, sent):
            wait_until(lambda: get(port, "/healthz")[1]["queue"] == 1)
        with raw(port, sent) as third:
            wait_until(lambda: get(port, "/healthz")[1]["queue"] >= 1)
            time.sleep(0.1)  # until the server has seen that the second one has gone
            studio.open.set()
            assert heard(first)[0] == heard(third)[0] == 200
    assert studio.drawn == drawn + 2


def test_a_client_that_goes_away_while_it_is_painted_for(port: int, studio: Gate) -> None:
    body = json.dumps({"line": TEXT}).encode()
    with closed(studio):
        with raw(port, head("/api/colorize", f"Content-Length: {len(body)}") + body):
            assert studio.begun.acquire(timeout=60)
        studio.open.set()


@contextlib.contextmanager
def closed(studio: Gate) -> Iterator[None]:
    """Nothing is drawn meanwhile."""
    while studio.begun.acquire(blocking=False):
        pass
    studio.open.clear()
    try:
        yield
    finally:
        studio.open.set()


def test_a_full_queue_and_a_newer_request(port: int, studio: Gate) -> None:
    answers: dict[str, tuple[int, Any]] = {}

    def send(name: str, body: dict[str, Any], **headers: str) -> threading.Thread:
        def run() -> None:
            answers[name] = post(port, "/api/colorize", {"line": TEXT} | body, **headers)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def queue() -> int:
        return int(get(port, "/healthz")[1]["queue"])

    with closed(studio):
        threads = [send("first", {})]
        assert studio.begun.acquire(timeout=60)
        threads.append(send("older", {"variations": 2}, X_Senga_Client="page"))
        wait_until(lambda: queue() == 2)
        threads.append(send("newer", {"variations": 3}, X_Senga_Client="page"))
        wait_until(lambda: queue() == 3)
        assert code(post(port, "/api/colorize", {"line": TEXT, "variations": 6})) == (
            503, "queue_full",
        )  # fmt: skip
        studio.open.set()
        for thread in threads:
            thread.join(10)
    assert code(answers["older"]) == (409, "superseded")
    assert answers["first"][0] == answers["newer"][0] == 200
    assert len(answers["newer"][1]["images"]) == 3


def test_two_requests_on_one_connection(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for body, status in ((b"{", 400), (json.dumps({"line": TEXT}).encode(), 200)):
        connection.request("POST", "/api/colorize", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()


_opened: list[str] | None = None  # files opened for writing while this is a list


def _watch(event: str, details: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR):
        _opened.append(str(details[0]))


sys.addaudithook(_watch)


def test_nothing_is_kept(
    port: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    global _opened
    noise = np.random.default_rng(1).integers(0, 256, (800, 800), dtype=np.uint8)
    content = encode_png(noise)  # 640 kB: more than Werkzeug and waitress keep in memory
    secret = base64.b64encode(content).decode()
    form = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="my-secret.png"\r\n\r\n'
    multipart = form % b"line" + content + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    _opened = []
    try:
        with (Path(os.devnull)).open("w"):
            pass
        assert _opened == [os.devnull]  # it is watched
        with caplog.at_level(logging.DEBUG):
            assert post(port, "/api/colorize", {"line": secret, "size": "model"})[0] == 200
            assert post(port, "/api/colorize", multipart, Content_Type=kind)[0] == 200
            assert post(port, "/api/colorize", {"line": secret[:-9]})[0] == 400
            assert post(port, "/api/colorize", {"lime": secret})[0] == 400
            assert post(port, "/api/colorize", multipart[:-9], Content_Type=kind)[0] == 400
            body = {"line": base64.b64encode(content[:-100]).decode()}
            assert post(port, "/api/colorize", body)[0] == 422
        written = _opened
    finally:
        _opened = None
    assert written == [os.devnull]
    said = caplog.text + "".join(capfd.readouterr())
    for part in (secret[:30], secret[5000:5030], "my-secret", "lime"):
        assert part not in said
