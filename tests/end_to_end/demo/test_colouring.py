"""Live colouring, hints, the latent code, variations, and the result."""

from __future__ import annotations

import io
import time
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import requests
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from tests.end_to_end.demo.conftest import OpenPage
from tests.end_to_end.demo.demo_page import (
    COLORIZE,
    DemoPage,
    Point,
    colorize_response,
    photo,
    png,
)

RED, BLUE = (216, 52, 63), (61, 127, 214)  # of the palette
GREEN = (40, 180, 60)
MAX_DIFFERENCE = 15.0  # CIEDE2000: maximum difference from the hint's colour
PAUSE = 0.12  # seconds without a change, after which the page sends a request
SLOW_MS = 1600  # ms: longer than the page's limit for live colouring


def largest_areas(page: DemoPage, number: int, limit: int) -> list[Point]:
    """Return the middles of the largest areas that a sample's lines enclose, on the sheet."""
    url = f"{page.url}{page.samples[number]['line']}"
    line = np.asarray(Image.open(io.BytesIO(requests.get(url, timeout=30).content)).convert("L"))
    paper = (line > 220).astype(np.uint8)
    paper[:, [0, -1]] = 0  # the border of the sheet closes no area
    paper[[0, -1]] = 0
    _, labels = cv2.connectedComponents(paper)
    background = {0, *labels[1].tolist(), *labels[:, 1].tolist(), *labels[:, -2].tolist()}
    areas = []
    for label in set(np.unique(labels).tolist()) - background:
        depth = cv2.distanceTransform((labels == label).astype(np.uint8), cv2.DIST_L2, 5)
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        areas.append((float(depth.max()), (float(column), float(row))))
    return [point for _, point in sorted(areas, reverse=True)[:limit]]


def hint_difference(page: DemoPage, point: Point, color: tuple[int, int, int]) -> float:
    """Return the mean CIEDE2000 between a hint's colour and the result there."""
    (x, y), box = page.to_window(point, "result"), page.box("result")
    column, row = round(x - box["x"]), round(y - box["y"])
    seen = page.screenshot("result")[row - 3 : row + 4, column - 3 : column + 4, :3]  # of the hint
    wanted = np.array(color, np.uint8).reshape(1, 1, 3)
    return float(deltaE_ciede2000(rgb2lab(seen), rgb2lab(wanted)).mean())


def test_result_has_the_hints_colours(page: DemoPage) -> None:
    page["#lines-on-top"].uncheck()  # the result alone
    for number, color, swatch in ((0, RED, "#d8343f"), (3, RED, "#d8343f"), (6, BLUE, "#3d7fd6")):
        page.open_sample(number)
        page[f"[data-color='{swatch}']"].click()
        for x, y in largest_areas(page, number, 3):
            with page.expect_result():
                page.stroke((x - 10, y), (x + 10, y))
            assert hint_difference(page, (x, y), color) < MAX_DIFFERENCE, (number, x, y)


def test_sample_opens_with_hints_of_its_own_colours(page: DemoPage) -> None:
    page["#lines-on-top"].uncheck()
    for number in (0, 5):
        page.open_sample(number)
        url = f"{page.url}{page.samples[number]['hints']}"
        content = requests.get(url, timeout=30).content
        hints = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))
        _, dots, stats, middles = cv2.connectedComponentsWithStats((hints[..., 3] > 0).astype("u1"))
        assert dots.max() > 15
        for index in np.argsort(stats[1:, cv2.CC_STAT_AREA])[-3:] + 1:
            x, y = middles[index]
            color = tuple(hints[round(y), round(x), :3].tolist())
            assert hint_difference(page, (x, y), color) < MAX_DIFFERENCE, (number, x, y)
    page.open_sample(1, "sketch")
    assert page.save("hints")[1][..., 3].max() == 0


def test_spinner_duration_and_number_of_requests(page: DemoPage) -> None:
    assert page["#duration"].inner_text().endswith((" ms", " s"))
    with page.hold_requests() as routes:
        page["#colorize"].click()
        page["#spinner"].wait_for()
        assert page["#result"].get_attribute("aria-busy") == "true"
        page.wait_until(lambda: len(routes) == 1)
        before = page.num_results
        routes[0].continue_()
    page["#spinner"].wait_for(state="hidden")
    page.wait_until(lambda: page.num_results > before)
    assert page["#result"].get_attribute("aria-busy") == "false"
    assert page.status.startswith("Coloured in ")

    page["[data-color='#3d7fd6']"].click()
    before = len(page.posts)  # quick strokes make few requests
    started = time.monotonic()
    with page.expect_result():
        for number in range(20):
            page.stroke((300 + 8 * number, 300), (300 + 8 * number, 330), steps=1)
        seconds = time.monotonic() - started
    assert 1 <= len(page.posts) - before <= 1 + seconds / PAUSE


