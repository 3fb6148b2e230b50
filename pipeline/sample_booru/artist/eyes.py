"""Eyes: lids, iris and lashes.

Eye units: the origin is the middle of the eye, the inner corner is at x = -1, the outer at x = 1,
the lids reach from y = -1 to y = 1.
"""

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
    polyline,
    ribbon,
    spline,
)
from pipeline.sample_booru.artist.palette import EYES, SKINS, mix, rgb

LASH = rgb("2b1f2b")

# Upper lid from the inner to the outer corner, lower lid back again.
_LIDS = {
    "round": (
        ((-1.0, 0.28), (-0.80, -0.38), (-0.30, -0.90), (0.28, -0.93), (0.78, -0.52), (1.02, 0.10)),
        ((1.0, 0.18), (0.80, 0.72), (0.25, 0.98), (-0.35, 0.95), (-0.78, 0.70), (-0.96, 0.34)),
    ),
    "sharp": (
        ((-1.0, 0.42), (-0.78, -0.22), (-0.28, -0.76), (0.32, -0.84), (0.84, -0.58), (1.10, -0.12)),
        ((1.06, -0.05), (0.84, 0.56), (0.28, 0.88), (-0.35, 0.93), (-0.78, 0.76), (-0.97, 0.48)),
    ),
    "gentle": (
        ((-1.0, 0.16), (-0.80, -0.48), (-0.28, -0.90), (0.30, -0.86), (0.80, -0.36), (1.0, 0.32)),
        ((0.98, 0.40), (0.78, 0.84), (0.25, 1.0), (-0.35, 0.92), (-0.78, 0.62), (-0.96, 0.24)),
    ),
}


def _lid_curves(person: Character) -> tuple[Points, Points]:
    upper: tuple[Point, ...]
    upper, lower = _LIDS[person.face.shape]
    if person.face.state == "half":
        upper = tuple((x, max(y, 0.10 * abs(x) - 0.42) if abs(x) < 0.9 else y) for x, y in upper)
    return spline(*upper), spline(*lower)


def draw_eye(front: Canvas, person: Character, side: float) -> None:
    """Draw one eye.

    Args:
        front: a canvas in head units, on the front of the face.
        person: the character.
        side: -1 on the left of the picture, 1 on the right.
    """
    scale = np.array([side * 0.268, 0.258] if person.girl else [side * 0.250, 0.195])
    middle = np.array([0.425 * side, 0.34 if person.girl else 0.36])
    local = front.transformed(lambda p: p * scale + middle)
    state = person.face.state
    if state == "closed" or (state == "wink" and side == person.hair.side):
        _draw_closed_eye(local, person)
    else:
        _draw_open_eye(local, person, side)


def _draw_closed_eye(local: Canvas, person: Character) -> None:
    happy = person.face.mouth in ("smile", "grin", "open", "cat")
    if happy:
        spine = spline((-1.0, 0.45), (-0.45, -0.02), (0.15, -0.08), (0.70, 0.16), (1.08, 0.60))
    else:
        spine = spline((-1.0, 0.20), (-0.45, 0.55), (0.15, 0.66), (0.70, 0.48), (1.08, 0.10))
    local.ink(ribbon(spine, (0.03, 0.09, 0.13, 0.15, 0.05)), LASH)
    end = spine[-6]
    down = 0.28 if not happy else 0.22
    for reach in (0.0, -0.26):
        local.stroke(
            arc((end[0] + reach, end[1]), (end[0] + reach + 0.24, end[1] + down), 0.1),
            LASH,
            0.9,
            (1, 0),
        )


def _draw_open_eye(local: Canvas, person: Character, side: float) -> None:
    upper, lower = _lid_curves(person)
    with local.clipped(join(upper, lower), rgb("fdfbfb")) as white:
        lid = join(upper, upper[::-1] + np.array([0, 0.24]))
        white.shade(lid, rgb("d8d5e4"))
        _draw_iris(white, person, side)
        shadow = join(upper, upper[::-1] + np.array([0, 0.17]))
        white.multiply(shadow, rgb("b9aec6"))
    top = _draw_lashes(local, upper)
    local.stroke(lower[3:19], LASH, 0.7, (0.9, 0.0))
    local.stroke(lower[20:], mix(LASH, (200, 140, 130), 0.35), 0.5, (0.0, 0.2))
    crease = top[10:-8] + np.array([0.02, -0.17])
    local.stroke(crease, SKINS[person.face.skin].ink, 0.6, (0, 0))


def _draw_lashes(local: Canvas, upper: Points) -> Points:
    """Draw the upper lashes, thicker towards the outer corner; return their upper edge."""
    at = np.linspace(0, 1, len(upper))
    thick = np.interp(at, [0, 0.2, 0.55, 0.85, 1], [0.06, 0.17, 0.25, 0.27, 0.10])
    top: Points = upper + (offset_curve(upper, (1.0,), -1.0) - upper) * thick[:, None] * [0.9, 1.0]
    x, y = upper[-1]
    local.ink(join(upper, polyline((x + 0.20, y - 0.22)), top[::-1]), LASH)
    x, y = upper[-7]
    local.ink(polyline((x - 0.10, y - 0.05), (x + 0.32, y - 0.42), (x + 0.06, y + 0.14)), LASH)
    return top


def _draw_iris(white: Canvas, person: Character, side: float) -> None:
    base = rgb(EYES[person.face.eyes])
    # the gaze is a direction in the picture: undo the mirroring of the eye
    x = (0.02 + person.face.gaze[0] * side) + 0.10 * side * np.sin(person.yaw)
    y = 0.06 + person.face.gaze[1]
    rx, ry = (0.70, 0.98) if person.girl else (0.58, 0.98)
    deep = mix(base, rgb("1c1430"), 0.66)
    round_iris = ellipse(x, y, rx, ry, 48)
    with white.clipped(round_iris, base) as iris:
        iris.gradient((y - ry * 0.9, deep), (y + ry * 0.75, mix(base, (255, 255, 255), 0.12)))
        iris.shade(
            ellipse(x, y + ry * 0.72, rx * 0.72, ry * 0.42), mix(base, (255, 255, 240), 0.38)
        )
        iris.shade(
            ellipse(x, y + ry * 0.52, rx * 0.70, ry * 0.40), mix(base, (255, 255, 255), 0.06)
        )
        iris.shade(ellipse(x, y + 0.02, rx * 0.40, ry * 0.44), mix(deep, rgb("120c1c"), 0.6))
    white.outline(round_iris, mix(deep, LASH, 0.6), 0.9)
    left = -side  # the light comes from the left of the picture, in both eyes
    white.shade(ellipse(x + left * rx * 0.36, y - ry * 0.42, rx * 0.32, ry * 0.27), rgb("ffffff"))
    white.shade(ellipse(x - left * rx * 0.40, y + ry * 0.42, rx * 0.15, ry * 0.13), rgb("ffffff"))
