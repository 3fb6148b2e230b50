"""Paint changes the inside of areas, and makes no lines."""

import numpy as np
import pytest

from pipeline.artbook import paint as paint_module
from pipeline.artbook.paint import PAINTS, Painted, paint
from pipeline.artbook.pen import Pen
from pipeline.sample_booru.artist.curve import ellipse
from tests.pipeline.artbook.conftest import (
    PALE,
    SIZE,
    DrawScene,
    disc,
    even_pen,
    make_canvas,
)


def painted(style: str, *, seed: int = 0, pen: Pen | None = None) -> Painted:
    canvas = make_canvas(pen)
    disc(canvas)
    return paint(canvas, np.random.default_rng(seed), style)


@pytest.mark.parametrize("style", PAINTS)
def test_a_painted_page_is_a_picture_of_its_seed(style: str) -> None:
    first, again = painted(style), painted(style)
    for picture in (first.whole, first.fills):
        assert picture.shape == (SIZE, SIZE, 3)
        assert picture.dtype == np.float32
        assert picture.min() >= 0
        assert picture.max() <= 1
    np.testing.assert_array_equal(first.whole, again.whole)
    np.testing.assert_array_equal(first.fills, again.fills)
    if style not in ("flat", "line_art"):
        assert any(
            not np.array_equal(first.fills, painted(style, seed=seed).fills) for seed in (1, 2)
        )


@pytest.mark.parametrize("style", PAINTS)
def test_outlines_lie_over_the_paint(style: str) -> None:
    page = painted(style)
    off = np.abs(page.whole - page.fills).max(axis=2)
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    radius = np.hypot(x - SIZE / 2 + 0.5, y - SIZE / 2 + 0.5)
    assert off[np.abs(radius - 50) > 5].max() == 0
    assert page.whole[np.abs(radius - 50) < 0.5].max() < 0.05


@pytest.mark.parametrize("style", PAINTS)
def test_paint_makes_no_lines(style: str, draw_scene: DrawScene) -> None:
    plain = draw_scene()
    for seed in range(5):
        page = draw_scene(style=style, seed=seed)
        np.testing.assert_array_equal(page.lines, plain.lines)
        assert page.paint == style
        blank = draw_scene(lambda _: None, style=style, seed=seed)
        assert blank.lines.min() == 255
        assert blank.weight.min() == 1


def middle_of(picture: np.ndarray) -> np.ndarray:
    return picture[SIZE // 2 - 30 : SIZE // 2 + 30, SIZE // 2 - 30 : SIZE // 2 + 30]


def test_styles_look_as_they_are_called() -> None:
    def many(style: str) -> list[np.ndarray]:
        return [middle_of(painted(style, seed=seed).fills) for seed in range(12)]

    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    inside = np.hypot(x - SIZE / 2, y - SIZE / 2) < 48
    pale = np.array(PALE) / 255
    flat = [part for part in many("flat") if np.ptp(part, axis=(0, 1)).max() == 0]
    assert len(flat) > 3  # the others have highlights
    for part in flat:
        np.testing.assert_allclose(part[0, 0], pale, atol=0.01)
    for part in many("line_art"):
        assert np.ptp(part) == 0
        assert part.min() > 0.59
    for style in ("cel", "soft", "gradient", "watercolor", "airbrush", "texture", "screentone"):
        pages = [painted(style, seed=seed).fills[inside] for seed in range(24)]
        assert sum(page.std(axis=0).max() > 0.005 for page in pages) > 2, style
    steps = [np.abs(np.diff(part, axis=0)).max() for part in many("gradient")]
    assert np.median(steps) < 0.02


def test_the_side_that_is_turned_away_is_a_crescent_along_the_rim() -> None:
    canvas = make_canvas()
    disc(canvas)
    x, y = np.meshgrid(np.arange(2 * SIZE) - SIZE + 0.5, np.arange(2 * SIZE) - SIZE + 0.5)
    crescents = 0
    for seed in range(12):
        sides = paint_module._shadow_sides(canvas, np.random.default_rng(seed))
        assert set(np.unique(sides)) <= {0, 1}
        assert not sides[canvas.area == 0].any()
        if not sides.any() or sides.sum() > 0.5 * (canvas.area > 0).sum():
            continue
        crescents += 1
        off = np.array([x[sides > 0].mean(), y[sides > 0].mean()])
        along = (off[0] * x + off[1] * y)[sides > 0]
        assert (along > 0).mean() > 0.8
    assert crescents > 5


@pytest.mark.parametrize(("size", "shaded"), [(20, True), (70, False)])
def test_shadows_and_lights_with_sharp_rims_lie_on_small_areas(
    size: int, shaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a large area, part of a shadow looks like an area of its own."""
    monkeypatch.setattr(paint_module, "chance", lambda *_: False)  # no crescents
    canvas = make_canvas()
    middle = SIZE / 2
    canvas.fill(ellipse(middle, middle, size, size, 72), PALE)
    color = canvas.color.astype(np.float32) / 255
    changed = 0
    for seed in range(12):
        for cast in (paint_module._cel, paint_module._highlights):
            lit = cast(canvas, color, np.random.default_rng(seed))
            changed += bool(np.abs(lit - color).max() > 0.02)
    assert (changed > 4) is shaded
    assert shaded or changed == 0


def calls(name: str, style: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return in how many of 60 paintings a step of painting is taken."""
    step, taken = getattr(paint_module, name), []

    def counted(*arguments: object) -> np.ndarray:
        taken.append(name)
        return np.asarray(step(*arguments))

    monkeypatch.setattr(paint_module, name, counted)
    for seed in range(60):
        painted(style, seed=seed)
    return len(taken)


def test_some_pages_are_printed_and_most_cel_shadows_are_crescents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 4 < calls("_printed", "soft", monkeypatch) < 24
    assert calls("_printed", "line_art", monkeypatch) == 0
    assert 25 < calls("_shadow_sides", "cel", monkeypatch) < 52


def test_prints_lie_on_areas_and_not_behind_them() -> None:
    canvas = make_canvas()
    disc(canvas)
    color = canvas.color.astype(np.float32) / 255
    changed = 0
    for seed in range(12):
        printed = paint_module._printed(canvas, color, np.random.default_rng(seed))
        off = np.abs(printed - color).max(axis=2)
        assert off[canvas.area == 0].max() == 0
        changed += off.max() > 0.05
    assert changed > 2


def test_opacity_grain_and_blur_weaken_outlines() -> None:
    black = painted("flat").whole.min()
    assert painted("flat", pen=even_pen(opacity=0.4)).whole.min() > black + 0.2
    ring = painted("flat").whole.max(axis=2) < 0.1
    grainy = painted("flat", pen=even_pen(grain=0.8)).whole.max(axis=2)[ring]
    assert grainy.std() > 0.05
    blurred = painted("flat", pen=even_pen(width=2.0, blur=1.4)).whole
    assert blurred.min() > painted("flat", pen=even_pen(width=2.0)).whole.min() + 0.05
