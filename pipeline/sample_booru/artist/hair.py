"""The hair behind and beside the head: back hair, tails, buns, braids and loose tufts."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import (
    Point,
    Points,
    arc,
    ellipse,
    join,
    offset_curve,
    ribbon,
    spline,
    to_side,
)
from pipeline.sample_booru.artist.palette import Material, mix

_REACH = {"short_hair": 0.98, "medium_hair": 1.75, "long_hair": 3.5, "very_long_hair": 5.6}


def draw_lock(
    canvas: Canvas, hair: Material, spine: Points, width: float, *, root: float = 0.8
) -> None:
    """Draw one tapered lock of hair along a spine."""
    widths = np.array([root, 1.0, 0.98, 0.85, 0.55, 0.0]) * width
    shape = ribbon(spine, widths.tolist())
    with canvas.clipped(shape, hair.base) as inner:
        inner.shade(ribbon(spine, widths.tolist(), -1.3, -0.25), hair.shade)
        inner.shade(ribbon(spine[2:9], (0.0, width * 0.9, 0.0), 0.3, 0.7), hair.light)
        inner.stroke(offset_curve(spine, widths.tolist(), 0.2)[6:-2], hair.ink, 0.6, (0.0, 0.0))
    for side in (-1.0, 1.0):
        canvas.stroke(offset_curve(spine, widths.tolist(), side), hair.ink, 1.0, (0.4, 0.6))


def _straight(person: Character) -> bool:
    return person.hair.style in ("loose", "two_side_up") or (
        person.hair.length == "medium_hair" and person.hair.style != "double_bun"
    )


def hair_length(person: Character) -> float:
    """Return the lower end of the back hair, in head units."""
    if _straight(person):
        return _REACH[person.hair.length]
    return 0.95


def _back_edges(person: Character, low: float) -> tuple[list[Point], list[Point]]:
    rng = person.generator("back")
    wave, flare = person.hair.wave, float(rng.uniform(-0.06, 0.28))
    lefts, rights = [], []
    heights = [-0.5, 0.1, 0.7]
    if low > 1.2:
        heights += list(np.linspace(1.3, low - 0.35, max(1, round(low / 1.1))))
    for index, y in enumerate(heights):
        down = max(0.0, (y - 0.1) / 3.0)
        curl = 0.10 * wave * np.sin(index * 2.1 + 1)
        wide = 1.03 + (0.10 if y > -0.2 else 0.0) + flare * down + curl * (y > 0.5)
        if low < 1.2:
            wide = 1.06 if y < 0.5 else 0.97 + flare * 0.3
        lefts.append((-wide - 0.03 * index * wave, y))
        rights.append((wide + 0.05 * wave * np.cos(index * 1.7), y))
    return lefts, rights


def draw_back_hair(canvas: Canvas, person: Character, hair: Material) -> None:
    """Draw the hair that hangs behind the neck and the shoulders."""
    rng = person.generator("back tips")
    low = hair_length(person)
    lefts, rights = _back_edges(person, low)
    count = 5 if low < 1.2 else 6
    at = np.linspace(lefts[-1][0], rights[-1][0], count + 1)
    at[1:-1] += rng.normal(0, 0.06, count - 1)
    sweep = 0.14 * person.hair.side * person.hair.wave
    tips = []
    for index in range(count):
        tip = (
            float((at[index] + at[index + 1]) / 2 + sweep + rng.normal(0, 0.05)),
            low + float(rng.uniform(-0.06, 0.12)),
        )
        if index == 0:
            tip = (float(at[0] + 0.12), low)
        if index == count - 1:
            tip = (float(at[-1] - 0.12), low)
        tips.append(tip)
    left, right = spline(*lefts), spline(*rights)
    parts = []
    at_point: Point = lefts[-1]
    valleys = []
    for index, tip in enumerate(tips):
        last = index == count - 1
        after = (
            rights[-1]
            if last
            else (
                float(at[index + 1]),
                low - float(rng.uniform(0.16, 0.34)) * (1 if low < 1.2 else 1.6),
            )
        )
        parts += [arc(at_point, tip, -0.08), arc(tip, after, -0.08)]
        valleys.append(after)
        at_point = after
    shape = join(left, *parts, right[::-1])
    dark = mix(hair.base, hair.shade, 0.55)
    deep = mix(hair.shade, hair.ink, 0.18)
    with canvas.clipped(shape, dark) as inner:
        inner.gradient((0.0, mix(hair.shade, hair.ink, 0.12)), (max(1.2, low), dark))
        inner.shade(ellipse(0.0, 0.9, 0.80, 1.0), deep)
        for valley in valleys[:-1]:
            rise = float(rng.uniform(0.35, 0.8)) * (low + 0.3)
            top = (valley[0] * 0.86, valley[1] - rise)
            strand = spline(
                valley, ((valley[0] + top[0]) / 2 + 0.05 * rng.normal(), valley[1] - rise / 2), top
            )
            inner.shade(join(strand, strand[::-1] + np.array([0.12, 0.0])), deep)
            inner.stroke(strand, hair.ink, 0.85, (0.9, 0.0))
    canvas.stroke(left, hair.ink, 1.1, (0.5, 0.9))
    canvas.stroke(right, hair.ink, 1.1, (0.5, 0.9))
    for part in parts:
        canvas.stroke(part, hair.ink, 1.0, (0.7, 0.7))


def _draw_tail(
    canvas: Canvas,
    person: Character,
    hair: Material,
    root: Point,
    end: Point,
    side: float,
    width: float,
) -> None:
    """Draw a bundle of locks from a tie."""
    rng = person.generator(f"tail{side}")
    drop = end[1] - root[1]
    for index, spread in enumerate((0.34, -0.30, 0.02)):
        tip = (
            end[0] + spread * side * 0.8 + float(rng.normal(0, 0.06)),
            end[1] - (0.35 if index < 2 else 0.0) * drop * 0.4 * float(rng.uniform(0.5, 1)),
        )
        out = 0.34 * side + spread * 0.25 * side
        spine = spline(
            root,
            (root[0] + out * 0.9, root[1] + 0.06 * drop),
            (root[0] + out * 1.35 + (tip[0] - root[0]) * 0.3, root[1] + 0.32 * drop),
            (
                (root[0] + out * 0.7) * 0.4 + tip[0] * 0.6 + 0.08 * person.hair.wave * side,
                root[1] + 0.68 * drop,
            ),
            tip,
            steps=7,
        )
        draw_lock(canvas, hair, spine, width * (1.0 if index == 2 else 0.72), root=0.45)


def draw_tails_behind(canvas: Canvas, person: Character, hair: Material) -> None:
    """Draw ponytails and high twintails, which hang behind the body."""
    style, side = person.hair.style, person.hair.side
    low = 3.1 if person.hair.length == "long_hair" else 4.8
    if style == "ponytail":
        _draw_tail(
            canvas, person, hair, (0.45 * side, -0.85), (1.55 * side, low * 0.82), side, 0.46
        )
    elif style == "twintails":
        for one in (-1.0, 1.0):
            _draw_tail(
                canvas, person, hair, (0.92 * one, -0.62), (1.55 * one, low * 0.9), one, 0.36
            )


def draw_tails_in_front(canvas: Canvas, person: Character, hair: Material, tie: Material) -> None:
    """Draw low twintails and braids, which lie on the shoulders, and side tails."""
    style = person.hair.style
    if style == "low_twintails":
        for side in (-1.0, 1.0):
            _draw_tail(
                canvas, person, hair, (0.80 * side, 1.05), (1.02 * side, 3.3), side * 0.5, 0.26
            )
            canvas.shape(ellipse(0.82 * side, 1.06, 0.15, 0.10), tie.base, tie.ink)
    elif style == "two_side_up":
        for side in (-1.0, 1.0):
            _draw_tail(canvas, person, hair, (0.86 * side, -0.72), (1.32 * side, 0.95), side, 0.20)
    elif style == "braid":
        _draw_braid(canvas, person, hair, tie)


def _draw_braid(canvas: Canvas, person: Character, hair: Material, tie: Material) -> None:
    side = person.hair.side
    spine = spline(
        (0.78 * side, 0.80), (0.98 * side, 1.30), (0.92 * side, 2.0), (0.80 * side, 2.9), steps=8
    )
    for index in range(2, len(spine) - 1, 3):
        x, y = spine[index]
        size = 0.20 - 0.004 * index
        knot = spline(
            (x - size, y - 0.10),
            (x, y - 0.17),
            (x + size, y - 0.10),
            (x + size * 0.75, y + 0.10),
            (x, y + 0.20),
            (x - size * 0.75, y + 0.10),
            closed=True,
        )
        with canvas.clipped(knot, hair.base) as inner:
            inner.shade(knot + np.array([size * 0.8, 0.04]), hair.shade)
            inner.stroke(
                spline((x - size * 0.7, y - 0.06), (x, y + 0.04), (x, y + 0.2)),
                hair.ink,
                0.6,
                (0, 0),
            )
            inner.stroke(
                spline((x + size * 0.7, y - 0.06), (x, y + 0.04), (x, y + 0.2)),
                hair.ink,
                0.6,
                (0, 0),
            )
        canvas.outline(knot, hair.ink, 0.95)
    x, y = spine[-1]
    for spread in (-0.10, 0.10, 0.0):
        draw_lock(
            canvas, hair, spline((x, y), (x + spread, y + 0.2), (x + spread * 1.3, y + 0.5)), 0.09
        )
    canvas.shape(ellipse(x, y + 0.02, 0.11, 0.07), tie.base, tie.ink)


def draw_buns(canvas: Canvas, person: Character, hair: Material) -> None:
    """Draw two buns behind the crown."""
    if person.hair.style != "double_bun":
        return
    for side in (-1.0, 1.0):
        ball = ellipse(0.80 * side, -1.02, 0.36, 0.34)
        with canvas.clipped(ball, hair.base) as inner:
            inner.shade(
                ellipse(0.80 * side + 0.12, -0.94, 0.36, 0.34)[0:36],
                mix(hair.base, hair.shade, 0.8),
            )
            inner.shade(ellipse(0.80 * side - 0.06, -1.08, 0.27, 0.25), hair.base)
            swirl = to_side(spline((1.10, -0.95), (0.85, -0.80), (0.64, -1.0), (0.80, -1.2)), side)
            inner.stroke(swirl, hair.ink, 0.7, (0, 0))
        canvas.outline(ball, hair.ink, 1.0)


def draw_tufts(canvas: Canvas, person: Character, hair: Material) -> None:
    """Draw loose ends behind the dome of short or wavy hair, and the ahoge."""
    rng = person.generator("tufts")
    wild = not person.girl or (person.hair.length == "short_hair" and person.hair.wave > 0.3)
    for side in (-1.0, 1.0):
        for y in (-0.35, 0.05, 0.45) if wild else (0.0,):
            out = float(rng.uniform(1.16, 1.30) if wild else rng.uniform(1.10, 1.20))
            tip = (out * side, y + float(rng.uniform(0.02, 0.24)))
            spine = spline((0.86 * side, y - 0.55), (1.02 * side, y - 0.22), tip)
            draw_lock(canvas, hair, spine, 0.10, root=0.0)
    if person.hair.ahoge:
        side = -person.hair.side
        high = float(rng.uniform(1.52, 1.66))
        spine = spline(
            (0.04, -1.14),
            (0.04 - 0.10 * side, -1.36),
            (0.10 * side, -high),
            (0.44 * side, 0.06 - high),
        )
        blade = ribbon(spine, (0.06, 0.085, 0.08, 0.06, 0.0))
        canvas.fill(blade, hair.base)
        canvas.shade(ribbon(spine, (0.06, 0.085, 0.08, 0.06, 0.0), -1.0, -0.1), hair.shade)
        for edge_side in (-1.0, 1.0):
            canvas.stroke(
                offset_curve(spine, (0.06, 0.085, 0.08, 0.06, 0.0), edge_side),
                hair.ink,
                1.0,
                (0.4, 0.8),
            )
