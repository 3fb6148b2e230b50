"""Characters of artists: some parts of them are kept for tests, and their lines are their ink."""

import importlib.util
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook import dicebear
from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.dicebear import (
    PACKAGES,
    STYLES,
    character_svg,
    draw_dicebear,
    ink_only,
    is_held_out,
    is_installed,
    render_svg,
)
from pipeline.artbook.page import separable, shrink
from tests.pipeline.artbook.conftest import even_pen, make_canvas
from tests.pipeline.artbook.scoring import distance_to, middle, share_near

HELD_OUT = ("hair", "eyes", "eyebrows", "mouth", "details")
PART = re.compile(r'<g id="([a-zA-Z]+)-([a-zA-Z0-9]+)-[0-9a-f]+"')
SQUARE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
    '<rect x="20" y="40" width="30" height="10" fill="#ff0000"/>'
    '<rect x="60" y="60" width="10" height="10" fill="#000000"/></svg>'
)


def parts(svg: str) -> set[tuple[str, str]]:
    """Return the components of a character that are ever held out, with their variants."""
    return {(name, variant) for name, variant in PART.findall(svg) if name in HELD_OUT}


def test_a_fifth_of_the_parts_is_kept_for_tests() -> None:
    kept: dict[bool, set[tuple[str, str]]] = {False: set(), True: set()}
    for held_out, seen in kept.items():
        for seed in range(90):
            found = parts(character_svg("adventurer", str(seed), held_out=held_out))
            assert {name for name, _ in found} >= {"hair", "eyes", "eyebrows", "mouth"}
            for name, variant in found:
                assert is_held_out("adventurer", name, variant) == held_out
            seen |= found
    assert not kept[False] & kept[True]
    assert len(kept[False]) > 70
    assert 15 < len(kept[True]) < 40
    assert {name for name, _ in kept[True]} >= {"hair", "eyes", "eyebrows", "mouth"}


def test_other_parts_and_styles_are_not_held_out() -> None:
    assert not any(is_held_out("lorelei", "hair", f"variant{n:02}") for n in range(40))
    assert not any(is_held_out("adventurer", "glasses", f"variant{n:02}") for n in range(40))


def test_parts_that_are_kept_for_tests_are_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def watch(svg: str, side: int, *_: object) -> np.ndarray:
        drawn.append(svg)
        return np.full((side, side, 3), 255, np.uint8)

    monkeypatch.setattr(dicebear, "render_svg", watch)
    monkeypatch.setattr(dicebear, "STYLES", ("adventurer",) * 4)  # only it has parts held out
    canvas, rng = make_canvas(size=8), np.random.default_rng(0)
    for _ in range(100):
        draw_dicebear(canvas, rng, 8)
    seen = set().union(*(parts(svg) for svg in drawn))
    assert len(seen) > 60
    assert not [part for part in seen if is_held_out("adventurer", *part)]


@pytest.mark.parametrize("style", STYLES)
def test_a_character_is_that_of_its_seed(style: str) -> None:
    assert character_svg(style, "1") == character_svg(style, "1")
    assert len({character_svg(style, str(seed)) for seed in range(5)}) == 5


def test_a_drawing_is_rendered_where_it_is_asked_for() -> None:
    whole = render_svg(SQUARE, 100, 1.0, (0, 0))
    assert whole.shape == (100, 100, 3)
    assert whole.dtype == np.uint8
    assert tuple(whole[45, 35]) == (255, 0, 0)
    assert tuple(whole[65, 65]) == (0, 0, 0)
    assert tuple(whole[5, 5]) == (255, 255, 255)
    part = render_svg(SQUARE, 60, 2.0, (30, 70))
    assert tuple(part[12, 12]) == (255, 0, 0)
    assert tuple(part[8, 8]) == (255, 255, 255)
    assert (part[..., 1] < 128).sum() == pytest.approx(1000, abs=250)


def test_all_but_the_ink_can_be_made_white() -> None:
    picture = render_svg(ink_only(SQUARE), 100, 1.0, (0, 0))
    assert (picture < 128).all(axis=2).sum() == 100
    assert tuple(picture[45, 35]) == (255, 255, 255)


def drawn(seed: int, size: int = 96, ink: str = "black") -> PageCanvas:
    canvas = make_canvas(even_pen(3.0, ink=ink), size=size)
    draw_dicebear(canvas, np.random.default_rng(seed), size)
    return canvas


def test_a_drawing_is_of_its_seed_whatever_was_drawn_before() -> None:
    first, other, again = drawn(1), drawn(2), drawn(1)
    for name in ("color", "line", "strokes", "stroke_color", "area"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name)) or name == (
            "stroke_color"
        )


def test_lines_are_where_the_ink_is() -> None:
    shares = []
    for seed in range(10):
        canvas = drawn(seed, 160)
        lines, ink = shrink(canvas.line) < 128, shrink(canvas.strokes) > 100
        lines &= separable(shrink(canvas.line)) > 0
        if lines.sum() > 200:
            shares.append(share_near(middle(lines), ink, 1.5))
            rim = ink & (distance_to(~ink) < 3)
            assert share_near(rim, shrink(canvas.line) < 128, 10) > 0.95
    assert len(shares) > 5
    assert np.mean(shares) > 0.97


def test_areas_have_colours_and_the_paper_around_has_none() -> None:
    for seed in range(6):
        canvas = drawn(seed)
        assert canvas.area.max() <= canvas.state.areas
        assert canvas.color[canvas.area == 0].min(initial=255) == 255


def test_without_outlines_lines_are_edges_but_those_of_ink() -> None:
    inked = 0
    for seed in range(6):
        canvas = drawn(seed, ink="absent")
        away = distance_to(canvas.strokes > 0) > 4
        np.testing.assert_array_equal(canvas.edge[away], 255 - canvas.line[away])
        assert not canvas.edge[canvas.strokes > 0].any()
        inked += int((canvas.strokes > 0).sum())
    assert inked


@settings(max_examples=6)
@given(size=st.integers(64, 90), seed=st.integers(0, 999))
def test_a_page_can_have_any_size(size: int, seed: int) -> None:
    canvas = drawn(seed, size)
    assert canvas.line.dtype == np.uint8
    assert set(np.unique(canvas.line)) <= set(range(256))


@pytest.mark.parametrize("missing", PACKAGES)
def test_it_is_installed_only_with_all_packages(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_installed()
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    assert not is_installed()


def test_a_wide_pen_does_not_make_areas_of_ink_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    square = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 762 762">'
        '<rect x="231" y="231" width="300" height="300" fill="#000000"/></svg>'
    )
    monkeypatch.setattr(dicebear, "_character", lambda *_: square)
    monkeypatch.setattr(dicebear, "chance", lambda *_: False)

    def ink(width: float) -> np.ndarray:
        canvas = make_canvas(even_pen(width), size=200)
        draw_dicebear(canvas, np.random.default_rng(3), 200)
        return canvas.strokes > 127

    assert ink(1.0).any()
    assert (ink(1.0) != ink(30.0)).mean() < 0.001
