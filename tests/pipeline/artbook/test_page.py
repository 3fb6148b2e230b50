"""Pages: the same for a seed, and lines where they can be seen."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook import page as page_module
from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.damage import Damage
from pipeline.artbook.page import Page, draw_page, separable
from pipeline.artbook.paint import PAINTS, Painted, paint
from pipeline.artbook.pen import INKS
from pipeline.artbook.subjects import SUBJECTS
from tests.pipeline.artbook.conftest import (
    PALE,
    SIZE,
    DrawScene,
    disc,
    even_pen,
    paper,
)
from tests.pipeline.artbook.scoring import count_lines, f1, middle

SEEDS = (5, 0, 11, 3, 8, 2)
SQUARE = np.array([[40.0, 40], [120, 40], [120, 120], [40, 120]])


def digest(page: Page) -> str:
    content = b"".join(layer.tobytes() for layer in (page.color, page.lines, page.weight))
    names = (page.subject, page.paint, page.ink, page.width)
    return hashlib.sha256(content + repr(names).encode()).hexdigest()


def test_a_page_depends_on_its_seed_alone() -> None:
    first = {seed: digest(draw_page(seed, 72)) for seed in SEEDS}
    again = {seed: digest(draw_page(seed, 72)) for seed in reversed(SEEDS)}
    assert first == again
    assert len(set(first.values())) == len(SEEDS)


@settings(max_examples=12)
@given(seed=st.integers(0, 10**9), size=st.integers(64, 120))
def test_pages_have_any_size_and_keep_the_conventions(seed: int, size: int) -> None:
    page = draw_page(seed, size)
    assert page.color.shape == (size, size, 3)
    assert page.lines.shape == page.weight.shape == (size, size)
    for layer in (page.color, page.lines, page.weight):
        assert layer.dtype == np.uint8
    assert set(np.unique(page.weight)) <= {0, 1}
    assert page.subject in SUBJECTS
    assert page.paint in PAINTS
    assert page.ink in INKS
    assert 0.9 <= page.width <= 30


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("ink", ["absent", "light"])
@pytest.mark.parametrize("style", ["soft", "screentone"])
def test_what_is_asked_for_is_drawn(subject: str, style: str, ink: str) -> None:
    page = draw_page(4, 64, subject=subject, style=style, ink=ink)
    assert (page.subject, page.paint, page.ink) == (subject, style, ink)


def test_outlines_can_be_limited_in_width() -> None:
    usual = [draw_page(seed, 64) for seed in range(12)]
    fine = [draw_page(seed, 64, max_width=2.0) for seed in range(12)]
    assert max(page.width for page in usual) > 5
    assert [page.width for page in fine] == [min(page.width, 2.0) for page in usual]
    assert [page.subject for page in fine] == [page.subject for page in usual]


def test_all_pages_can_be_plain() -> None:
    pages = [draw_page(seed, 64, plain_share=1) for seed in range(20)]
    assert {page.ink for page in pages} == set(INKS[:3])
    assert all(1.2 <= page.width <= 5 for page in pages)


def test_lines_are_dark_on_white() -> None:
    pages = [draw_page(seed, 96) for seed in range(40)]
    assert all(page.lines.max() == 255 for page in pages)
    assert sum(page.lines.min() == 0 for page in pages) > 25
    assert np.mean([(page.lines < 128).mean() for page in pages]) < 0.4
    assert np.mean([page.weight.mean() for page in pages]) > 0.7


@pytest.mark.parametrize("width", [2.0, 6.0, 14.0, 20.0])
def test_the_lines_are_the_middle_of_the_ink(width: float, draw_scene: DrawScene) -> None:
    page = draw_scene(pen=even_pen(width))
    assert count_lines(page.lines) == 1
    assert page.weight.min() == 1
    assert f1(middle(page.color.max(axis=2) < 90), middle(page.lines < 128)) > 0.98


def test_outlines_of_the_colour_under_them_are_no_lines(draw_scene: DrawScene) -> None:
    def draw(canvas: PageCanvas) -> None:
        canvas.stroke(np.array([[20.0, 80], [80, 80], [140, 80]]), (0, 0, 0))

    for ink, lines, sure in (((255, 255, 255), 0, 1), ((252, 252, 252), 1, 0), ((0, 0, 0), 1, 1)):
        page = draw_scene(draw, pen=even_pen(ink="dark", color=ink))
        assert count_lines(page.lines) == lines
        assert page.weight[80, 80] == sure
        assert page.weight[20, 20] == 1


def without_outline(
    left: tuple[int, int, int], right: tuple[int, int, int], page: DrawScene
) -> Page:
    """Return a page of two areas that meet in the middle."""

    def draw(canvas: PageCanvas) -> None:
        canvas.fill(np.array([[-9.0, -9], [80, -9], [80, 200], [-9, 200]]), left)
        half = np.array([[80.0, -9], [200, -9], [200, 200], [80, 200]])
        canvas.fill(half, right)
        canvas.outline(half, (0, 0, 0))

    return page(draw, pen=even_pen(absent=1.0))


@pytest.mark.parametrize(
    ("other", "line", "sure"),
    [
        (PALE, False, True),
        ((250, 190, 162), False, True),  # as a light could make it
        ((60, 90, 160), True, True),
        ((250, 190, 145), True, False),
    ],
)
def test_areas_without_outline_have_a_line_if_their_colours_differ(
    other: tuple[int, int, int], line: bool, sure: bool, draw_scene: DrawScene
) -> None:
    page = without_outline(PALE, other, draw_scene)
    assert bool((page.lines[20:140, 78:83] < 128).any()) == line
    assert bool(page.weight[20:140, 78:83].min()) == sure
    assert page.lines[:, :70].min() == 255


def test_a_black_shape_has_a_line_around_it(draw_scene: DrawScene) -> None:
    def draw(canvas: PageCanvas) -> None:
        canvas.fill(SQUARE, (0, 0, 0))
        canvas.outline(SQUARE, (0, 0, 0), 0.5)

    page = draw_scene(draw)
    assert count_lines(page.lines) == 1
    assert (page.lines[40, 45:115] < 128).all()
    assert page.lines[46:114, 46:114].min() == 255
    assert page.weight.min() == 1


def test_noise_hides_faint_lines_and_leaves_clear_ones(draw_scene: DrawScene) -> None:
    faint = even_pen(ink="dark", color=tuple(value - 14 for value in PALE))
    background = paper(PALE)

    def lines(noise: float) -> int:
        page = draw_scene(pen=faint, background=background, damage=Damage(noise=noise, quality=0))
        return int(((page.lines < 128) & (page.weight > 0)).sum())

    assert lines(0) > 400
    assert lines(6) == lines(14) == 0
    np.testing.assert_array_equal(draw_scene(damage=Damage(noise=14)).lines, draw_scene(disc).lines)


@pytest.mark.parametrize(("grain", "sure"), [(0.0, True), (0.02, True), (0.3, False)])
def test_a_line_that_vanishes_in_a_texture_is_doubtful_at_most(
    grain: float, sure: bool, draw_scene: DrawScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def textured(canvas: PageCanvas, rng: np.random.Generator, style: str) -> Painted:
        plain = paint(canvas, rng, style)
        noise = np.float32(grain) * np.random.default_rng(0).random((SIZE, SIZE, 1), np.float32)
        return replace(plain, whole=plain.whole - noise, fills=plain.fills - noise)

    monkeypatch.setattr(page_module, "paint", textured)
    faint = even_pen(ink="dark", color=tuple(value - 40 for value in PALE))
    page = draw_scene(pen=faint, background=paper(PALE))
    certain = int(((page.lines < 128) & (page.weight > 0)).sum())
    assert certain > 400 if sure else certain == 0
    black = draw_scene(background=paper(PALE))
    assert int(((black.lines < 128) & (black.weight > 0)).sum()) > 400


def test_nobody_can_say_where_lines_have_run_together(draw_scene: DrawScene) -> None:
    def strokes_at(*rows: float) -> Callable[[PageCanvas], None]:
        def draw(canvas: PageCanvas) -> None:
            for y in rows:
                canvas.stroke(np.array([[-20.0, y], [80, y], [180, y]]), (0, 0, 0), ends=(1, 1))

        return draw

    close, pairs = (50.0, 65, 80, 95, 110), (46.0, 66, 120)
    assert draw_scene(strokes_at(*close), pen=even_pen(4.0)).weight.min() == 1
    wide = draw_scene(strokes_at(*close), pen=even_pen(24.0))
    assert wide.weight[78:83].max() == 0
    assert wide.weight[50, 20:140].max() == 0  # its ink has no line there but its rim
    assert wide.weight[:24].min() == 1
    paired = draw_scene(strokes_at(*pairs), pen=even_pen(24.0)).weight
    assert paired[55:57, 20:140].max() == 0  # the middle of two outlines is no line of either
    assert paired[100:140].min() == 1  # the third is by itself, up to the border of the page


def test_the_rim_of_a_black_area_is_certain_whatever_the_pen(draw_scene: DrawScene) -> None:
    def draw(canvas: PageCanvas) -> None:
        canvas.fill(SQUARE, (0, 0, 0))
        canvas.ink(SQUARE, (0, 0, 0))

    for width in (1.0, 3.0, 20.0):
        page = draw_scene(draw, pen=even_pen(width))
        assert (page.lines[40, 45:115] < 128).all()
        assert page.lines[46:114, 46:114].min() == 255
        assert page.weight.min() == 1


@pytest.mark.parametrize("color", [(0, 0, 0), (90, 60, 50)])
def test_a_wide_outline_that_is_half_hidden_is_doubtful(
    color: tuple[int, int, int], draw_scene: DrawScene
) -> None:
    """Beside an area of its colour one sees half of an outline, and its middle is elsewhere."""

    def draw(canvas: PageCanvas) -> None:
        canvas.fill(SQUARE, color)
        canvas.outline(SQUARE, color)

    fine, wide = (
        draw_scene(draw, pen=even_pen(width, ink="dark", color=color)) for width in (3.0, 28.0)
    )
    assert fine.weight.min() == 1
    assert wide.weight[40, 60:100].max() == 0


@pytest.mark.parametrize(("period", "sure"), [(3, 0), (10, 1)])
def test_lines_that_are_too_close_cannot_be_told_apart(period: int, sure: int) -> None:
    lines = np.full((60, 60), 255, np.uint8)
    lines[np.arange(60) % period < 2] = 0
    weight = separable(lines)
    assert weight.dtype == np.uint8
    assert (weight[10:50] == sure).all()


@pytest.mark.parametrize(("color", "sure"), [((5, 5, 8), 0), ((120, 40, 30), 1)])
def test_a_narrow_area_of_black_could_be_an_outline(
    color: tuple[int, int, int], sure: int, draw_scene: DrawScene
) -> None:
    strip = np.array([[40.0, 70], [120, 70], [120, 86], [40, 86]])

    def draw(canvas: PageCanvas) -> None:
        canvas.fill(strip, color)
        canvas.outline(strip, (0, 0, 0))

    page = draw_scene(draw)
    assert (page.lines[70, 50:110] < 128).all()
    assert page.weight[70:87, 55:105].max() == sure
    assert page.weight[:55].min() == 1


@pytest.mark.parametrize(("other", "sure"), [((250, 190, 150), 0), ((60, 90, 160), 1)])
def test_texture_does_not_make_an_edge_certain(
    other: tuple[int, int, int],
    sure: int,
    draw_scene: DrawScene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two areas of nearly one colour: the step between them is that of the colours."""

    def textured(canvas: PageCanvas, rng: np.random.Generator, style: str) -> Painted:
        plain = paint(canvas, rng, style)
        grain = 0.15 * np.random.default_rng(0).random((*plain.fills.shape[:2], 1), np.float32)
        return replace(plain, whole=plain.whole - grain, fills=plain.fills - grain)

    monkeypatch.setattr(page_module, "paint", textured)
    page = without_outline(PALE, other, draw_scene)
    assert page.weight[30:130, 79:82].max() == sure


