"""On laptops, tablets and phones, in light and in dark."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.demo.conftest import OpenDesk
from tests.end_to_end.demo.demo_page import Desk, photo, png

SCREENS = {
    "laptop": ({"width": 1366, "height": 768}, False),
    "tablet": ({"width": 1024, "height": 768}, True),
    "upright": ({"width": 768, "height": 1024}, True),
    "phone": ({"width": 390, "height": 844}, True),
}
_WIDER = "() => document.documentElement.scrollWidth - window.innerWidth"
# Controls that cannot be brought into view, or that something else lies over.
_COVERED = """() => {
  const controls = "button, select, input:not([type=file]), canvas";
  const open = document.querySelector("dialog[open]") ?? document.body;
  const seen = [...open.querySelectorAll(controls)].filter((node) => node.checkVisibility());
  return seen.map((node) => {
    const shown = node.closest(".segments label") ?? node;
    shown.scrollIntoView({ block: "center", inline: "center" });
    const { left, right, top, bottom, width, height } = shown.getBoundingClientRect();
    const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const free = found && (shown.contains(found) || found.contains(shown));
    const fits = left >= -1 && right <= innerWidth + 1;
    const large = Math.min(width, height) >= 13;
    return free && fits && large ? null : node.id || node.getAttribute("aria-label") || node.value;
  }).filter((name) => name !== null);
}"""
# Texts whose colour is too near to what lies behind them (WCAG 2.1, 1.4.3).
_FAINT = """() => {
  const parsed = (text) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parsed(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const light = (color) => {
    const [red, green, blue] = color.slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim());
    const off = node.closest(":disabled") || node.localName === "option" || node.closest(".empty");
    if (!text.length || !node.checkVisibility({ visibilityProperty: true }) || off) continue;
    const [one, other] = [light(parsed(getComputedStyle(node).color)), light(ground(node))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) faint.push([text[0].data.trim(), contrast]);
  }
  return faint;
}"""


def assert_it_fits(desk: Desk) -> None:
    assert desk.page.evaluate(_WIDER) <= 0
    assert desk.page.evaluate(_COVERED) == []
    assert desk.page.evaluate(_WIDER) <= 0


def assert_it_can_be_drawn_on(desk: Desk, width: int) -> None:
    for side in ("drawing", "result"):
        box = desk.box(side)
        assert box["width"] >= min(300, width - 90)
        assert box["height"] >= 250
    desk.new()
    desk["#size"].fill("30")
    desk["#drawing"].scroll_into_view_if_needed()
    with desk.coloured():
        desk.stroke((400, 300), (400, 600))
    assert desk.color((400, 450)).max() < 60


@pytest.mark.parametrize("screen", list(SCREENS))
def test_every_control_is_in_reach(open_desk: OpenDesk, screen: str) -> None:
    viewport, touch = SCREENS[screen]
    desk = open_desk(viewport=viewport, has_touch=touch)
    assert_it_fits(desk)
    assert_it_can_be_drawn_on(desk, viewport["width"])
    desk["#vary"].click()
    desk["#variations button"].first.wait_for()
    assert_it_fits(desk)
    for name in ("samples", "about", "help"):
        desk[f"#{name}"].click()
        assert_it_fits(desk)
        desk.page.keyboard.press("Escape")
    desk.open("photo.png", png(photo()))
    desk["text=Taken as a picture"].wait_for()
    notice = desk[".notice"].bounding_box()
    assert notice is not None
    assert notice["x"] >= 0
    assert notice["x"] + notice["width"] <= viewport["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(open_desk: OpenDesk, scheme: Any) -> None:
    desk = open_desk(color_scheme=scheme)
    ground = desk.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(23, 21, 31)") == (scheme == "dark")
    desk.open("none.png", b"nothing")
    desk["#notices .bad"].wait_for()
    assert desk.page.evaluate(_FAINT) == []
    for name in ("samples", "about", "help"):
        desk[f"#{name}"].click()
        assert desk.page.evaluate(_FAINT) == []
        desk.page.keyboard.press("Escape")
    assert desk.color((10, 10)).tolist() == [255, 255, 255]  # paper is white in the dark too


def test_page_about_the_model(desk: Desk) -> None:
    badge = desk["#model"].inner_text()
    assert badge.endswith(" px · CPU")
    desk["#about"].click()
    text = desk["#about-text"].inner_text()
    for said in ("netL-SPADE", "Parameters", "TrainColorizer", "python -m pipeline.demo"):
        assert said in text


def test_sheet_fits_when_the_window_changes(desk: Desk) -> None:
    before = desk["#zoom"].inner_text()
    desk.page.set_viewport_size({"width": 1366, "height": 560})
    desk.until(lambda: desk["#zoom"].inner_text() != before)
    desk.page.set_viewport_size({"width": 1366, "height": 768})
    desk.until(lambda: desk["#zoom"].inner_text() == before)
