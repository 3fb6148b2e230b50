"""Drawing, with a mouse, a pen and fingers."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import CDPSession

from tests.end_to_end.demo.conftest import OpenDesk
from tests.end_to_end.demo.demo_page import BLANK, Desk

RED, BLUE = (216, 52, 63), (61, 127, 214)  # of the palette
DOWN = ((400.0, 200.0), (400.0, 600.0))  # from top to bottom
WHITE = [255, 255, 255]


@pytest.fixture
def blank(desk: Desk) -> Desk:
    """A page with a blank sheet."""
    desk.new()
    return desk


def width_at(lines: np.ndarray, row: int) -> int:
    """Pixels of ink in a row."""
    return int((lines[row] < 128).sum())


def test_pen_draws_lines(blank: Desk) -> None:
    assert blank["#empty"].is_visible()
    with blank.coloured():
        blank.stroke(*DOWN)

    assert blank.color((400, 400)).max() < 60
    assert blank.color((300, 400)).tolist() == WHITE
    lines = blank.lines()
    assert lines.shape == BLANK[::-1]
    ink = np.argwhere(lines < 128)
    assert abs(ink.min(axis=0) - [198, 398]).max() <= 2
    assert abs(ink.max(axis=0) - [602, 402]).max() <= 2
    assert blank["#empty"].is_hidden()


def test_result_follows_each_stroke(desk: Desk) -> None:
    before = desk.look("result")
    desk.tool("hint")
    with desk.coloured():
        desk.stroke((400, 500), (450, 500))
    after = desk.look("result")
    assert not np.array_equal(before, after)
    with desk.coloured():
        desk["#undo"].click()
    assert np.array_equal(desk.look("result"), before)


def test_size_of_the_brush(blank: Desk) -> None:
    blank["#size"].fill("20")
    assert blank["#size-value"].inner_text() == "20"
    blank.stroke(*DOWN)
    blank.page.keyboard.press("[")  # a fifth smaller
    blank.stroke((600, 200), (600, 600))
    lines = blank.lines()
    assert abs(width_at(lines[:, :500], 400) - 20) <= 2
    assert abs(width_at(lines[:, 500:], 400) - 16) <= 2


def pen(session: CDPSession, desk: Desk, x: float, force: float) -> None:
    """A stroke of a real pen, from top to bottom."""
    for kind, y in (("mousePressed", 200), ("mouseMoved", 400), ("mouseReleased", 600)):
        left, top = desk.at((x, y))
        event = {"type": kind, "x": left, "y": top, "button": "left", "buttons": 1, "clickCount": 1}
        session.send("Input.dispatchMouseEvent", event | {"pointerType": "pen", "force": force})


def test_pressure_of_a_pen(blank: Desk) -> None:
    session = blank.page.context.new_cdp_session(blank.page)
    blank["#size"].fill("40")
    pen(session, blank, 200, 0.2)
    pen(session, blank, 400, 0.9)
    blank["#pressure"].uncheck()
    pen(session, blank, 600, 0.2)
    lines = blank.lines()
    light, hard, without = (width_at(lines[:, at - 60 : at + 60], 300) for at in (200, 400, 600))
    assert abs(light - 40 * (0.15 + 0.85 * 0.2)) <= 3
    assert abs(hard - 40 * (0.15 + 0.85 * 0.9)) <= 3
    assert abs(without - 40) <= 2


def test_eraser_takes_from_the_chosen_layer_alone(blank: Desk) -> None:
    blank.stroke(*DOWN)
    blank.tool("hint")
    blank.stroke((300, 300), (500, 300))
    blank["[data-layer=line]"].click()
    blank.tool("eraser")
    with blank.coloured():
        blank.stroke((300, 300), (500, 300))
    assert blank.color((400, 300)).tolist() == list(RED)
    lines = blank.lines()
    assert lines[290:310].min() == 255
    assert width_at(lines, 500) > 0


def test_layers_are_shown_hidden_and_cleared(desk: Desk) -> None:
    for layer, tool in (("sketch", "pen"), ("line", "pen"), ("hints", "hint")):
        desk.new()
        check_layer(desk, layer, tool)


def check_layer(blank: Desk, layer: str, tool: str) -> None:
    blank[f"[data-layer={layer}]"].click()
    blank.tool(tool)
    blank.stroke(*DOWN)
    assert blank[f"[data-layer={layer}]"].get_attribute("aria-pressed") == "true"
    seen = blank.color((400, 400))
    assert seen.tolist() == list(RED) if layer == "hints" else seen.max() < 60

    blank[f"[data-show={layer}]"].click()
    assert blank[f"[data-show={layer}]"].get_attribute("aria-pressed") == "false"
    assert blank.color((400, 400)).tolist() == WHITE
    blank[f"[data-show={layer}]"].click()
    assert blank.color((400, 400)).tolist() == seen.tolist()

    blank[f"[data-clear={layer}]"].click()
    assert blank.color((400, 400)).tolist() == WHITE
    blank["#undo"].click()
    assert blank.color((400, 400)).tolist() == seen.tolist()
    assert (blank.lines().min() < 128) == (layer == "line")


def test_undo_and_redo(desk: Desk) -> None:
    first = desk.lines()
    desk.new()
    desk.stroke(*DOWN)
    drawn = desk.lines()
    assert desk["#redo"].is_disabled()

    desk["#undo"].click()
    assert desk.lines().min() == 255
    desk["#undo"].click()  # the sheet that was there before
    assert np.array_equal(desk.lines(), first)
    desk["#redo"].click()
    desk["#redo"].click()
    assert np.array_equal(desk.lines(), drawn)
    assert desk["#redo"].is_disabled()

    desk["#undo"].click()
    desk.stroke((100, 100), (200, 100))  # what was undone is gone
    assert desk["#redo"].is_disabled()
    assert desk["#undo"].is_enabled()


def test_hints_from_the_palette_and_the_picker(blank: Desk) -> None:
    blank["[data-color='#3d7fd6']"].click()
    assert blank["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
    assert blank["#hex"].inner_text() == "#3d7fd6"
    blank.stroke((200, 300), (300, 300))
    assert blank.color((250, 300)).tolist() == list(BLUE)

    blank["#color"].fill("#12c83a")
    with blank.coloured():
        blank.stroke((500, 300), (600, 300), side="result")  # goes to the hints as well
    assert blank.color((550, 300)).tolist() == [0x12, 0xC8, 0x3A]
    assert blank["[data-color][aria-checked=true]"].count() == 0
    assert blank.lines().min() == 255


def test_eyedropper_takes_a_colour_from_either_side(desk: Desk) -> None:
    desk["#keep"].uncheck()
    desk["[data-color='#2f9e93']"].click()
    place = (desk.sheet[0] / 2, desk.sheet[1] / 2)
    with desk.coloured():
        desk.stroke(place, (place[0] + 30, place[1]))
    for side, near in (("drawing", 0), ("result", 12)):  # the result is not seen 1 : 1
        seen = desk.color(place, side)
        desk["[data-color='#d8343f']"].click()
        desk.tool("pick")
        desk.stroke(place, side=side)
        taken = desk["#hex"].inner_text()
        rgb = np.array([int(taken[at : at + 2], 16) for at in (1, 3, 5)])
        assert abs(rgb - seen).max() <= near
        assert desk["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"


def ink_center(desk: Desk) -> np.ndarray:
    """Where the ink is on the drawing's canvas: x, y."""
    seen = desk.look()
    ink = (seen[..., 3] > 0) & (seen[..., :3].max(axis=-1) < 100)
    return np.argwhere(ink).mean(axis=0)[::-1]


