"""Making lines from a picture or from a rough sketch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.demo.samples import load_sample
from pipeline.line_training.metrics import line_f1
from tests.end_to_end.demo.demo_page import DemoPage, line_art, photo, png

SKETCH, SIMPLIFY, COLORIZE = "/api/sketch", "/api/simplify", "/api/colorize"


def make_lines(page: DemoPage) -> list[str]:
    """Press Make lines; return the requests until the lines are coloured."""
    before = len(page.posts)
    with page.expect_result():
        page["#make-lines"].click()
        page.wait_until(lambda: page["#make-lines"].is_enabled())
    return page.posts[before:]


def ink_on_ring(lines: np.ndarray) -> float:
    """Return the share of the ink that is near the ring of `line_art` and `photo`."""
    rows, columns = np.nonzero(lines < 128)
    away = np.hypot(rows - lines.shape[0] / 2, columns - lines.shape[1] / 2)
    return float((abs(away - lines.shape[1] / 3) < 8).mean())


@pytest.fixture
def picture_page(page: DemoPage) -> DemoPage:
    """A page with a picture and no lines yet."""
    page.open_file("photo.png", png(photo()))
    page["text=Opened as a picture"].wait_for()
    page.sheet = (300, 400)
    return page


def test_picture_is_sketched_and_simplified_as_chosen(picture_page: DemoPage) -> None:
    assert picture_page.line_pixels().min() == 255
    assert picture_page["text=Opened as a picture"].count() == 1
    assert make_lines(picture_page) == [SKETCH, SIMPLIFY, COLORIZE]
    assert picture_page["text=Opened as a picture"].count() == 0  # it has been pressed
    assert ink_on_ring(picture_page.line_pixels()) > 0.9
    assert picture_page["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
    red = picture_page.color_at((150, 200))
    assert red.min() > 100  # the picture is faint under its lines
    picture_page.select_tool("eyedropper")
    picture_page.stroke((150, 200))
    assert picture_page["#hex"].inner_text() == "#781e3c"  # in its full colour

    picture_page["#undo"].click()
    assert picture_page.line_pixels().min() == 255
    assert picture_page.color_at((150, 200)).tolist() == [120, 30, 60]

    picture_page.wait_until_idle()
    picture_page["#line-model"].select_option("None")
    drawn = []
    for style in ("original", "pured"):
        picture_page["#style"].select_option(style)
        assert make_lines(picture_page) == [SKETCH, COLORIZE]
        drawn.append(picture_page.line_pixels())
    assert (drawn[0] != drawn[1]).any()
    assert drawn[0].mean() <= drawn[1].mean()  # original keeps every line


def test_lines_of_a_sample_are_those_that_were_drawn(page: DemoPage) -> None:
    page.open_sample(2, "sketch")
    assert page["#sketch-model"].input_value() == "tracer"
    assert page["#line-model"].input_value() == "inker"
    make_lines(page)
    lines, drawn = page.line_pixels(), load_sample(page.samples[2]["id"]).line
    truth = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_GRAYSCALE)
    ink = 1 - lines.astype(np.float32) / 255
    assert line_f1(ink, truth.astype(np.uint8), np.ones_like(lines)) > 0.85


def test_rough_sketch_is_only_simplified(page: DemoPage) -> None:
    page.open_file("ring.png", png(line_art()))
    page["text=It is a rough sketch"].click()
    assert page["#style"].is_disabled()
    assert make_lines(page) == [SIMPLIFY, COLORIZE]
    lines = page.line_pixels()
    assert lines.shape == (400, 300)
    assert ink_on_ring(lines) > 0.95


def test_drawn_sketch_or_else_drawn_lines_are_simplified(page: DemoPage) -> None:
    page.new_sheet()
    page["[data-layer=sketch]"].click()
    page.select_tool("pen")
    page["#size"].fill("12")
    page.stroke((200, 300), (600, 300))
    page["#sketch-model"].select_option("None (already a sketch)")
    page.wait_until_idle()
    assert make_lines(page) == [SIMPLIFY, COLORIZE]
    rows, columns = np.nonzero(page.line_pixels() < 128)
    assert abs(rows - 300).max() <= 8
    assert columns.min() < 215
    assert columns.max() > 585

    page.new_sheet()
    page.stroke((200, 300), (600, 300))
    page.wait_until_idle()
    before = (page.line_pixels() < 128).sum()
    assert make_lines(page) == [SIMPLIFY, COLORIZE]
    assert 0 < (page.line_pixels() < 128).sum() < before


def test_make_lines_without_input_or_model_is_an_error(page: DemoPage) -> None:
    page.new_sheet()
    with page.expect_no_requests():
        page["#make-lines"].click()
    assert page.notice.startswith("There is nothing to make lines from")

    page.stroke((200, 300), (600, 300))
    page["#line-model"].select_option("None")
    page.wait_until_idle()
    with page.expect_no_requests():
        page["#make-lines"].click()
    assert page.notice.startswith("Find lines and Simplify are both None")


def test_lines_for_an_older_sheet_are_dropped(picture_page: DemoPage) -> None:
    with picture_page.hold_requests("**/api/sketch") as routes:
        picture_page["#make-lines"].click()
        picture_page.wait_until(lambda: len(routes) == 1)
        picture_page["#new"].click()
        routes[0].continue_()
        picture_page.wait_until(lambda: picture_page["#make-lines"].is_enabled())
    assert picture_page.line_pixels().min() == 255

    for select, name in (("sketch-model", "sketchkeras"), ("line-model", "simo_serra")):
        option = picture_page[f"#{select} option[value={name}]"]
        assert option.is_disabled()
        assert "(not installed)" in option.inner_text()
        assert "python -m sketch_models.weights fetch" in str(option.get_attribute("title"))
