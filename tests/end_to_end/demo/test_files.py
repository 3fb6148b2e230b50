"""Pictures that come in, and what is saved."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
import requests
from PIL import Image

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.paint import paint_folder
from tests.end_to_end.demo.demo_page import Desk, circle, photo, png

LINE, PICTURE = png(circle()), png(photo())
AS_LINES, AS_PICTURE = (
    "Taken as line art.",
    "Taken as a picture: press Make lines to find its lines.",
)


def by_button(desk: Desk, name: str, content: bytes) -> None:
    with desk.page.expect_file_chooser() as chooser:
        desk["#open"].click()
    file: Any = {"name": name, "mimeType": "image/png", "buffer": content}
    chooser.value.set_files(file)


def by_drop(desk: Desk, name: str, content: bytes) -> None:
    transfer = desk.transfer(name, content)
    desk["#drawing"].dispatch_event("dragover", {"dataTransfer": transfer})
    assert desk["#drop"].is_visible()
    desk["#drawing"].dispatch_event("drop", {"dataTransfer": transfer})
    assert desk["#drop"].is_hidden()


def by_paste(desk: Desk, name: str, content: bytes) -> None:
    transfer = desk.transfer(name, content)
    desk.page.evaluate(
        "(clipboardData) => document.body.dispatchEvent("
        "new ClipboardEvent('paste', { clipboardData, bubbles: true }))",
        transfer,
    )


def test_picture_is_opened(desk: Desk) -> None:
    first = desk.lines()
    for give in (by_button, by_drop, by_paste):
        desk.tool("pen")
        with desk.coloured():
            give(desk, "ring.png", LINE)
            desk.until(lambda: desk.notice == AS_LINES)
        assert abs(desk.lines().astype(int) - circle()).max() <= 1
        assert desk["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
        desk["#notices [aria-label=Close]"].click()
        desk["#undo"].click()
        assert np.array_equal(desk.lines(), first)
    desk["#redo"].click()
    assert abs(desk.lines().astype(int) - circle()).max() <= 1

    for _ in range(2):  # the same file once more
        desk.open("ring.png", LINE)
        desk.until(lambda: desk["#notices .notice"].count() == 1)
        assert desk.lines().min() == 0
        desk["#notices [aria-label=Close]"].click()
        desk["#new"].click()


def test_guess_of_what_it_is_and_its_correction(desk: Desk) -> None:
    desk.open("photo.png", PICTURE)
    desk.until(lambda: desk.notice == AS_PICTURE)
    desk.sheet = (300, 400)
    assert desk.color((150, 200)).tolist() == [120, 30, 60]  # the picture is the sketch
    assert desk.lines().min() == 255
    assert desk["[data-layer=sketch]"].get_attribute("aria-pressed") == "true"
    assert desk["#sketch-model"].input_value() == "xdog"

    desk.open("ring.png", LINE)
    desk["text=It is a rough sketch"].click()
    desk.settle()
    assert desk["#sketch-model"].input_value() == ""
    assert desk.lines().min() == 255
    desk.sheet = (300, 400)
    assert desk.color((150, 100)).max() < 100  # the top of the ring

    desk.open("photo.png", PICTURE)
    with desk.coloured():
        desk["text=It is line art"].click()
    assert desk.lines()[200, 150] < 80


def test_transparent_large_and_turned_pictures(desk: Desk) -> None:
    pixels = np.zeros((200, 160, 4), np.uint8)
    pixels[90:110, 20:140, 3] = 255
    desk.open("lines.png", png(pixels))
    desk.until(lambda: desk.notice == AS_LINES)
    lines = desk.lines()
    assert lines[100, 80] == 0
    assert lines[20, 20] == 255  # it lies on white

    desk["#notices [aria-label=Close]"].click()
    desk.open("large.png", png(circle(1500, 3000)))
    desk.until(lambda: desk.notice == AS_LINES)
    assert desk.lines().shape == (1024, 512)

    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # Orientation: a quarter to the right
    Image.fromarray(photo(320, 240)).save(file, "JPEG", exif=exif)
    desk.open("turned.jpg", file.getvalue())
    desk.until(lambda: desk.notice == AS_PICTURE)
    assert desk.lines().shape == (320, 240)


def test_samples_as_lines_and_as_picture(desk: Desk) -> None:
    def sent(kind: str) -> np.ndarray:
        answer = requests.get(f"{desk.address}{desk.samples[2][kind]}", timeout=30)
        return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))

    assert len(desk.samples) == 8
    desk.sample(2)
    assert abs(desk.lines().astype(int) - sent("line")[..., 0]).max() <= 1
    desk.sample(2, "sketch")
    assert desk.lines().min() == 255
    x, y = desk.sheet[0] // 2, desk.sheet[1] // 2
    around = sent("color")[y - 6 : y + 7, x - 6 : x + 7].reshape(-1, 3).astype(int)
    near = abs(around - desk.color((x, y), radius=0)).max(axis=1).min()
    assert near <= 12  # it is seen smaller than it is


class Painter:
    """Takes note of what it is to paint."""

    def colorize(self, line: np.ndarray, hints: Hints, z: None) -> np.ndarray:
        assert z is None
        self.got = line, hints
        return np.stack([line] * 3, axis=-1)


def test_saved_lines_and_hints_are_what_the_command_line_reads(desk: Desk, tmp_path: Path) -> None:
    desk["[data-color='#3d7fd6']"].click()
    desk.stroke((300, 300), (360, 300))
    for button, name in (("line", "lines.png"), ("hints", "lines.hints.png")):
        saved, pixels = desk.saved(button)
        assert saved == name
        Image.fromarray(pixels if button == "hints" else pixels[..., :3]).save(tmp_path / name)
    painter = Painter()
    assert paint_folder(cast("Colorizer", painter), tmp_path, tmp_path, None) == 0
    line, hints = painter.got
    assert line.shape == desk.sheet[::-1]
    marked = np.argwhere(hints.mask)
    assert abs(marked.mean(axis=0) - [300, 330]).max() <= 1
    assert abs(hints.color[hints.mask].astype(int) - (0x3D, 0x7F, 0xD6)).max() <= 2


def test_result_is_saved_and_closing_asks(desk: Desk) -> None:
    asks = """() => {
      const event = new Event("beforeunload", { cancelable: true });
      dispatchEvent(event);
      return event.defaultPrevented;
    }"""
    assert not desk.page.evaluate(asks)  # the first sample is no work
    with desk.page.expect_download() as download:
        desk.page.keyboard.press("Control+s")
    saved = Image.open(download.value.path())
    assert download.value.suggested_filename == "result.png"
    assert (saved.format, saved.size) == ("PNG", desk.sheet)
    assert len(saved.convert("RGB").getcolors(1 << 20) or []) > 100

    desk["#new"].click()
    desk["#save-result"].click()
    assert desk.notice == "There is no result to save yet: press Colour first."
    assert desk.page.evaluate(asks)
