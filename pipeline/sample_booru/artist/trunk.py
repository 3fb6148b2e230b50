"""The upper garment, without its sleeves and its collar."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import BUST, HIP, WAIST, build, torso_side
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import (
    Points,
    ellipse,
    join,
    mirror,
    polyline,
    spline,
    to_side,
)
from pipeline.sample_booru.artist.palette import Material, mix
from pipeline.sample_booru.artist.pattern import draw_print
from pipeline.sample_booru.artist.wardrobe import Fabrics

_LOOSE = {
    "hoodie": 0.24,
    "coat": 0.26,
    "sweater": 0.13,
    "blazer": 0.08,
    "kimono": 0.14,
    "shirt": 0.06,
    "serafuku": 0.07,
    "sundress": 0.0,
}
_HEM = {
    "hoodie": 4.75,
    "coat": 6.3,
    "sweater": 4.6,
    "blazer": 4.65,
    "kimono": 3.94,
    "shirt": 3.75,
    "serafuku": 3.72,
    "sundress": 3.6,
}


def draw_trunk(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    """Draw the upper garment without its sleeves and collar."""
    top = person.outfit.top
    fabric = fabrics.second if top in ("serafuku", "shirt") else fabrics.main
    side = _trunk_side(person)
    x, y = float(side[0, 0]), float(side[0, 1])
    neckline = spline((-x, y), (0.0, y + 0.14), (x, y))
    shape = join(side, mirror(side), neckline)
    with canvas.clipped(shape, fabric.base) as inner:
        inner.gradient((2.4, fabric.base), (6.0, mix(fabric.base, fabric.shade, 0.5)))
        draw_print(inner, person, fabrics, 1.7, 4.8)
        _draw_trunk_shadows(inner, person, fabric)
        if top in ("shirt", "coat"):
            _draw_buttons(inner, person, fabric, fabrics)
        if top == "hoodie":
            _draw_pouch(inner, fabric)
        if top == "kimono":
            _draw_obi(inner, fabrics)
        if top == "sweater":
            _draw_ribbing(inner, fabric)
    canvas.stroke(side, fabric.ink, 1.0, (0.4, 0.9))
    canvas.stroke(mirror(side), fabric.ink, 1.0, (0.9, 0.4))
    canvas.stroke(neckline, fabric.ink, 0.9)
    canvas.stroke(
        polyline(tuple(side[-1]), (-side[-1, 0], side[-1, 1])), fabric.ink, 1.0, (0.8, 0.8)
    )


def _trunk_side(person: Character) -> Points:
    """Return the right side of the upper garment, from the neckline down to the hem."""
    b, top = build(person), person.outfit.top
    if top == "sundress":
        return spline(
            (0.40, 2.22), (0.62, 2.10), (b.chest - 0.02, 2.50), (b.chest, BUST), (b.waist, WAIST),
            (b.waist + 0.02, 3.65),
        )  # fmt: skip
    if top == "coat":
        return spline(
            (b.neck + 0.1, 1.48), (b.shoulder * 0.75, 1.60), (b.shoulder, 1.76),
            (b.chest + 0.16, 2.5), (b.waist + 0.26, WAIST), (b.hip + 0.34, HIP + 0.3),
            (b.hip + 0.55, 6.3),
        )  # fmt: skip
    return torso_side(person, _HEM[top], _LOOSE[top])


def _draw_trunk_shadows(inner: Canvas, person: Character, fabric: Material) -> None:
    b = build(person)
    side = spline(
        (b.chest + 0.3, 2.28),
        (b.chest * 0.82, 2.46),
        (b.chest * 0.66, 2.85),
        (b.waist * 0.60, WAIST),
        (b.hip * 0.68, HIP),
        (b.hip * 0.8, 6.4),
    )
    inner.darken(join(side, polyline((3.0, 6.4), (3.0, 2.28))), fabric)
    if person.girl and person.outfit.top not in ("coat", "hoodie", "kimono"):
        for one in (-1.0, 1.0):
            upper = spline((0.10, 2.84), (0.38, 3.02), (0.72, 2.84))
            lower = spline((0.72, 2.84), (0.46, 3.14), (0.10, 2.84))
            inner.darken(to_side(join(upper, lower), one), fabric)
            inner.stroke(
                to_side(spline((0.20, 2.93), (0.40, 3.02), (0.62, 2.93)), one),
                fabric.ink,
                0.6,
                (0, 0),
            )
    for one in (-1.0, 1.0):
        fold = to_side(
            spline((b.chest * 0.98, 2.30), (b.chest * 0.72, 2.46), (b.chest * 0.55, 2.48)), one
        )
        inner.stroke(fold, fabric.ink, 0.8, (0.8, 0))
        fold = to_side(
            spline(
                (b.waist + 0.2, WAIST - 0.05),
                (b.waist * 0.72, WAIST + 0.08),
                (b.waist * 0.5, WAIST + 0.02),
            ),
            one,
        )
        inner.stroke(fold, fabric.ink, 0.75, (0.8, 0))


def _draw_buttons(inner: Canvas, person: Character, fabric: Material, fabrics: Fabrics) -> None:
    if person.outfit.top == "coat":
        inner.stroke(spline((0.10, 1.6), (0.14, 3.0), (0.12, 6.4)), fabric.ink, 0.9, (1, 1))
        for y in (2.5, 3.2, 3.9):
            for x in (-0.16, 0.36):
                inner.shape(ellipse(x, y, 0.07, 0.075, 20), fabrics.accent.base, fabric.ink, 0.75)
        return
    for x in (-0.09, 0.09):
        inner.stroke(polyline((x, 1.6), (x, 4.0)), fabric.ink, 0.6, (1, 1))
    for down in np.arange(2.15, 3.7, 0.42):
        inner.shape(ellipse(0.0, float(down), 0.036, 0.038, 14), fabric.light, fabric.ink, 0.6)


def _draw_pouch(inner: Canvas, fabric: Material) -> None:
    pocket = spline(
        (-0.42, 3.55),
        (0.0, 3.53),
        (0.42, 3.55),
        (0.72, 4.25),
        (0.70, 4.45),
        (0.0, 4.5),
        (-0.70, 4.45),
        (-0.72, 4.25),
    )
    inner.shade(pocket + np.array([0.04, 0.06]), fabric.shade)
    inner.shape(pocket, fabric.base, fabric.ink, 0.9)
    inner.stroke(polyline((-2, 4.52), (2, 4.52)), fabric.ink, 0.9, (1, 1))


def _draw_obi(inner: Canvas, fabrics: Fabrics) -> None:
    band = polyline((-2, 3.02), (2, 3.02), (2, 3.92), (-2, 3.92))
    inner.fill(band, fabrics.accent.base)
    inner.shade(polyline((0.30, 3.02), (2, 3.02), (2, 3.92), (0.42, 3.92)), fabrics.accent.shade)
    inner.outline(band, fabrics.accent.ink)
    inner.shape(
        polyline((-2, 3.40), (2, 3.40), (2, 3.54), (-2, 3.54)),
        fabrics.second.base,
        fabrics.second.ink,
        0.8,
    )


def _draw_ribbing(inner: Canvas, fabric: Material) -> None:
    inner.stroke(polyline((-2, 4.35), (2, 4.35)), fabric.ink, 0.9, (1, 1))
    for x in np.arange(-1.1, 1.15, 0.17):
        inner.stroke(polyline((float(x), 4.38), (float(x), 4.6)), fabric.ink, 0.6, (1, 1))
