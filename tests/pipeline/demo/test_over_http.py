"""The demo behind its real server: it keeps serving, whatever clients send."""

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
from pipeline.demo.models import Models
from pipeline.demo.options import DemoOptions
from pipeline.demo.serve import listen, serving
from pipeline.demo.worker import Job, Worker
from pipeline.picture import decode, encode_png

MAX_BODY = 2_000_000  # bytes
TIMEOUT = 20  # seconds; only a failing test waits for so long
OPTIONS = DemoOptions(max_body=MAX_BODY, max_pixels=1_000_000, queue=8)
LINE = np.repeat(np.random.default_rng(0).integers(0, 256, (60, 6), dtype=np.uint8), 8, axis=1)
TEXT = base64.b64encode(encode_png(LINE)).decode()


class GatedModels(Models):
    """Real models that wait while their gate is closed."""

    def __init__(self, *models: Any) -> None:
        super().__init__(*models)
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Semaphore(0)  # counts batches
        self.num_done = 0  # jobs

    def run_batch(self, jobs: Sequence[Job]) -> Sequence[NDArray[Any]]:
        self.started.release()
        assert self.gate.wait(TIMEOUT)
        self.num_done += len(jobs)
        return super().run_batch(jobs)


@pytest.fixture(scope="module")
def models(colorizer_file: Path, no_weights: None) -> GatedModels:  # noqa: ARG001
    loaded = GatedModels.load(DemoOptions(colorizer=str(colorizer_file), device="cpu"))
    assert isinstance(loaded, GatedModels)
    return loaded


@pytest.fixture(scope="module")
def worker(models: GatedModels) -> Iterator[Worker]:
    worker = Worker(models, OPTIONS.queue)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def port(models: GatedModels, worker: Worker) -> Iterator[int]:
    app = create_app(models, worker, OPTIONS)
    with listen("127.0.0.1", 0) as listener:
        number = listener.getsockname()[1]
        with serving(app, listener, max_body=MAX_BODY, threads=24):
            yield number


@pytest.fixture(autouse=True)
def demo_still_works(port: int) -> Iterator[None]:
    yield
    assert get(port, "/healthz")[0] == 200
    status, response = post(port, "/api/colorize", {"line": TEXT})
    assert (status, response["width"], response["height"]) == (200, 48, 60)


def get(port: int, path: str) -> tuple[int, Any]:
    return send(port, "GET", path, b"", {})


def post(port: int, path: str, body: object, **headers: str) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(port, "POST", path, content, {"Content-Type": "application/json"} | named)


def send(
    port: int, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, Any]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        client.request(method, path, body, headers)
        response = client.getresponse()
        return response.status, json.loads(response.read())
    finally:
        client.close()


def error_code(response: tuple[int, Any]) -> tuple[int, str]:
    status, body = response
    assert set(body["error"]) == {"code", "message"}
    return status, body["error"]["code"]


