"""The demo's page as its user handles it: with a mouse, with keys, by what is seen of it."""

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

PATIENCE = 30.0  # seconds for anything to happen, on a busy machine
BLANK = (800, 1000)  # width and height of a blank sheet
PAINT = "**/api/colorize"

_FIT = 0.94  # share of a side that a sheet fills when it fits
# Calm for 150 ms: a timer of 120 ms that was set before has fired.
_CALM = """async (patience) => {
  const ends = performance.now() + patience;
  const busy = () => !document.getElementById("spinner").hidden;
  for (let calm = 0; calm < 5; calm = busy() ? 0 : calm + 1) {
    if (performance.now() > ends) throw new Error("it is still being coloured");
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}"""
_DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_TRANSFER = """([content, name, type]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type }));
  return transfer;
}"""

Place = tuple[float, float]


class Desk:
    """A page of the demo.

    Attributes:
        page: Playwright's.
        sheet: width and height of the sheet that is drawn on, in its pixels.
        asked: the addresses of all POSTs, without the host.
        troubles: what no page should do: errors on its console, requests to somewhere else.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.sheet = BLANK
        self.asked: list[str] = []
        self.troubles: list[str] = []
        self._allowed: list[str] = []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        page.on("request", self._watch)

    def start(self) -> None:
        """Opens the page; it begins with the first sample, coloured."""
        self.page.goto(self.address)
        # Who asks for live colours has them on a slow machine too.
        self["#live"].evaluate("(box) => [box.click(), box.click()]")
        self.page.wait_for_selector("body[data-ready]")
        if self.page.locator("#colorize").is_enabled():
            self.until(lambda: self.results > 0)
        samples = self.page.evaluate("() => fetch('/api/models').then((answer) => answer.json())")
        self.samples: list[dict[str, Any]] = samples["samples"]
        self.sheet = self._size(0)

    def allow(self, pattern: str) -> None:
        """Lets the console say what the test provokes."""
        self._allowed.append(pattern)

    def end(self) -> list[str]:
        """Closes the page; returns the troubles that it had."""
        self.page.context.close()
        known = re.compile("|".join(self._allowed) or "(?!)")
        return [trouble for trouble in self.troubles if not known.search(trouble)]

    # What is there

    def __getitem__(self, selector: str) -> Locator:
        return self.page.locator(selector)

    @property
    def results(self) -> int:
        """How many paintings came."""
        return int(self["body"].get_attribute("data-results") or 0)

    @property
    def status(self) -> str:
        return self["#status"].inner_text()

    @property
    def notice(self) -> str:
        """What the newest box says."""
        return self[".notice p"].last.inner_text()

    def look(self, side: str = "drawing") -> NDArray[np.uint8]:
        """What a side shows: (H, W, 4) RGBA, in its canvas's pixels."""
        self.page.mouse.move(2, 2)  # the brush's ring is no part of the picture
        self.page.evaluate(_DRAWN)
        address = self[f"#{side}"].evaluate("(canvas) => canvas.toDataURL()")
        return pixels_of(base64.b64decode(address.partition(",")[2]))

    def color(self, place: Place, side: str = "drawing", radius: int = 1) -> NDArray[np.uint8]:
        """The mean colour that is seen around a place of the sheet."""
        x, y = self.at(place, side)
        box = self.box(side)
        column, row = round(x - box["x"]), round(y - box["y"])
        seen = self.look(side)[
            row - radius : row + radius + 1, column - radius : column + radius + 1
        ]
        return seen[..., :3].mean(axis=(0, 1)).round().astype(np.uint8)

    def box(self, side: str) -> Any:
        return self[f"#{side}"].bounding_box()

    def at(self, place: Place, side: str = "drawing") -> Place:
        """Where a place of the sheet, which fits its side, is in the window."""
        box, (width, height) = self.box(side), self.sheet
        scale = _FIT * min(box["width"] / width, box["height"] / height)
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        return middle[0] + (place[0] - width / 2) * scale, middle[1] + (
            place[1] - height / 2
        ) * scale

    # What a user does

    def tool(self, name: str) -> None:
        self[f"[data-tool={name}][role=radio]"].click()

    def stroke(self, *places: Place, side: str = "drawing", steps: int = 4) -> None:
        """With the mouse, through places of the sheet."""
        mouse = self.page.mouse
        first, *others = [self.at(place, side) for place in places]
        mouse.move(*first)
        mouse.down()
        for x, y in others:
            mouse.move(x, y, steps=steps)
        mouse.up()

    def new(self) -> None:
        """A blank sheet, and the pen."""
        self["#new"].click()
        self.sheet = BLANK
        self.settle()

    def sample(self, number: int, layer: str = "line") -> None:
        """Opens a sample and waits until it is coloured, where lines of it are there."""
        self["#samples"].click()
        button = self[f"[data-sample={layer}-{self.samples[number]['id']}]"]
        if layer == "line":
            with self.coloured():
                button.click()
        else:
            button.click()
            self.until(lambda: "Make lines" in self.status)
        self.sheet = self._size(number)

    def open(self, name: str, content: bytes) -> None:
        """Gives a file to the page's file input."""
        kind = "image/jpeg" if name.endswith(".jpg") else "image/png"
        self["#file"].set_input_files({"name": name, "mimeType": kind, "buffer": content})

    def transfer(self, name: str, content: bytes) -> Any:
        """A DataTransfer with a file, as what is dropped or pasted."""
        text = base64.b64encode(content).decode()
        return self.page.evaluate_handle(_TRANSFER, [text, name, "image/png"])

    def saved(self, button: str) -> tuple[str, NDArray[np.uint8]]:
        """Presses a button that saves: the file's name, and its pixels."""
        with self.page.expect_download() as download:
            self[f"#save-{button}"].click()
        return download.value.suggested_filename, pixels_of(
            Path(download.value.path()).read_bytes()
        )

    def lines(self) -> NDArray[np.uint8]:
        """The line layer as it is saved: (H, W) grey, 0 ink, 255 paper."""
        return self.saved("line")[1][..., 0]

    # Waiting

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits for something to be so."""
        ends = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < ends, f"it did not happen; the page says {self.says()}"
            self.page.wait_for_timeout(20)  # ms

    def says(self) -> str:
        return f"{self.status!r} and {self['#notices'].inner_text()!r}"

    def settle(self) -> None:
        """Waits until nothing is being coloured, nor about to be."""
        self.page.evaluate(_CALM, PATIENCE * 1000)

    @contextmanager
    def coloured(self) -> Iterator[None]:
        """Waits for the painting of what is done meanwhile."""
        before = self.results
        yield
        self.until(lambda: self.results > before)
        self.settle()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing is asked of the server meanwhile, nor soon after."""
        before = len(self.asked)
        yield
        self.settle()
        assert self.asked[before:] == []

    @contextmanager
    def held(self, address: str = PAINT) -> Iterator[list[Route]]:
        """Keeps requests from the server: a list of those that came, to be answered by hand."""
        routes: list[Route] = []
        self.page.route(address, lambda route: routes.append(route))
        yield routes
        self.page.unroute(address)

    def fetch(self, address: str, fields: dict[str, bytes | str]) -> tuple[int, dict[str, Any]]:
        """Posts a form from within the page: status and JSON of the answer."""
        encoded = {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else [value]
            for name, value in fields.items()
        }
        status, answer = self.page.evaluate(
            """async ([address, fields]) => {
              const body = new FormData();
              for (const [name, value] of Object.entries(fields)) {
                const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
                body.append(name, Array.isArray(value) ? value[0] : new Blob([bytes(value)]));
              }
              const answer = await fetch(address, { method: "POST", body });
              return [answer.status, await answer.json()];
            }""",
            [address, encoded],
        )
        return int(status), answer

    def _size(self, number: int) -> tuple[int, int]:
        sample = self.samples[number]
        return sample["width"], sample["height"]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"console: {message.text} ({message.location['url']})")

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self.address, "blob:", "data:")):
            self.troubles.append(f"a request to {request.url}")
        if request.method == "POST":
            self.asked.append(request.url.removeprefix(self.address))


def pixels_of(content: bytes) -> NDArray[np.uint8]:
    """A picture file: (H, W, 4) RGBA."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A picture file of (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def painting(color: Sequence[int], width: int = 48, height: int = 60) -> dict[str, Any]:
    """What the server would answer if it painted everything in one colour."""
    image = base64.b64encode(png(np.full((height, width, 3), color, np.uint8))).decode()
    return {"image": image, "images": [image], "seeds": [None], "width": width, "height": height}


def circle(width: int = 300, height: int = 400) -> NDArray[np.uint8]:
    """Line art: (H, W) grey, a ring of ink."""
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(rows - height / 2, columns - width / 2)
    return np.where(abs(away - width / 3) < 3, 0, 255).astype(np.uint8)


def photo(width: int = 300, height: int = 400) -> NDArray[np.uint8]:
    """A picture: (H, W, 3) RGB, a dark disc on a colour that grows lighter."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.hypot(rows - height / 2, columns - width / 2) < width / 3
    picture = np.empty((height, width, 3), np.uint8)
    picture[...] = np.stack([90 + rows / 8, 140 + columns / 8, 200 - rows / 8], axis=-1)
    picture[inside] = (120, 30, 60)
    return picture
