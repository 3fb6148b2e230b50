"""Opening, dropping, pasting and saving pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
import requests
from PIL import Image

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.paint import colorize_folder
from tests.end_to_end.demo.conftest import OpenPage
from tests.end_to_end.demo.demo_page import DemoPage, line_art, photo, png

LINE, PICTURE = png(line_art()), png(photo())
OPENED_AS_LINES = "Opened as line art."
OPENED_AS_PICTURE = "Opened as a picture: press Make lines to find its lines."


def open_by_button(page: DemoPage, name: str, content: bytes) -> None:
    with page.playwright.expect_file_chooser() as chooser:
        page["#open"].click()
    file: Any = {"name": name, "mimeType": "image/png", "buffer": content}
    chooser.value.set_files(file)


def open_by_drop(page: DemoPage, name: str, content: bytes) -> None:
    transfer = page.data_transfer(name, content)
    page["#drawing"].dispatch_event("dragover", {"dataTransfer": transfer})
    assert page["#drop-zone"].is_visible()
    page["#drawing"].dispatch_event("drop", {"dataTransfer": transfer})
    assert page["#drop-zone"].is_hidden()


def open_by_paste(page: DemoPage, name: str, content: bytes) -> None:
    transfer = page.data_transfer(name, content)
    page.playwright.evaluate(
        "(clipboardData) => document.body.dispatchEvent("
        "new ClipboardEvent('paste', { clipboardData, bubbles: true }))",
        transfer,
    )


def test_picture_is_opened_by_button_drop_and_paste(page: DemoPage) -> None:
    first = page.line_pixels()
    for open_file in (open_by_button, open_by_drop, open_by_paste):
        page.select_tool("pen")
        with page.expect_result():
            open_file(page, "ring.png", LINE)
            page.wait_until(lambda: page.notice == OPENED_AS_LINES)
        assert abs(page.line_pixels().astype(int) - line_art()).max() <= 1
        assert page["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
        page["#notices [aria-label=Close]"].click()
        page["#undo"].click()
        assert np.array_equal(page.line_pixels(), first)
    page["#redo"].click()
    assert abs(page.line_pixels().astype(int) - line_art()).max() <= 1

    for _ in range(2):  # the same file twice
        page.open_file("ring.png", LINE)
        page.wait_until(lambda: page["#notices .notice"].count() == 1)
        assert page.line_pixels().min() == 0
        page["#notices [aria-label=Close]"].click()
        page["#new"].click()


def test_white_lines_on_black_are_inverted(page: DemoPage) -> None:
    page.open_file("negative.png", png(255 - line_art()))
    page.wait_until(lambda: page.notice == "Opened as white lines on black, and inverted.")
    assert abs(page.line_pixels().astype(int) - line_art()).max() <= 1
    page["text=It is a picture"].click()
    page.wait_until_idle()
    assert page.line_pixels().min() == 255
    page.sheet = (300, 400)
    assert page.color_at((5, 5)).max() < 30  # as dark as it was


def test_guess_of_the_layer_can_be_corrected(page: DemoPage) -> None:
    page.open_file("photo.png", PICTURE)
    page.wait_until(lambda: page.notice == OPENED_AS_PICTURE)
    page.sheet = (300, 400)
    assert page.color_at((150, 200)).tolist() == [120, 30, 60]  # the picture is in the sketch layer
    assert page.line_pixels().min() == 255
    assert page["[data-layer=sketch]"].get_attribute("aria-pressed") == "true"
    assert page["#sketch-model"].input_value() == "tracer"

    page.open_file("ring.png", LINE)
    page["text=It is a rough sketch"].click()
    page.wait_until_idle()
    assert page["#sketch-model"].input_value() == ""
    assert page.line_pixels().min() == 255
    page.sheet = (300, 400)
    assert page.color_at((150, 100)).max() < 100  # the top of the ring

    page.open_file("photo.png", PICTURE)
    with page.expect_result():
        page["text=It is line art"].click()
    assert page.line_pixels()[200, 150] < 80


def test_transparent_large_and_rotated_pictures_are_opened(page: DemoPage) -> None:
    pixels = np.zeros((200, 160, 4), np.uint8)
    pixels[90:110, 20:140, 3] = 255
    page.open_file("lines.png", png(pixels))
    page.wait_until(lambda: page.notice == OPENED_AS_LINES)
    lines = page.line_pixels()
    assert lines[100, 80] == 0
    assert lines[20, 20] == 255  # transparent is white

    page["#notices [aria-label=Close]"].click()
    page.open_file("large.png", png(line_art(1500, 3000)))
    page.wait_until(lambda: page.notice == OPENED_AS_LINES)
    assert page.line_pixels().shape == (1024, 512)

    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # Orientation: a quarter to the right
    Image.fromarray(photo(320, 240)).save(file, "JPEG", exif=exif)
    page.open_file("rotated.jpg", file.getvalue())
    page.wait_until(lambda: page.notice == OPENED_AS_PICTURE)
    assert page.line_pixels().shape == (320, 240)


def test_samples_are_opened_as_lines_and_as_picture(page: DemoPage) -> None:
    def download(name: str) -> np.ndarray:
        response = requests.get(f"{page.url}{page.samples[2][name]}", timeout=30)
        return np.asarray(Image.open(io.BytesIO(response.content)).convert("RGB"))

    assert len(page.samples) == 11
    page.open_sample(2)
    assert abs(page.line_pixels().astype(int) - download("line")[..., 0]).max() <= 1
    page.open_sample(2, "sketch")
    assert page.line_pixels().min() == 255
    x, y = page.sheet[0] // 2, page.sheet[1] // 2
    around = download("color")[y - 6 : y + 7, x - 6 : x + 7].reshape(-1, 3).astype(int)
    difference = abs(around - page.color_at((x, y), radius=0)).max(axis=1).min()
    assert difference <= 12  # the canvas shows it smaller


class RecordingColorizer:
    """A fake colorizer that records its input."""

    def colorize(self, line: np.ndarray, hints: Hints, z: None) -> np.ndarray:
        assert z is None
        self.received = line, hints
        return np.stack([line] * 3, axis=-1)


def test_saved_lines_and_hints_can_be_read_by_the_paint_command(
    page: DemoPage, tmp_path: Path
) -> None:
    page["[data-clear=hints]"].click()  # those of the sample
    page["[data-color='#3d7fd6']"].click()
    page.stroke((300, 300), (360, 300))
    for button, name in (("line", "lines.png"), ("hints", "lines.hints.png")):
        saved, pixels = page.save(button)
        assert saved == name
        Image.fromarray(pixels if button == "hints" else pixels[..., :3]).save(tmp_path / name)
    colorizer = RecordingColorizer()
    assert colorize_folder(cast("Colorizer", colorizer), tmp_path, tmp_path / "results", None) == 0
    line, hints = colorizer.received
    assert line.shape == page.sheet[::-1]
    marked = np.argwhere(hints.mask)
    assert abs(marked.mean(axis=0) - [300, 330]).max() <= 1
    assert abs(hints.color[hints.mask].astype(int) - (0x3D, 0x7F, 0xD6)).max() <= 2


def prevents_closing(page: DemoPage) -> bool:
    """Return whether the browser would ask before it closes the page."""
    return bool(
        page.playwright.evaluate(
            """() => {
              const event = new Event("beforeunload", { cancelable: true });
              dispatchEvent(event);
              return event.defaultPrevented;
            }"""
        )
    )


def test_result_is_saved(page: DemoPage) -> None:
    with page.playwright.expect_download() as download:
        page.playwright.keyboard.press("Control+s")
    saved = Image.open(download.value.path())
    assert download.value.suggested_filename == "result.png"
    assert (saved.format, saved.size) == ("PNG", page.sheet)
    assert len(saved.convert("RGB").getcolors(1 << 20) or []) > 100

    page["#new"].click()
    page["#save-result"].click()
    assert page.notice == "There is no result to save yet. Press Colour first."


def test_drawing_survives_a_reload(page: DemoPage) -> None:
    page.new_sheet()
    page.stroke((200, 300), (600, 300))
    page.select_tool("hint")
    page.stroke((300, 600), (500, 600))
    page.wait_until(lambda: not prevents_closing(page))  # it is kept now
    lines = page.line_pixels()
    assert lines.min() == 0
    shown = page.color_at((400, 600))
    page.load()
    assert page.notice == "Your last drawing is open again."
    page.sheet = lines.shape[::-1]
    assert np.array_equal(page.line_pixels(), lines)
    assert np.array_equal(page.color_at((400, 600)), shown)
    assert page["#undo"].is_disabled()
    with page.expect_result():
        page["text=Open a sample"].click()
    assert page.line_pixels().shape[::-1] == (
        page.samples[0]["width"],
        page.samples[0]["height"],
    )


def test_closing_is_only_asked_about_while_a_change_is_not_kept(page: DemoPage) -> None:
    assert not prevents_closing(page)  # nothing is drawn yet
    page["#new"].click()
    assert prevents_closing(page)
    page.wait_until(lambda: not prevents_closing(page))


def test_a_browser_that_keeps_nothing_asks_before_it_closes(open_page: OpenPage) -> None:
    page = open_page(load=False)
    page.playwright.add_init_script(
        "Object.defineProperty(window, 'indexedDB', { get() { throw new Error('none'); } });"
    )
    page.load()
    page["#new"].click()
    page.playwright.wait_for_timeout(800)  # ms; twice as long as until it is kept
    assert prevents_closing(page)


def test_a_sample_shows_that_it_loads_or_cannot_be_loaded(page: DemoPage) -> None:
    page.allow_error("ERR_FAILED")
    pictures = "**/color.png"
    with page.hold_requests(pictures) as routes:
        page.playwright.reload()
        page.playwright.wait_for_selector("body[data-ready]")
        page["#samples"].click()
        page.wait_until(lambda: len(routes) >= 2)
        first, second = (
            page[f"[data-sample=sketch-{sample['id']}] span"] for sample in page.samples[:2]
        )
        assert first.get_attribute("class") == "spinner"
        for route in routes:
            is_first = f"/{page.samples[0]['id']}/" in route.request.url
            (route.continue_ if is_first else route.abort)()
        page.wait_until(lambda: first.count() == 0)
        page.wait_until(lambda: second.inner_text() == "not loaded")
