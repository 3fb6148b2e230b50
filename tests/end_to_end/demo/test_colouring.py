"""Colouring that follows the strokes, hints that arrive, and the latent code."""

from __future__ import annotations

import io
from itertools import pairwise

import cv2
import numpy as np
import requests
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from tests.end_to_end.demo.conftest import OpenDesk
from tests.end_to_end.demo.demo_page import PAINT, Desk, Place, painting

RED, BLUE = (216, 52, 63), (61, 127, 214)  # of the palette
GREEN = (40, 180, 60)
NEAR = 15.0  # CIEDE2000: at most so far from the hint's colour
SLOW = 1600  # ms, beyond what the page takes for live


def areas(desk: Desk, number: int, most: int) -> list[Place]:
    """The middles of the largest areas that a sample's lines enclose, in pixels of the sheet."""
    address = f"{desk.address}{desk.samples[number]['line']}"
    line = np.asarray(
        Image.open(io.BytesIO(requests.get(address, timeout=30).content)).convert("L")
    )
    paper = (line > 220).astype(np.uint8)
    paper[:, [0, -1]] = 0  # the sheet ends there
    paper[[0, -1]] = 0
    _, labels = cv2.connectedComponents(paper)
    background = {0, *labels[1].tolist(), *labels[:, 1].tolist(), *labels[:, -2].tolist()}
    found = []
    for label in set(np.unique(labels).tolist()) - background:
        depth = cv2.distanceTransform((labels == label).astype(np.uint8), cv2.DIST_L2, 5)
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        found.append((float(depth.max()), (float(column), float(row))))
    return [place for _, place in sorted(found, reverse=True)[:most]]


def distance(desk: Desk, place: Place, color: tuple[int, int, int]) -> float:
    """CIEDE2000 from a colour to what the result shows at a hint there, on the mean."""
    (x, y), box = desk.at(place, "result"), desk.box("result")
    column, row = round(x - box["x"]), round(y - box["y"])
    seen = desk.look("result")[row - 3 : row + 4, column - 3 : column + 4, :3]  # of the hint
    wanted = np.array(color, np.uint8).reshape(1, 1, 3)
    return float(deltaE_ciede2000(rgb2lab(seen), rgb2lab(wanted)).mean())


def test_hints_arrive(desk: Desk) -> None:
    desk["#keep"].uncheck()  # the painting alone, without the user's lines
    for number, color, swatch in ((0, RED, "#d8343f"), (3, RED, "#d8343f"), (6, BLUE, "#3d7fd6")):
        desk.sample(number)
        desk[f"[data-color='{swatch}']"].click()
        for x, y in areas(desk, number, 3):
            with desk.coloured():
                desk.stroke((x - 10, y), (x + 10, y))
            assert distance(desk, (x, y), color) < NEAR, (number, x, y)


def test_spinner_time_and_few_requests(desk: Desk) -> None:
    assert desk["#took"].inner_text().endswith((" ms", " s"))
    with desk.held() as routes:
        desk["#colorize"].click()
        desk["#spinner"].wait_for()
        assert desk["#result"].get_attribute("aria-busy") == "true"
        desk.until(lambda: len(routes) == 1)
        before = desk.results
        routes[0].continue_()
    desk["#spinner"].wait_for(state="hidden")
    desk.until(lambda: desk.results > before)
    assert desk["#result"].get_attribute("aria-busy") == "false"
    assert desk.status.startswith("Coloured in ")

    desk["[data-color='#3d7fd6']"].click()
    before = len(desk.asked)  # quick strokes make few requests
    with desk.coloured():
        for number in range(20):
            desk.stroke((300 + 8 * number, 300), (300 + 8 * number, 330), steps=1)
    assert 1 <= len(desk.asked) - before <= 10


def test_one_request_at_a_time_and_the_newest_state_wins(desk: Desk) -> None:
    desk["[data-color='#3d7fd6']"].click()
    with desk.held() as routes:
        desk.stroke((300, 300), (330, 300))
        desk.until(lambda: len(routes) == 1)
        for number in range(3):  # while the first one is under way
            desk.stroke((300, 340 + 30 * number), (330, 340 + 30 * number))
        desk.page.wait_for_timeout(300)  # ms: longer than the page waits for a further stroke
        assert len(routes) == 1
        routes[0].fulfill(json=painting(RED))
        desk.until(lambda: len(routes) == 2)
        before = desk.results
        routes[1].fulfill(json=painting(GREEN))
        desk.until(lambda: desk.results > before)
        desk.settle()
        assert len(routes) == 2  # one for all that came meanwhile
    assert desk.color((20, 20), "result").tolist() == list(GREEN)


def test_stale_answers_are_dropped(desk: Desk) -> None:
    with desk.held() as routes:
        before = desk.results
        desk["#colorize"].click()
        desk.until(lambda: len(routes) == 1)
        desk["#colorize"].click()  # gives the first one up
        desk.until(lambda: len(routes) == 2)
        routes[1].fulfill(json=painting(GREEN))
        desk.until(lambda: desk.results == before + 1)
        routes[0].fulfill(json=painting(RED))
        desk.settle()
    assert desk.results == before + 1
    assert desk.color((20, 20), "result").tolist() == list(GREEN)

    with desk.held() as routes:  # an answer for a sheet that is gone
        desk["#colorize"].click()
        desk.until(lambda: len(routes) == 1)
        before = desk.results
        desk["#new"].click()
        routes[0].fulfill(json=painting(RED))
        desk.settle()
    assert desk.results == before
    assert desk["#empty"].is_visible()
    assert len(routes) == 1  # there is nothing to colour