@contextlib.contextmanager
def connection(port: int, sent: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client:
        client.sendall(sent)
        yield client


def head(path: str = "/api/colorize", *lines: str) -> bytes:
    first = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
    return "\r\n".join([*first, *lines, "", ""]).encode()


def read_response(client: socket.socket) -> tuple[int, Any]:
    """Read the next response on a connection."""
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.status, json.loads(response.read())


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG of 1 bit per pixel; without rows, it is only a header that claims a size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + start + pixels + chunk(b"IEND", b"")


def line_field(content: bytes) -> dict[str, str]:
    return {"line": base64.b64encode(content).decode()}


def test_response_is_what_the_colorizer_returns(port: int, models: GatedModels) -> None:
    _, response = post(port, "/api/colorize", {"line": TEXT, "shift": 1})
    assert models.colorizer is not None
    expected = models.colorizer.colorize(LINE, z=np.ones(models.latent_dim, np.float32))
    assert (decode(base64.b64decode(response["image"])) == expected).all()
    assert 0 <= response["waited"] <= response["seconds"]


def test_sketch_and_simplify_with_real_models(port: int) -> None:
    picture = np.full((80, 60, 3), 255, np.uint8)
    picture[20:60, 20:24] = 0
    sent = base64.b64encode(encode_png(picture)).decode()
    for path, size in (("/api/sketch", (96, 128)), ("/api/simplify", (60, 80))):
        body = {"image": sent} | ({"size": 128} if path == "/api/sketch" else {})
        status, response = post(port, path, body)
        assert (status, response["width"], response["height"]) == (200, *size)
        drawn = decode(base64.b64decode(response["line"]))
        assert drawn.min() < 128 < np.median(drawn)


@pytest.mark.parametrize("shape", [(16, 3000), (3000, 16)])
def test_extreme_aspect_ratio_is_accepted(port: int, shape: tuple[int, int]) -> None:
    strip = np.full(shape, 255, np.uint8)
    strip[4:8] = 0
    sent = base64.b64encode(encode_png(strip)).decode()
    assert post(port, "/api/sketch", {"image": sent, "size": 64})[0] == 200
    assert post(port, "/api/simplify", {"image": sent})[0] == 200
    status, response = post(port, "/api/colorize", {"line": sent})
    assert (status, response["height"], response["width"]) == (200, *shape)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (line_field(b"hello, I am no picture"), (422, "not_a_picture")),
        (line_field(b"\x89PNG\r\n\x1a\n" + b"\x01" * 99), (422, "broken_picture")),
        (line_field(png(50_000, 50_000)), (413, "picture_too_large")),
        (line_field(png(10_000, 10_000)), (413, "picture_too_large")),
        (
            line_field(png(20_000, 20_000, bytes(20_000 * 2501))),
            (413, "picture_too_large"),
        ),  # whole
        (line_field(png(900, 900)), (422, "broken_picture")),
        (line_field(png(1, 1, b"\0\0")), (422, "picture_too_small")),
        (b'{"line": ', (400, "wrong_json")),
        (b"[1]", (400, "wrong_json")),
        ({}, (400, "missing_field")),
        ({"line": TEXT, "colour": 1}, (400, "unknown_field")),
        ({"line": 1}, (400, "bad_field")),
        ({"line": "%"}, (400, "not_base64")),
        (b" " * (MAX_BODY + 1), (413, "body_too_large")),
        (b" " * (MAX_BODY * 8), (413, "body_too_large")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_bad_body_is_refused(port: int, body: object, expected: tuple[int, str]) -> None:
    assert error_code(post(port, "/api/colorize", body)) == expected


def test_body_of_exactly_the_limit_is_accepted(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    assert post(port, "/api/colorize", body.ljust(MAX_BODY))[0] == 200


def test_unknown_addresses_and_other_sites_are_refused(port: int) -> None:
    assert error_code(get(port, "/nowhere")) == (404, "not_found")
    assert error_code(get(port, "/api/colorize")) == (405, "wrong_method")
    assert error_code(send(port, "GET", "/", b"", {"Host": "evil.example"})) == (403, "wrong_host")
    body = {"line": TEXT}
    response = post(port, "/api/colorize", body, Origin="http://evil.example")
    assert error_code(response) == (403, "foreign_page")
    assert post(port, "/api/colorize", body, Origin=f"http://127.0.0.1:{port}")[0] == 200


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def test_chunked_body_is_accepted(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    sent = head("/api/colorize", "Transfer-Encoding: chunked") + chunks(body, 100) + b"0\r\n\r\n"
    with connection(port, sent) as client:
        assert read_response(client)[0] == 200


def test_endless_chunked_body_is_refused(port: int) -> None:
    with connection(port, head("/api/colorize", "Transfer-Encoding: chunked")) as client:
        try:
            for _ in range(64):
                client.sendall(chunks(b" " * 1_000_000, 1_000_000))
            response = error_code(read_response(client))
        except OSError:  # the connection was closed before it was all sent
            response = (413, "body_too_large")
    assert response == (413, "body_too_large")


def test_chunk_larger_than_the_limit_is_refused(port: int) -> None:
    sent = head("/api/colorize", "Transfer-Encoding: chunked") + b"%x\r\n" % (MAX_BODY + 100)
    with connection(port, sent + b" " * (MAX_BODY + 1)) as client:
        assert error_code(read_response(client)) == (413, "body_too_large")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -1",),
        ("Content-Length: ten",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Transfer-Encoding: gzip",),
    ],
)
def test_invalid_length_is_refused(port: int, lines: tuple[str, ...]) -> None:
    with connection(port, head("/api/colorize", *lines) + b"{}") as client:
        assert read_response(client)[0] == 400


@pytest.mark.parametrize("lines", [(), ("Expect: 100-continue",)])
def test_client_may_leave_before_the_end_of_a_huge_body(port: int, lines: tuple[str, ...]) -> None:
    sent = head("/api/colorize", *lines, "Content-Length: 9999999999999") + b"{}"
    with connection(port, sent):
        assert get(port, "/healthz")[0] == 200


def test_body_longer_than_its_length_is_cut(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    with connection(port, head("/api/colorize", "Content-Length: 5") + body) as client:
        assert error_code(read_response(client)) == (400, "wrong_json")


def test_body_shorter_than_its_length_blocks_nobody_else(port: int) -> None:
    body = json.dumps({"line": TEXT}).encode()
    with connection(port, head("/api/colorize", f"Content-Length: {len(body) + 9}") + body):
        assert get(port, "/healthz")[0] == 200


@pytest.mark.parametrize("sent", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nA\r\n\r\n"])
def test_invalid_http_is_refused(port: int, sent: bytes) -> None:
    with connection(port, sent) as client:
        assert error_code(read_response(client)) == (400, "bad_request")


@pytest.mark.parametrize("sent", [b"\r\n" * 9, b"\x16\x03\x01" + bytes(200), b"x" * 300_000])
def test_bytes_that_are_no_request_block_nobody_else(port: int, sent: bytes) -> None:
    with contextlib.suppress(ConnectionError), connection(port, sent):
        assert get(port, "/healthz")[0] == 200


def test_disconnect_during_the_body_runs_nothing(port: int, models: GatedModels) -> None:
    before = models.num_done
    body = json.dumps({"line": TEXT}).encode()
    for share in (0, 10, len(body) - 1):
        for reset in (False, True):
            sent = head("/api/colorize", f"Content-Length: {len(body)}") + body[:share]
            with connection(port, sent) as client:
                if reset:
                    linger = struct.pack("ii", 1, 0)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert get(port, "/healthz")[1]["queue"] == 0
    assert models.num_done == before


def test_disconnected_client_in_the_queue_is_dropped(
    port: int, models: GatedModels, worker: Worker
) -> None:
    before = models.num_done
    body = json.dumps({"line": TEXT}).encode()
    sent = head("/api/colorize", f"Content-Length: {len(body)}") + body
    with gate_closed(models), connection(port, sent) as first:
        assert models.started.acquire(timeout=TIMEOUT)  # the first one runs
        with connection(port, sent):
            wait_until(lambda: worker.queue_size() == 1)
        # A further request drops those in the queue whose client has disconnected.
        second = worker._queue[0]
        wait_until(second.is_disconnected)
        with connection(port, sent) as third:
            wait_until(second.future.done)
            models.gate.set()
            assert read_response(first)[0] == read_response(third)[0] == 200
    assert models.num_done == before + 2


def test_disconnect_during_the_run_is_ignored(port: int, models: GatedModels) -> None:
    body = json.dumps({"line": TEXT}).encode()
    with gate_closed(models):
        with connection(port, head("/api/colorize", f"Content-Length: {len(body)}") + body):
            assert models.started.acquire(timeout=TIMEOUT)
        models.gate.set()


@contextlib.contextmanager
def gate_closed(models: GatedModels) -> Iterator[None]:
    """No batch finishes in this context."""
    while models.started.acquire(blocking=False):
        pass
    models.gate.clear()
    try:
        yield
    finally:
        models.gate.set()


def test_full_queue_and_superseded_request(port: int, models: GatedModels, worker: Worker) -> None:
    responses: dict[str, tuple[int, Any]] = {}

    def post_in_thread(name: str, body: dict[str, Any], **headers: str) -> threading.Thread:
        def run() -> None:
            responses[name] = post(port, "/api/colorize", {"line": TEXT} | body, **headers)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with gate_closed(models):
        threads = [post_in_thread("first", {})]
        assert models.started.acquire(timeout=TIMEOUT)
        threads.append(post_in_thread("older", {"variations": 2}, X_Senga_Client="page"))
        wait_until(lambda: worker.queue_size() == 2)
        threads.append(post_in_thread("newer", {"variations": 3}, X_Senga_Client="page"))
        wait_until(lambda: worker.queue_size() == 3)
        assert error_code(post(port, "/api/colorize", {"line": TEXT, "variations": 6})) == (
            503, "queue_full",
        )  # fmt: skip
        models.gate.set()
        for thread in threads:
            thread.join(TIMEOUT)
    assert error_code(responses["older"]) == (409, "superseded")
    assert responses["first"][0] == responses["newer"][0] == 200
    assert len(responses["newer"][1]["images"]) == 3


def test_connection_is_reused_after_an_error(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    for body, status in ((b"{", 400), (json.dumps({"line": TEXT}).encode(), 200)):
        client.request("POST", "/api/colorize", body, {"Content-Type": "application/json"})
        response = client.getresponse()
        response.read()
        assert response.status == status
    client.close()


_written: list[str] | None = None  # files opened for writing, while it is a list


def _record_open(event: str, details: tuple[Any, ...]) -> None:
    if _written is not None and event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR):
        _written.append(str(details[0]))


sys.addaudithook(_record_open)


def test_nothing_of_a_request_is_written_or_logged(
    port: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    global _written
    noise = np.random.default_rng(1).integers(0, 256, (800, 800), dtype=np.uint8)
    content = encode_png(noise)  # 640 kB: more than Werkzeug and waitress keep in memory
    secret = base64.b64encode(content).decode()
    form = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="my-secret.png"\r\n\r\n'
    multipart = form % b"line" + content + b"\r\n--x--\r\n"
    media_type = "multipart/form-data; boundary=x"
    _written = []
    try:
        with (Path(os.devnull)).open("w"):
            pass
        assert _written == [os.devnull]  # the hook works
        with caplog.at_level(logging.DEBUG):
            assert post(port, "/api/colorize", {"line": secret, "size": "model"})[0] == 200
            assert post(port, "/api/colorize", multipart, Content_Type=media_type)[0] == 200
            assert post(port, "/api/colorize", {"line": secret[:-9]})[0] == 400
            assert post(port, "/api/colorize", {"lime": secret})[0] == 400
            assert post(port, "/api/colorize", multipart[:-9], Content_Type=media_type)[0] == 400
            body = {"line": base64.b64encode(content[:-100]).decode()}
            assert post(port, "/api/colorize", body)[0] == 422
        written = _written
    finally:
        _written = None
    assert written == [os.devnull]
    output = caplog.text + "".join(capfd.readouterr())
    for part in (secret[:30], secret[5000:5030], "my-secret", "lime"):
        assert part not in output