def test_changes_during_a_request_are_sent_once_after_it(page: DemoPage) -> None:
    page["[data-color='#3d7fd6']"].click()
    with page.hold_requests() as routes:
        page.stroke((300, 300), (330, 300))
        page.wait_until(lambda: len(routes) == 1)
        for number in range(3):  # during the first request
            page.stroke((300, 340 + 30 * number), (330, 340 + 30 * number))
        page.playwright.wait_for_timeout(300)  # ms: longer than the page's debounce
        assert len(routes) == 1
        routes[0].fulfill(json=colorize_response(RED))
        page.wait_until(lambda: len(routes) == 2)
        before = page.num_results
        routes[1].fulfill(json=colorize_response(GREEN))
        page.wait_until(lambda: page.num_results > before)
        page.wait_until_idle()
        assert len(routes) == 2  # one request for all changes meanwhile
    assert page.color_at((20, 20), "result").tolist() == list(GREEN)


def test_stale_responses_are_dropped(page: DemoPage) -> None:
    with page.hold_requests() as routes:
        before = page.num_results
        page["#colorize"].click()
        page.wait_until(lambda: len(routes) == 1)
        page["#colorize"].click()  # aborts the first one
        page.wait_until(lambda: len(routes) == 2)
        routes[1].fulfill(json=colorize_response(GREEN))
        page.wait_until(lambda: page.num_results == before + 1)
        routes[0].fulfill(json=colorize_response(RED))
        page.wait_until_idle()
    assert page.num_results == before + 1
    assert page.color_at((20, 20), "result").tolist() == list(GREEN)

    with page.hold_requests() as routes:  # a response for an older sheet
        page["#colorize"].click()
        page.wait_until(lambda: len(routes) == 1)
        before = page.num_results
        page["#new"].click()
        routes[0].fulfill(json=colorize_response(RED))
        page.wait_until_idle()
    assert page.num_results == before
    assert page["#empty-result"].is_visible()
    assert len(routes) == 1  # there is nothing to colour


def test_live_is_turned_off_on_a_slow_machine(open_page: OpenPage) -> None:
    page = open_page(load=False)
    with page.hold_requests() as routes:
        page.playwright.goto(page.url)
        for number in range(1, 3):  # of the first sample, and of the button
            page.wait_until(lambda count=number: len(routes) == count)
            page.playwright.wait_for_timeout(SLOW_MS)
            routes[-1].fulfill(json=colorize_response(GREEN))
            page.wait_until(lambda count=number: page.num_results == count)
            if number == 1:
                page["#colorize"].click()
        page.wait_until(lambda: not page["#live"].is_checked())
    assert "Live is off now" in page.notice
    assert page["#duration"].inner_text().endswith(" s")

    page.sheet = (800, 1000)
    page.select_tool("hint")
    with page.expect_no_requests():
        page.stroke((400, 300), (450, 300))
    with page.expect_result():
        page["#colorize"].click()
    with page.expect_result():
        page["#live"].check()  # turned on by the user, it stays on
    with page.expect_result():
        page.stroke((400, 350), (450, 350))


def test_without_live_the_button_colours(page: DemoPage) -> None:
    page["#live"].uncheck()
    page["[data-color='#3d7fd6']"].click()
    page["#lines-on-top"].uncheck()
    before = page.screenshot("result")
    with page.expect_no_requests():
        page.stroke((400, 300), (450, 300))
    assert np.array_equal(page.screenshot("result"), before)
    with page.expect_result():
        page["#colorize"].click()
    assert not np.array_equal(page.screenshot("result"), before)

    with page.expect_no_requests():  # there is nothing to colour
        page["#new"].click()
        page["#colorize"].click()
    assert page["#empty-result"].is_visible()


def press_colour(page: DemoPage) -> NDArray[np.uint8]:
    """Press Colour; return the result's pixels."""
    with page.expect_result():
        page["#colorize"].click()
    return page.screenshot("result")


def test_result_follows_the_latent_code(page: DemoPage) -> None:
    page["#lines-on-top"].uncheck()
    mean = press_colour(page)
    assert np.array_equal(press_colour(page), mean)  # deterministic

    with page.expect_result():
        page["text=Stochastic"].click()
    seeds = [page.screenshot("result")]
    assert np.array_equal(press_colour(page), seeds[0])  # of the same seed
    with page.expect_result():
        page["#random-seed"].click()
    assert page["#seed"].input_value() != "0"
    seeds.append(page.screenshot("result"))
    with page.expect_result():
        page["#seed"].fill("7")
        page["#seed"].press("Enter")
    seeds.append(page.screenshot("result"))
    assert all((one != other).any() for one, other in pairwise([mean, *seeds]))

    with page.expect_result():
        page["text=Deterministic"].click()
    assert np.array_equal(page.screenshot("result"), mean)
    with page.expect_result():
        page["#shift"].fill("6")
    assert page["#shift-value"].inner_text() == "6"
    shifted = page.screenshot("result")
    assert (shifted != mean).any()
    with page.expect_result():
        page["#dimension"].select_option("0")
    assert (page.screenshot("result") != shifted).any()
    with page.expect_result():
        page["#shift"].fill("0")
    assert np.array_equal(page.screenshot("result"), mean)


