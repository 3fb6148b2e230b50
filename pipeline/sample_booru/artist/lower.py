"""Clothes below the waist: skirts, trousers and shoes."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import (
    ANKLE,
    CROTCH,
    KNEE,
    SOLE,
    WAIST,
    build,
    foot_place,
    leg_edges,
    legs,
)
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Points, join, line, mirror, sided, smooth
from pipeline.sample_booru.artist.palette import Material, material, mix, rgb
from pipeline.sample_booru.artist.pattern import printed
from pipeline.sample_booru.artist.wardrobe import Wardrobe, wardrobe

STOCKINGS = {"socks": 10.0, "kneehighs": 8.35, "thighhighs": 6.35, "pantyhose": 4.0}


def lower_body(canvas: Canvas, person: Character, cloths: Wardrobe) -> None:
    """Legs, stockings, shoes and the lower garment."""
    outfit = person.outfit
    wear = outfit.legwear
    dark = material(rgb("45424f"), 0.2)
    cover = material(rgb("f6f4f2")) if wear == "socks" else dark
    legs(canvas, person, cover, STOCKINGS[wear])
    if outfit.bottom == "pants" and outfit.top not in ("sundress", "kimono"):
        _pants(canvas, person, _lower_cloth(cloths, person), ANKLE + 0.1)
    shoes(canvas, person, cloths)
    if outfit.top == "kimono":
        _kimono_skirt(canvas, person, cloths.main)
    elif outfit.top == "sundress":
        _long_skirt(canvas, person, cloths.main, 7.4, 1.95)
    elif outfit.bottom == "pleated_skirt":
        _pleated(canvas, person, _lower_cloth(cloths, person))
    elif outfit.bottom == "long_skirt":
        _long_skirt(canvas, person, _lower_cloth(cloths, person), 8.6, 1.75)
    elif outfit.bottom == "shorts":
        _pants(canvas, person, _lower_cloth(cloths, person), 6.1)


def _lower_cloth(cloths: Wardrobe, person: Character) -> Material:
    if person.outfit.top in ("serafuku", "shirt"):
        return cloths.main
    if person.outfit.top == "blazer":
        return mix_material(cloths.main, cloths.accent)
    return material(rgb("4b5068")) if cloths.main.base[0] > 130 else material(rgb("d9d2c4"))


def mix_material(a: Material, b: Material) -> Material:
    """A cloth between two."""
    return material(mix(a.base, b.base, 0.35), 0.2)


def _skirt_sides(person: Character, hem: float, wide: float, ease: float = 0.02) -> Points:
    b = build(person)
    return smooth(
        (b.waist + ease, WAIST + 0.05),
        (b.hip + 0.05, WAIST + 0.75),
        ((b.hip + wide) / 2 + 0.08, (WAIST + 0.75 + hem) / 2),
        (wide, hem),
    )


def _pleated(canvas: Canvas, person: Character, cloth: Material) -> None:
    hem, wide = 5.85, 1.48
    side = _skirt_sides(person, hem, wide)
    count = 9
    x = np.linspace(wide, -wide, count * 2 + 1)
    drop = 0.14 * (1 - (x / wide) ** 2) + np.where(np.arange(count * 2 + 1) % 2 == 0, 0.0, 0.07)
    zigzag = np.stack([x, hem + drop], axis=1)
    shape = join(side, zigzag, mirror(side))
    with canvas.inside(shape, cloth.base) as inner:
        inner.shade(
            line((-2, WAIST), (2, WAIST), (2, WAIST + 0.42), (-2, WAIST + 0.42)), cloth.shade
        )
        if person.generator("hem").random() < 0.5:
            band = join(zigzag + np.array([0, -0.30]), zigzag[::-1] + np.array([0, -0.20]))
            inner.shade(band, mix(cloth.light, (255, 255, 255), 0.5))
        waist = build(person).waist
        for index in range(count * 2 + 1):
            top = (float(x[index]) / wide * waist, WAIST + 0.2)
            low = (float(zigzag[index, 0]), float(zigzag[index, 1]))
            if index % 2 == 1:
                nxt = (float(zigzag[index + 1, 0]), float(zigzag[index + 1, 1]))
                inner.darken(line(top, low, nxt), cloth)
            else:
                inner.stroke(
                    smooth(low, ((top[0] + low[0]) / 2 * 1.03, (top[1] + low[1]) / 2), top),
                    cloth.ink,
                    0.85,
                    (0.9, 0.2),
                )
    canvas.outline(shape, cloth.ink)


def _long_skirt(
    canvas: Canvas, person: Character, cloth: Material, hem: float, wide: float
) -> None:
    """A skirt that flares in folds, or with the same cloth as above the waist, that of a dress."""
    side = _skirt_sides(person, hem, wide)
    x = np.linspace(wide, -wide, 49)
    low = np.stack([x, hem + 0.16 * (1 - (x / wide) ** 2) + 0.07 * np.sin(x * 6.5)], axis=1)
    shape = join(side, low, mirror(side))
    with canvas.inside(shape, cloth.base) as inner:
        if person.outfit.top == "sundress":
            printed(inner, person, wardrobe(person), WAIST, hem)
        lee = ((0.42, WAIST), (0.62, 5.0), (wide * 0.62, hem + 0.4), (4, hem), (4, WAIST))
        inner.darken(smooth(*lee), cloth)
        for share in (-0.72, -0.38, 0.05, 0.34, 0.75):
            fold = smooth(
                (share * 0.62, WAIST + 0.2),
                (share * 1.0, (WAIST + hem) / 2),
                (share * wide, hem + 0.1),
            )
            inner.darken(join(fold, line((share * wide + 0.22, hem + 0.2))), cloth)
            inner.stroke(fold[::-1], cloth.ink, 0.8, (0.9, 0))
    canvas.outline(shape, cloth.ink)


def _kimono_skirt(canvas: Canvas, person: Character, cloth: Material) -> None:
    """The lower part of a kimono: straight, the left front over the right."""
    hem, wide = 10.3, 1.22
    side = _skirt_sides(person, hem, wide, 0.16)
    shape = join(side, smooth((wide, hem), (0.0, hem + 0.16), (-wide, hem)), mirror(side))
    front = smooth((0.34, WAIST), (0.20, 6.5), (-0.20, hem + 0.3))
    with canvas.inside(shape, cloth.base) as inner:
        printed(inner, person, wardrobe(person), WAIST, hem)
        lee = ((0.52, WAIST), (0.72, 5.0), (wide * 0.62, hem + 0.4), (4, hem), (4, WAIST))
        inner.darken(smooth(*lee), cloth)
        inner.darken(join(front, front[::-1] + np.array([0.26, 0.0])), cloth)
        inner.stroke(front, cloth.ink, 0.95, (0.8, 0.8))
    canvas.outline(shape, cloth.ink)


def _pants(canvas: Canvas, person: Character, cloth: Material, low: float) -> None:
    loose = 0.10 if person.girl else 0.15
    hips = []
    for side in (-1.0, 1.0):
        left, right = leg_edges(person, side)
        seen = [(rim[:, 1] > CROTCH + 0.12) & (rim[:, 1] < low) for rim in (left, right)]
        left = left[seen[0]] - np.array([loose, 0])
        right = right[seen[1]] + np.array([loose, 0])
        hips.append(right[0] if side > 0 else left[0])
        with canvas.inside(join(left, right[::-1]), cloth.base) as inner:
            inner.shade(join(right, right[::-1] + np.array([-0.22, 0.0])), cloth.shade)
            _leg_folds(inner.within(lambda p, side=side: sided(p, side)), cloth, low)  # type: ignore[misc]
        for rim in (left, right):
            canvas.stroke(rim, cloth.ink, 1.0, (0.9, 0.9))
        canvas.stroke(line(tuple(left[-1]), tuple(right[-1])), cloth.ink, 1.0, (1, 1))
    _seat(canvas, person, cloth, hips[0], hips[1])


def _leg_folds(inner: Canvas, cloth: Material, low: float) -> None:
    folds = [smooth((0.3, 5.4), (0.5, 5.55), (0.75, 5.55))]
    if low > KNEE:
        folds.append(smooth((0.25, 7.75), (0.45, 7.9), (0.7, 7.8)))
        folds.append(smooth((0.3, 10.2), (0.45, 10.35), (0.62, 10.25)))
    for fold in folds:
        inner.stroke(fold, cloth.ink, 0.75, (0, 0))


def _seat(canvas: Canvas, person: Character, cloth: Material, left: Points, right: Points) -> None:
    """Trousers from the waist to where the legs part, between the outer edges of the legs."""
    b = build(person)
    top = ((b.waist - 0.02, WAIST + 0.1), (b.hip - 0.02, 4.45))
    rims = [
        smooth(*((x * side, y) for x, y in top), (float(hip[0]), float(hip[1]) + 0.04))
        for side, hip in ((1.0, right), (-1.0, left))
    ]
    seat = join(rims[0], line((0.0, 5.42)), rims[1][::-1])
    with canvas.inside(seat, cloth.base) as inner:
        lee = ((0.55, 3.4), (0.66, 4.6), (0.7, 5.6), (2, 5.6), (2, 3.4))
        inner.shade(smooth(*lee), cloth.shade)
        inner.stroke(smooth((0.02, 4.0), (0.04, 4.8), (0.0, 5.42)), cloth.ink, 0.8, (0.6, 0.9))
    for rim in rims:
        canvas.stroke(rim, cloth.ink)


def shoes(canvas: Canvas, person: Character, cloths: Wardrobe) -> None:
    """Both shoes, seen from the front and a little from above."""
    kind = person.outfit.shoes
    cloth = {
        "loafers": material(rgb("6a4436")),
        "boots": material(rgb("54443f")),
        "sneakers": cloths.accent,
    }[kind]
    for side in (-1.0, 1.0):
        x = foot_place(person, side) + 0.03 * side
        local = canvas.within(lambda p, x=x, side=side: sided(p, side) + np.array([x, 0.0]))  # type: ignore[misc]
        top = 9.7 if kind == "boots" else ANKLE + 0.02
        if kind == "boots":
            shaft = join(
                smooth((-0.27, 9.55), (-0.21, 10.3), (-0.20, 10.9)),
                smooth((0.22, 10.9), (0.22, 10.3), (0.27, 9.55)),
            )
            local.shape(shaft, cloth.base, cloth.ink)
        foot = smooth(
            (-0.19, max(top, 10.62)),
            (-0.23, 10.95),
            (-0.24, SOLE),
            (0.05, SOLE + 0.14),
            (0.36, SOLE + 0.06),
            (0.33, 10.98),
            (0.19, max(top, 10.62)),
            closed=True,
        )
        with local.inside(foot, cloth.base) as inner:
            inner.shade(line((0.1, 10.5), (0.5, 10.5), (0.5, 11.6), (0.14, 11.6)), cloth.shade)
            if kind == "sneakers":
                inner.shape(
                    line((-1, SOLE - 0.02), (1, SOLE - 0.02), (1, 12), (-1, 12)),
                    rgb("faf8f5"),
                    cloth.ink,
                    0.8,
                )
                for y in (10.80, 10.93, 11.06):
                    inner.stroke(line((-0.1, y), (0.16, y + 0.02)), rgb("4a4450"), 0.9, (1, 1))
            else:
                inner.stroke(
                    smooth((-0.3, 10.98), (0.05, 11.08), (0.4, 10.96)), cloth.ink, 0.85, (0.8, 0.8)
                )
        local.outline(foot, cloth.ink)
