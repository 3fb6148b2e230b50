"""The demo's page as a user sees and handles it, with mouse, keys and files."""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Route

TIMEOUT = 30.0  # seconds; only a failing test waits for so long
BLANK = (800, 1000)  # width and height of a blank sheet
COLORIZE = "**/api/colorize"

_FIT_SHARE = 0.94  # of a canvas that a fitted sheet fills
# Idle for 150 ms: the page's timer of 120 ms has fired by then.
_WAIT_UNTIL_IDLE = """async (timeout) => {
  const end = performance.now() + timeout;
  const busy = () => !document.getElementById("spinner").hidden;
  for (let idle = 0; idle < 5; idle = busy() ? 0 : idle + 1) {
    if (performance.now() > end) throw new Error("it is still being coloured");
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}"""
_NEXT_FRAME = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
)
_DATA_TRANSFER = """([content, name, type]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type }));
  return transfer;
}"""

Point = tuple[float, float]


class DemoPage:
    """A page of the demo.

    Attributes:
        playwright: Playwright's page.
        sheet: width and height of the current sheet, in pixels.
        posts: paths of all POST requests.
        errors: errors on the console, and requests to other hosts.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.playwright = page
        self.url = url
        self.sheet = BLANK
        self.posts: list[str] = []
        self.errors: list[str] = []
        self._allowed: list[str] = []
        page.set_default_timeout(TIMEOUT * 1000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("request", self._on_request)

    def load(self) -> None:
        """Load the page, which opens with the first sample, coloured."""
        self.playwright.goto(self.url)
        # Turned on by the user, Live stays on for a slow machine, too.
        self["#live"].evaluate("(box) => [box.click(), box.click()]")
        self.playwright.wait_for_selector("body[data-ready]")
        if self.playwright.locator("#colorize").is_enabled():
            self.wait_until(lambda: self.num_results > 0)
        samples = self.playwright.evaluate(
            "() => fetch('/api/models').then((answer) => answer.json())"
        )
        self.samples: list[dict[str, Any]] = samples["samples"]
        self.sheet = self._sample_size(0)

    def allow_error(self, pattern: str) -> None:
        """Do not report console errors that match, which the test provokes."""
        self._allowed.append(pattern)

    def close(self) -> list[str]:
        """Close the page; return its errors that are not allowed."""
        self.playwright.context.close()
        allowed = re.compile("|".join(self._allowed) or "(?!)")
        return [error for error in self.errors if not allowed.search(error)]

    # What the page shows

    def __getitem__(self, selector: str) -> Locator:
        return self.playwright.locator(selector)

    @property
    def num_results(self) -> int:
        """Number of results that the page has shown."""
        return int(self["body"].get_attribute("data-results") or 0)

    @property
    def status(self) -> str:
        return self["#status"].inner_text()

    @property
    def notice(self) -> str:
        """Text of the newest notice."""
        return self[".notice p"].last.inner_text()

    def screenshot(self, view: str = "drawing") -> NDArray[np.uint8]:
        """Return what the drawing or the result shows: (H, W, 4) RGBA, in canvas pixels."""
        self.playwright.mouse.move(2, 2)  # so that the brush's ring is not drawn
        self.playwright.evaluate(_NEXT_FRAME)
        data_url = self[f"#{view}"].evaluate("(canvas) => canvas.toDataURL()")
        return pixels_of(base64.b64decode(data_url.partition(",")[2]))

    def color_at(self, point: Point, view: str = "drawing", radius: int = 1) -> NDArray[np.uint8]:
        """Return the mean colour that is shown around a point of the sheet: (3,) RGB."""
        x, y = self.to_window(point, view)
        box = self.box(view)
        column, row = round(x - box["x"]), round(y - box["y"])
        rows = slice(row - radius, row + radius + 1)
        columns = slice(column - radius, column + radius + 1)
        return self.screenshot(view)[rows, columns, :3].mean(axis=(0, 1)).round().astype(np.uint8)

    def box(self, view: str) -> Any:
        return self[f"#{view}"].bounding_box()

    def to_window(self, point: Point, view: str = "drawing") -> Point:
        """Return the window coordinates of a point of the sheet, which fits its canvas."""
        box, (width, height) = self.box(view), self.sheet
        scale = _FIT_SHARE * min(box["width"] / width, box["height"] / height)
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        return middle[0] + (point[0] - width / 2) * scale, middle[1] + (
            point[1] - height / 2
        ) * scale

    # What the user does

    def select_tool(self, name: str) -> None:
        self[f"[data-tool={name}][role=radio]"].click()

    def stroke(self, *points: Point, view: str = "drawing", steps: int = 4) -> None:
        """Draw a stroke with the mouse, through points of the sheet."""
        mouse = self.playwright.mouse
        first, *others = [self.to_window(point, view) for point in points]
        mouse.move(*first)
        mouse.down()
        for x, y in others:
            mouse.move(x, y, steps=steps)
        mouse.up()

    def new_sheet(self) -> None:
        """Start a blank sheet, which selects the pen."""
        self["#new"].click()
        self.sheet = BLANK
        self.wait_until_idle()

    def open_sample(self, number: int, layer: str = "line") -> None:
        """Open a sample; wait for its result if it is opened as lines."""
        self["#samples"].click()
        button = self[f"[data-sample={layer}-{self.samples[number]['id']}]"]
        if layer == "line":
            with self.expect_result():
                button.click()
        else:
            button.click()
            self.wait_until(lambda: "Make lines" in self.status)
        self.sheet = self._sample_size(number)

    def open_file(self, name: str, content: bytes) -> None:
        """Choose a file in the page's file input."""
        media_type = "image/jpeg" if name.endswith(".jpg") else "image/png"
        self["#file"].set_input_files({"name": name, "mimeType": media_type, "buffer": content})

    def data_transfer(self, name: str, content: bytes) -> Any:
        """Return a DataTransfer with a file, for drop and paste events."""
        text = base64.b64encode(content).decode()
        return self.playwright.evaluate_handle(_DATA_TRANSFER, [text, name, "image/png"])

    def save(self, button: str) -> tuple[str, NDArray[np.uint8]]:
        """Press a save button; return name and pixels of the file."""
        with self.playwright.expect_download() as download:
            self[f"#save-{button}"].click()
        return download.value.suggested_filename, pixels_of(
            Path(download.value.path()).read_bytes()
        )

    def line_pixels(self) -> NDArray[np.uint8]:
        """Save the line layer; return its pixels: (H, W) grey, 0 ink, 255 paper."""
        return self.save("line")[1][..., 0]

    # Waiting

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < end, f"timeout; the page shows {self.messages()}"
            self.playwright.wait_for_timeout(20)  # ms

    def messages(self) -> str:
        """Return the status line and all notices."""
        return f"{self.status!r} and {self['#notices'].inner_text()!r}"

    def wait_until_idle(self) -> None:
        """Wait until no request is in progress or scheduled."""
        self.playwright.evaluate(_WAIT_UNTIL_IDLE, TIMEOUT * 1000)

    @contextmanager
    def expect_result(self) -> Iterator[None]:
        """Wait for a result of what is done in this context."""
        before = self.num_results
        yield
        self.wait_until(lambda: self.num_results > before)
        self.wait_until_idle()

    @contextmanager
    def expect_no_requests(self) -> Iterator[None]:
        """Fail if anything is posted in this context, or soon after."""
        before = len(self.posts)
        yield
        self.wait_until_idle()
        assert self.posts[before:] == []

    @contextmanager
    def hold_requests(self, url: str = COLORIZE) -> Iterator[list[Route]]:
        """Hold requests back; yield the list of them, for the test to answer."""
        routes: list[Route] = []
        self.playwright.route(url, lambda route: routes.append(route))
        yield routes
        self.playwright.unroute(url)

    def post(self, path: str, fields: dict[str, bytes | str]) -> tuple[int, dict[str, Any]]:
        """Post a form from within the page; return status and JSON of the response."""
        encoded = {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else [value]
            for name, value in fields.items()
        }
        status, response = self.playwright.evaluate(
            """async ([path, fields]) => {
              const body = new FormData();
              for (const [name, value] of Object.entries(fields)) {
                const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
                body.append(name, Array.isArray(value) ? value[0] : new Blob([bytes(value)]));
              }
              const answer = await fetch(path, { method: "POST", body });
              return [answer.status, await answer.json()];
            }""",
            [path, encoded],
        )
        return int(status), response

    def _sample_size(self, number: int) -> tuple[int, int]:
        sample = self.samples[number]
        return sample["width"], sample["height"]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"console: {message.text} ({message.location['url']})")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.errors.append(f"request to {request.url}")
        if request.method == "POST":
            self.posts.append(request.url.removeprefix(self.url))


def pixels_of(content: bytes) -> NDArray[np.uint8]:
    """Decode a picture file: (H, W, 4) RGBA."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def colorize_response(color: Sequence[int], width: int = 48, height: int = 60) -> dict[str, Any]:
    """Return a response of the server with a picture of one colour."""
    image = base64.b64encode(png(np.full((height, width, 3), color, np.uint8))).decode()
    return {"image": image, "images": [image], "seeds": [None], "width": width, "height": height}


def line_art(width: int = 300, height: int = 400) -> NDArray[np.uint8]:
    """Return a ring of ink: (H, W) grey."""
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(rows - height / 2, columns - width / 2)
    return np.where(abs(away - width / 3) < 3, 0, 255).astype(np.uint8)


def photo(width: int = 300, height: int = 400) -> NDArray[np.uint8]:
    """Return a dark disc on a gradient: (H, W, 3) RGB."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.hypot(rows - height / 2, columns - width / 2) < width / 3
    picture = np.empty((height, width, 3), np.uint8)
    picture[...] = np.stack([90 + rows / 8, 140 + columns / 8, 200 - rows / 8], axis=-1)
    picture[inside] = (120, 30, 60)
    return picture