def test_result_follows_a_reference_picture(page: DemoPage) -> None:
    plain = page.screenshot("result")
    file: Any = {"name": "sunset.png", "mimeType": "image/png", "buffer": png(photo())}
    with page.expect_result():
        page["#reference-file"].set_input_files(file)
    assert page["#reference"].inner_text() == "sunset.png"
    assert (page.screenshot("result") != plain).any()
    with page.expect_result():
        page["#clear-reference"].click()
    assert page["#reference"].inner_text() == "Choose a picture"
    assert page["#clear-reference"].is_hidden()
    assert (page.screenshot("result") == plain).all()
    page["#reference-file"].set_input_files({**file, "buffer": b"none"})
    page.wait_until(lambda: page.notice.startswith("sunset.png is not a picture"))


def test_areas_without_a_hint_get_a_colour(page: DemoPage) -> None:
    def saturation() -> float:
        rgb = page.screenshot("result")[..., :3].astype(float)
        return float((rgb.max(axis=2) - rgb.min(axis=2)).mean())

    with page.expect_result():
        page["[data-clear=hints]"].click()
    suggested, vivid = page.screenshot("result"), saturation()
    with page.expect_result():
        page["#suggest"].uncheck()
    assert saturation() < vivid / 2  # the model alone has no idea of colours
    with page.expect_result():
        page["#suggest"].check()
    assert np.array_equal(page.screenshot("result"), suggested)


def test_variation_can_be_chosen(page: DemoPage) -> None:
    page["#lines-on-top"].uncheck()
    assert page["#variations-strip"].is_hidden()
    page["#make-variations"].click()
    thumbs = page["#variations button"]
    thumbs.first.wait_for()
    assert thumbs.count() == 8
    assert page.status == "8 variations"
    pictures = {thumb.get_attribute("src") for thumb in page["#variations img"].all()}
    assert len(pictures) == 8

    before = page.screenshot("result")
    with page.expect_no_requests():
        thumbs.nth(5).click()
    chosen = page.screenshot("result")
    assert (chosen != before).any()
    assert thumbs.nth(5).get_attribute("aria-checked") == "true"
    assert page["#seed"].input_value() == "5"
    assert page["[value=stochastic]"].is_checked()
    again = press_colour(page)  # the same z, though not in a batch of eight
    assert abs(again.astype(int) - chosen).max() <= 8

    page["#close-variations"].click()
    assert page["#variations-strip"].is_hidden()


def test_chosen_variation_is_not_replaced_by_an_older_request(page: DemoPage) -> None:
    page["#make-variations"].click()
    page["#variations button"].first.wait_for()
    with page.hold_requests() as routes:
        page["#colorize"].click()
        page.wait_until(lambda: len(routes) == 1)
        page["#variations button"].nth(5).click()
        page.wait_until(lambda: len(routes) == 2)
        sent = routes[1].request.post_data_buffer
        assert sent is not None
        assert b'name="seed"\r\n\r\n5\r\n' in sent
        routes[0].fulfill(json=colorize_response(RED))
        routes[1].fulfill(json=colorize_response(GREEN))
        page.wait_until(lambda: page.color_at((20, 20), "result").tolist() == list(GREEN))


def test_lines_on_top_are_shown_and_saved(page: DemoPage) -> None:
    ink = np.argwhere(page.line_pixels() < 10)
    row, column = ink[len(ink) // 2]
    with page.hold_requests() as routes:
        page["#colorize"].click()
        page.wait_until(lambda: len(routes) == 1)
        before = page.num_results
        routes[0].fulfill(json=colorize_response(GREEN))
        page.wait_until(lambda: page.num_results > before)
    point = (float(column), float(row))
    assert page.color_at(point, "result", radius=0).max() < 140
    assert (page.save("result")[1][row, column, :3] < 30).all()
    page["#lines-on-top"].uncheck()
    assert page.color_at(point, "result", radius=0).tolist() == list(GREEN)
    name, saved = page.save("result")
    assert name == "result.png"
    assert saved.shape == (*page.sheet[::-1], 4)
    assert (saved == [*GREEN, 255]).all()
    assert COLORIZE.endswith(page.posts[-1])
