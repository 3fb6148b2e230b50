"""Characters of the sample booru: only some of them, and with the lines of its own artist."""

import numpy as np
import pytest

from pipeline.artbook import booru
from pipeline.artbook.booru import POSTS, draw_booru
from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.page import separable, shrink
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.character import Character, character
from pipeline.sample_booru.artist.draw import draw
from tests.pipeline.artbook.conftest import even_pen, make_canvas
from tests.pipeline.artbook.scoring import f1, middle


def test_characters_of_tests_and_benchmarks_are_never_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids: list[int] = []

    def watch(post_id: int) -> Character:
        ids.append(post_id)
        return character(7)

    monkeypatch.setattr(booru, "character", watch)
    monkeypatch.setattr(booru, "draw_figure", lambda *_: None)
    canvas, rng = make_canvas(size=8), np.random.default_rng(0)
    for _ in range(2000):
        draw_booru(canvas, rng, 64)
    assert POSTS.stop <= 20_000
    assert set(ids) <= set(POSTS)
    assert len(set(ids)) > 1800
    assert max(ids) > 19_900


def test_a_character_is_of_its_seed() -> None:
    layers = []
    for seed in (1, 1, 2):
        canvas = make_canvas(size=96)
        draw_booru(canvas, np.random.default_rng(seed), 96)
        layers.append((canvas.color, canvas.line, canvas.strokes))
    for first, again, other in zip(*layers, strict=True):
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


class Middle(np.random.Generator):
    """Draws the middle of a figure at its own scale."""

    def uniform(self, _low: object, _high: object, size: object = None) -> object:  # type: ignore[override]
        return 0.0 if size is None else np.full(2, 0.5)


def drawn_whole(person: Character, monkeypatch: pytest.MonkeyPatch, pen_width: float) -> PageCanvas:
    """Return a square canvas with the whole of a person in its middle, at scale 1."""
    size = max(person.width, person.height)
    canvas = make_canvas(even_pen(pen_width), size=size)
    monkeypatch.setattr(booru, "character", lambda _: person)
    monkeypatch.setattr(booru, "_LONG_SIDE", size)
    draw_booru(canvas, Middle(np.random.PCG64(0)), size)
    return canvas


@pytest.mark.parametrize("post_id", [1, 7, 42, 1234])
def test_lines_are_those_of_the_artist(post_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    person = character(post_id)
    true = draw(post_id).line
    canvas = drawn_whole(person, monkeypatch, 2.0)
    height, width = true.shape
    top, left = ((max(true.shape) - side) // 2 for side in true.shape)
    lines = shrink(canvas.line)[top : top + height, left : left + width]
    sure = (separable(lines) > 0) & (separable(true) > 0)
    assert sure.mean() > 0.97
    assert f1(middle(true < 128), middle(lines < 128), sure) > 0.97


@pytest.mark.parametrize(("pen_width", "expected"), [(2.0, 2.0), (30.0, 7.0)])
def test_small_figures_have_no_wide_outlines(
    pen_width: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths: list[float] = []
    monkeypatch.setattr(
        booru, "draw_figure", lambda paper, _: widths.append(paper.line_width / OVERSAMPLING)
    )
    drawn_whole(character(7), monkeypatch, pen_width)
    assert widths == [expected]


@pytest.mark.parametrize("background", ["stripes", "dots", "sky", "petals", "gradient"])
def test_some_characters_have_the_background_of_their_artist(
    background: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = next(each for each in map(character, POSTS) if each.background == background)
    monkeypatch.setattr(booru, "character", lambda _: person)
    changed = 0.0
    for seed in range(8):
        plain, full = make_canvas(size=96), make_canvas(size=96)
        for canvas, own in ((plain, False), (full, True)):
            monkeypatch.setattr(booru, "chance", lambda *_, own=own: own)
            draw_booru(canvas, np.random.default_rng(seed), 96)
        np.testing.assert_array_equal(plain.line, full.line)  # it has no lines
        off = (full.color != plain.color).any(axis=2)
        figure = (plain.color != 255).any(axis=2)
        assert (off & figure).sum() <= 0.05 * figure.sum()  # it is behind it
        changed += off.mean() / 8
    assert changed > 0.1