def zoom(desk: Desk) -> int:
    return int(desk["#zoom"].inner_text().split()[0])


def test_zoom_and_strokes_when_zoomed(blank: Desk) -> None:
    blank["#size"].fill("30")
    blank.stroke((240, 300))  # a dot
    box, (x, y) = blank.box("drawing"), blank.at((240, 300))
    fitted, dot = zoom(blank), ink_center(blank)
    assert abs(dot - [x - box["x"], y - box["y"]]).max() <= 1.5

    blank.page.mouse.move(x, y)
    for _ in range(4):
        blank.page.mouse.wheel(0, -200)
    blank.until(lambda: zoom(blank) > 3 * fitted)
    assert abs(ink_center(blank) - dot).max() <= 2  # it zooms at the mouse

    blank["#zoom-in"].click()
    larger = zoom(blank)
    blank["#zoom-out"].click()
    blank["#zoom-out"].click()
    assert zoom(blank) < larger
    blank["#fit"].click()
    assert zoom(blank) == fitted
    assert abs(ink_center(blank) - dot).max() <= 1.5

    blank["[data-clear=line]"].click()
    middle = blank.at((400, 500))
    for _ in range(3):
        blank["#zoom-in"].click()  # at the middle
    blank.page.mouse.move(*middle)
    blank.page.mouse.down()
    blank.page.mouse.up()
    ink = np.argwhere(blank.lines() < 128)
    assert abs(ink.mean(axis=0) - [500, 400]).max() <= 2  # strokes land where they are drawn


