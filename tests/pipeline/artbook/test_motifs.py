"""Every motif draws its ink where its lines are, whatever the pen."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from pipeline.artbook.canvas import MAX_STROKE, PageCanvas
from pipeline.artbook.ink import lines_of_ink
from pipeline.artbook.motifs import MOTIFS, Place, contours, eye, hatching, solid
from pipeline.artbook.page import Page
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from tests.pipeline.artbook.conftest import SIZE, DrawScene, even_pen, make_canvas
from tests.pipeline.artbook.scoring import distance_to, middle

Motif = Callable[[PageCanvas, np.random.Generator, Place], None]

PALETTE = ((250, 180, 170), (170, 240, 180), (180, 190, 250), (240, 240, 240))
SEEDS = range(5)
INK = 100  # the brightest channel of ink; that of areas is above
BY_THE_PEN = (hatching, contours)  # keep a distance that depends on the pen
BLACK = (solid,)  # has no outline


def place(size: float = 0.8 * SIZE, x: float = SIZE / 2, y: float = SIZE / 2) -> Place:
    return Place(x=x, y=y, size=size, palette=PALETTE)


def drawn(motif: Motif, seed: int, where: Place | None = None) -> Callable[[PageCanvas], None]:
    return lambda canvas: motif(canvas, np.random.default_rng(seed), where or place())


def shares_near(pages: list[Page]) -> tuple[float, float]:
    """Return how much of the middle of the ink is near the lines, and the other way round."""
    near = np.zeros((2, 2))
    for page in pages:
        ink, lines = middle(page.color.max(axis=2) < INK), middle(page.lines < 128)
        counted = page.weight > 0
        for row, (some, others) in enumerate(((ink, lines), (lines, ink))):
            inside = some & counted
            near[row] += (distance_to(others)[inside] <= 2).sum(), inside.sum()
    assert (near[:, 1] > 100).all()
    return near[0, 0] / near[0, 1], near[1, 0] / near[1, 1]


@pytest.mark.parametrize("width", [2.0, 3.0])
@pytest.mark.parametrize("motif", [motif for motif in MOTIFS if motif not in BLACK])
def test_the_middle_of_the_ink_is_the_line(
    motif: Motif, width: float, draw_scene: DrawScene
) -> None:
    pages = [draw_scene(drawn(motif, seed), pen=even_pen(width)) for seed in SEEDS]
    precision, recall = shares_near(pages)
    least = 0.8 if motif is eye else 0.9  # of a pupil, the rim is the line
    assert precision > least
    assert recall > least


@pytest.mark.parametrize("motif", [motif for motif in MOTIFS if motif not in BY_THE_PEN + BLACK])
def test_lines_do_not_depend_on_the_width_of_the_pen(motif: Motif, draw_scene: DrawScene) -> None:
    for seed in SEEDS[:3]:
        fine, normal, wide = (
            draw_scene(drawn(motif, seed), pen=even_pen(width)) for width in (2.0, 6.0, 20.0)
        )
        for page in (normal, wide):  # those under ink that has run together are doubtful
            assert ((page.lines != fine.lines) & (page.weight > 0)).mean() < 0.001
        assert not np.array_equal(wide.color, fine.color)


def test_the_line_of_a_black_shape_is_its_rim_and_the_middle_where_it_is_narrow(
    draw_scene: DrawScene,
) -> None:
    for seed in SEEDS:
        page = draw_scene(drawn(solid, seed))
        of_ink = lines_of_ink(page.color.max(axis=2) < INK, MAX_STROKE / OVERSAMPLING)
        lines = middle(page.lines < 128)
        assert (distance_to(of_ink)[lines] <= 2).mean() > 0.97
        assert (distance_to(lines)[of_ink] <= 3).mean() > 0.97


@pytest.mark.parametrize("motif", MOTIFS)
def test_a_motif_is_that_of_its_seed(motif: Motif) -> None:
    layers = []
    for seed in (1, 1, 2):
        canvas = make_canvas(seed=7)
        motif(canvas, np.random.default_rng(seed), place())
        layers.append(np.stack([*cv2.split(canvas.color), canvas.line, canvas.strokes]))
    first, again, other = layers
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("motif", MOTIFS)
def test_a_motif_can_be_tiny_huge_or_beside_the_page(motif: Motif) -> None:
    for where in (place(14), place(3 * SIZE), place(60, -200, 40), place(60, SIZE, SIZE)):
        for seed in range(3):
            canvas = make_canvas(seed=seed)
            motif(canvas, np.random.default_rng(seed), where)


def test_a_place_has_all_of_its_colours() -> None:
    rng = np.random.default_rng(0)
    assert {place().color(rng) for _ in range(60)} == set(PALETTE)
