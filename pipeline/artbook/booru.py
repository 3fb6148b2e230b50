"""Characters of the sample booru, drawn with any pen."""

from __future__ import annotations

import dataclasses

import numpy as np

from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.chance import chance, log_uniform
from pipeline.sample_booru.artist.background import draw_background
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.artist.curve import Points
from pipeline.sample_booru.artist.draw import draw_figure

POSTS = range(1, 20_000)
"""Post ids whose characters are drawn; later ones are kept for tests and benchmarks."""

_LONG_SIDE = 768  # pixels, of the pictures that lines are usually made of


def draw_booru(canvas: PageCanvas, rng: np.random.Generator, size: int) -> None:
    """Draw a part of a character.

    Args:
        canvas: in pixels of the page.
        rng: the source of randomness.
        size: side of the page, in pixels.
    """
    person = character(int(rng.integers(POSTS.start, POSTS.stop)))
    scale = _LONG_SIDE / max(person.width, person.height) * log_uniform(rng, 0.6, 2.2)
    middle = np.array([person.width, person.height]) * rng.uniform(0.2, 0.8, 2)
    corner = middle * scale - size / 2

    def to_page(points: Points) -> Points:
        placed: Points = points * scale - corner
        return placed

    # Small figures cannot have wide outlines.
    width = min(canvas.pen.width, 7.0 * scale)
    paper = dataclasses.replace(canvas.transformed(to_page), line_width=width * OVERSAMPLING)
    if chance(rng, 0.4):
        canvas.state.patterned = person.background in ("stripes", "dots")
        draw_background(paper, person, (person.width, person.height))
    draw_figure(paper, person)