def test_pages_say_whether_they_have_a_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(**options: str) -> int:
        return sum(draw_page(seed, 64, **options).patterned for seed in range(12))

    def never(canvas: PageCanvas, rng: np.random.Generator, style: str) -> Painted:
        return replace(paint(canvas, rng, style), printed=False)

    monkeypatch.setattr(page_module, "random_kind", lambda _: "white")
    monkeypatch.setattr(page_module, "paint", never)
    assert count(subject="composition") == 0
    assert 0 < count(subject="booru") < 12  # some have their artist's stripes
    monkeypatch.setattr(page_module, "paint", paint)
    assert count(subject="composition", style="line_art") == 0
    assert 0 < count(subject="composition", style="flat") < 12
    monkeypatch.setattr(page_module, "random_kind", lambda _: "pattern")
    assert count(subject="composition") == 12


def test_a_fifth_of_the_pages_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    plain: list[int] = []
    lit: list[int] = []
    damaged: list[int] = []
    pen, lights, damage = (
        getattr(page_module, name) for name in ("plain_pen", "random_lights", "random_damage")
    )
    monkeypatch.setattr(page_module, "plain_pen", lambda *a: (plain.append(1), pen(*a))[1])
    monkeypatch.setattr(page_module, "random_lights", lambda *a: (lit.append(1), lights(*a))[1])
    monkeypatch.setattr(page_module, "random_damage", lambda *a: (damaged.append(1), damage(*a))[1])
    for seed in range(60):
        draw_page(seed, 64, subject="composition")
    assert 4 <= len(plain) <= 22
    assert len(lit) == len(damaged) == 60 - len(plain)
    plain.clear()
    for seed in range(20):
        draw_page(seed, 64, subject="composition", ink="light")
    assert not plain


