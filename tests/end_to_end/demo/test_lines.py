"""Lines from a picture or from a rough sketch."""

from __future__ import annotations

import numpy as np
import pytest

from tests.end_to_end.demo.demo_page import Desk, circle, photo, png

SKETCH, SIMPLIFY, COLORIZE = "/api/sketch", "/api/simplify", "/api/colorize"


def make(desk: Desk) -> list[str]:
    """Presses Make lines; what was asked of the server until the lines were coloured."""
    before = len(desk.asked)
    with desk.coloured():
        desk["#make-lines"].click()
        desk.until(lambda: desk["#make-lines"].is_enabled())
    return desk.asked[before:]


def ring(lines: np.ndarray) -> float:
    """Share of the ink that is near the ring of `circle` and `photo`."""
    rows, columns = np.nonzero(lines < 128)
    away = np.hypot(rows - lines.shape[0] / 2, columns - lines.shape[1] / 2)
    return float((abs(away - lines.shape[1] / 3) < 8).mean())


@pytest.fixture
def picture(desk: Desk) -> Desk:
    """A page with a picture that has no lines yet."""
    desk.open("photo.png", png(photo()))
    desk["text=Taken as a picture"].wait_for()
    desk.sheet = (300, 400)
    return desk


def test_picture_is_sketched_and_simplified_as_chosen(picture: Desk) -> None:
    assert picture.lines().min() == 255
    assert make(picture) == [SKETCH, SIMPLIFY, COLORIZE]
    assert ring(picture.lines()) > 0.9
    assert picture["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
    red = picture.color((150, 200))
    assert red.min() > 100  # the picture steps back behind its lines
    picture.tool("pick")
    picture.stroke((150, 200))
    assert picture["#hex"].inner_text() == "#781e3c"  # its own colour, all the same

    picture["#undo"].click()
    assert picture.lines().min() == 255
    assert picture.color((150, 200)).tolist() == [120, 30, 60]

    picture.settle()
    picture["#line-model"].select_option("no")
    drawn = []
    for style in ("original", "pured"):
        picture["#style"].select_option(style)
        assert make(picture) == [SKETCH, COLORIZE]
        drawn.append(picture.lines())
    assert (drawn[0] != drawn[1]).any()
    assert drawn[0].mean() <= drawn[1].mean()  # original keeps every line


def test_rough_sketch_is_simplified_alone(desk: Desk) -> None:
    desk.open("ring.png", png(circle()))
    desk["text=It is a rough sketch"].click()
    assert desk["#style"].is_disabled()
    assert make(desk) == [SIMPLIFY, COLORIZE]
    lines = desk.lines()
    assert lines.shape == (400, 300)
    assert ring(lines) > 0.95


def test_own_sketch_or_else_own_lines_are_simplified(desk: Desk) -> None:
    desk.new()
    desk["[data-layer=sketch]"].click()
    desk.tool("pen")
    desk["#size"].fill("12")
    desk.stroke((200, 300), (600, 300))
    desk["#sketch-model"].select_option("no: it is a sketch")
    desk.settle()
    assert make(desk) == [SIMPLIFY, COLORIZE]
    rows, columns = np.nonzero(desk.lines() < 128)
    assert abs(rows - 300).max() <= 8
    assert columns.min() < 215
    assert columns.max() > 585

    desk.new()
    desk.stroke((200, 300), (600, 300))
    desk.settle()
    before = (desk.lines() < 128).sum()
    assert make(desk) == [SIMPLIFY, COLORIZE]
    assert 0 < (desk.lines() < 128).sum() < before


def test_nothing_to_find_lines_in(desk: Desk) -> None:
    desk.new()
    with desk.quiet():
        desk["#make-lines"].click()
    assert desk.notice.startswith("There is nothing to find lines in")

    desk.stroke((200, 300), (600, 300))
    desk["#line-model"].select_option("no")
    desk.settle()
    with desk.quiet():
        desk["#make-lines"].click()
    assert desk.notice.startswith("Nothing is chosen that makes lines")


def test_lines_for_a_sheet_that_is_gone_are_dropped(picture: Desk) -> None:
    with picture.held("**/api/sketch") as routes:
        picture["#make-lines"].click()
        picture.until(lambda: len(routes) == 1)
        picture["#new"].click()
        routes[0].continue_()
        picture.until(lambda: picture["#make-lines"].is_enabled())
    assert picture.lines().min() == 255

    for select, name in (("sketch-model", "sketchkeras"), ("line-model", "simo_serra")):
        option = picture[f"#{select} option[value={name}]"]
        assert option.is_disabled()
        assert "(not here)" in option.inner_text()
        assert "python -m sketch_models.weights fetch" in str(option.get_attribute("title"))
