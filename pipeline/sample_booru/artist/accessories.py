"""Accessories on the head."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Points, ellipse, join, polyline, spline, to_side
from pipeline.sample_booru.artist.neckwear import draw_bow
from pipeline.sample_booru.artist.palette import SKINS, Material, material, mix, rgb
from pipeline.sample_booru.artist.wardrobe import Fabrics


def draw_accessory_behind(canvas: Canvas, person: Character, hair: Material) -> None:
    """Draw the part of an accessory that the hair covers: cat ears."""
    if person.outfit.accessory == "cat_ears":
        for side in (-1.0, 1.0):
            ear = to_side(
                join(
                    spline((0.16, -1.05), (0.42, -1.48), (0.80, -1.74)),
                    spline((0.80, -1.74), (0.98, -1.20), (0.94, -0.60)),
                ),
                side,
            )
            inside = to_side(
                join(
                    spline((0.36, -1.02), (0.52, -1.34), (0.76, -1.56)),
                    spline((0.76, -1.56), (0.86, -1.16), (0.84, -0.7)),
                ),
                side,
            )
            canvas.shape(ear, hair.base, hair.ink, 1.1)
            canvas.shape(
                inside, mix(SKINS[person.face.skin].shade, rgb("f08a98"), 0.35), hair.ink, 0.7
            )


def draw_accessory(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    """Draw the accessory on the hair."""
    side = -person.hair.side
    shift = -0.10 * float(np.sin(person.yaw))
    local = canvas.transformed(lambda p: p + np.array([shift, 0.0]))
    accessory = person.outfit.accessory
    if accessory in _DRAWING_FUNCTIONS:
        _DRAWING_FUNCTIONS[accessory](local, side, fabrics)
    if person.hair.style in ("twintails", "two_side_up"):
        for one in (-1.0, 1.0):
            draw_bow(local, fabrics.accent, 0.93 * one, -0.66, 0.26)


def _bow(local: Canvas, side: float, fabrics: Fabrics) -> None:
    draw_bow(
        local.transformed(
            lambda p: (
                p @ np.array([[0.9, 0.42 * side], [-0.42 * side, 0.9]])
                + np.array([0.62 * side, -0.98])
            )
        ),
        fabrics.accent,
        0.0,
        0.0,
        0.44,
    )


def _hairband(local: Canvas, side: float, fabrics: Fabrics) -> None:
    low = spline((-1.02, -0.30), (-0.80, -0.78), (0.0, -1.06), (0.80, -0.78), (1.02, -0.30))
    high = spline((-1.09, -0.36), (-0.90, -0.88), (0.0, -1.24), (0.90, -0.88), (1.09, -0.36))
    band = join(low, high[::-1])
    local.shape(band, fabrics.accent.base, fabrics.accent.ink)
    if side > 0:
        draw_bow(local, fabrics.accent, 0.62, -0.92, 0.24)


def _beret(local: Canvas, side: float, fabrics: Fabrics) -> None:
    fabric = fabrics.accent
    cap = to_side(
        spline(
            (-1.02, -0.62),
            (-1.16, -1.02),
            (-0.78, -1.50),
            (0.0, -1.66),
            (0.86, -1.56),
            (1.30, -1.12),
            (1.12, -0.70),
            (0.5, -0.86),
            (-0.3, -0.84),
            closed=True,
        ),
        side,
    )
    with local.clipped(cap, fabric.base) as inner:
        inner.shade(
            spline((0.2, -0.7), (0.75, -1.05), (0.8, -1.6), (1.6, -1.5), (1.5, -0.5)), fabric.shade
        )
        inner.stroke(
            to_side(spline((-0.9, -0.72), (-0.2, -1.0), (0.6, -1.0), (1.1, -0.8)), side),
            fabric.ink,
            0.7,
            (0.5, 0.5),
        )
    local.outline(cap, fabric.ink, 1.1)
    local.shape(ellipse(0.05 * side, -1.68, 0.05, 0.09, 16), fabric.base, fabric.ink, 0.9)


def _straw_hat(local: Canvas, side: float, fabrics: Fabrics) -> None:
    straw = material(rgb("f0d9a0"))
    brim = spline(
        (-1.75, -0.58),
        (-1.1, -0.92),
        (0.0, -1.02),
        (1.1, -0.92),
        (1.75, -0.58),
        (1.0, -0.52),
        (0.0, -0.62),
        (-1.0, -0.52),
        closed=True,
    )
    crown = spline(
        (-0.98, -0.86),
        (-0.94, -1.36),
        (-0.55, -1.70),
        (0.0, -1.76),
        (0.55, -1.70),
        (0.94, -1.36),
        (0.98, -0.86),
        (0.0, -0.96),
    )
    with local.clipped(crown, straw.base) as inner:
        inner.shade(
            spline((0.5, -0.8), (0.62, -1.3), (0.45, -1.8), (1.2, -1.8), (1.2, -0.8)), straw.shade
        )
    local.outline(crown, straw.ink, 1.05)
    ribbon = join(
        spline((-0.98, -1.16), (0.0, -1.26), (0.98, -1.16)),
        spline((1.0, -0.82), (0.0, -0.94), (-1.0, -0.82)),
    )
    local.shape(ribbon, fabrics.accent.base, fabrics.accent.ink)
    with local.clipped(brim, straw.base) as inner:
        inner.shade(
            spline((-1.9, -0.5), (-1.0, -0.62), (0.0, -0.72), (1.0, -0.62), (1.9, -0.5), (0, 0)),
            straw.shade,
        )
    local.outline(brim, straw.ink, 1.1)
    draw_bow(local, fabrics.accent, 0.7 * side, -1.04, 0.28)


def _headphones(local: Canvas, _side: float, fabrics: Fabrics) -> None:
    dark = material(rgb("4a4854"))
    band = join(
        spline(
            (-1.10, 0.10),
            (-1.14, -0.6),
            (-0.72, -1.20),
            (0.0, -1.40),
            (0.72, -1.20),
            (1.14, -0.6),
            (1.10, 0.10),
        ),
        spline(
            (1.02, 0.10),
            (1.04, -0.56),
            (0.66, -1.08),
            (0.0, -1.24),
            (-0.66, -1.08),
            (-1.04, -0.56),
            (-1.02, 0.10),
        ),
    )
    local.shape(band, dark.base, dark.ink, 0.95)
    for one in (-1.0, 1.0):
        cup = ellipse(1.08 * one, 0.24, 0.20, 0.34)
        local.shape(cup, dark.base, dark.ink, 1.05)
        local.shape(
            ellipse(1.12 * one, 0.24, 0.12, 0.24), fabrics.accent.base, fabrics.accent.ink, 0.85
        )


def _petals(x: float, y: float, size: float) -> list[Points]:
    petals = []
    for index in range(5):
        a = index * 2 * np.pi / 5 - np.pi / 2
        petals.append(
            ellipse(
                x + size * 0.62 * float(np.cos(a)),
                y + size * 0.62 * float(np.sin(a)),
                size * 0.52,
                size * 0.52,
                24,
            )
        )
    return petals


def _flower(local: Canvas, side: float, fabrics: Fabrics) -> None:
    x, y = 0.80 * side, -0.52
    leaf = material(rgb("7aa874"))
    for angle in (0.5, 2.2):
        tip = (x + 0.42 * side * float(np.cos(angle)), y + 0.42 * float(np.sin(angle)))
        local.shape(
            spline(
                (x, y),
                ((x + tip[0]) / 2 + 0.08, (y + tip[1]) / 2),
                tip,
                ((x + tip[0]) / 2 - 0.08, (y + tip[1]) / 2 + 0.05),
            ),
            leaf.base,
            leaf.ink,
            0.9,
        )
    petal = material(mix(fabrics.accent.base, (255, 255, 255), 0.25))
    for shape in _petals(x, y, 0.30):
        local.shape(shape, petal.base, petal.ink, 0.9)
    for shape in _petals(x, y, 0.17):
        local.shade(shape, petal.light)
    local.shape(ellipse(x, y, 0.08, 0.08, 20), rgb("f4d35e"), rgb("5a3d12"), 0.8)


def _hairclip(local: Canvas, side: float, fabrics: Fabrics) -> None:
    for step in (0.0, 0.15):
        clip = polyline(
            (0.58, -0.30 + step), (0.90, -0.18 + step), (0.88, -0.10 + step), (0.56, -0.22 + step)
        )
        local.shape(to_side(clip, side), fabrics.accent.base, fabrics.accent.ink, 0.85)


_DRAWING_FUNCTIONS = {
    "bow": _bow,
    "hairband": _hairband,
    "beret": _beret,
    "straw_hat": _straw_hat,
    "headphones": _headphones,
    "flower": _flower,
    "hairclip": _hairclip,
}
