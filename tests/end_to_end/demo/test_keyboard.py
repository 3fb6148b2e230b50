"""The page with the keyboard alone, and for screen readers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.end_to_end.demo.demo_page import DemoPage, pixels_of

# The number of controls that Tab should reach: of a radio group, the checked one.
_NUM_REACHABLE = """() => [...document.querySelectorAll("button, input, select, canvas")]
  .filter((node) => node.checkVisibility() && !node.disabled && node.tabIndex >= 0)
  .filter((node) => node.type !== "radio" || node.checked).length"""
_FOCUSED = """() => {
  const node = document.activeElement;
  if (node === document.body) return null;
  const ring = node.closest(".segments label") ?? node;
  const { outlineStyle, outlineWidth } = getComputedStyle(ring);
  const all = [...document.querySelectorAll("*")];
  return {
    index: all.indexOf(node),
    name: node.id || node.getAttribute("aria-label") || node.value || node.textContent,
    ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
  };
}"""
INTERACTIVE = {
    "application", "button", "checkbox", "ColorWell", "combobox", "dialog", "group", "radio",
    "radiogroup", "slider", "spinbutton", "region", "switch", "textbox",
}  # fmt: skip


def focused(page: DemoPage) -> Any:
    return page.playwright.evaluate(_FOCUSED)


def tab_to(page: DemoPage, name: str, key: str = "Tab") -> None:
    """Press Tab until a control has the focus."""
    for _ in range(100):
        page.playwright.keyboard.press(key)
        control = focused(page)
        if control and control["name"] == name:
            return
    pytest.fail(f"{key} does not reach {name}")


def press(page: DemoPage, keys: str) -> None:
    for key in keys.split():
        page.playwright.keyboard.press(key)


def test_tab_reaches_every_control_with_a_visible_focus(page: DemoPage) -> None:
    for _ in range(2):  # so that both undo and redo are enabled
        page.stroke((300, 300), (330, 300))
    page["#undo"].click()
    page.playwright.evaluate("() => document.activeElement.blur()")
    num_reachable = page.playwright.evaluate(_NUM_REACHABLE)
    seen: dict[int, str] = {}
    for _ in range(num_reachable + 5):
        page.playwright.keyboard.press("Tab")
        control = focused(page)
        if control is None:  # between the last one and the first
            continue
        if control["index"] in seen:
            break
        assert control["ring"], f"{control['name']} has no visible focus"
        seen[control["index"]] = control["name"]
    assert len(seen) == num_reachable, list(seen.values())
    first = list(seen).index(min(seen))
    ordered = [*list(seen)[first:], *list(seen)[:first]]
    assert ordered == sorted(seen)  # in reading order


def test_drawing_with_the_keyboard_alone(page: DemoPage) -> None:
    page.wait_until_idle()
    before = page.num_results
    press(page, "n")  # a new sheet
    tab_to(page, "drawing")
    press(page, "Space")  # starts a stroke
    press(page, "ArrowRight " * 10 + "ArrowDown " * 10 + "Shift+ArrowDown " * 5)
    assert page.status.endswith("drawing")
    press(page, "Space")
    assert page.status == "Pen: stroke ended"
    page.wait_until(lambda: page.num_results > before)
    drawn = save_lines(page)
    rows, columns = np.nonzero(drawn < 128)
    assert abs(np.array([rows.min(), rows.max()]) - [500, 625]).max() <= 4
    assert abs(np.array([columns.min(), columns.max()]) - [400, 520]).max() <= 4

    tab_to(page, "red")  # the checked colour; arrow keys select others
    press(page, "ArrowLeft")
    assert page["#hex"].inner_text() == "#f08a3c"
    assert focused(page)["name"] == "orange"
    tab_to(page, "drawing", "Shift+Tab")
    press(page, "ArrowLeft " * 5 + "Enter")
    assert page.status == "Colour hint: dot"
    page.wait_until_idle()
    width, height = page.sheet = (800, 1000)
    assert page.color_at((width / 2 + 60, height / 2 + 125)).tolist() == [0xF0, 0x8A, 0x3C]
    press(page, "Control+z")
    assert page.color_at((width / 2 + 60, height / 2 + 125)).tolist() == [255, 255, 255]
    press(page, "Control+Shift+z")
    assert page.color_at((width / 2 + 60, height / 2 + 125)).tolist() == [0xF0, 0x8A, 0x3C]

    press(page, "e")
    assert page["[data-tool=eraser][role=radio]"].get_attribute("aria-checked") == "true"
    with page.expect_result():
        press(page, "c")
    with page.playwright.expect_download() as download:
        press(page, "Control+s")
    assert download.value.suggested_filename == "result.png"


def save_lines(page: DemoPage) -> np.ndarray:
    """Save the lines with the keyboard; return their pixels."""
    tab_to(page, "save-line", "Shift+Tab")
    with page.playwright.expect_download() as download:
        press(page, "Enter")
    return pixels_of(download.value.path().read_bytes())[..., 0]


def test_radio_groups_and_sliders_with_the_keyboard(page: DemoPage) -> None:
    tab_to(page, "Colour hint")  # the selected tool
    press(page, "ArrowDown")
    assert focused(page)["name"] == "Eyedropper"
    press(page, "ArrowUp ArrowUp")
    assert page["[data-tool=eraser][role=radio]"].get_attribute("aria-checked") == "true"
    tab_to(page, "deterministic")
    with page.expect_result():
        press(page, "ArrowRight")
    assert page["[value=stochastic]"].is_checked()
    tab_to(page, "shift")
    with page.expect_result():
        press(page, "ArrowRight ArrowRight")
    assert page["#shift-value"].inner_text() == "0.5"

    press(page, "v")
    page["#variations button"].first.wait_for()
    tab_to(page, "Variation 1")
    press(page, "ArrowRight ArrowRight")
    assert page["#seed"].input_value() == "2"
    assert focused(page)["name"] == "Variation 3"


def test_samples_with_the_keyboard(page: DemoPage) -> None:
    first = page.line_pixels()
    tab_to(page, "samples", "Shift+Tab")
    press(page, "Enter")
    assert page["#samples-dialog"].is_visible()
    press(page, "Escape")
    assert page["#samples-dialog"].is_hidden()
    assert focused(page)["name"] == "samples"  # as before the dialog

    with page.expect_result():
        press(page, "Enter")
        tab_to(page, "Sample 2: line art")
        press(page, "Enter")
    assert page["#samples-dialog"].is_hidden()
    assert not np.array_equal(page.line_pixels(), first)


def test_dialogs_trap_and_restore_the_focus(page: DemoPage) -> None:
    for name in ("samples", "about", "help"):
        page[f"#{name}"].focus()
        press(page, "Enter")
        dialog = page[f"#{name}-dialog"]
        assert dialog.is_visible()
        inside = f"document.getElementById('{name}-dialog').contains(document.activeElement)"
        assert page.playwright.evaluate(inside)
        with page.expect_no_requests():
            press(page, "n c b")  # no shortcut works behind a dialog
        dialog.get_by_role("button", name="Close").press("Enter")
        assert dialog.is_hidden()
        assert focused(page)["name"] == name


def test_typed_letters_are_no_shortcuts(page: DemoPage) -> None:
    page["#seed"].focus()
    press(page, "e")
    page["#line-model"].focus()
    press(page, "n")
    assert page["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
    assert page.line_pixels().min() < 128


def test_every_control_has_an_accessible_name(page: DemoPage) -> None:
    page["#make-variations"].click()
    page["#variations button"].first.wait_for()
    page.open_file("none.png", b"nothing")
    page["#notices button"].wait_for()
    nameless, roles = [], set()
    for opened in (None, "samples", "about", "help"):
        if opened:
            page[f"#{opened}"].click()
        session = page.playwright.context.new_cdp_session(page.playwright)
        for node in session.send("Accessibility.getFullAXTree")["nodes"]:
            role = node.get("role", {}).get("value")
            if node["ignored"] or role not in INTERACTIVE:
                continue
            roles.add(role)
            if not node.get("name", {}).get("value", "").strip() and role != "group":
                nameless.append((opened, role, node.get("properties")))
        if opened:
            press(page, "Escape")
    assert nameless == []
    assert roles >= INTERACTIVE - {"switch", "textbox"}


def test_accessibility_tree(page: DemoPage) -> None:
    snapshot = page["body"].aria_snapshot()
    for line in (
        '- heading "Senga" [level=1]',
        '- radiogroup "Tool"',
        '- radio "Colour hint" [checked]',
        '- heading "Drawing" [level=2]',
        '- application "Drawing"',
        '- heading "Result" [level=2]',
        '- application "Result"',
        '- slider "Size"',
        '- radiogroup "Hint colour"',
        '- radio "red" [checked]',
        '- checkbox "Live" [checked]',
        '- checkbox "Lines on top" [checked]',
        '- checkbox "Suggest missing colours" [checked]',
        '- radiogroup "Latent code"',
        '- radio "Deterministic" [checked]',
        '- spinbutton "Seed"',
        '- combobox "Find lines"',
        '- button "Show lines" [pressed]',
        '- button "Clear hints"',
        "- status",
    ):
        assert line in snapshot, f"{line} is not in\n{snapshot}"
    about = "document.getElementById(canvas.getAttribute('aria-describedby')).textContent"
    described = page["#drawing"].evaluate(f"(canvas) => {about}")
    assert described.startswith("Arrow keys move the cursor")
    assert page["html"].get_attribute("lang") == "en"
