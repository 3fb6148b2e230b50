"""Compositions: motifs over one another, of every size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.chance import chance, integer, log_uniform
from pipeline.artbook.motifs import MOTIFS, PLAIN, Place, shape
from pipeline.artbook.palette import random_palette
from pipeline.sample_booru.artist.palette import Color

_WIDE_PEN = 6.0  # pixels
_USUAL_SIZE = 384  # pixels; larger pages show more things


def draw_composition(canvas: PageCanvas, rng: np.random.Generator, size: int) -> None:
    """Draw motifs until the page is about as full as it is meant to be.

    Args:
        canvas: in pixels of the page.
        rng: the source of randomness.
        size: side of the page, in pixels.
    """
    palette = random_palette(rng)
    # Wide outlines need room: where they run together, nobody can tell them apart.
    is_wide = canvas.pen.width > _WIDE_PEN
    draws = list(PLAIN if is_wide and chance(rng, 0.85) else MOTIFS)
    weights = np.array([MOTIFS[draw] for draw in draws])
    weights = weights * rng.exponential(1.0, len(weights))  # pages are about different things
    smallest = max(14.0, (8 if is_wide else 4) * canvas.pen.width)
    largest = max(smallest, log_uniform(rng, size / 5, 1.4 * size))
    if chance(rng, 0.5):  # little of the background is left
        for _ in range(integer(rng, 2, 5) if is_wide else integer(rng, 4, 12)):
            shape(canvas, rng, _place(rng, size, size * rng.uniform(0.5, 1.3), palette))
    crowd = max(1.0, size / _USUAL_SIZE)
    count = round(log_uniform(rng, 2, 7) if is_wide else crowd * log_uniform(rng, 6, 35))
    for share in np.sort(rng.uniform(0, 1, count))[::-1]:  # large ones are behind
        diameter = smallest * (largest / smallest) ** float(share)
        draw = draws[int(rng.choice(len(draws), p=weights / weights.sum()))]
        draw(canvas, rng, _place(rng, size, diameter, palette))


def _place(rng: np.random.Generator, size: int, diameter: float, palette: Sequence[Color]) -> Place:
    x, y = (float(value) * size for value in rng.uniform(-0.1, 1.1, 2))
    return Place(x=x, y=y, size=diameter, palette=palette)