@pytest.mark.parametrize(("width", "sure"), [(5, 0), (12, 0), (40, 1)])
def test_a_narrow_area_without_outline_could_be_a_stroke(
    width: int, sure: int, draw_scene: DrawScene
) -> None:
    strip = np.array([[20.0, 70], [140, 70], [140, 70 + width], [20, 70 + width]])

    def draw(canvas: PageCanvas) -> None:
        canvas.fill(strip, (60, 90, 160))
        canvas.outline(strip, (0, 0, 0))

    page = draw_scene(draw, pen=even_pen(absent=1.0))
    assert (page.lines[70, 40:120] < 128).all()
    assert page.weight[68 : 72 + width, 40:120].max() == sure
    assert page.weight[:55].min() == 1


def test_pages_can_be_left_undamaged(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged: list[int] = []
    damage = page_module.random_damage
    monkeypatch.setattr(page_module, "random_damage", lambda *a: (damaged.append(1), damage(*a))[1])
    for seed in range(6):
        draw_page(seed, 64, subject="composition", damaged=False)
    assert not damaged
    pages = [draw_page(seed, 64, subject="composition") for seed in range(6)]
    assert damaged
    for seed, page in enumerate(pages):
        clean = draw_page(seed, 64, subject="composition", damaged=False)
        assert (clean.subject, clean.paint, clean.ink) == (page.subject, page.paint, page.ink)
