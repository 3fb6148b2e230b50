"""Errors are shown on the page, and the server keeps serving."""

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

from pipeline.demo.api_error import CODES, ApiError, internal_error
from tests.end_to_end.demo.conftest import OpenPage, Server, running
from tests.end_to_end.demo.demo_page import COLORIZE, DemoPage, line_art, photo, png

FULL = ApiError("queue_full", "The queue is full. Try again in a moment.")
FAILED = internal_error()


@cache
def bomb() -> bytes:
    """A small PNG file that claims 60,000 x 60,000 pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
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


BAD_FILES = (
    ("notes.png", lambda: b"not a picture", "notes.png is not a picture", "not_a_picture"),
    ("empty.png", lambda: b"", "empty.png is not a picture", "not_a_picture"),
    ("dot.png", lambda: png(np.zeros((1, 1), np.uint8)), "1 × 1", "picture_too_small"),
    ("huge.png", huge, "10000 × 10000", "picture_too_large"),
    ("bomb.png", bomb, "bomb.png", "picture_too_large"),
    ("half.jpg", truncated, "half.jpg is damaged", "broken_picture"),
)  # name, content, text of the page's notice, and code of the server's error


def test_bad_files_are_refused(page: DemoPage) -> None:
    before = page.line_pixels()
    for name, content, text, _ in BAD_FILES:
        with page.expect_no_requests():
            page.open_file(name, content())
            page["#notices .error"].wait_for()
        assert text in page.notice
        assert page.notice.endswith(".")
        page["#notices [aria-label=Close]"].click()
    assert np.array_equal(page.line_pixels(), before)  # the sheet is unchanged

    page.allow_error(r"status of 4(13|22)")
    for name, content, _, code in BAD_FILES:  # sent without the page's own checks
        status, response = page.post("/api/simplify", {"image": content()})
        assert (status, response["error"]["code"]) == (CODES[code][0], code), name
    assert_demo_works(page)


def test_svg_without_a_size_is_refused(page: DemoPage) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>'
    file = {"name": "empty.svg", "mimeType": "image/svg+xml", "buffer": drawing}
    page["#file"].set_input_files(file)
    page["#notices .error"].wait_for()
    assert "empty.svg" in page.notice
    assert_demo_works(page)


def test_error_is_shown_until_its_topic_works(page: DemoPage) -> None:
    page.open_file("notes.png", b"not a picture")
    page["#notices .error"].wait_for()
    with page.expect_result():
        page["#colorize"].click()
    assert page["#notices .error"].count() == 1
    assert_demo_works(page)


def assert_demo_works(page: DemoPage) -> None:
    """Open a picture and colour it, which closes the error of the last one."""
    with page.expect_result():
        page.open_file("ring.png", png(line_art()))
        page["text=Opened as line art"].wait_for()
    assert page["#notices .error"].count() == 0
    assert requests.get(f"{page.url}/healthz", timeout=30).json()["status"] == "ok"


def test_server_errors_are_shown(page: DemoPage) -> None:
    page.allow_error("status of 50[023]")
    bodies = [(each.status, json.dumps(each.body), each.message) for each in (FULL, FAILED)]
    gateway = (502, "<html>Bad gateway", "The server answered with status 502.")
    for status, body, text in (*bodies, gateway):
        with page.hold_requests() as routes:
            page["#colorize"].click()
            page.wait_until(lambda: len(routes) == 1)
            routes[0].fulfill(status=status, body=body)
            page["#notices .error"].wait_for()
        assert page.notice == text
        assert page["#spinner"].is_hidden()
        page["#notices [aria-label=Close]"].click()
    assert_demo_works(page)


def test_many_concurrent_requests_are_all_answered(page: DemoPage) -> None:
    statuses = page.playwright.evaluate(
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
        base64.b64encode(png(line_art())).decode(),
    )
    assert statuses == [200] * 24


def test_page_works_again_when_the_server_is_back(page: DemoPage) -> None:
    page.allow_error("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    page.playwright.context.set_offline(True)
    page["#colorize"].click()
    page["#notices .error"].wait_for()
    assert page.notice.startswith("The server does not answer")
    page["#notices [aria-label=Close]"].click()
    page["#samples"].click()
    page[f"[data-sample=line-{page.samples[5]['id']}]"].click()
    page["#notices .error"].wait_for()
    assert "Check that the server still runs" in page.notice

    page.playwright.context.set_offline(False)
    with page.expect_result():
        page["#colorize"].click()
    assert page["#notices .error"].count() == 0


def test_stopped_server_is_reported(open_page: OpenPage, broken_servers: dict[str, Server]) -> None:
    page = open_page(broken_servers["stopped"].url)
    page.allow_error("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
    assert broken_servers["stopped"].stop() == 0
    page["#make-lines"].click()
    page["#notices .error"].wait_for()
    assert page.notice.startswith("The server does not answer")
    assert page["#make-lines"].is_enabled()


def test_wrong_requests_get_their_error_code(page: DemoPage) -> None:
    page.allow_error(r"status of 4\d\d")
    wrong: dict[str, tuple[int, dict[str, bytes | str]]] = {
        "missing_field": (400, {}),
        "unknown_field": (400, {"image": png(line_art()), "colour": "red"}),
        "bad_field": (400, {"image": png(line_art()), "model": "crayon"}),
    }
    for code, (status, fields) in wrong.items():
        returned, response = page.post("/api/simplify", fields)
        assert (returned, response["error"]["code"]) == (status, code)
        assert response["error"]["message"].endswith(".")
    for code, content in (("wrong_json", "'{'"), ("body_too_large", "new Uint8Array(2 ** 25 + 1)")):
        response = page.playwright.evaluate(
            f"""() => fetch("/api/sketch", {{
              method: "POST", headers: {{ "Content-Type": "application/json" }}, body: {content},
            }}).then((answer) => answer.json())"""
        )
        assert response["error"]["code"] == code
    assert_demo_works(page)


def test_page_can_be_closed_during_a_request(page: DemoPage, open_page: OpenPage) -> None:
    for _ in range(3):
        page["#make-variations"].click()
    page.playwright.close()
    other = open_page()
    assert other.num_results > 0
    assert_demo_works(other)


def test_missing_weights_give_the_command_that_fetches_them(open_page: OpenPage) -> None:
    """The page is made to list the model as available although its weights are missing."""
    page = open_page(load=False)

    def list_as_available(route: object) -> None:
        response = route.fetch()  # type: ignore[attr-defined]
        models = response.json()
        for model in models["sketch"]:
            model.update(available=True, reason=None)
        route.fulfill(response=response, json=models)  # type: ignore[attr-defined]

    page.playwright.route("**/api/models", list_as_available)
    page.load()
    page.allow_error("status of 503")
    page.open_file("photo.png", png(photo()))
    page["text=Opened as a picture"].wait_for()
    page["#sketch-model"].select_option("sketchkeras")
    page["#make-lines"].click()
    page["#notices .error"].wait_for()
    assert "python -m sketch_models.weights fetch sketchkeras" in page.notice
    page["#sketch-model"].select_option("xdog")
    with page.expect_result():
        page["#make-lines"].click()
    assert page["#notices .error"].count() == 0


@pytest.fixture(scope="module")
def broken_servers(
    chromium: str,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Server]]:
    """Servers whose colorizer is missing or broken, by case."""
    folder = tmp_path_factory.mktemp("broken-servers")
    broken = folder / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    with ExitStack() as stack:
        yield {
            case: stack.enter_context(running(tmp_path_factory.mktemp(case), "--colorizer", path))
            for case, path in (
                ("missing", str(folder / "none.safetensors")),
                ("broken", str(broken)),
                ("stopped", str(folder / "none.safetensors")),
            )
        }


@pytest.mark.parametrize("case", ["missing", "broken"])
def test_page_without_a_colorizer_explains_why(
    open_page: OpenPage, broken_servers: dict[str, Server], case: str
) -> None:
    server = broken_servers[case]
    page = open_page(server.url)
    reason = page["#error-banner"].inner_text()
    assert reason in server.output  # the terminal shows the same
    assert ("none.safetensors" if case == "missing" else "broken.safetensors") in reason
    assert page["#model"].inner_text() == "No model"
    assert page["#colorize"].is_disabled()
    assert page["#make-variations"].is_disabled()
    assert "No model is loaded" in page["#empty-result"].inner_text()

    with page.expect_no_requests():  # drawing works, without requests
        page.stroke((400, 300), (450, 300))
        page.playwright.keyboard.press("c")
    page.open_file("photo.png", png(photo()))
    page["text=Opened as a picture"].wait_for()
    page["#make-lines"].click()
    page.wait_until(lambda: page.status.startswith("Lines made in"))
    assert page.line_pixels().min() < 128
    page["#about"].click()
    assert reason in page["#about-text"].inner_text()
    assert "TrainColorizer" in page["#about-text"].inner_text()
    health = requests.get(f"{server.url}/healthz", timeout=30)
    assert (health.status_code, health.json()["status"]) == (503, "degraded")


def test_error_banner_if_the_models_cannot_be_listed(open_page: OpenPage) -> None:
    page = open_page(load=False)
    page.allow_error("ERR_FAILED")
    page.playwright.route("**/api/models", lambda route: route.abort())
    page.playwright.goto(page.url)
    page["#error-banner"].wait_for()
    assert page["#error-banner"].inner_text().startswith("The server does not answer")
    assert COLORIZE.removeprefix("**") not in page.posts
