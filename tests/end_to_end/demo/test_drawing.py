"""Drawing with mouse, pen and touch."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import CDPSession

from tests.end_to_end.demo.conftest import OpenPage
from tests.end_to_end.demo.demo_page import BLANK, DemoPage

RED, BLUE = (216, 52, 63), (61, 127, 214)  # of the palette
DOWN = ((400.0, 200.0), (400.0, 600.0))  # from top to bottom
WHITE = [255, 255, 255]


@pytest.fixture
def blank_page(page: DemoPage) -> DemoPage:
    """A page with a blank_page sheet."""
    page.new_sheet()
    return page


def width_at(lines: np.ndarray, row: int) -> int:
    """Return the number of ink pixels in a row."""
    return int((lines[row] < 128).sum())


def test_pen_draws_lines(blank_page: DemoPage) -> None:
    assert blank_page["#empty-result"].is_visible()
    with blank_page.expect_result():
        blank_page.stroke(*DOWN)

    assert blank_page.color_at((400, 400)).max() < 60
    assert blank_page.color_at((300, 400)).tolist() == WHITE
    lines = blank_page.line_pixels()
    assert lines.shape == BLANK[::-1]
    ink = np.argwhere(lines < 128)
    assert abs(ink.min(axis=0) - [198, 398]).max() <= 2
    assert abs(ink.max(axis=0) - [602, 402]).max() <= 2
    assert blank_page["#empty-result"].is_hidden()


def test_result_follows_each_stroke(page: DemoPage) -> None:
    before = page.screenshot("result")
    page.select_tool("hint")
    with page.expect_result():
        page.stroke((400, 500), (450, 500))
    after = page.screenshot("result")
    assert not np.array_equal(before, after)
    with page.expect_result():
        page["#undo"].click()
    assert np.array_equal(page.screenshot("result"), before)


def test_stroke_has_the_brush_size(blank_page: DemoPage) -> None:
    blank_page["#size"].fill("20")
    assert blank_page["#size-value"].inner_text() == "20"
    blank_page.stroke(*DOWN)
    blank_page.playwright.keyboard.press("[")  # a fifth smaller
    blank_page.stroke((600, 200), (600, 600))
    lines = blank_page.line_pixels()
    assert abs(width_at(lines[:, :500], 400) - 20) <= 2
    assert abs(width_at(lines[:, 500:], 400) - 16) <= 2


def pen_stroke(session: CDPSession, page: DemoPage, x: float, force: float) -> None:
    """Draw a stroke with a pen, from top to bottom."""
    for event_type, y in (("mousePressed", 200), ("mouseMoved", 400), ("mouseReleased", 600)):
        left, top = page.to_window((x, y))
        event = {
            "type": event_type,
            "x": left,
            "y": top,
            "button": "left",
            "buttons": 1,
            "clickCount": 1,
        }
        session.send("Input.dispatchMouseEvent", event | {"pointerType": "pen", "force": force})


def test_pen_pressure_changes_the_size(blank_page: DemoPage) -> None:
    session = blank_page.playwright.context.new_cdp_session(blank_page.playwright)
    blank_page["#size"].fill("40")
    pen_stroke(session, blank_page, 200, 0.2)
    pen_stroke(session, blank_page, 400, 0.9)
    blank_page["#pressure"].uncheck()
    pen_stroke(session, blank_page, 600, 0.2)
    lines = blank_page.line_pixels()
    light, hard, without = (width_at(lines[:, at - 60 : at + 60], 300) for at in (200, 400, 600))
    assert abs(light - 40 * (0.15 + 0.85 * 0.2)) <= 3
    assert abs(hard - 40 * (0.15 + 0.85 * 0.9)) <= 3
    assert abs(without - 40) <= 2


def test_eraser_works_on_the_active_layer_alone(blank_page: DemoPage) -> None:
    blank_page.stroke(*DOWN)
    blank_page.select_tool("hint")
    blank_page.stroke((300, 300), (500, 300))
    blank_page["[data-layer=line]"].click()
    blank_page.select_tool("eraser")
    with blank_page.expect_result():
        blank_page.stroke((300, 300), (500, 300))
    assert blank_page.color_at((400, 300)).tolist() == list(RED)
    lines = blank_page.line_pixels()
    assert lines[290:310].min() == 255
    assert width_at(lines, 500) > 0


def test_layers_can_be_hidden_and_cleared(page: DemoPage) -> None:
    for layer, tool in (("sketch", "pen"), ("line", "pen"), ("hints", "hint")):
        page.new_sheet()
        check_layer(page, layer, tool)


def check_layer(blank_page: DemoPage, layer: str, tool: str) -> None:
    blank_page[f"[data-layer={layer}]"].click()
    blank_page.select_tool(tool)
    blank_page.stroke(*DOWN)
    assert blank_page[f"[data-layer={layer}]"].get_attribute("aria-pressed") == "true"
    seen = blank_page.color_at((400, 400))
    assert seen.tolist() == list(RED) if layer == "hints" else seen.max() < 60

    blank_page[f"[data-show={layer}]"].click()
    assert blank_page[f"[data-show={layer}]"].get_attribute("aria-pressed") == "false"
    assert blank_page.color_at((400, 400)).tolist() == WHITE
    blank_page[f"[data-show={layer}]"].click()
    assert blank_page.color_at((400, 400)).tolist() == seen.tolist()

    blank_page[f"[data-clear={layer}]"].click()
    assert blank_page.color_at((400, 400)).tolist() == WHITE
    blank_page["#undo"].click()
    assert blank_page.color_at((400, 400)).tolist() == seen.tolist()
    assert (blank_page.line_pixels().min() < 128) == (layer == "line")


def test_undo_and_redo(page: DemoPage) -> None:
    first = page.line_pixels()
    page.new_sheet()
    page.stroke(*DOWN)
    drawn = page.line_pixels()
    assert page["#redo"].is_disabled()

    page["#undo"].click()
    assert page.line_pixels().min() == 255
    page["#undo"].click()  # back to the previous sheet
    assert np.array_equal(page.line_pixels(), first)
    page["#redo"].click()
    page["#redo"].click()
    assert np.array_equal(page.line_pixels(), drawn)
    assert page["#redo"].is_disabled()

    page["#undo"].click()
    page.stroke((100, 100), (200, 100))  # removes what can be redone
    assert page["#redo"].is_disabled()
    assert page["#undo"].is_enabled()


def test_hint_colour_comes_from_palette_or_picker(blank_page: DemoPage) -> None:
    blank_page["[data-color='#3d7fd6']"].click()
    assert blank_page["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
    assert blank_page["#hex"].inner_text() == "#3d7fd6"
    blank_page.stroke((200, 300), (300, 300))
    assert blank_page.color_at((250, 300)).tolist() == list(BLUE)

    blank_page["#color"].fill("#12c83a")
    with blank_page.expect_result():
        blank_page.stroke((500, 300), (600, 300), view="result")  # draws hints, too
    assert blank_page.color_at((550, 300)).tolist() == [0x12, 0xC8, 0x3A]
    assert blank_page["[data-color][aria-checked=true]"].count() == 0
    assert blank_page.line_pixels().min() == 255


def test_eyedropper_picks_from_drawing_and_result(page: DemoPage) -> None:
    page["#lines-on-top"].uncheck()
    page["[data-color='#2f9e93']"].click()
    point = (page.sheet[0] / 2, page.sheet[1] / 2)
    with page.expect_result():
        page.stroke(point, (point[0] + 30, point[1]))
    for view, tolerance in (("drawing", 0), ("result", 12)):  # the result is resampled
        seen = page.color_at(point, view)
        page["[data-color='#d8343f']"].click()
        page.select_tool("eyedropper")
        page.stroke(point, view=view)
        picked = page["#hex"].inner_text()
        rgb = np.array([int(picked[start : start + 2], 16) for start in (1, 3, 5)])
        assert abs(rgb - seen).max() <= tolerance
        assert page["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"


def ink_center(page: DemoPage) -> np.ndarray:
    """Return the centre of the ink on the drawing's canvas: x, y."""
    seen = page.screenshot()
    ink = (seen[..., 3] > 0) & (seen[..., :3].max(axis=-1) < 100)
    return np.argwhere(ink).mean(axis=0)[::-1]


