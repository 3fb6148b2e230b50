"""Arms in their sleeves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.sample_booru.artist.body import ARMPIT, Arm, arm, build, hand
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Point, Points, edge, join, line, sided, smooth
from pipeline.sample_booru.artist.palette import SKINS, Material
from pipeline.sample_booru.artist.pattern import printed
from pipeline.sample_booru.artist.wardrobe import Sleeve, wardrobe


def _bent(joints: Arm) -> bool:
    """Whether the forearm comes back up, so that it lies over the upper arm."""
    return joints.wrist[1] < joints.elbow[1]


def draw_arm(canvas: Canvas, person: Character, side: float, sleeve: Sleeve | None) -> None:
    """Draws one arm with its sleeve and hand.

    Args:
        canvas: in body units.
        person: whose arm.
        side: -1 on the left of the picture, 1 on the right.
        sleeve: None for a bare arm.
    """
    joints = arm(person, side)
    skin = SKINS[person.face.skin]
    local = canvas.within(lambda p: sided(p, side))
    width = build(person).arm
    bare = (width, width * 0.95, width * 0.80, width * 0.74, width * 0.56)
    if _bent(joints):
        _upper_arm(local, person, side, joints, sleeve)
        return
    spine = smooth(joints.shoulder, joints.elbow, joints.wrist, steps=16)
    if joints.hand != "hidden":
        _hand_at(local, skin, joints.wrist, spine, joints.hand)
    _limb(local, person, spine, bare, skin, side, joints.behind)
    if sleeve:
        count = max(6, round(len(spine) * sleeve.length))
        ease = sleeve.ease
        grown = np.interp(np.linspace(0, sleeve.length, 6), np.linspace(0, 1, 5), bare) + ease
        flare = sleeve.flare * (0.15 if joints.behind else 1.0)
        grown = grown + flare * np.linspace(0, 1, 6) ** 2
        _limb(local, person, spine[:count], tuple(grown), sleeve.cloth, side, joints.behind)
        _cuff(local, spine[:count], grown, sleeve)


def _hand_at(local: Canvas, skin: Material, wrist: Point, spine: Points, kind: str) -> None:
    way = spine[-1] - spine[-4]
    way /= np.linalg.norm(way)
    hand(local, skin, wrist, (float(way[0]), float(way[1])), kind)


def _limb(
    local: Canvas,
    person: Character,
    spine: Points,
    widths: tuple[float, ...],
    cloth: Material,
    side: float,
    behind: bool,
) -> None:
    """A stretch of arm that begins at the shoulder and merges with it."""
    outer, inner_edge = edge(spine, widths, -1), edge(spine, widths, 1)
    b = build(person)
    knots = [(float(x), float(y)) for x, y in outer[6::4]] + [
        (float(outer[-1, 0]), float(outer[-1, 1]))
    ]
    bulk = 0.5 * (widths[0] - b.arm)
    cap = ((b.shoulder * 0.62, 1.585), (b.shoulder * 0.88, 1.67), (b.shoulder + 0.03 + bulk, 1.86))
    outer = smooth(*cap, *knots, steps=6)
    if not behind:
        inner_edge = inner_edge[inner_edge[:, 1] > ARMPIT - 0.25]
    with local.inside(join(outer, inner_edge[::-1]), cloth.base) as inside:
        if cloth != SKINS[person.face.skin] and person.outfit.top in ("kimono", "sweater"):
            printed(inside, person, wardrobe(person), 1.7, 5.0)
        # the light comes from the left of the picture
        rim, depth = (outer[6:], -0.13) if side > 0 else (inner_edge, 0.13)
        inside.darken(_lee(rim, depth), cloth)
        if len(spine) > 24 and cloth != SKINS[person.face.skin]:
            _elbow_folds(inside, spine[len(spine) // 2], cloth)
    local.stroke(outer, cloth.ink, 1.0, (0.3, 0.9))
    local.stroke(inner_edge, cloth.ink, 1.0, (0.3, 0.9))
    if cloth != SKINS[person.face.skin]:
        local.stroke(line(tuple(outer[-1]), tuple(inner_edge[-1])), cloth.ink, 0.9, (1, 1))


def _lee(rim: Points, depth: float) -> Points:
    """The strip along an edge that lies in the shade, from nothing at its start."""
    grow = depth * np.minimum(1, np.linspace(0, 3, len(rim)))
    return join(rim, (rim + np.stack([grow, 0 * grow], axis=1))[::-1])


def _elbow_folds(inside: Canvas, elbow: Points, cloth: Material) -> None:
    x, y = float(elbow[0]), float(elbow[1])
    inside.stroke(
        smooth((x - 0.02, y - 0.10), (x + 0.08, y), (x + 0.22, y + 0.02)), cloth.ink, 0.7, (0, 0)
    )
    inside.stroke(
        smooth((x - 0.2, y - 0.22), (x - 0.06, y - 0.12), (x + 0.02, y - 0.14)),
        cloth.ink,
        0.6,
        (0, 0),
    )


def _cuff(local: Canvas, spine: Points, widths: NDArray[np.float64], sleeve: Sleeve) -> None:
    if sleeve.cuff is None:
        return
    outer, inner = edge(spine, widths.tolist(), -1.06), edge(spine, widths.tolist(), 1.06)
    span = slice(-3, None)
    band = join(outer[span], inner[span][::-1])
    local.shape(band, sleeve.cuff.base, sleeve.cuff.ink, 0.9)


def _upper_arm(
    local: Canvas, person: Character, side: float, joints: Arm, sleeve: Sleeve | None
) -> None:
    """The upper half of an arm whose forearm comes back up."""
    skin, width = SKINS[person.face.skin], build(person).arm
    start, end = np.array(joints.shoulder), np.array(joints.elbow)
    x, y = (start + end) / 2
    spine = smooth(joints.shoulder, (float(x) + 0.05, float(y)), joints.elbow, steps=10)
    bare = (width, width * 0.95, width * 0.76)
    if sleeve is None or not sleeve.long:
        _limb(local, person, spine, bare, skin, side, False)
    if sleeve:
        reach = len(spine) if sleeve.long else max(6, round(len(spine) * sleeve.length * 1.9))
        grown = tuple(w + sleeve.ease + sleeve.flare * 0.3 for w in bare)
        _limb(local, person, spine[:reach], grown, sleeve.cloth, side, False)


def draw_forearm(canvas: Canvas, person: Character, side: float, sleeve: Sleeve | None) -> None:
    """Draws the forearm and the hand of an arm that is bent up; nothing for other arms."""
    joints = arm(person, side)
    if not _bent(joints):
        return
    local = canvas.within(lambda p: sided(p, side))
    long = sleeve is not None and sleeve.long
    cloth = sleeve.cloth if sleeve and long else SKINS[person.face.skin]
    ease = sleeve.ease if sleeve and long else 0.0
    flare = sleeve.flare * 0.6 if sleeve and long else 0.0
    start, end = np.array(joints.elbow), np.array(joints.wrist)
    x, y = (start + end) / 2
    spine = smooth(
        (float(start[0]) + 0.07, float(start[1]) + 0.03),
        (float(x) + 0.04, float(y)),
        joints.wrist,
        steps=10,
    )
    _hand_at(local, SKINS[person.face.skin], joints.wrist, spine, joints.hand)
    width = build(person).arm
    half = (
        width * 0.78 + ease,
        width * 0.84 + ease,
        width * 0.74 + ease + flare * 0.5,
        width * 0.56 + ease + flare,
    )
    left, right = edge(spine, half, -1), edge(spine, half, 1)
    below = (joints.elbow[0] + 0.02, joints.elbow[1] + half[0] * 1.05)
    round_elbow = smooth(tuple(left[0]), below, tuple(right[0]), steps=6)
    shape = join(left[::-1], round_elbow, right)
    with local.inside(shape, cloth.base) as inside:
        if long and person.outfit.top in ("kimono", "sweater"):
            printed(inside, person, wardrobe(person), 1.7, 4.0)
        rim, depth = (right, -0.12) if side > 0 else (left, 0.12)
        inside.darken(_lee(rim, depth), cloth)
    local.stroke(shape, cloth.ink, 1.0, (0.8, 0.8))
    if long:
        local.stroke(line(tuple(shape[-1]), tuple(shape[0])), cloth.ink, 0.9, (1, 1))
    if sleeve and long and sleeve.cuff:
        band = join(edge(spine, half, -1.06)[-4:], edge(spine, half, 1.06)[-4:][::-1])
        local.shape(band, sleeve.cuff.base, sleeve.cuff.ink, 0.9)
