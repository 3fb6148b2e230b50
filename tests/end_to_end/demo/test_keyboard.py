"""Without a mouse, and without eyes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.end_to_end.demo.demo_page import Desk, pixels_of

# What Tab should reach: all that can be used, of a group of choices the chosen one.
_REACHED = """() => [...document.querySelectorAll("button, input, select, canvas")]
  .filter((node) => node.checkVisibility() && !node.disabled && node.tabIndex >= 0)
  .filter((node) => node.type !== "radio" || node.checked).length"""
_FOCUSED = """() => {
  const node = document.activeElement;
  if (node === document.body) return null;
  const ring = node.closest(".segments label") ?? node;
  const { outlineStyle, outlineWidth } = getComputedStyle(ring);
  const all = [...document.querySelectorAll("*")];
  return {
    place: all.indexOf(node),
    name: node.id || node.getAttribute("aria-label") || node.value || node.textContent,
    ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
  };
}"""
INTERACTIVE = {
    "application", "button", "checkbox", "ColorWell", "combobox", "dialog", "group", "radio",
    "radiogroup", "slider", "spinbutton", "region", "switch", "textbox",
}  # fmt: skip


def focused(desk: Desk) -> Any:
    return desk.page.evaluate(_FOCUSED)


def tab_to(desk: Desk, name: str, key: str = "Tab") -> None:
    """Presses Tab until a control has the focus."""
    for _ in range(100):
        desk.page.keyboard.press(key)
        at = focused(desk)
        if at and at["name"] == name:
            return
    pytest.fail(f"{key} does not reach {name}")


def press(desk: Desk, keys: str) -> None:
    for key in keys.split():
        desk.page.keyboard.press(key)


def test_tab_reaches_every_control_and_shows_where_it_is(desk: Desk) -> None:
    for _ in range(2):  # so that both undo and redo can be used
        desk.stroke((300, 300), (330, 300))
    desk["#undo"].click()
    desk.page.evaluate("() => document.activeElement.blur()")
    wanted = desk.page.evaluate(_REACHED)
    seen: dict[int, str] = {}
    for _ in range(wanted + 5):
        desk.page.keyboard.press("Tab")
        at = focused(desk)
        if at is None:  # between the last one and the first
            continue
        if at["place"] in seen:
            break
        assert at["ring"], f"{at['name']} does not show that it has the focus"
        seen[at["place"]] = at["name"]
    assert len(seen) == wanted, list(seen.values())
    first = list(seen).index(min(seen))
    ordered = [*list(seen)[first:], *list(seen)[:first]]
    assert ordered == sorted(seen)  # in the order in which the page is read


def test_everything_with_keys_alone(desk: Desk) -> None:
    desk.settle()
    before = desk.results
    press(desk, "n")  # a new sheet
    tab_to(desk, "drawing")
    press(desk, "Space")  # the pen goes down
    press(desk, "ArrowRight " * 10 + "ArrowDown " * 10 + "Shift+ArrowDown " * 5)
    assert desk.status.endswith("pen down")
    press(desk, "Space")
    assert desk.status == "Pen lifted"
    desk.until(lambda: desk.results > before)
    drawn = save_lines(desk)
    rows, columns = np.nonzero(drawn < 128)
    assert abs(np.array([rows.min(), rows.max()]) - [500, 625]).max() <= 4
    assert abs(np.array([columns.min(), columns.max()]) - [400, 520]).max() <= 4

    tab_to(desk, "red")  # the chosen colour; of others, arrows choose
    press(desk, "ArrowLeft")
    assert desk["#hex"].inner_text() == "#f08a3c"
    assert focused(desk)["name"] == "orange"
    tab_to(desk, "drawing", "Shift+Tab")
    press(desk, "ArrowLeft " * 5 + "Enter")
    assert desk.status == "Colour hint: a dot"
    desk.settle()
    width, height = desk.sheet = (800, 1000)
    assert desk.color((width / 2 + 60, height / 2 + 125)).tolist() == [0xF0, 0x8A, 0x3C]
    press(desk, "Control+z")
    assert desk.color((width / 2 + 60, height / 2 + 125)).tolist() == [255, 255, 255]
    press(desk, "Control+Shift+z")
    assert desk.color((width / 2 + 60, height / 2 + 125)).tolist() == [0xF0, 0x8A, 0x3C]

    press(desk, "e")
    assert desk["[data-tool=eraser][role=radio]"].get_attribute("aria-checked") == "true"
    with desk.coloured():
        press(desk, "c")
    with desk.page.expect_download() as download:
        press(desk, "Control+s")
    assert download.value.suggested_filename == "result.png"


def save_lines(desk: Desk) -> np.ndarray:
    """The lines, saved with keys."""
    tab_to(desk, "save-line", "Shift+Tab")
    with desk.page.expect_download() as download:
        press(desk, "Enter")
    return pixels_of(download.value.path().read_bytes())[..., 0]


def test_tools_latent_code_and_variations_with_keys(desk: Desk) -> None:
    tab_to(desk, "Colour hint")  # the tool that is held
    press(desk, "ArrowDown")
    assert focused(desk)["name"] == "Eyedropper"
    press(desk, "ArrowUp ArrowUp")
    assert desk["[data-tool=eraser][role=radio]"].get_attribute("aria-checked") == "true"
    tab_to(desk, "deterministic")
    with desk.coloured():
        press(desk, "ArrowRight")
    assert desk["[value=stochastic]"].is_checked()
    tab_to(desk, "shift")
    with desk.coloured():
        press(desk, "ArrowRight ArrowRight")
    assert desk["#shift-value"].inner_text() == "0.5"

    press(desk, "v")
    desk["#variations button"].first.wait_for()
    tab_to(desk, "Variation 1")
    press(desk, "ArrowRight ArrowRight")
    assert desk["#seed"].input_value() == "2"
    assert focused(desk)["name"] == "Variation 3"


def test_samples_with_keys(desk: Desk) -> None:
    first = desk.lines()
    tab_to(desk, "samples", "Shift+Tab")
    press(desk, "Enter")
    assert desk["#samples-dialog"].is_visible()
    press(desk, "Escape")
    assert desk["#samples-dialog"].is_hidden()
    assert focused(desk)["name"] == "samples"  # where one came from

    with desk.coloured():
        press(desk, "Enter")
        tab_to(desk, "Sample 2: line art")
        press(desk, "Enter")
    assert desk["#samples-dialog"].is_hidden()
    assert not np.array_equal(desk.lines(), first)


def test_dialogs_keep_the_focus_and_give_it_back(desk: Desk) -> None:
    for name in ("samples", "about", "help"):
        desk[f"#{name}"].focus()
        press(desk, "Enter")
        dialog = desk[f"#{name}-dialog"]
        assert dialog.is_visible()
        inside = f"document.getElementById('{name}-dialog').contains(document.activeElement)"
        assert desk.page.evaluate(inside)
        with desk.quiet():
            press(desk, "n c b")  # no shortcut works behind a dialog
        dialog.get_by_role("button", name="Close").press("Enter")
        assert dialog.is_hidden()
        assert focused(desk)["name"] == name


def test_letters_that_are_typed_are_no_shortcuts(desk: Desk) -> None:
    desk["#seed"].focus()
    press(desk, "e")
    desk["#line-model"].focus()
    press(desk, "n")
    assert desk["[data-tool=hint][role=radio]"].get_attribute("aria-checked") == "true"
    assert desk.lines().min() < 128


def test_every_control_has_a_name(desk: Desk) -> None:
    desk["#vary"].click()
    desk["#variations button"].first.wait_for()
    desk.open("none.png", b"nothing")
    desk["#notices button"].wait_for()
    nameless, found = [], set()
    for opened in (None, "samples", "about", "help"):
        if opened:
            desk[f"#{opened}"].click()
        session = desk.page.context.new_cdp_session(desk.page)
        for node in session.send("Accessibility.getFullAXTree")["nodes"]:
            role = node.get("role", {}).get("value")
            if node["ignored"] or role not in INTERACTIVE:
                continue
            found.add(role)
            if not node.get("name", {}).get("value", "").strip() and role != "group":
                nameless.append((opened, role, node.get("properties")))
        if opened:
            press(desk, "Escape")
    assert nameless == []
    assert found >= INTERACTIVE - {"switch", "textbox"}


def test_what_a_screen_reader_finds(desk: Desk) -> None:
    found = desk["body"].aria_snapshot()
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
        '- radiogroup "Latent code"',
        '- radio "Deterministic" [checked]',
        '- spinbutton "Seed"',
        '- combobox "Find lines"',
        '- button "Show lines" [pressed]',
        '- button "Clear hints"',
        "- status",
    ):
        assert line in found, f"{line} is not in\n{found}"
    about = "document.getElementById(canvas.getAttribute('aria-describedby')).textContent"
    described = desk["#drawing"].evaluate(f"(canvas) => {about}")
    assert described.startswith("Arrow keys move the cursor")
    assert desk["html"].get_attribute("lang") == "en"
