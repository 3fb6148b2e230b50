"""On laptops, tablets and phones, in light and in dark."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.demo.conftest import OpenPage
from tests.end_to_end.demo.demo_page import DemoPage, photo, png

SCREENS = {
    "laptop": ({"width": 1366, "height": 768}, False),
    "tablet": ({"width": 1024, "height": 768}, True),
    "upright": ({"width": 768, "height": 1024}, True),
    "phone": ({"width": 390, "height": 844}, True),
}
_OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"
# Controls that cannot be scrolled into view, or are covered.
_UNREACHABLE = """() => {
  const controls = "button, select, input:not([type=file]), canvas";
  const open = document.querySelector("dialog[open]") ?? document.body;
  const seen = [...open.querySelectorAll(controls)].filter((node) => node.checkVisibility());
  return seen.map((node) => {
    const shown = node.closest(".segments label") ?? node;
    shown.scrollIntoView({ block: "center", inline: "center" });
    const { left, right, top, bottom, width, height } = shown.getBoundingClientRect();
    const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const isFree = found && (shown.contains(found) || found.contains(shown));
    const isInside = left >= -1 && right <= innerWidth + 1;
    const isLarge = Math.min(width, height) >= 13;
    const name = node.id || node.getAttribute("aria-label") || node.value;
    return isFree && isInside && isLarge ? null : name;
  }).filter((name) => name !== null);
}"""
# Texts with too little contrast to their background (WCAG 2.1, 1.4.3).
_LOW_CONTRAST = """() => {
  const parsed = (text) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const background = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parsed(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const luminance = (color) => {
    const [red, green, blue] = color.slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const texts = [];
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim());
    const exempt = node.closest(":disabled, option, .empty-result");
    if (!text.length || !node.checkVisibility({ visibilityProperty: true }) || exempt) continue;
    const colors = [parsed(getComputedStyle(node).color), background(node)];
    const [dark, light] = colors.map(luminance).sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) texts.push([text[0].data.trim(), contrast]);
  }
  return texts;
}"""


def assert_controls_are_reachable(page: DemoPage) -> None:
    assert page.playwright.evaluate(_OVERFLOW) <= 0
    assert page.playwright.evaluate(_UNREACHABLE) == []
    assert page.playwright.evaluate(_OVERFLOW) <= 0


def assert_sheet_can_be_drawn_on(page: DemoPage, width: int) -> None:
    for view in ("drawing", "result"):
        box = page.box(view)
        assert box["width"] >= min(300, width - 90)
        assert box["height"] >= 250
    page.new_sheet()
    page["#size"].fill("30")
    page["#drawing"].scroll_into_view_if_needed()
    with page.expect_result():
        page.stroke((400, 300), (400, 600))
    assert page.color_at((400, 450)).max() < 60


@pytest.mark.parametrize("screen", list(SCREENS))
def test_every_control_is_reachable(open_page: OpenPage, screen: str) -> None:
    viewport, touch = SCREENS[screen]
    page = open_page(viewport=viewport, has_touch=touch)
    assert_controls_are_reachable(page)
    assert_sheet_can_be_drawn_on(page, viewport["width"])
    page["#make-variations"].click()
    page["#variations button"].first.wait_for()
    assert_controls_are_reachable(page)
    for name in ("samples", "about", "help"):
        page[f"#{name}"].click()
        assert_controls_are_reachable(page)
        page.playwright.keyboard.press("Escape")
    page.open_file("photo.png", png(photo()))
    page["text=Opened as a picture"].wait_for()
    notice = page[".notice"].bounding_box()
    assert notice is not None
    assert notice["x"] >= 0
    assert notice["x"] + notice["width"] <= viewport["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(open_page: OpenPage, scheme: Any) -> None:
    page = open_page(color_scheme=scheme)
    background = page.playwright.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(23, 21, 31)") == (scheme == "dark")
    page.open_file("none.png", b"nothing")
    page["#notices .error"].wait_for()
    assert page.playwright.evaluate(_LOW_CONTRAST) == []
    for name in ("samples", "about", "help"):
        page[f"#{name}"].click()
        assert page.playwright.evaluate(_LOW_CONTRAST) == []
        page.playwright.keyboard.press("Escape")
    assert page.color_at((10, 10)).tolist() == [
        255,
        255,
        255,
    ]  # paper stays white in the dark scheme


def test_about_dialog_describes_the_model(page: DemoPage) -> None:
    badge = page["#model"].inner_text()
    assert badge.endswith(" px · CPU")
    page["#about"].click()
    text = page["#about-text"].inner_text()
    for expected in ("netL-SPADE", "Parameters", "TrainColorizer", "python -m pipeline.demo"):
        assert expected in text


def test_sheet_is_fitted_when_the_window_is_resized(page: DemoPage) -> None:
    before = page["#zoom"].inner_text()
    page.playwright.set_viewport_size({"width": 1366, "height": 560})
    page.wait_until(lambda: page["#zoom"].inner_text() != before)
    page.playwright.set_viewport_size({"width": 1366, "height": 768})
    page.wait_until(lambda: page["#zoom"].inner_text() == before)