def test_slow_machine_waits_for_the_button(open_desk: OpenDesk) -> None:
    desk = open_desk(start=False)
    with desk.held() as routes:
        desk.page.goto(desk.address)
        for number in range(1, 3):  # the opening, and the button
            desk.until(lambda count=number: len(routes) == count)
            desk.page.wait_for_timeout(SLOW)
            routes[-1].fulfill(json=painting(GREEN))
            desk.until(lambda count=number: desk.results == count)
            if number == 1:
                desk["#colorize"].click()
        desk.until(lambda: not desk["#live"].is_checked())
    assert "waits for the button Colour" in desk.notice
    assert desk["#took"].inner_text().endswith(" s")

    desk.sheet = (800, 1000)
    desk.tool("hint")
    with desk.quiet():
        desk.stroke((400, 300), (450, 300))
    with desk.coloured():
        desk["#colorize"].click()
    with desk.coloured():
        desk["#live"].check()  # who wants it live nevertheless has it
    with desk.coloured():
        desk.stroke((400, 350), (450, 350))


def test_without_live_the_button_colours(desk: Desk) -> None:
    desk["#live"].uncheck()
    desk["[data-color='#3d7fd6']"].click()
    desk["#keep"].uncheck()
    before = desk.look("result")
    with desk.quiet():
        desk.stroke((400, 300), (450, 300))
    assert np.array_equal(desk.look("result"), before)
    with desk.coloured():
        desk["#colorize"].click()
    assert not np.array_equal(desk.look("result"), before)

    with desk.quiet():  # there is nothing to colour
        desk["#new"].click()
        desk["#colorize"].click()
    assert desk["#empty"].is_visible()


def coloured(desk: Desk) -> NDArray[np.uint8]:
    """What the button Colour gives."""
    with desk.coloured():
        desk["#colorize"].click()
    return desk.look("result")


def test_latent_code(desk: Desk) -> None:
    desk["#keep"].uncheck()
    mean = coloured(desk)
    assert np.array_equal(coloured(desk), mean)  # deterministic

    with desk.coloured():
        desk["text=Stochastic"].click()
    seeds = [desk.look("result")]
    assert np.array_equal(coloured(desk), seeds[0])  # of the same seed
    with desk.coloured():
        desk["#shuffle"].click()
    assert desk["#seed"].input_value() != "0"
    seeds.append(desk.look("result"))
    with desk.coloured():
        desk["#seed"].fill("7")
        desk["#seed"].press("Enter")
    seeds.append(desk.look("result"))
    assert all((one != other).any() for one, other in pairwise([mean, *seeds]))

    with desk.coloured():
        desk["text=Deterministic"].click()
    assert np.array_equal(desk.look("result"), mean)
    with desk.coloured():
        desk["#shift"].fill("6")
    assert desk["#shift-value"].inner_text() == "6"
    shifted = desk.look("result")
    assert (shifted != mean).any()
    with desk.coloured():
        desk["#dimension"].select_option("0")
    assert (desk.look("result") != shifted).any()
    with desk.coloured():
        desk["#shift"].fill("0")
    assert np.array_equal(desk.look("result"), mean)


def test_variations_to_choose_from(desk: Desk) -> None:
    desk["#keep"].uncheck()
    assert desk["#strip"].is_hidden()
    desk["#vary"].click()
    thumbs = desk["#variations button"]
    thumbs.first.wait_for()
    assert thumbs.count() == 8
    assert desk.status == "8 variations"
    pictures = {thumb.get_attribute("src") for thumb in desk["#variations img"].all()}
    assert len(pictures) == 8

    before = desk.look("result")
    with desk.quiet():
        thumbs.nth(5).click()
    chosen = desk.look("result")
    assert (chosen != before).any()
    assert thumbs.nth(5).get_attribute("aria-checked") == "true"
    assert desk["#seed"].input_value() == "5"
    assert desk["[value=stochastic]"].is_checked()
    again = coloured(desk)  # the same z, though not in a batch of eight
    assert abs(again.astype(int) - chosen).max() <= 8

    desk["#strip-close"].click()
    assert desk["#strip"].is_hidden()


def test_variation_that_is_chosen_stays(desk: Desk) -> None:
    """What was under way when it was chosen has another z, and is not shown."""
    desk["#vary"].click()
    desk["#variations button"].first.wait_for()
    with desk.held() as routes:
        desk["#colorize"].click()
        desk.until(lambda: len(routes) == 1)
        desk["#variations button"].nth(5).click()
        desk.until(lambda: len(routes) == 2)
        sent = routes[1].request.post_data_buffer
        assert sent is not None
        assert b'name="seed"\r\n\r\n5\r\n' in sent
        routes[0].fulfill(json=painting(RED))
        routes[1].fulfill(json=painting(GREEN))
        desk.until(lambda: desk.color((20, 20), "result").tolist() == list(GREEN))


def test_lines_on_top(desk: Desk) -> None:
    ink = np.argwhere(desk.lines() < 10)
    row, column = ink[len(ink) // 2]
    with desk.held() as routes:
        desk["#colorize"].click()
        desk.until(lambda: len(routes) == 1)
        before = desk.results
        routes[0].fulfill(json=painting(GREEN))
        desk.until(lambda: desk.results > before)
    place = (float(column), float(row))
    assert desk.color(place, "result", radius=0).max() < 140
    assert (desk.saved("result")[1][row, column, :3] < 30).all()
    desk["#keep"].uncheck()
    assert desk.color(place, "result", radius=0).tolist() == list(GREEN)
    name, saved = desk.saved("result")
    assert name == "result.png"
    assert saved.shape == (*desk.sheet[::-1], 4)
    assert (saved == [*GREEN, 255]).all()
    assert PAINT.endswith(desk.asked[-1])
