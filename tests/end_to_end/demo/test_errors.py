"""What goes wrong is said on the page in a sentence, and the server goes on serving."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import numpy as np
import pytest
import requests
from PIL import Image

from pipeline.demo.api_error import CODES, ApiError
from tests.end_to_end.demo.conftest import OpenDesk, Server, running
from tests.end_to_end.demo.demo_page import PAINT, Desk, circle, photo, png

FULL = ApiError("queue_full", "64 pictures wait already; ask again in a moment.")
FAILED = ApiError("failed", "The demo failed; its terminal says where. Please report it.")


@cache
def bomb() -> bytes:
    """A PNG of some bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
        + chunk(b"IEND", b"")
    )


@cache
def truncated() -> bytes:
    """The first half of a JPEG."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (400, 300, 3), np.uint8)
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()[: len(file.getvalue()) // 2]


@cache
def huge() -> bytes:
    """A PNG of one colour with 10,000 x 10,000 pixels."""
    file = io.BytesIO()
    Image.new("1", (10_000, 10_000), 1).save(file, "PNG")
    return file.getvalue()


BAD = (
    ("notes.png", lambda: b"not a picture", "notes.png is no picture", "not_a_picture"),
    ("empty.png", lambda: b"", "empty.png is no picture", "not_a_picture"),
    ("dot.png", lambda: png(np.zeros((1, 1), np.uint8)), "1 × 1", "picture_too_small"),
    ("huge.png", huge, "10000 × 10000", "picture_too_large"),
    ("bomb.png", bomb, "bomb.png", "picture_too_large"),
    ("half.jpg", truncated, "half.jpg is broken", "broken_picture"),
)  # name, content, what the page says, and the server's code


def test_bad_files(desk: Desk) -> None:
    before = desk.lines()
    for name, content, said, _ in BAD:
        with desk.quiet():
            desk.open(name, content())
            desk["#notices .bad"].wait_for()
        assert said in desk.notice
        assert "expected" in desk.notice
        desk["#notices [aria-label=Close]"].click()
    assert np.array_equal(desk.lines(), before)  # what was there is there still

    desk.allow(r"status of 4(13|22)")
    for name, content, _, code in BAD:  # from a page that does not look at them itself
        status, answer = desk.fetch("/api/simplify", {"image": content()})
        assert (status, answer["error"]["code"]) == (CODES[code][0], code), name
    assert_it_goes_on(desk)


def test_drawing_without_a_size(desk: Desk) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>'
    file = {"name": "empty.svg", "mimeType": "image/svg+xml", "buffer": drawing}
    desk["#file"].set_input_files(file)
    desk["#notices .bad"].wait_for()
    assert "empty.svg" in desk.notice
    assert_it_goes_on(desk)


def test_complaint_stays_until_what_it_is_about_goes_well(desk: Desk) -> None:
    desk.open("notes.png", b"not a picture")
    desk["#notices .bad"].wait_for()
    with desk.coloured():
        desk["#colorize"].click()
    assert desk["#notices .bad"].count() == 1
    assert_it_goes_on(desk)


def assert_it_goes_on(desk: Desk) -> None:
    """A picture can be opened and coloured, and the complaint goes away with it."""
    with desk.coloured():
        desk.open("ring.png", png(circle()))
        desk["text=Taken as line art"].wait_for()
    assert desk["#notices .bad"].count() == 0
    assert requests.get(f"{desk.address}/healthz", timeout=30).json()["status"] == "ok"


def test_refusals_are_said(desk: Desk) -> None:
    desk.allow("status of 50[023]")
    bodies = [(each.status, json.dumps(each.body), each.message) for each in (FULL, FAILED)]
    for status, body, said in (*bodies, (502, "<html>Bad gateway", "The server answered 502.")):
        with desk.held() as routes:
            desk["#colorize"].click()
            desk.until(lambda: len(routes) == 1)
            routes[0].fulfill(status=status, body=body)
            desk["#notices .bad"].wait_for()
        assert desk.notice == said
        assert desk["#spinner"].is_hidden()
        desk["#notices [aria-label=Close]"].click()
    assert_it_goes_on(desk)


def test_many_requests_at_once_are_all_answered(desk: Desk) -> None:
    statuses = desk.page.evaluate(
        """async (line) => {
          const bytes = Uint8Array.from(atob(line), (letter) => letter.charCodeAt(0));
          const ask = () => {
            const body = new FormData();
            body.append("line", new Blob([bytes]));
            return fetch("/api/colorize", { method: "POST", body });
          };
          const answers = await Promise.all(Array.from({ length: 24 }, ask));
          return answers.map((answer) => answer.status);
        }""",
        base64.b64encode(png(circle())).decode(),
    )
    assert statuses == [200] * 24


def test_server_that_has_gone_and_comes_back(desk: Desk) -> None:
    desk.allow("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    desk.page.context.set_offline(True)
    desk["#colorize"].click()
    desk["#notices .bad"].wait_for()
    assert desk.notice.startswith("The server does not answer")
    desk["#notices [aria-label=Close]"].click()
    desk["#samples"].click()
    desk[f"[data-sample=line-{desk.samples[5]['id']}]"].click()
    desk["#notices .bad"].wait_for()
    assert "look whether the server still runs" in desk.notice

    desk.page.context.set_offline(False)
    with desk.coloured():
        desk["#colorize"].click()
    assert desk["#notices .bad"].count() == 0


def test_server_that_is_ended(open_desk: OpenDesk, without: dict[str, Server]) -> None:
    desk = open_desk(without["ended"].address)
    desk.allow("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
    assert without["ended"].stop() == 0
    desk["#make-lines"].click()
    desk["#notices .bad"].wait_for()
    assert desk.notice.startswith("The server does not answer")
    assert desk["#make-lines"].is_enabled()


def test_wrong_requests_from_a_page(desk: Desk) -> None:
    desk.allow(r"status of 4\d\d")
    wrong: dict[str, tuple[int, dict[str, bytes | str]]] = {
        "missing_field": (400, {}),
        "unknown_field": (400, {"image": png(circle()), "colour": "red"}),
        "bad_field": (400, {"image": png(circle()), "model": "crayon"}),
    }
    for code, (status, fields) in wrong.items():
        got, answer = desk.fetch("/api/simplify", fields)
        assert (got, answer["error"]["code"]) == (status, code)
        assert answer["error"]["message"].endswith(".")
    for code, content in (("wrong_json", "'{'"), ("body_too_large", "new Uint8Array(2 ** 25 + 1)")):
        answer = desk.page.evaluate(
            f"""() => fetch("/api/sketch", {{
              method: "POST", headers: {{ "Content-Type": "application/json" }}, body: {content},
            }}).then((answer) => answer.json())"""
        )
        assert answer["error"]["code"] == code
    assert_it_goes_on(desk)


def test_page_that_is_closed_while_it_is_coloured(desk: Desk, open_desk: OpenDesk) -> None:
    for _ in range(3):
        desk["#vary"].click()
    desk.page.close()
    other = open_desk()
    assert other.results > 0
    assert_it_goes_on(other)


def test_model_that_is_not_available(open_desk: OpenDesk) -> None:
    """A page from before the model was gone: the server says what to do."""
    desk = open_desk(start=False)

    def pretend(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        models = answer.json()
        for model in models["sketch"]:
            model.update(available=True, reason=None)
        route.fulfill(response=answer, json=models)  # type: ignore[attr-defined]

    desk.page.route("**/api/models", pretend)
    desk.start()
    desk.allow("status of 503")
    desk.open("photo.png", png(photo()))
    desk["text=Taken as a picture"].wait_for()
    desk["#sketch-model"].select_option("sketchkeras")
    desk["#make-lines"].click()
    desk["#notices .bad"].wait_for()
    assert "python -m sketch_models.weights fetch sketchkeras" in desk.notice
    desk["#sketch-model"].select_option("xdog")
    with desk.coloured():
        desk["#make-lines"].click()
    assert desk["#notices .bad"].count() == 0


@pytest.fixture(scope="module")
def without(
    chromium: str,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Server]]:
    """Servers that have no colorizer: it is missing, or broken."""
    folder = tmp_path_factory.mktemp("without")
    broken = folder / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(running(tmp_path_factory.mktemp(kind), "--colorizer", path))
            for kind, path in (
                ("missing", str(folder / "none.safetensors")),
                ("broken", str(broken)),
                ("ended", str(folder / "none.safetensors")),
            )
        }


@pytest.mark.parametrize("kind", ["missing", "broken"])
def test_without_a_colorizer(open_desk: OpenDesk, without: dict[str, Server], kind: str) -> None:
    server = without[kind]
    desk = open_desk(server.address)
    sentence = desk["#trouble"].inner_text()
    assert sentence in server.said  # the terminal and the page say the same
    assert ("none.safetensors" if kind == "missing" else "broken.safetensors") in sentence
    assert desk["#model"].inner_text() == "No model"
    assert desk["#colorize"].is_disabled()
    assert desk["#vary"].is_disabled()
    assert "no model" in desk["#empty"].inner_text()

    with desk.quiet():  # drawing works, and asks for nothing
        desk.stroke((400, 300), (450, 300))
        desk.page.keyboard.press("c")
    desk.open("photo.png", png(photo()))
    desk["text=Taken as a picture"].wait_for()
    desk["#make-lines"].click()
    desk.until(lambda: desk.status.startswith("Lines in"))
    assert desk.lines().min() < 128
    desk["#about"].click()
    assert sentence in desk["#about-text"].inner_text()
    assert "TrainColorizer" in desk["#about-text"].inner_text()
    health = requests.get(f"{server.address}/healthz", timeout=30)
    assert (health.status_code, health.json()["status"]) == (503, "degraded")


def test_models_that_do_not_come(open_desk: OpenDesk) -> None:
    desk = open_desk(start=False)
    desk.allow("ERR_FAILED")
    desk.page.route("**/api/models", lambda route: route.abort())
    desk.page.goto(desk.address)
    desk["#trouble"].wait_for()
    assert desk["#trouble"].inner_text().startswith("The server does not answer")
    assert PAINT.removeprefix("**") not in desk.asked