def zoom_percent(page: DemoPage) -> int:
    return int(page["#zoom"].inner_text().split()[0])


def test_zoom_keeps_the_point_under_the_mouse(blank_page: DemoPage) -> None:
    blank_page["#size"].fill("30")
    blank_page.stroke((240, 300))  # a dot
    box, (x, y) = blank_page.box("drawing"), blank_page.to_window((240, 300))
    fitted, dot = zoom_percent(blank_page), ink_center(blank_page)
    assert abs(dot - [x - box["x"], y - box["y"]]).max() <= 1.5

    blank_page.playwright.mouse.move(x, y)
    for _ in range(4):
        blank_page.playwright.mouse.wheel(0, -200)
    blank_page.wait_until(lambda: zoom_percent(blank_page) > 3 * fitted)
    assert abs(ink_center(blank_page) - dot).max() <= 2  # the point under the mouse stays

    blank_page["#zoom-in"].click()
    larger = zoom_percent(blank_page)
    blank_page["#zoom-out"].click()
    blank_page["#zoom-out"].click()
    assert zoom_percent(blank_page) < larger
    blank_page["#fit"].click()
    assert zoom_percent(blank_page) == fitted
    assert abs(ink_center(blank_page) - dot).max() <= 1.5

    blank_page["[data-clear=line]"].click()
    middle = blank_page.to_window((400, 500))
    for _ in range(3):
        blank_page["#zoom-in"].click()  # at the middle
    blank_page.playwright.mouse.move(*middle)
    blank_page.playwright.mouse.down()
    blank_page.playwright.mouse.up()
    ink = np.argwhere(blank_page.line_pixels() < 128)
    assert abs(ink.mean(axis=0) - [500, 400]).max() <= 2  # strokes land under the mouse


