"""Collars, which lie on the shoulders, over the sleeves."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import Build, build
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import (
    Points,
    ellipse,
    join,
    mirror,
    polyline,
    ribbon,
    spline,
    to_side,
)
from pipeline.sample_booru.artist.neckwear import draw_neckwear
from pipeline.sample_booru.artist.palette import SKINS, Material, mix
from pipeline.sample_booru.artist.wardrobe import Fabrics


def draw_collar(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    """Draw the collar; after the arms, since it lies on the shoulders."""
    draw = {
        "serafuku": _sailor, "blazer": _lapels, "hoodie": _hood, "sundress": _straps,
        "kimono": _crossed, "sweater": _turtleneck, "shirt": _shirt, "coat": _coat_collar,
    }[person.outfit.top]  # fmt: skip
    draw(canvas, person, fabrics)


def _wing(b: Build, drop: float, out: float) -> Points:
    """Return the right wing of a shirt collar."""
    return join(
        spline((b.neck + 0.02, 1.28), (b.neck + 0.14, 1.42), (b.neck + 0.16 + out, 1.60)),
        spline((b.neck + 0.16 + out, 1.60), (0.34, 1.80 + drop), (0.24, 1.92 + drop)),
        spline((0.24, 1.92 + drop), (0.10, 1.72), (0.02, 1.60)),
        spline((0.02, 1.60), (0.16, 1.50), (b.neck + 0.02, 1.28)),
    )


def _draw_collar_wings(canvas: Canvas, person: Character, fabric: Material) -> None:
    wing = _wing(build(person), 0.0, 0.10)
    for shape in (wing, mirror(wing)):
        canvas.shape(shape, fabric.base, fabric.ink, 0.95)


def _sailor(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    b = build(person)
    skin = SKINS[person.face.skin]
    opening = join(
        spline((-b.neck - 0.12, 1.42), (-0.24, 1.8), (0.0, 2.35)),
        spline((0.0, 2.35), (0.28, 1.8), (b.neck + 0.12, 1.42)),
    )
    with canvas.clipped(opening, skin.base) as inner:
        inner.shade(spline((-0.6, 1.2), (-0.2, 1.50), (0.15, 1.62), (0.6, 1.3)), skin.shade)
        inner.shape(
            polyline((-1, 1.88), (1, 1.88), (1, 2.6), (-1, 2.6)),
            fabrics.second.base,
            fabrics.second.ink,
            0.8,
        )
    flap = join(
        spline((b.neck + 0.06, 1.36), (0.62, 1.54), (b.shoulder * 0.86, 1.66)),
        spline((b.shoulder * 0.86, 1.66), (b.shoulder * 0.80, 1.96), (0.40, 2.38), (0.0, 2.52)),
        spline((0.0, 2.36), (0.17, 1.90), (b.neck + 0.03, 1.36)),
    )
    for side in (1.0, -1.0):
        shape = to_side(flap, side)
        with canvas.clipped(shape, fabrics.main.base) as inner:
            inner.shade(
                to_side(spline((0.62, 1.5), (0.70, 1.8), (0.3, 2.4), (1.2, 2.4), (1.2, 1.5)), side)
                if side > 0
                else to_side(spline((0.1, 2.1), (0.25, 1.9), (0.3, 2.4), (0.0, 2.5)), side),
                fabrics.main.shade,
            )
            stripe = to_side(
                spline(
                    (b.shoulder * 0.78, 1.60), (b.shoulder * 0.70, 1.92), (0.36, 2.28), (0.0, 2.44)
                ),
                side,
            )
            pale = fabrics.second.base[0] > 150
            color = fabrics.second.light if pale else fabrics.accent.base
            inner.shade(ribbon(stripe, (0.022, 0.022)), color)  # fabric, not a line
        canvas.outline(shape, fabrics.main.ink)
    draw_neckwear(canvas, person, fabrics, 2.36)


def _lapels(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    b = build(person)
    front = join(
        spline((-b.neck - 0.1, 1.42), (-0.34, 2.0), (-0.02, 3.0)),
        spline((0.02, 3.0), (0.34, 2.0), (b.neck + 0.1, 1.42)),
    )
    with canvas.clipped(front, fabrics.second.base) as inner:
        inner.shade(
            spline((-0.6, 1.3), (-0.2, 1.66), (0.15, 1.74), (0.6, 1.4)), fabrics.second.shade
        )
        inner.stroke(polyline((0.0, 1.6), (0.0, 3.0)), fabrics.second.ink, 0.6, (1, 1))
    _draw_collar_wings(canvas, person, fabrics.second)
    draw_neckwear(canvas, person, fabrics, 1.80)
    lapel = join(
        spline((b.neck + 0.10, 1.40), (0.52, 1.56), (0.62, 1.72)),
        polyline((0.62, 1.72), (0.80, 2.04), (0.62, 2.06), (0.66, 2.22)),
        spline((0.66, 2.22), (0.40, 2.64), (0.04, 3.04)),
        spline((0.02, 3.0), (0.24, 2.3), (0.30, 1.9), (b.neck + 0.10, 1.40)),
    )
    for shape in (lapel, mirror(lapel)):
        canvas.shape(shape, fabrics.main.base, fabrics.main.ink)
    canvas.stroke(spline((0.03, 3.02), (0.08, 3.8), (0.22, 4.62)), fabrics.main.ink, 0.9, (1, 0.8))
    for y in (3.22, 3.72):
        canvas.shape(
            ellipse(-0.10, y, 0.062, 0.066, 18), fabrics.accent.light, fabrics.main.ink, 0.75
        )


def _hood(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    b, fabric = build(person), fabrics.main
    roll = join(
        spline((0.0, 2.22), (0.30, 1.98), (b.neck + 0.10, 1.50), (b.neck + 0.06, 1.20)),
        spline(
            (b.neck + 0.28, 1.16),
            (b.shoulder * 0.80, 1.44),
            (b.shoulder * 0.76, 1.80),
            (0.42, 2.16),
            (0.0, 2.36),
        ),
    )
    for side in (1.0, -1.0):
        shape = to_side(roll, side)
        with canvas.clipped(shape, fabric.base) as inner:
            shadow = spline(
                (0.02, 2.30), (0.34, 2.04), (0.58, 1.66), (0.52, 1.2), (0.3, 1.2), (b.neck, 1.6)
            )
            inner.shade(to_side(shadow, side), mix(fabric.base, fabric.shade, 0.8))
        canvas.outline(shape, fabric.ink)
    for side, long in ((-1.0, 0.62), (1.0, 0.72)):
        cord = spline(
            (0.16 * side, 2.20), (0.20 * side, 2.20 + long * 0.5), (0.17 * side, 2.20 + long)
        )
        canvas.stroke(cord, fabrics.second.ink, 2.3, (1, 1))
        canvas.stroke_paper(cord, fabrics.second.base, 1.1)


def _straps(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    for side in (-1.0, 1.0):
        strap = join(
            to_side(spline((0.46, 2.24), (0.50, 1.9), (0.56, 1.60)), side),
            to_side(spline((0.66, 1.60), (0.62, 1.9), (0.60, 2.18)), side),
        )
        canvas.shape(strap, fabrics.main.base, fabrics.main.ink, 0.85)
    frill = join(
        spline((-0.66, 2.14), (-0.40, 2.24), (0.0, 2.36), (0.40, 2.24), (0.66, 2.14)),
        _scallops(0.70, 2.36, 9),
    )
    canvas.shape(frill, fabrics.second.base, fabrics.second.ink, 0.9)
    band = polyline((-1.0, 3.46), (1.0, 3.46), (1.0, 3.66), (-1.0, 3.66))
    b = build(person)
    band[:, 0] *= b.waist + 0.03
    canvas.shape(band, fabrics.accent.base, fabrics.accent.ink, 0.95)


def _scallops(wide: float, y: float, count: int) -> Points:
    x = np.linspace(wide, -wide, count * 6 + 1)
    wave = 0.07 * np.abs(np.sin((x / wide + 1) * np.pi / 2 * count))
    return np.stack([x, y + wave + 0.10 * (1 - (x / wide) ** 2)], axis=1)


def _crossed(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    b = build(person)
    skin = SKINS[person.face.skin]
    opening = polyline((-b.neck - 0.1, 1.45), (0.0, 2.05), (b.neck + 0.1, 1.45))
    with canvas.clipped(opening, skin.base) as inner:
        inner.shade(spline((-0.6, 1.3), (-0.1, 1.55), (0.15, 1.62), (0.6, 1.3)), skin.shade)
    right = join(
        spline((b.neck + 0.02, 1.30), (0.34, 1.62), (-0.02, 2.2), (-0.42, 3.04)),
        spline((-0.14, 3.04), (0.24, 2.35), (0.56, 1.75), (b.neck + 0.22, 1.34)),
    )
    left = right * np.array([-1.0, 1.0])
    for shape in (right, left):
        canvas.shape(shape, fabrics.second.base, fabrics.second.ink)
    outer = join(
        spline((-b.neck - 0.20, 1.34), (-0.56, 1.75), (-0.24, 2.35), (0.14, 3.04)),
        spline((0.26, 3.04), (-0.12, 2.35), (-0.66, 1.64)),
    )
    canvas.shape(outer, fabrics.main.base, fabrics.main.ink)


def _turtleneck(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    b, fabric = build(person), fabrics.main
    roll = join(
        spline((-b.neck - 0.06, 1.12), (0.0, 1.30), (b.neck + 0.06, 1.12)),
        spline((b.neck + 0.17, 1.50), (0.0, 1.72), (-b.neck - 0.17, 1.50)),
    )
    with canvas.clipped(roll, fabric.base) as inner:
        inner.shade(spline((-0.6, 1.0), (-0.2, 1.42), (0.15, 1.48), (0.6, 1.0)), fabric.shade)
        for x in np.arange(-0.42, 0.45, 0.105):
            inner.stroke(
                spline((float(x), 1.2), (float(x) * 1.08, 1.5), (float(x) * 1.2, 1.72)),
                fabric.ink,
                0.55,
                (0.5, 0.5),
            )
    canvas.outline(roll, fabric.ink)


def _shirt(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    skin = SKINS[person.face.skin]
    b = build(person)
    opening = polyline((-b.neck, 1.40), (0.0, 1.72), (b.neck, 1.40))
    with canvas.clipped(opening, skin.base) as inner:
        inner.shade(opening, skin.shade)
    _draw_collar_wings(canvas, person, fabrics.second)
    draw_neckwear(canvas, person, fabrics, 1.80)


def _coat_collar(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    b, fabric = build(person), fabrics.main
    flap = join(
        spline((b.neck - 0.02, 1.20), (b.neck + 0.20, 1.30), (0.82, 1.70)),
        spline((0.82, 1.70), (0.66, 2.02), (0.36, 2.24)),
        spline((0.36, 2.24), (0.16, 1.94), (0.06, 1.72)),
        spline((0.06, 1.72), (0.18, 1.5), (b.neck - 0.02, 1.20)),
    )
    for shape in (flap, mirror(flap)):
        canvas.shape(shape, fabric.base, fabric.ink)
    draw_neckwear(canvas, person, fabrics, 1.80)
