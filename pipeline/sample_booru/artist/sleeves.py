"""Arms in their sleeves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.sample_booru.artist.body import ARMPIT, Arm, arm, build, draw_hand
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import (
    Point,
    Points,
    join,
    offset_curve,
    polyline,
    spline,
    to_side,
)
from pipeline.sample_booru.artist.palette import SKINS, Material
from pipeline.sample_booru.artist.pattern import draw_print
from pipeline.sample_booru.artist.wardrobe import Sleeve, outfit_fabrics


def _is_bent(joints: Arm) -> bool:
    """Return whether the forearm points upwards, so that it lies over the upper arm."""
    return joints.wrist[1] < joints.elbow[1]


def draw_arm(canvas: Canvas, person: Character, side: float, sleeve: Sleeve | None) -> None:
    """Draw one arm with its sleeve and hand.

    Args:
        canvas: the canvas, in body units.
        person: the character.
        side: -1 on the left of the picture, 1 on the right.
        sleeve: None for a bare arm.
    """
    joints = arm(person, side)
    skin = SKINS[person.face.skin]
    local = canvas.transformed(lambda p: to_side(p, side))
    width = build(person).arm
    bare = (width, width * 0.95, width * 0.80, width * 0.74, width * 0.56)
    if _is_bent(joints):
        _draw_upper_arm(local, person, side, joints, sleeve)
        return
    spine = spline(joints.shoulder, joints.elbow, joints.wrist, steps=16)
    if joints.hand != "hidden":
        _draw_hand_at(local, skin, joints.wrist, spine, joints.hand)
    _draw_limb(local, person, spine, bare, skin, side, joints.behind)
    if sleeve:
        count = max(6, round(len(spine) * sleeve.length))
        ease = sleeve.ease
        grown = np.interp(np.linspace(0, sleeve.length, 6), np.linspace(0, 1, 5), bare) + ease
        flare = sleeve.flare * (0.15 if joints.behind else 1.0)
        grown = grown + flare * np.linspace(0, 1, 6) ** 2
        _draw_limb(local, person, spine[:count], tuple(grown), sleeve.fabric, side, joints.behind)
        _draw_cuff(local, spine[:count], grown, sleeve)


def _draw_hand_at(local: Canvas, skin: Material, wrist: Point, spine: Points, pose: str) -> None:
    direction = spine[-1] - spine[-4]
    direction /= np.linalg.norm(direction)
    draw_hand(local, skin, wrist, (float(direction[0]), float(direction[1])), pose)


def _draw_limb(
    local: Canvas,
    person: Character,
    spine: Points,
    widths: tuple[float, ...],
    fabric: Material,
    side: float,
    behind: bool,
) -> None:
    """Draw a part of an arm that begins at the shoulder and merges with it."""
    outer, inner_edge = offset_curve(spine, widths, -1), offset_curve(spine, widths, 1)
    b = build(person)
    knots = [(float(x), float(y)) for x, y in outer[6::4]] + [
        (float(outer[-1, 0]), float(outer[-1, 1]))
    ]
    bulk = 0.5 * (widths[0] - b.arm)
    cap = ((b.shoulder * 0.62, 1.585), (b.shoulder * 0.88, 1.67), (b.shoulder + 0.03 + bulk, 1.86))
    outer = spline(*cap, *knots, steps=6)
    if not behind:
        inner_edge = inner_edge[inner_edge[:, 1] > ARMPIT - 0.25]
    with local.clipped(join(outer, inner_edge[::-1]), fabric.base) as inside:
        if fabric != SKINS[person.face.skin] and person.outfit.top in ("kimono", "sweater"):
            draw_print(inside, person, outfit_fabrics(person), 1.7, 5.0)
        # the light comes from the left of the picture
        rim, depth = (outer[6:], -0.13) if side > 0 else (inner_edge, 0.13)
        inside.darken(_shadow_strip(rim, depth), fabric)
        if len(spine) > 24 and fabric != SKINS[person.face.skin]:
            _draw_elbow_folds(inside, spine[len(spine) // 2], fabric)
    local.stroke(outer, fabric.ink, 1.0, (0.3, 0.9))
    local.stroke(inner_edge, fabric.ink, 1.0, (0.3, 0.9))
    if fabric != SKINS[person.face.skin]:
        local.stroke(polyline(tuple(outer[-1]), tuple(inner_edge[-1])), fabric.ink, 0.9, (1, 1))


def _shadow_strip(rim: Points, depth: float) -> Points:
    """Return the strip along an edge that lies in the shade, of width 0 at its start."""
    grow = depth * np.minimum(1, np.linspace(0, 3, len(rim)))
    return join(rim, (rim + np.stack([grow, 0 * grow], axis=1))[::-1])


def _draw_elbow_folds(inside: Canvas, elbow: Points, fabric: Material) -> None:
    x, y = float(elbow[0]), float(elbow[1])
    inside.stroke(
        spline((x - 0.02, y - 0.10), (x + 0.08, y), (x + 0.22, y + 0.02)), fabric.ink, 0.7, (0, 0)
    )
    inside.stroke(
        spline((x - 0.2, y - 0.22), (x - 0.06, y - 0.12), (x + 0.02, y - 0.14)),
        fabric.ink,
        0.6,
        (0, 0),
    )


def _draw_cuff(local: Canvas, spine: Points, widths: NDArray[np.float64], sleeve: Sleeve) -> None:
    if sleeve.cuff is None:
        return
    outer, inner = (
        offset_curve(spine, widths.tolist(), -1.06),
        offset_curve(spine, widths.tolist(), 1.06),
    )
    span = slice(-3, None)
    band = join(outer[span], inner[span][::-1])
    local.shape(band, sleeve.cuff.base, sleeve.cuff.ink, 0.9)


def _draw_upper_arm(
    local: Canvas, person: Character, side: float, joints: Arm, sleeve: Sleeve | None
) -> None:
    """Draw the upper half of an arm whose forearm points upwards."""
    skin, width = SKINS[person.face.skin], build(person).arm
    start, end = np.array(joints.shoulder), np.array(joints.elbow)
    x, y = (start + end) / 2
    spine = spline(joints.shoulder, (float(x) + 0.05, float(y)), joints.elbow, steps=10)
    bare = (width, width * 0.95, width * 0.76)
    if sleeve is None or not sleeve.long:
        _draw_limb(local, person, spine, bare, skin, side, False)
    if sleeve:
        reach = len(spine) if sleeve.long else max(6, round(len(spine) * sleeve.length * 1.9))
        grown = tuple(w + sleeve.ease + sleeve.flare * 0.3 for w in bare)
        _draw_limb(local, person, spine[:reach], grown, sleeve.fabric, side, False)


def draw_forearm(canvas: Canvas, person: Character, side: float, sleeve: Sleeve | None) -> None:
    """Draw the forearm and the hand of an arm that is bent upwards; do nothing for other arms."""
    joints = arm(person, side)
    if not _is_bent(joints):
        return
    local = canvas.transformed(lambda p: to_side(p, side))
    long = sleeve is not None and sleeve.long
    fabric = sleeve.fabric if sleeve and long else SKINS[person.face.skin]
    ease = sleeve.ease if sleeve and long else 0.0
    flare = sleeve.flare * 0.6 if sleeve and long else 0.0
    start, end = np.array(joints.elbow), np.array(joints.wrist)
    x, y = (start + end) / 2
    spine = spline(
        (float(start[0]) + 0.07, float(start[1]) + 0.03),
        (float(x) + 0.04, float(y)),
        joints.wrist,
        steps=10,
    )
    _draw_hand_at(local, SKINS[person.face.skin], joints.wrist, spine, joints.hand)
    width = build(person).arm
    half = (
        width * 0.78 + ease,
        width * 0.84 + ease,
        width * 0.74 + ease + flare * 0.5,
        width * 0.56 + ease + flare,
    )
    left, right = offset_curve(spine, half, -1), offset_curve(spine, half, 1)
    below = (joints.elbow[0] + 0.02, joints.elbow[1] + half[0] * 1.05)
    round_elbow = spline(tuple(left[0]), below, tuple(right[0]), steps=6)
    shape = join(left[::-1], round_elbow, right)
    with local.clipped(shape, fabric.base) as inside:
        if long and person.outfit.top in ("kimono", "sweater"):
            draw_print(inside, person, outfit_fabrics(person), 1.7, 4.0)
        rim, depth = (right, -0.12) if side > 0 else (left, 0.12)
        inside.darken(_shadow_strip(rim, depth), fabric)
    local.stroke(shape, fabric.ink, 1.0, (0.8, 0.8))
    if long:
        local.stroke(polyline(tuple(shape[-1]), tuple(shape[0])), fabric.ink, 0.9, (1, 1))
    if sleeve and long and sleeve.cuff:
        band = join(
            offset_curve(spine, half, -1.06)[-4:], offset_curve(spine, half, 1.06)[-4:][::-1]
        )
        local.shape(band, sleeve.cuff.base, sleeve.cuff.ink, 0.9)
