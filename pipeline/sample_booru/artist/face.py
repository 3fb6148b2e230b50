"""The head without its hair: ears, face, eyes, nose and mouth.

Head units: the origin is the middle of the skull, its top is at y = -1, the chin at y = 1.14.
"""

from __future__ import annotations

import numpy as np

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
)
from pipeline.sample_booru.artist.eyes import draw_eye
from pipeline.sample_booru.artist.palette import SKINS, Color, Material, mix, rgb


def turn_head(points: Points, yaw: float, nod: float, depth: float = 0.0) -> Points:
    """Project points on the front of the face as the head is turned.

    Args:
        points: as seen from the front, in head units.
        yaw: radians.
        nod: radians.
        depth: distance in front of the skin, in head units.
    """
    x, y = points[:, 0], points[:, 1]
    z = 0.82 - 0.50 * x**2 + depth
    return np.stack([x * np.cos(yaw) + z * np.sin(yaw), y + nod * z], axis=1)


def face_contour(person: Character) -> Points:
    """Return the outline of the face, from the left temple over the chin to the right temple."""
    if person.girl:
        half = ((0.86, -0.45, 0.10), (0.885, 0.0, 0.12), (0.87, 0.30, 0.16), (0.785, 0.58, 0.26),
                (0.56, 0.87, 0.40), (0.25, 1.075, 0.52))  # fmt: skip
        chin = (0.0, 1.15, 0.58)
    else:
        half = ((0.86, -0.45, 0.10), (0.88, 0.0, 0.12), (0.865, 0.32, 0.16), (0.81, 0.62, 0.26),
                (0.66, 0.92, 0.38), (0.34, 1.17, 0.52))  # fmt: skip
        chin = (0.0, 1.25, 0.58)
    points = [(-x, y, z) for x, y, z in half] + [chin] + list(half[::-1])
    x, y, z = np.array(points).T
    seen = x * np.cos(person.yaw) + z * np.sin(person.yaw)
    return spline(*zip(seen.tolist(), (y + person.nod * z).tolist(), strict=True))


def draw_ears(canvas: Canvas, person: Character) -> None:
    """Draw both ears, behind the face."""
    skin = SKINS[person.face.skin]
    for side in (-1.0, 1.0):
        away = -0.10 * side * np.sin(person.yaw) * 2
        outer = spline((0.80, 0.05), (0.95, 0.02), (1.02, 0.18), (0.96, 0.42), (0.82, 0.58))
        ear = outer * np.array([side, 1.0]) + np.array([away, 0.0])
        canvas.shape(ear, skin.base, skin.ink)
        inner = spline((0.88, 0.14), (0.95, 0.18), (0.92, 0.34), (0.86, 0.40))
        canvas.stroke(inner * np.array([side, 1.0]) + np.array([away, 0.0]), skin.ink, 0.6, (0, 0))


def draw_face(canvas: Canvas, person: Character, fringe: Points) -> None:
    """Draw the face with everything on it.

    Args:
        canvas: the canvas, in head units.
        person: the character.
        fringe: the shape of the front hair, which casts a shadow on the forehead.
    """
    skin = SKINS[person.face.skin]
    outline = face_contour(person)
    brow = spline((float(outline[-1, 0]), -0.5), (0.0, -1.0), (float(outline[0, 0]), -0.5))
    with canvas.clipped(join(outline, brow), skin.base) as inner:
        inner.shade(fringe + np.array([0.03, 0.13]), skin.shade)
        away = -np.sign(person.yaw) or 1.0
        cheek = turn_head(
            spline((0.92, 0.2), (0.80, 0.55), (0.55, 0.88), (0.3, 1.1), (0.6, 1.3), (1.1, 1.0)),
            0,
            0,
        )
        inner.shade(
            cheek * np.array([away, 1.0]) + np.array([0.3 * np.sin(person.yaw), 0]),
            mix(skin.base, skin.shade, 0.6),
        )
        front = inner.transformed(lambda p: turn_head(p, person.yaw, person.nod))
        _draw_blush(front, person)
    canvas.stroke(outline, skin.ink, 1.0, (0.8, 0.8))
    front = canvas.transformed(lambda p: turn_head(p, person.yaw, person.nod))
    tip = canvas.transformed(lambda p: turn_head(p, person.yaw, person.nod, 0.12))
    _draw_nose(tip, person, skin)
    _draw_mouth(front, person, skin)
    for side in (-1.0, 1.0):
        draw_eye(front, person, side)
    if person.face.mole:
        spot = ellipse(0.52, 0.70, 0.022, 0.022, 12)
        front.ink(spot, skin.ink)


def _draw_blush(front: Canvas, person: Character) -> None:
    pink = mix(SKINS[person.face.skin].shade, rgb("ff5a66"), 0.45)
    max_opacity = 0.62 if person.face.blush else 0.22
    for side in (-1.0, 1.0):
        front.radial_gradient(0.52 * side, 0.68, 0.30, 0.17, pink, max_opacity)
    if person.face.blush:
        red = mix(pink, rgb("c8303f"), 0.45)
        for side in (-1.0, 1.0):
            for step in (-0.09, 0.0, 0.09):
                x = 0.52 * side + step
                front.stroke(polyline((x + 0.03, 0.64), (x - 0.03, 0.72)), red, 0.7, (0.2, 0.2))