def test_pan(blank: Desk) -> None:
    blank["#size"].fill("30")
    blank.stroke((240, 300))
    before, drawn = ink_center(blank), blank.lines()
    for how in ("space", "middle", "hand"):
        pan(blank, how)
        assert abs(ink_center(blank) - before - [40, -30]).max() <= 1.5
        assert np.array_equal(blank.lines(), drawn)  # nothing was drawn on the way
        blank["#fit"].click()


def pan(blank: Desk, how: str) -> None:
    """Moves the sheet 40 pixels to the right and 30 up."""
    mouse = blank.page.mouse
    if how == "hand":
        blank.tool("hand")
    x, y = blank.at((400, 500))
    blank["#drawing"].focus()
    mouse.move(x, y)
    if how == "space":
        blank.page.keyboard.down(" ")
    mouse.down(button="middle" if how == "middle" else "left")
    mouse.move(x + 40, y - 30, steps=4)
    mouse.up(button="middle" if how == "middle" else "left")
    if how == "space":
        blank.page.keyboard.up(" ")


class Fingers:
    """On a screen, through the browser's own touch events."""

    def __init__(self, desk: Desk) -> None:
        self.session = desk.page.context.new_cdp_session(desk.page)

    def send(self, kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_one_finger_draws_and_two_move_and_zoom(open_desk: OpenDesk) -> None:
    desk = open_desk(has_touch=True, viewport={"width": 1024, "height": 768})
    desk.new()
    desk["#size"].fill("20")
    fingers = Fingers(desk)
    fingers.send("touchStart", desk.at((350, 500)))
    fingers.send("touchMove", desk.at((400, 500)))
    fingers.send("touchMove", desk.at((450, 500)))
    fingers.send("touchEnd")
    drawn = desk.lines()
    assert abs(width_at(drawn, 500) - 120) <= 2

    fitted, before = zoom(desk), ink_center(desk)
    x, y = desk.at((400, 500))
    fingers.send("touchStart", (x - 20, y))
    fingers.send("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 9):
        apart = 20 + 5 * step
        fingers.send("touchMove", (x - apart, y + 5 * step), (x + apart, y + 5 * step))
    fingers.send("touchEnd")
    assert abs(zoom(desk) - 3 * fitted) <= 2
    assert np.array_equal(desk.lines(), drawn)  # the first finger has left nothing
    assert abs(ink_center(desk) - before - [0, 40]).max() <= 2  # it goes with the fingers
