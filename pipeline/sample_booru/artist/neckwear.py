"""Ties, bows, scarves and chokers."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import build
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import ellipse, join, polyline, spline, to_side
from pipeline.sample_booru.artist.palette import Material, mix, rgb
from pipeline.sample_booru.artist.wardrobe import Fabrics


def draw_neckwear(canvas: Canvas, person: Character, fabrics: Fabrics, y: float) -> None:
    """Draw what is worn around the neck; `y` is the height of a knot, in body units."""
    item = person.outfit.neck
    if item == "necktie":
        _draw_necktie(canvas, fabrics.accent, y)
    elif item == "ribbon":
        draw_bow(canvas, fabrics.accent, 0.0, y + 0.02, 0.46)
    elif item == "scarf":
        _draw_scarf(canvas, person, fabrics.accent)
    elif item == "choker":
        _draw_choker(canvas)


def _draw_choker(canvas: Canvas) -> None:
    band = join(
        spline((-0.27, 1.16), (0.0, 1.25), (0.27, 1.16)),
        spline((0.27, 1.27), (0.0, 1.37), (-0.27, 1.27)),
    )
    canvas.shape(band, rgb("37323c"), rgb("1c181f"), 0.8)
    canvas.shape(ellipse(0.0, 1.38, 0.05, 0.055, 18), rgb("e8c661"), rgb("4a3512"), 0.7)


def _draw_scarf(canvas: Canvas, person: Character, fabric: Material) -> None:
    side = person.hair.side
    end = to_side(
        join(
            spline((0.10, 1.62), (0.06, 2.4), (0.12, 3.3)),
            spline((0.62, 3.26), (0.58, 2.4), (0.50, 1.6)),
        ),
        side,
    )
    with canvas.clipped(end, fabric.base) as inner:
        inner.shade(
            to_side(spline((0.4, 1.6), (0.42, 2.4), (0.46, 3.4), (0.9, 3.4), (0.9, 1.6)), side),
            fabric.shade,
        )
        for y in (2.85, 3.02):
            inner.stroke(polyline((-1, y), (1, y)), fabric.ink, 0.8, (1, 1))
    canvas.outline(end, fabric.ink)
    b = build(person)
    wrap = join(
        spline((-b.neck - 0.20, 1.06), (0.0, 1.28), (b.neck + 0.20, 1.06)),
        spline(
            (b.neck + 0.44, 1.34),
            (b.neck + 0.30, 1.72),
            (0.0, 1.90),
            (-b.neck - 0.32, 1.70),
            (-b.neck - 0.42, 1.34),
        ),
    )
    with canvas.clipped(wrap, fabric.base) as inner:
        inner.shade(spline((-0.7, 0.9), (-0.2, 1.38), (0.2, 1.44), (0.8, 0.9)), fabric.shade)
        inner.stroke(spline((-0.62, 1.30), (-0.1, 1.56), (0.50, 1.52)), fabric.ink, 0.8, (0.6, 0))
        inner.stroke(spline((0.62, 1.36), (0.2, 1.66), (-0.2, 1.72)), fabric.ink, 0.7, (0.6, 0))
    canvas.outline(wrap, fabric.ink)


def _draw_necktie(canvas: Canvas, fabric: Material, y: float) -> None:
    tail = polyline(
        (-0.09, y + 0.1), (0.09, y + 0.1), (0.18, y + 1.05), (0.0, y + 1.28), (-0.17, y + 1.05)
    )
    with canvas.clipped(tail, fabric.base) as inner:
        inner.shade(polyline((0.05, y), (0.3, y), (0.3, y + 1.3), (0.0, y + 1.3)), fabric.shade)
    canvas.outline(tail, fabric.ink, 0.95)
    knot = polyline((-0.13, y - 0.12), (0.13, y - 0.12), (0.09, y + 0.12), (-0.09, y + 0.12))
    canvas.shape(knot, fabric.base, fabric.ink, 0.95)


def draw_bow(canvas: Canvas, fabric: Material, x: float, y: float, size: float) -> None:
    """Draw a bow of two loops, two tails and a knot; `size` is the length of a loop."""
    local = canvas.transformed(lambda p: p * size + np.array([x, y]))
    for side in (-1.0, 1.0):
        tail = join(
            to_side(spline((0.05, 0.1), (0.22, 0.7), (0.36, 1.35)), side),
            to_side(spline((0.74, 1.18), (0.48, 0.6), (0.22, 0.05)), side),
        )
        local.shape(tail, mix(fabric.base, fabric.shade, 0.45), fabric.ink, 0.95)
    for side in (-1.0, 1.0):
        loop = to_side(
            spline(
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
        with local.clipped(loop, fabric.base) as inner:
            inner.shade(
                to_side(
                    spline((0.1, 0.05), (0.5, 0.02), (0.98, 0.10), (1.2, 0.6), (0.3, 0.6)), side
                ),
                fabric.shade,
            )
            inner.stroke(
                to_side(spline((0.12, -0.04), (0.40, -0.14), (0.66, -0.16)), side),
                fabric.ink,
                0.7,
                (0.8, 0),
            )
            inner.stroke(
                to_side(spline((0.12, 0.06), (0.36, 0.08), (0.56, 0.14)), side),
                fabric.ink,
                0.7,
                (0.8, 0),
            )
        local.outline(loop, fabric.ink, 0.95)
    knot = spline(
        (-0.17, -0.17),
        (0.17, -0.17),
        (0.19, 0.0),
        (0.16, 0.20),
        (-0.16, 0.20),
        (-0.19, 0.0),
        closed=True,
    )
    local.shape(knot, fabric.base, fabric.ink, 0.95)