def test_sheet_can_be_moved(blank_page: DemoPage) -> None:
    blank_page["#size"].fill("30")
    blank_page.stroke((240, 300))
    before, drawn = ink_center(blank_page), blank_page.line_pixels()
    for method in ("space", "middle button", "move tool"):
        pan(blank_page, method)
        assert abs(ink_center(blank_page) - before - [40, -30]).max() <= 1.5
        assert np.array_equal(blank_page.line_pixels(), drawn)  # nothing was drawn
        blank_page["#fit"].click()


def pan(blank_page: DemoPage, method: str) -> None:
    """Move the sheet 40 pixels to the right and 30 up."""
    mouse = blank_page.playwright.mouse
    if method == "move tool":
        blank_page.select_tool("move")
    x, y = blank_page.to_window((400, 500))
    blank_page["#drawing"].focus()
    mouse.move(x, y)
    if method == "space":
        blank_page.playwright.keyboard.down(" ")
    mouse.down(button="middle" if method == "middle button" else "left")
    mouse.move(x + 40, y - 30, steps=4)
    mouse.up(button="middle" if method == "middle button" else "left")
    if method == "space":
        blank_page.playwright.keyboard.up(" ")


class Touch:
    """Touch events, sent by the browser itself."""

    def __init__(self, page: DemoPage) -> None:
        self.session = page.playwright.context.new_cdp_session(page.playwright)

    def send(self, event_type: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": event_type, "touchPoints": touches})


def test_one_finger_draws_and_two_move_and_zoom(open_page: OpenPage) -> None:
    page = open_page(has_touch=True, viewport={"width": 1024, "height": 768})
    page.new_sheet()
    page["#size"].fill("20")
    touch = Touch(page)
    touch.send("touchStart", page.to_window((350, 500)))
    touch.send("touchMove", page.to_window((400, 500)))
    touch.send("touchMove", page.to_window((450, 500)))
    touch.send("touchEnd")
    drawn = page.line_pixels()
    assert abs(width_at(drawn, 500) - 120) <= 2

    fitted, before = zoom_percent(page), ink_center(page)
    x, y = page.to_window((400, 500))
    touch.send("touchStart", (x - 20, y))
    touch.send("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 9):
        apart = 20 + 5 * step
        touch.send("touchMove", (x - apart, y + 5 * step), (x + apart, y + 5 * step))
    touch.send("touchEnd")
    assert abs(zoom_percent(page) - 3 * fitted) <= 2
    assert np.array_equal(page.line_pixels(), drawn)  # the first finger has drawn nothing
    assert abs(ink_center(page) - before - [0, 40]).max() <= 2  # the sheet follows the fingers
