"""Ties, bows, scarves and chokers."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import build
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import ellipse, join, line, sided, smooth
from pipeline.sample_booru.artist.palette import Material, mix, rgb
from pipeline.sample_booru.artist.wardrobe import Wardrobe


def neckwear(canvas: Canvas, person: Character, cloths: Wardrobe, y: float) -> None:
    """What is worn around the neck; `y` is where a tie or a bow has its knot, in body units."""
    kind = person.outfit.neck
    if kind == "necktie":
        _necktie(canvas, cloths.accent, y)
    elif kind == "ribbon":
        bow_tie(canvas, cloths.accent, 0.0, y + 0.02, 0.46)
    elif kind == "scarf":
        _scarf(canvas, person, cloths.accent)
    elif kind == "choker":
        _choker(canvas)


def _choker(canvas: Canvas) -> None:
    band = join(
        smooth((-0.27, 1.16), (0.0, 1.25), (0.27, 1.16)),
        smooth((0.27, 1.27), (0.0, 1.37), (-0.27, 1.27)),
    )
    canvas.shape(band, rgb("37323c"), rgb("1c181f"), 0.8)
    canvas.shape(ellipse(0.0, 1.38, 0.05, 0.055, 18), rgb("e8c661"), rgb("4a3512"), 0.7)


def _scarf(canvas: Canvas, person: Character, cloth: Material) -> None:
    side = person.hair.side
    end = sided(
        join(
            smooth((0.10, 1.62), (0.06, 2.4), (0.12, 3.3)),
            smooth((0.62, 3.26), (0.58, 2.4), (0.50, 1.6)),
        ),
        side,
    )
    with canvas.inside(end, cloth.base) as inner:
        inner.shade(
            sided(smooth((0.4, 1.6), (0.42, 2.4), (0.46, 3.4), (0.9, 3.4), (0.9, 1.6)), side),
            cloth.shade,
        )
        for y in (2.85, 3.02):
            inner.stroke(line((-1, y), (1, y)), cloth.ink, 0.8, (1, 1))
    canvas.outline(end, cloth.ink)
    b = build(person)
    wrap = join(
        smooth((-b.neck - 0.20, 1.06), (0.0, 1.28), (b.neck + 0.20, 1.06)),
        smooth(
            (b.neck + 0.44, 1.34),
            (b.neck + 0.30, 1.72),
            (0.0, 1.90),
            (-b.neck - 0.32, 1.70),
            (-b.neck - 0.42, 1.34),
        ),
    )
    with canvas.inside(wrap, cloth.base) as inner:
        inner.shade(smooth((-0.7, 0.9), (-0.2, 1.38), (0.2, 1.44), (0.8, 0.9)), cloth.shade)
        inner.stroke(smooth((-0.62, 1.30), (-0.1, 1.56), (0.50, 1.52)), cloth.ink, 0.8, (0.6, 0))
        inner.stroke(smooth((0.62, 1.36), (0.2, 1.66), (-0.2, 1.72)), cloth.ink, 0.7, (0.6, 0))
    canvas.outline(wrap, cloth.ink)


def _necktie(canvas: Canvas, cloth: Material, y: float) -> None:
    tail = line(
        (-0.09, y + 0.1), (0.09, y + 0.1), (0.18, y + 1.05), (0.0, y + 1.28), (-0.17, y + 1.05)
    )
    with canvas.inside(tail, cloth.base) as inner:
        inner.shade(line((0.05, y), (0.3, y), (0.3, y + 1.3), (0.0, y + 1.3)), cloth.shade)
    canvas.outline(tail, cloth.ink, 0.95)
    knot = line((-0.13, y - 0.12), (0.13, y - 0.12), (0.09, y + 0.12), (-0.09, y + 0.12))
    canvas.shape(knot, cloth.base, cloth.ink, 0.95)


def bow_tie(canvas: Canvas, cloth: Material, x: float, y: float, size: float) -> None:
    """A bow of two loops, two tails and a knot; `size` is the length of a loop."""
    local = canvas.within(lambda p: p * size + np.array([x, y]))
    for side in (-1.0, 1.0):
        tail = join(
            sided(smooth((0.05, 0.1), (0.22, 0.7), (0.36, 1.35)), side),
            sided(smooth((0.74, 1.18), (0.48, 0.6), (0.22, 0.05)), side),
        )
        local.shape(tail, mix(cloth.base, cloth.shade, 0.45), cloth.ink, 0.95)
    for side in (-1.0, 1.0):
        loop = sided(
            smooth(
                (0.0, -0.10),
                (0.45, -0.44),
                (0.95, -0.48),
                (1.06, -0.05),
                (0.92, 0.40),
                (0.42, 0.28),
                (0.0, 0.12),
            ),
            side,
        )
        with local.inside(loop, cloth.base) as inner:
            inner.shade(
                sided(smooth((0.1, 0.05), (0.5, 0.02), (0.98, 0.10), (1.2, 0.6), (0.3, 0.6)), side),
                cloth.shade,
            )
            inner.stroke(
                sided(smooth((0.12, -0.04), (0.40, -0.14), (0.66, -0.16)), side),
                cloth.ink,
                0.7,
                (0.8, 0),
            )
            inner.stroke(
                sided(smooth((0.12, 0.06), (0.36, 0.08), (0.56, 0.14)), side),
                cloth.ink,
                0.7,
                (0.8, 0),
            )
        local.outline(loop, cloth.ink, 0.95)
    knot = smooth(
        (-0.17, -0.17),
        (0.17, -0.17),
        (0.19, 0.0),
        (0.16, 0.20),
        (-0.16, 0.20),
        (-0.19, 0.0),
        closed=True,
    )
    local.shape(knot, cloth.base, cloth.ink, 0.95)
