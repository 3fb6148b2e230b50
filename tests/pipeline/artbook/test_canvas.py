"""A canvas keeps the true lines apart from what is drawn of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.canvas import LINE_WIDTH, PageCanvas
from pipeline.artbook.page import shrink
from pipeline.artbook.rough import Rough
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.curve import ellipse, spline
from tests.pipeline.artbook.conftest import PALE, SIZE, WHITE, even_pen, make_canvas
from tests.pipeline.artbook.scoring import count_lines, f1, middle, share_near

LAYERS = ("color", "line", "edge", "strokes", "stroke_color", "area")
SQUARE = np.array([[40.0, 40], [120, 40], [120, 120], [40, 120]])
ACROSS = np.array([[10.0, 80], [80, 80], [150, 80]])
INK = (90, 60, 50)


def layers(canvas: PageCanvas) -> list[np.ndarray]:
    return [getattr(canvas, name).copy() for name in LAYERS]


def at(layer: np.ndarray, x: int, y: int) -> int:
    return int(layer[y * OVERSAMPLING, x * OVERSAMPLING].max())


def test_an_empty_canvas_is_paper() -> None:
    canvas = make_canvas()
    assert canvas.line.shape == (SIZE * OVERSAMPLING, SIZE * OVERSAMPLING)
    assert canvas.line.min() == 255
    for name in ("edge", "strokes", "area"):
        assert not getattr(canvas, name).any()


def test_a_shape_hides_the_lines_behind_it() -> None:
    canvas = make_canvas()
    canvas.stroke(ACROSS, INK)
    assert at(canvas.line, 80, 80) == 0
    assert at(canvas.strokes, 80, 80) == 255
    canvas.fill(SQUARE, PALE)
    assert at(canvas.line, 80, 80) == 255
    assert at(canvas.strokes, 80, 80) == 0
    assert at(canvas.line, 20, 80) == 0
    assert tuple(canvas.color[160, 160]) == PALE
    assert canvas.area[160, 160] == 1
    canvas.fill(SQUARE + 20, PALE)
    assert canvas.area[160, 160] == 2
    assert canvas.area[90, 90] == 1
    assert canvas.area[10, 10] == 0


def test_shades_and_gradients_change_colours_alone() -> None:
    canvas = make_canvas()
    canvas.fill(SQUARE, PALE)
    canvas.stroke(ACROSS, INK)
    for paint in (
        lambda: canvas.shade(SQUARE, (1, 2, 3)),
        lambda: canvas.gradient((0, WHITE), (SIZE, PALE)),
        lambda: canvas.radial_gradient(80, 80, 30, 30, INK, 0.8),
        lambda: canvas.multiply(SQUARE, (100, 100, 100)),
    ):
        color, *rest = layers(canvas)
        paint()
        assert not np.array_equal(canvas.color, color)
        for before, after in zip(rest, layers(canvas)[1:], strict=True):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("width", [0.3, 1.0, 9.0])
def test_true_lines_have_one_width(width: float) -> None:
    canvas = make_canvas()
    canvas.stroke(ACROSS, INK, width)
    column = (255 - shrink(canvas.line)[:, 80].astype(float)) / 255
    assert (column > 0.5).sum() == LINE_WIDTH + 1  # it lies on the corner of four pixels
    assert column.sum() == pytest.approx(LINE_WIDTH + 0.7, abs=0.1)  # with its soft edges


@settings(max_examples=30)
@given(
    width=st.floats(2, 20),
    rx=st.floats(32, 68),
    ry=st.floats(32, 68),
    x=st.floats(75, 85),
)
def test_a_wide_outline_is_one_line_along_its_middle(
    width: float, rx: float, ry: float, x: float
) -> None:
    canvas = make_canvas(even_pen(width))
    shape = ellipse(x, 80, rx, ry, 60)
    canvas.fill(shape, PALE)
    canvas.outline(shape, INK)
    lines, strokes = shrink(canvas.line), shrink(canvas.strokes)
    assert count_lines(lines) == 1
    assert f1(middle(strokes > 127), middle(lines < 128)) > 0.92
    assert (strokes > 127).sum() > 0.8 * width * (lines < 128).sum() / (LINE_WIDTH + 1)


@settings(max_examples=30)
@given(
    width=st.floats(2, 20),
    taper=st.floats(0, 0.9),
    heights=st.lists(st.floats(50, 110), min_size=4, max_size=4),
)
def test_an_open_line_lies_in_the_middle_of_its_ink(
    width: float, taper: float, heights: list[float]
) -> None:
    canvas = make_canvas(even_pen(width, taper=taper))
    curve = spline(*zip((20.0, 60.0, 100.0, 140.0), heights, strict=True))
    canvas.stroke(curve, INK)
    lines, ink = middle(shrink(canvas.line) < 128), shrink(canvas.strokes) > 100
    assert share_near(middle(ink)[:, 30:130], lines[:, 30:130]) > 0.93
    assert share_near(lines[:, 30:130], ink[:, 30:130], 1.0) > 0.95


def test_ink_has_its_line_in_the_middle_and_a_large_area_at_its_rim() -> None:
    lash, area = make_canvas(), make_canvas()
    lash.ink(np.array([[30.0, 76], [130, 76], [130, 84], [30, 84]]), INK)
    rows = np.nonzero(shrink(lash.line)[:, 60:100] < 128)[0]
    assert np.abs(rows - 79.5).max() <= 1.6
    area.ink(SQUARE, INK)
    lines = shrink(area.line) < 128
    assert lines[80, 38:43].any()
    assert lines[80, 117:122].any()
    assert not lines[50:110, 50:110].any()
    for canvas in (lash, area):
        assert at(canvas.strokes, 80, 80) == 255
        assert tuple(canvas.stroke_color[160, 160]) == canvas.pen.color


def test_a_stroke_of_paper_splits_a_cord() -> None:
    canvas = make_canvas(even_pen(8.0))
    canvas.stroke(ACROSS, INK, ends=(1, 1))
    canvas.stroke_paper(ACROSS, PALE, 0.6)
    assert at(canvas.line, 80, 80) == 255
    assert at(canvas.strokes, 80, 80) == 0
    assert at(canvas.strokes, 80, 77) > 100
    assert tuple(canvas.color[160, 160]) == PALE


def test_nothing_leaves_a_clip() -> None:
    canvas = make_canvas()
    canvas.stroke(ACROSS + np.array([0, 5]), INK)
    before = layers(canvas)
    with canvas.clipped(ellipse(80, 80, 40, 40, 90)) as inner:
        inner.fill(SQUARE * 3 - 100, INK)
        inner.stroke(ACROSS, INK)
    rows, columns = np.indices(canvas.line.shape)
    outside = np.hypot(rows - 160, columns - 160) > 40 * OVERSAMPLING + 2
    for old, new in zip(before, layers(canvas), strict=True):
        np.testing.assert_array_equal(old[outside], new[outside])
    assert at(canvas.line, 80, 80) == 0
    assert at(canvas.line, 80, 85) == 255
    assert at(canvas.line, 20, 85) == 0


def test_a_clip_can_be_cleared_and_lie_off_the_page() -> None:
    canvas = make_canvas()
    canvas.stroke(ACROSS, INK)
    with canvas.clipped(SQUARE, PALE) as inner:
        assert inner.line.min() == 255
    assert at(canvas.line, 80, 80) == 255
    assert tuple(canvas.color[160, 160]) == PALE
    before = layers(canvas)
    with canvas.clipped(SQUARE + 500) as inner:
        inner.fill(SQUARE, INK)
    for old, new in zip(before[1:], layers(canvas)[1:], strict=True):
        np.testing.assert_array_equal(old[1:, 1:], new[1:, 1:])


def test_shapes_and_lines_beside_the_page_are_not_drawn() -> None:
    canvas = make_canvas()
    before = layers(canvas)
    for shift in (-400.0, 400.0):
        canvas.fill(SQUARE + shift, INK)
        canvas.outline(SQUARE + shift, INK)
        canvas.shade(SQUARE + shift, INK)
        canvas.ink(SQUARE + shift, INK)
    canvas.stroke(np.array([[5.0, 5], [5, 5]]), INK)  # of no length
    assert canvas.state.areas == 0
    for old, new in zip(before, layers(canvas), strict=True):
        np.testing.assert_array_equal(old, new)


def test_an_absent_outline_is_an_edge_and_no_stroke() -> None:
    canvas = make_canvas(even_pen(absent=1.0))
    canvas.fill(SQUARE, PALE)
    canvas.outline(SQUARE, INK)
    assert not canvas.strokes.any()
    assert at(canvas.edge, 80, 40) == 255
    assert at(canvas.line, 80, 40) == 0
    canvas.fill(SQUARE - (0, 40), PALE)
    assert at(canvas.edge, 80, 40) == 0  # hidden


def test_coloured_ink_is_a_shade_of_what_it_bounds() -> None:
    canvas = make_canvas(even_pen(ink="colored", shade=0.5))
    canvas.stroke(ACROSS, (200, 100, 50))
    assert tuple(canvas.stroke_color[160, 160]) == (100, 50, 25)


def test_accents_have_colours_of_their_own() -> None:
    def colors(accents: float) -> set[tuple[int, ...]]:
        canvas = make_canvas(even_pen(accents=accents))
        for y in range(10, 150, 10):
            canvas.stroke(np.array([[20.0, y], [80, y], [140, y]]), (90, 60, 50))
        inked = canvas.stroke_color[canvas.strokes > 200]
        return {tuple(int(value) for value in color) for color in np.unique(inked, axis=0)}

    assert colors(0.0) == {(0, 0, 0)}
    assert len(colors(1.0)) > 10
    assert (0, 0, 0) in colors(0.5)


@pytest.mark.parametrize("see_through", [0.0, 1.0])
def test_a_rough_sketch_changes_neither_colours_nor_areas(see_through: float) -> None:
    canvas = make_canvas(rough=Rough(see_through=see_through, jitter=0.2))
    canvas.stroke(ACROSS, INK)
    behind = canvas.strokes[150:170, 150:170].max()
    canvas.fill(SQUARE, PALE)
    canvas.shade(SQUARE, INK)
    assert behind > 80
    assert canvas.strokes[150:170, 150:170].max() == (behind if see_through else 0)
    assert at(canvas.line, 80, 80) == 255  # a line behind is none, seen or not
    canvas.outline(SQUARE, INK)
    assert canvas.color.min() == 255
    assert not canvas.area.any()
    assert not canvas.edge.any()


def test_joins_and_ends_can_be_round() -> None:
    corner = np.array([[30.0, 100], [80, 40], [130, 100]])

    def strokes(round_joins: bool) -> np.ndarray:
        canvas = make_canvas(even_pen(20.0, round_joins=round_joins))
        canvas.stroke(corner, (0, 0, 0), ends=(1, 1))
        return shrink(canvas.strokes)

    cut, rounded = strokes(False), strokes(True)
    assert (rounded >= cut).all()
    assert cut[106, 26] == 0  # beyond the end
    assert rounded[106, 26] > 200
    for y, x in ((31, 80), (40, 80)):  # the outer side of the corner, and its middle
        assert rounded[y, x] > 200
