"""Clothes below the waist: skirts, trousers and shoes."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import (
    ANKLE,
    CROTCH,
    KNEE,
    SOLE,
    WAIST,
    ankle_x,
    build,
    draw_legs,
    leg_edges,
)
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Points, join, mirror, polyline, spline, to_side
from pipeline.sample_booru.artist.palette import Material, material, mix, rgb
from pipeline.sample_booru.artist.pattern import draw_print
from pipeline.sample_booru.artist.wardrobe import Fabrics, outfit_fabrics

STOCKINGS = {"socks": 10.0, "kneehighs": 8.35, "thighhighs": 6.35, "pantyhose": 4.0}


def draw_lower_body(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    """Draw legs, stockings, shoes and the lower garment."""
    outfit = person.outfit
    wear = outfit.legwear
    dark = material(rgb("45424f"), 0.2)
    cover = material(rgb("f6f4f2")) if wear == "socks" else dark
    draw_legs(canvas, person, cover, STOCKINGS[wear])
    if outfit.bottom == "pants" and outfit.top not in ("sundress", "kimono"):
        _draw_pants(canvas, person, _lower_fabric(fabrics, person), ANKLE + 0.1)
    draw_shoes(canvas, person, fabrics)
    if outfit.top == "kimono":
        _draw_kimono_skirt(canvas, person, fabrics.main)
    elif outfit.top == "sundress":
        _draw_long_skirt(canvas, person, fabrics.main, 7.4, 1.95)
    elif outfit.bottom == "pleated_skirt":
        _draw_pleated(canvas, person, _lower_fabric(fabrics, person))
    elif outfit.bottom == "long_skirt":
        _draw_long_skirt(canvas, person, _lower_fabric(fabrics, person), 8.6, 1.75)
    elif outfit.bottom == "shorts":
        _draw_pants(canvas, person, _lower_fabric(fabrics, person), 6.1)


def _lower_fabric(fabrics: Fabrics, person: Character) -> Material:
    if person.outfit.top in ("serafuku", "shirt"):
        return fabrics.main
    if person.outfit.top == "blazer":
        return _mix_materials(fabrics.main, fabrics.accent)
    return material(rgb("4b5068")) if fabrics.main.base[0] > 130 else material(rgb("d9d2c4"))


def _mix_materials(a: Material, b: Material) -> Material:
    """Return a fabric between two."""
    return material(mix(a.base, b.base, 0.35), 0.2)


def _skirt_sides(person: Character, hem: float, wide: float, ease: float = 0.02) -> Points:
    b = build(person)
    return spline(
        (b.waist + ease, WAIST + 0.05),
        (b.hip + 0.05, WAIST + 0.75),
        ((b.hip + wide) / 2 + 0.08, (WAIST + 0.75 + hem) / 2),
        (wide, hem),
    )


def _draw_pleated(canvas: Canvas, person: Character, fabric: Material) -> None:
    hem, wide = 5.85, 1.48
    side = _skirt_sides(person, hem, wide)
    count = 9
    x = np.linspace(wide, -wide, count * 2 + 1)
    drop = 0.14 * (1 - (x / wide) ** 2) + np.where(np.arange(count * 2 + 1) % 2 == 0, 0.0, 0.07)
    zigzag = np.stack([x, hem + drop], axis=1)
    shape = join(side, zigzag, mirror(side))
    with canvas.clipped(shape, fabric.base) as inner:
        inner.shade(
            polyline((-2, WAIST), (2, WAIST), (2, WAIST + 0.42), (-2, WAIST + 0.42)), fabric.shade
        )
        if person.generator("hem").random() < 0.5:
            band = join(zigzag + np.array([0, -0.30]), zigzag[::-1] + np.array([0, -0.20]))
            inner.shade(band, mix(fabric.light, (255, 255, 255), 0.5))
        waist = build(person).waist
        for index in range(count * 2 + 1):
            top = (float(x[index]) / wide * waist, WAIST + 0.2)
            low = (float(zigzag[index, 0]), float(zigzag[index, 1]))
            if index % 2 == 1:
                nxt = (float(zigzag[index + 1, 0]), float(zigzag[index + 1, 1]))
                inner.darken(polyline(top, low, nxt), fabric)
            else:
                inner.stroke(
                    spline(low, ((top[0] + low[0]) / 2 * 1.03, (top[1] + low[1]) / 2), top),
                    fabric.ink,
                    0.85,
                    (0.9, 0.2),
                )
    canvas.outline(shape, fabric.ink)


def _draw_long_skirt(
    canvas: Canvas, person: Character, fabric: Material, hem: float, wide: float
) -> None:
    """Draw a skirt that flares in folds, or the lower part of a dress."""
    side = _skirt_sides(person, hem, wide)
    x = np.linspace(wide, -wide, 49)
    low = np.stack([x, hem + 0.16 * (1 - (x / wide) ** 2) + 0.07 * np.sin(x * 6.5)], axis=1)
    shape = join(side, low, mirror(side))
    with canvas.clipped(shape, fabric.base) as inner:
        if person.outfit.top == "sundress":
            draw_print(inner, person, outfit_fabrics(person), WAIST, hem)
        lee = ((0.42, WAIST), (0.62, 5.0), (wide * 0.62, hem + 0.4), (4, hem), (4, WAIST))
        inner.darken(spline(*lee), fabric)
        for share in (-0.72, -0.38, 0.05, 0.34, 0.75):
            fold = spline(
                (share * 0.62, WAIST + 0.2),
                (share * 1.0, (WAIST + hem) / 2),
                (share * wide, hem + 0.1),
            )
            inner.darken(join(fold, polyline((share * wide + 0.22, hem + 0.2))), fabric)
            inner.stroke(fold[::-1], fabric.ink, 0.8, (0.9, 0))
    canvas.outline(shape, fabric.ink)


def _draw_kimono_skirt(canvas: Canvas, person: Character, fabric: Material) -> None:
    """Draw the lower part of a kimono: straight, the left front over the right."""
    hem, wide = 10.3, 1.22
    side = _skirt_sides(person, hem, wide, 0.16)
    shape = join(side, spline((wide, hem), (0.0, hem + 0.16), (-wide, hem)), mirror(side))
    front = spline((0.34, WAIST), (0.20, 6.5), (-0.20, hem + 0.3))
    with canvas.clipped(shape, fabric.base) as inner:
        draw_print(inner, person, outfit_fabrics(person), WAIST, hem)
        lee = ((0.52, WAIST), (0.72, 5.0), (wide * 0.62, hem + 0.4), (4, hem), (4, WAIST))
        inner.darken(spline(*lee), fabric)
        inner.darken(join(front, front[::-1] + np.array([0.26, 0.0])), fabric)
        inner.stroke(front, fabric.ink, 0.95, (0.8, 0.8))
    canvas.outline(shape, fabric.ink)


def _draw_pants(canvas: Canvas, person: Character, fabric: Material, low: float) -> None:
    loose = 0.10 if person.girl else 0.15
    hips = []
    for side in (-1.0, 1.0):
        left, right = leg_edges(person, side)
        seen = [(rim[:, 1] > CROTCH + 0.12) & (rim[:, 1] < low) for rim in (left, right)]
        left = left[seen[0]] - np.array([loose, 0])
        right = right[seen[1]] + np.array([loose, 0])
        hips.append(right[0] if side > 0 else left[0])
        with canvas.clipped(join(left, right[::-1]), fabric.base) as inner:
            inner.shade(join(right, right[::-1] + np.array([-0.22, 0.0])), fabric.shade)
            _draw_leg_folds(inner.transformed(lambda p, side=side: to_side(p, side)), fabric, low)  # type: ignore[misc]
        for rim in (left, right):
            canvas.stroke(rim, fabric.ink, 1.0, (0.9, 0.9))
        canvas.stroke(polyline(tuple(left[-1]), tuple(right[-1])), fabric.ink, 1.0, (1, 1))
    _draw_seat(canvas, person, fabric, hips[0], hips[1])


def _draw_leg_folds(inner: Canvas, fabric: Material, low: float) -> None:
    folds = [spline((0.3, 5.4), (0.5, 5.55), (0.75, 5.55))]
    if low > KNEE:
        folds.append(spline((0.25, 7.75), (0.45, 7.9), (0.7, 7.8)))
        folds.append(spline((0.3, 10.2), (0.45, 10.35), (0.62, 10.25)))
    for fold in folds:
        inner.stroke(fold, fabric.ink, 0.75, (0, 0))


def _draw_seat(
    canvas: Canvas, person: Character, fabric: Material, left: Points, right: Points
) -> None:
    """Draw trousers from the waist to the crotch, between the outer edges of the legs."""
    b = build(person)
    top = ((b.waist - 0.02, WAIST + 0.1), (b.hip - 0.02, 4.45))
    rims = [
        spline(*((x * side, y) for x, y in top), (float(hip[0]), float(hip[1]) + 0.04))
        for side, hip in ((1.0, right), (-1.0, left))
    ]
    seat = join(rims[0], polyline((0.0, 5.42)), rims[1][::-1])
    with canvas.clipped(seat, fabric.base) as inner:
        lee = ((0.55, 3.4), (0.66, 4.6), (0.7, 5.6), (2, 5.6), (2, 3.4))
        inner.shade(spline(*lee), fabric.shade)
        inner.stroke(spline((0.02, 4.0), (0.04, 4.8), (0.0, 5.42)), fabric.ink, 0.8, (0.6, 0.9))
    for rim in rims:
        canvas.stroke(rim, fabric.ink)


def draw_shoes(canvas: Canvas, person: Character, fabrics: Fabrics) -> None:
    """Draw both shoes, seen from the front and a little from above."""
    shoes = person.outfit.shoes
    fabric = {
        "loafers": material(rgb("6a4436")),
        "boots": material(rgb("54443f")),
        "sneakers": fabrics.accent,
    }[shoes]
    for side in (-1.0, 1.0):
        x = ankle_x(person, side) + 0.03 * side
        local = canvas.transformed(lambda p, x=x, side=side: to_side(p, side) + np.array([x, 0.0]))  # type: ignore[misc]
        top = 9.7 if shoes == "boots" else ANKLE + 0.02
        if shoes == "boots":
            shaft = join(
                spline((-0.27, 9.55), (-0.21, 10.3), (-0.20, 10.9)),
                spline((0.22, 10.9), (0.22, 10.3), (0.27, 9.55)),
            )
            local.shape(shaft, fabric.base, fabric.ink)
        foot = spline(
            (-0.19, max(top, 10.62)),
            (-0.23, 10.95),
            (-0.24, SOLE),
            (0.05, SOLE + 0.14),
            (0.36, SOLE + 0.06),
            (0.33, 10.98),
            (0.19, max(top, 10.62)),
            closed=True,
        )
        with local.clipped(foot, fabric.base) as inner:
            inner.shade(polyline((0.1, 10.5), (0.5, 10.5), (0.5, 11.6), (0.14, 11.6)), fabric.shade)
            if shoes == "sneakers":
                inner.shape(
                    polyline((-1, SOLE - 0.02), (1, SOLE - 0.02), (1, 12), (-1, 12)),
                    rgb("faf8f5"),
                    fabric.ink,
                    0.8,
                )
                for y in (10.80, 10.93, 11.06):
                    inner.stroke(polyline((-0.1, y), (0.16, y + 0.02)), rgb("4a4450"), 0.9, (1, 1))
            else:
                inner.stroke(
                    spline((-0.3, 10.98), (0.05, 11.08), (0.4, 10.96)), fabric.ink, 0.85, (0.8, 0.8)
                )
        local.outline(foot, fabric.ink)