def _draw_nose(tip: Canvas, person: Character, skin: Material) -> None:
    side = 1.0 if person.yaw >= 0 else -1.0
    if person.girl:
        nose = spline((0.0, 0.66), (0.035 * side, 0.70), (0.0, 0.725))
    else:
        nose = spline((0.02 * side, 0.50), (0.06 * side, 0.70), (0.0, 0.735))
    tip.shade(polyline((0.0, 0.66), (0.05 * side, 0.71), (-0.02 * side, 0.745)), skin.shade)
    tip.stroke(nose, skin.ink, 0.8, (0.0, 0.3))


def _draw_mouth(front: Canvas, person: Character, skin: Material) -> None:
    y = 0.88 if person.girl else 0.96
    mouth = person.face.mouth
    lip = mix(skin.ink, rgb("7a2a35"), 0.4)
    if mouth in ("grin", "open", "small"):
        _draw_open_mouth(front, person, y, lip)
        return
    curves = {
        "smile": spline((-0.15, y - 0.035), (-0.06, y + 0.01), (0.06, y + 0.012), (0.16, y - 0.04)),
        "frown": spline((-0.11, y + 0.03), (0.0, y - 0.012), (0.11, y + 0.03)),
        "flat": spline((-0.10, y), (0.0, y + 0.006), (0.10, y - 0.004)),
        "cat": spline(
            (-0.17, y - 0.03),
            (-0.09, y + 0.03),
            (0.0, y - 0.02),
            (0.09, y + 0.03),
            (0.17, y - 0.03),
        ),
    }
    front.stroke(curves[mouth], lip, 0.95, (0.35, 0.35))
    if mouth != "cat":
        front.stroke(
            spline((-0.05, y + 0.085), (0.0, y + 0.095), (0.05, y + 0.085)),
            mix(skin.shade, skin.ink, 0.25),
            0.5,
            (0, 0),
        )


def _draw_open_mouth(front: Canvas, person: Character, y: float, lip: Color) -> None:
    wide, low, top = {
        "grin": (0.20, 0.15, -0.03),
        "open": (0.145, 0.17, -0.015),
        "small": (0.075, 0.09, 0.0),
    }[person.face.mouth]
    upper = spline(
        (-wide, y + top), (-wide * 0.4, y + 0.004), (wide * 0.4, y + 0.004), (wide, y + top)
    )
    lower = spline(
        (wide, y + top),
        (wide * 0.72, y + low * 0.7),
        (0.0, y + low),
        (-wide * 0.72, y + low * 0.7),
        (-wide, y + top),
    )
    shape = join(upper, lower)
    with front.clipped(shape, rgb("8f3640")) as inner:
        inner.shade(ellipse(0.0, y + low * 1.05, wide * 0.75, low * 0.55), rgb("e8838a"))
        if person.face.mouth != "small":
            inner.shade(join(upper, upper[::-1] + np.array([0, low * 0.26])), rgb("fffaf6"))
        if person.face.fang:
            inner.shade(
                polyline((wide * 0.45, y - 0.02), (wide * 0.62, y + 0.085), (wide * 0.8, y - 0.03)),
                rgb("fffaf6"),
            )
    front.outline(shape, lip, 0.85)


def draw_brows(canvas: Canvas, person: Character, ink: Color) -> None:
    """Draw both brows, over the hair as is usual in this style."""
    front = canvas.transformed(lambda p: turn_head(p, person.yaw, person.nod, 0.03))
    y = -0.13 if person.girl else -0.04
    mood = person.face.brow
    spine = spline((0.20, y + 0.03 + 0.08 * mood), (0.42, y - 0.05), (0.66, y + 0.02 - 0.05 * mood))
    widths = (0.012, 0.020, 0.018, 0.004) if person.girl else (0.02, 0.035, 0.03, 0.005)
    shape = ribbon(spine, widths)
    front.ink(shape, ink)
    front.ink(mirror(shape), ink)


def draw_glasses(canvas: Canvas, person: Character, ink: Color) -> None:
    """Draw the glasses, over everything on the face."""
    front = canvas.transformed(lambda p: turn_head(p, person.yaw, person.nod, 0.10))
    lens = spline(
        (0.13, 0.32), (0.16, 0.16), (0.42, 0.11), (0.70, 0.16), (0.73, 0.34), (0.66, 0.57),
        (0.42, 0.64), (0.18, 0.57), closed=True,
    )  # fmt: skip
    for shape in (lens, mirror(lens)):
        front.outline(shape, ink, 1.25)
    front.stroke(spline((-0.13, 0.30), (0.0, 0.25), (0.13, 0.30)), ink, 1.1, (1, 1))


def draw_temples(canvas: Canvas, person: Character, ink: Color) -> None:
    """Draw the temples of the glasses, under the hair."""
    front = canvas.transformed(lambda p: turn_head(p, person.yaw, person.nod, 0.05))
    for side in (-1.0, 1.0):
        front.stroke(polyline((0.73 * side, 0.29), (0.92 * side, 0.20)), ink, 1.1, (1, 1))
