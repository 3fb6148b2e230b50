"""The body without its clothes: neck, arms, hands, legs, and the positions of the joints.

Body units are head units with the head upright and the origin in the middle of the skull.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import (
    Point,
    Points,
    ellipse,
    join,
    offset_curve,
    polyline,
    ribbon,
    spline,
    to_side,
)
from pipeline.sample_booru.artist.palette import SKINS, Material, mix


@dataclass(frozen=True)
class Build:
    """Half widths of the body, in body units."""

    neck: float
    shoulder: float
    chest: float
    waist: float
    hip: float
    arm: float


GIRL = Build(neck=0.25, shoulder=1.01, chest=0.76, waist=0.58, hip=0.90, arm=0.205)
BOY = Build(neck=0.34, shoulder=1.36, chest=1.06, waist=0.86, hip=0.92, arm=0.27)

SHOULDER, ARMPIT, BUST, WAIST, HIP, CROTCH = 1.66, 2.42, 2.75, 3.55, 4.55, 5.0
KNEE, ANKLE, SOLE = 7.9, 10.7, 11.3


def build(person: Character) -> Build:
    """Return the build of a person."""
    return GIRL if person.girl else BOY


def bend(person: Character, points: Points) -> Points:
    """Turn the body a little, with its weight on one leg; body units to body units."""
    x, y = points[:, 0], points[:, 1]
    front = np.clip(1 - (x / 1.3) ** 2, 0, 1)
    hips = np.exp(-(((y - 4.6) / 2.2) ** 2))
    return np.stack([x + 0.13 * person.turn * front + 0.16 * person.sway * hips, y], axis=1)


def torso_side(person: Character, low: float, ease: float) -> Points:
    """Return the right side of the torso from the neck to a height, `ease` wider than the body."""
    b = build(person)
    knots: list[Point] = [
        (b.neck + 0.14, 1.50),
        (b.shoulder * 0.75, 1.62),
        (b.shoulder - 0.04, 1.76),
        (b.chest + 0.05 + ease * 0.5, ARMPIT),
        (b.chest + ease * 0.6, BUST),
        (b.waist + ease, WAIST),
        (b.hip + 0.05 + ease, HIP),
    ]
    end = float(np.interp(low, [y for _, y in knots[-3:]], [x for x, _ in knots[-3:]]))
    return spline(*(knot for knot in knots if knot[1] < low - 0.2), (end, low))


def draw_neck(canvas: Canvas, person: Character, *, bare: bool) -> None:
    """Draw the neck, the collar bones and, if bare, the shoulders."""
    skin, b = SKINS[person.face.skin], build(person)
    low = (
        [(b.shoulder * 0.88, 1.68), (b.shoulder * 0.97, 1.86), (b.chest, 2.9)]
        if bare
        else [(b.shoulder * 0.80, 1.70), (0.5, 2.4)]
    )
    half = spline(
        (b.neck, 0.7), (b.neck - 0.01, 1.15), (b.neck + 0.09, 1.42), (b.shoulder * 0.70, 1.61), *low
    )
    shape = join(half, (half * np.array([-1, 1]))[::-1])
    with canvas.clipped(shape, skin.base) as inner:
        cast = spline((-0.75, 0.6), (-0.4, 1.30), (0.08, 1.46), (0.45, 1.30), (0.8, 0.6))
        inner.shade(cast, skin.shade)
        for side in (-1.0, 1.0):
            bone = to_side(spline((0.10, 1.78), (0.35, 1.70), (0.68, 1.70)), side)
            inner.stroke(bone, mix(skin.ink, skin.shade, 0.25), 0.7, (0.3, 0.0))
    # between these two parts, the shoulders merge with the arms without a line
    for part in (half[half[:, 1] < 1.66], half[half[:, 1] > 2.15]):
        for side in (-1.0, 1.0):
            if len(part) > 1:
                canvas.stroke(to_side(part, side), skin.ink, 1.0, (0.4, 0.4))


@dataclass(frozen=True)
class Arm:
    """The joints of an arm, on the right of the picture unless mirrored."""

    shoulder: Point
    elbow: Point
    wrist: Point
    behind: bool  # whether it goes behind the trunk
    hand: str  # open, relaxed, fist, hidden


def arm(person: Character, side: float) -> Arm:
    """Return the joints of the arm on one side of the picture."""
    pose = person.arms[0 if side < 0 else 1]
    rng = person.generator(f"arm{side}")
    b = build(person)
    s = (b.shoulder - b.arm * 0.75, SHOULDER + 0.34)
    e_out, w_out = float(rng.uniform(0.10, 0.30)), float(rng.uniform(0.05, 0.35))
    poses = {
        "down": ((b.shoulder + e_out, 3.45), (b.shoulder + w_out, 4.85), False, "relaxed"),
        "back": ((b.shoulder + 0.15, 3.30), (0.25, 4.25), True, "hidden"),
        "hip": ((b.shoulder + 0.72, 3.30), (b.hip - 0.02, 4.05), True, "hidden"),
        "pocket": ((b.shoulder + 0.36, 3.35), (b.waist + 0.12, 4.25), False, "hidden"),
        "wave": ((b.shoulder + 0.30, 3.10), (b.shoulder + 0.42, 1.95), False, "open"),
        "chest": ((b.shoulder + 0.20, 3.30), (0.28, 2.75), False, "fist"),
    }
    elbow, wrist, behind, hand = poses[pose]
    return Arm(s, elbow, wrist, behind, hand)


def limb_edges(joints: tuple[Point, ...], widths: tuple[float, ...]) -> tuple[Points, Points]:
    """Return both edges of a limb through its joints."""
    spine = spline(*joints, steps=10)
    return offset_curve(spine, widths, -1), offset_curve(spine, widths, 1)


def draw_hand(canvas: Canvas, skin: Material, wrist: Point, direction: Point, pose: str) -> None:
    """Draw a hand.

    Args:
        canvas: the canvas, in body units, mirrored for an arm on the left of the picture.
        skin: colours of the skin.
        wrist: position of the wrist.
        direction: direction of the forearm, a unit vector.
        pose: see `Arm`.
    """
    to_thumb = np.array([direction[1], -direction[0]]) * (-1 if direction[1] < 0 else 1)
    basis = np.stack([to_thumb, np.array(direction)]) * 1.1
    local = canvas.transformed(lambda p: p @ basis + np.array(wrist))
    if pose == "open":
        _draw_open_hand(local, skin)
    elif pose == "relaxed":
        _draw_relaxed_hand(local, skin)
    else:
        _draw_fist(local, skin)


def _draw_finger(local: Canvas, skin: Material, spine: Points, width: float) -> None:
    shape = ribbon(spine, (width, width, width * 0.95, width * 0.72, width * 0.35))
    local.shape(shape, skin.base, skin.ink, 0.8)


def _draw_open_hand(local: Canvas, skin: Material) -> None:
    for root, tip in (
        ((-0.13, 0.42), (-0.27, 0.72)),
        ((0.13, 0.40), (0.19, 0.76)),
        ((0.045, 0.42), (0.06, 0.84)),
        ((-0.045, 0.42), (-0.09, 0.83)),
    ):
        _draw_finger(
            local,
            skin,
            spline(root, ((root[0] + tip[0]) / 2, (root[1] + tip[1]) / 2 + 0.01), tip),
            0.058,
        )
    _draw_finger(local, skin, spline((0.12, 0.18), (0.28, 0.32), (0.36, 0.50)), 0.062)
    palm = spline(
        (-0.12, -0.05),
        (-0.17, 0.20),
        (-0.17, 0.46),
        (0.0, 0.50),
        (0.16, 0.45),
        (0.18, 0.22),
        (0.12, -0.05),
    )
    with local.clipped(palm, skin.base) as inner:
        inner.shade(
            spline((-0.25, 0.0), (-0.10, 0.2), (-0.13, 0.5), (-0.3, 0.5)),
            mix(skin.base, skin.shade, 0.6),
        )
    local.stroke(palm[:18], skin.ink, 0.9, (0.6, 0.2))
    local.stroke(palm[-9:], skin.ink, 0.9, (0.2, 0.6))
    local.stroke(spline((0.13, 0.38), (0.04, 0.30), (0.02, 0.18)), skin.ink, 0.6, (0, 0))


def _draw_relaxed_hand(local: Canvas, skin: Material) -> None:
    shape = spline(
        (-0.13, -0.05),
        (-0.17, 0.20),
        (-0.14, 0.48),
        (-0.03, 0.66),
        (0.07, 0.62),
        (0.13, 0.40),
        (0.15, 0.16),
        (0.12, -0.05),
    )
    with local.clipped(shape, skin.base) as inner:
        inner.shade(
            spline((0.02, 0.9), (0.08, 0.4), (0.06, 0.0), (0.3, 0.0), (0.3, 0.9)),
            mix(skin.base, skin.shade, 0.7),
        )
        for x in (-0.07, 0.01):
            inner.stroke(
                spline((x - 0.02, 0.36), (x, 0.48), (x + 0.03, 0.62)), skin.ink, 0.65, (0.0, 0.5)
            )
    local.stroke(shape, skin.ink, 0.95)
    thumb = spline((0.12, 0.06), (0.19, 0.22), (0.14, 0.42))
    _draw_finger(local, skin, thumb, 0.055)


def _draw_fist(local: Canvas, skin: Material) -> None:
    shape = spline(
        (-0.13, -0.05),
        (-0.20, 0.14),
        (-0.18, 0.34),
        (0.0, 0.42),
        (0.18, 0.34),
        (0.20, 0.14),
        (0.13, -0.05),
    )
    with local.clipped(shape, skin.base) as inner:
        inner.shade(ellipse(0.14, 0.36, 0.2, 0.2), mix(skin.base, skin.shade, 0.7))
        for x in (-0.08, 0.02, 0.11):
            inner.stroke(spline((x, 0.20), (x + 0.02, 0.30), (x, 0.42)), skin.ink, 0.65, (0.0, 0.6))
    local.stroke(shape, skin.ink, 0.95)


def draw_legs(canvas: Canvas, person: Character, cover: Material | None, low: float) -> None:
    """Draw both legs.

    Args:
        canvas: the canvas, in body units.
        person: the character.
        cover: stockings, or None for bare skin.
        low: the y at which the stockings begin, in body units.
    """
    skin = SKINS[person.face.skin]
    for side in (-1.0, 1.0):
        left, right = leg_edges(person, side)
        shape = join(left, right[::-1])
        with canvas.clipped(shape, skin.base) as inner:
            inner.shade(join(right, right[::-1] + np.array([-0.16, 0.0])), skin.shade)
            inner.shade(ellipse(0.5 * side, 5.3, 0.9, 0.55), skin.shade)
            knee = float(left[22, 0] + right[22, 0]) / 2 + 0.03 * side
            inner.stroke(
                spline((knee - 0.1, KNEE + 0.12), (knee, KNEE + 0.17), (knee + 0.1, KNEE + 0.1)),
                mix(skin.ink, skin.shade, 0.3),
                0.7,
                (0, 0),
            )
            if cover:
                _draw_stocking(inner, left, right, cover, low)
        ink = cover.ink if cover and low < 6 else skin.ink
        canvas.stroke(left, ink)
        canvas.stroke(right, ink)


def _draw_stocking(inner: Canvas, left: Points, right: Points, cover: Material, low: float) -> None:
    box = polyline((-3, low), (3, low), (3, SOLE), (-3, SOLE))
    with inner.clipped(box, cover.base) as sock:
        sock.shade(join(right, right[::-1] + np.array([-0.17, 0.0])), cover.shade)
        sock.shade(join(left, left[::-1] + np.array([0.05, 0.0])), cover.light)
    inner.stroke(polyline((-3, low), (3, low)), cover.ink, 0.95, (1, 1))


def ankle_x(person: Character, side: float) -> float:
    """Return the x of an ankle, in body units."""
    rng = person.generator("stance")
    apart, step = float(rng.uniform(0.30, 0.62)), float(rng.uniform(-0.10, 0.10))
    return apart * side + step


def knee_offset(person: Character) -> float:
    """Return how far each knee is off a straight leg, outwards, in body units."""
    return float(person.generator("knees").uniform(-0.10, 0.05)) if person.girl else 0.03


def leg_edges(person: Character, side: float) -> tuple[Points, Points]:
    """Return the left and the right edge of a leg, from the hip down."""
    wide = 1.0 if person.girl else 1.04
    foot = ankle_x(person, side)
    knee = 0.46 * side + 0.35 * (foot - 0.42 * side) + knee_offset(person) * side
    joints = (
        (0.48 * side, HIP - 0.1),
        (0.49 * side, CROTCH + 0.6),
        (knee, KNEE),
        ((knee + foot) / 2 + 0.03 * side, 9.0),
        (foot, ANKLE + 0.15),
    )
    widths = (0.46, 0.44, 0.40, 0.335, 0.265, 0.24, 0.265, 0.26, 0.20, 0.145, 0.14)
    left, right = limb_edges(joints, tuple(w * wide for w in widths))
    return (left, right) if left[0, 0] < right[0, 0] else (right, left)
