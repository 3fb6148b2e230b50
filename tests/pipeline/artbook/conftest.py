"""Pages on which nothing is left to chance but what a test names."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.artbook import page
from pipeline.artbook.canvas import PageCanvas, blank_canvas
from pipeline.artbook.damage import Damage
from pipeline.artbook.light import Light
from pipeline.artbook.page import Page, draw_page
from pipeline.artbook.pen import Pen
from pipeline.artbook.rough import Rough
from pipeline.artbook.subjects import SUBJECTS
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.curve import ellipse

Draw = Callable[[PageCanvas], object]
DrawScene = Callable[..., Page]

SIZE = 160  # pixels
WHITE = (255, 255, 255)
PALE = (250, 190, 170)


def even_pen(width: float = 3.0, **values: object) -> Pen:
    """Return a black pen whose lines are equally wide everywhere."""
    return Pen(**{"width": width, "taper": 0.0, **values})


def paper(color: tuple[int, int, int] = WHITE, size: int = SIZE) -> NDArray[np.uint8]:
    """Return an oversampled background of one colour."""
    return np.full((size * OVERSAMPLING, size * OVERSAMPLING, 3), color, np.uint8)


def make_canvas(
    pen: Pen | None = None, *, seed: int = 0, size: int = SIZE, rough: Rough | None = None
) -> PageCanvas:
    """Return an empty white canvas."""
    return blank_canvas(paper(size=size), pen or even_pen(), np.random.default_rng(seed), rough)


def disc(canvas: PageCanvas) -> None:
    """Draw a pale disc with an outline in the middle of the page."""
    circle = ellipse(SIZE / 2, SIZE / 2, 50, 50, 72)
    canvas.fill(circle, PALE)
    canvas.outline(circle, (80, 60, 50))


@pytest.fixture
def draw_scene(monkeypatch: pytest.MonkeyPatch) -> DrawScene:
    """Return a function that draws a page without any chance."""

    def draw_one(
        draw: Draw = disc,
        *,
        pen: Pen | None = None,
        style: str = "flat",
        background: NDArray[np.uint8] | None = None,
        lights: Sequence[Light] = (),
        damage: Damage | None = None,
        seed: int = 0,
    ) -> Page:
        behind = paper() if background is None else background
        monkeypatch.setattr(page, "random_background", lambda *_: behind.copy())
        monkeypatch.setattr(page, "random_pen", lambda *_: pen or even_pen())
        monkeypatch.setattr(page, "chance", lambda *_: False)  # nor is it plain
        monkeypatch.setattr(page, "random_lights", lambda *_: list(lights))
        monkeypatch.setattr(page, "random_damage", lambda *_: damage or Damage())
        monkeypatch.setitem(SUBJECTS, "scene", (0.0, lambda canvas, *_: draw(canvas)))
        return draw_page(seed, SIZE, subject="scene", style=style)

    return draw_one
