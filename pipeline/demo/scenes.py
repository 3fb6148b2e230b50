"""Sample drawings without people: a cat, a robot, a house.

Coordinates are in hundredths of the long side, y downwards.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.sample_booru.artist.canvas import OVERSAMPLING, Canvas
from pipeline.sample_booru.artist.curve import (
    Points,
    arc,
    ellipse,
    join,
    mirror,
    polyline,
    spline,
)
from pipeline.sample_booru.artist.draw import Drawing
from pipeline.sample_booru.artist.palette import rgb

_LINE_WIDTH = 0.36  # of a normal line
_INK = rgb("2e2a33")
_UNITS = 100  # of the long side


def draw_scene(name: str, long_side: int) -> Drawing:
    """Return one of `SCENES` at twice its size, as the drawings of the sample booru are.

    Args:
        name: of the scene.
        long_side: in pixels, of the picture that it will be reduced to.
    """
    draw, _ = SCENES[name]
    scale = long_side * OVERSAMPLING / _UNITS
    width, height = scene_size(name, long_side)
    shape = height * OVERSAMPLING, width * OVERSAMPLING
    canvas = Canvas(
        color=np.full((*shape, 3), 255, np.uint8),
        line=np.full(shape, 255, np.uint8),
        transform=lambda points: points * scale,
        line_width=_LINE_WIDTH * scale,
    )
    draw(canvas)
    return Drawing(color=canvas.color, line=canvas.line)


def scene_size(name: str, long_side: int) -> tuple[int, int]:
    """Return width and height in pixels of a scene with a long side."""
    width, height = (round(side * long_side / _UNITS) for side in SCENES[name][1])
    return width, height


def _box(left: float, top: float, right: float, bottom: float, corner: float = 0.0) -> Points:
    """Return a rectangle with round corners."""
    if not corner:
        return polyline((left, top), (right, top), (right, bottom), (left, bottom))
    x0, x1, y0, y1 = left + corner, right - corner, top + corner, bottom - corner
    turns = np.linspace(0, np.pi / 2, 8)
    middles = ((x1, y1), (x0, y1), (x0, y0), (x1, y0))
    return join(
        *(
            np.stack([x + corner * np.cos(turn), y + corner * np.sin(turn)], axis=1)
            for quarter, (x, y) in enumerate(middles)
            for turn in (turns + quarter * np.pi / 2,)
        )
    )


def _both_sides(middle: float, curve: Points) -> tuple[Points, Points]:
    """Return a curve and its mirror image beside a vertical line."""
    shift = np.array([middle, 0.0])
    return curve, mirror(curve - shift) + shift


# --- a cat on a cushion ---

_FUR, _FUR_SHADE, _BELLY = rgb("f0a45c"), rgb("d98542"), rgb("fff1dc")
_PINK, _EYE, _COLLAR, _GOLD = rgb("f29c9c"), rgb("7cb56a"), rgb("4a78b8"), rgb("f2c94c")
_CUSHION, _CUSHION_SIDE = rgb("b6579a"), rgb("8e3f7c")
_LEAF, _LEAF_SHADE, _POT = rgb("5c9c5e"), rgb("44804c"), rgb("c8704a")
_WALL, _FLOOR = rgb("dfeaf0"), rgb("c9a982")


def _draw_cat(canvas: Canvas) -> None:
    canvas.fill(_box(-2, -2, 102, 74), _WALL)
    canvas.shape(_box(-2, 74, 102, 102), _FLOOR, _INK)
    _draw_plant(canvas, 84, 76)
    canvas.shape(ellipse(43, 85, 40, 11, 72), _CUSHION_SIDE, _INK)
    canvas.shape(ellipse(43, 82, 39, 9.5, 72), _CUSHION, _INK)
    outer = spline((57, 82), (72, 84), (80, 77), (82, 62), (79, 50), (74, 44), (70, 50))
    canvas.shape(join(outer, spline((75, 60), (73, 72), (68, 77), (57, 79))), _FUR, _INK)
    body = spline((30, 44), (24, 58), (21, 74), (28, 82), (44, 83), (60, 82), (66, 74), (62, 56))
    canvas.shape(join(body, spline((56, 44), (43, 40))), _FUR, _INK)
    canvas.shade(spline((58, 52), (63, 64), (64, 76), (58, 81), (59, 68), closed=True), _FUR_SHADE)
    canvas.shape(spline((36, 50), (34, 62), (43, 70), (52, 62), (50, 50)), _BELLY, _INK, 0.7)
    for leg in _both_sides(43, spline((36, 66), (33, 76), (33, 82), (40, 83), (42, 80), (42, 70))):
        canvas.shape(leg, _FUR, _INK)
    for toes in _both_sides(43, polyline((36, 83), (36, 80.5))):
        canvas.stroke(toes, _INK, 0.8)
    _draw_cat_head(canvas)


def _draw_cat_head(canvas: Canvas) -> None:
    for ear in _both_sides(43, polyline((24, 28), (24, 8), (38, 17))):
        canvas.shape(ear, _FUR, _INK)
    for inside in _both_sides(43, polyline((27, 24), (26.5, 13), (34, 18.5))):
        canvas.shape(inside, _PINK, _INK, 0.7)
    head = spline(
        (43, 15), (29, 19), (22, 32), (27, 42), (43, 48), (59, 42), (64, 32), (57, 19), closed=True
    )
    canvas.shape(head, _FUR, _INK)
    for stripe in (-4.5, 0.0, 4.5):
        top = polyline((43 + stripe - 1, 16), (43 + stripe + 1, 16), (43 + stripe, 22))
        canvas.shape(top, _FUR_SHADE, _INK, 0.6)
    canvas.shape(ellipse(43, 39, 10, 6.5, 48), _BELLY, _INK, 0.7)
    for eye in _both_sides(43, ellipse(34, 30, 4, 4.6, 40)):
        canvas.shape(eye, _EYE, _INK, 1.2)
    for pupil in _both_sides(43, ellipse(34.4, 30, 1.3, 3.6, 30)):
        canvas.ink(pupil, _INK)
    for light in (33.2, 51.0):
        canvas.shade(ellipse(light, 28, 0.9, 0.9, 20), (255, 255, 255))
    canvas.shape(polyline((40.8, 35), (45.2, 35), (43, 37.6)), _PINK, _INK)
    for mouth in _both_sides(43, spline((43, 37.6), (42.4, 41), (38.5, 40.5))):
        canvas.stroke(mouth, _INK, 1.0)
    for rise in (-1.5, 0.5, 2.5):
        for whisker in _both_sides(43, arc((36, 39 + rise / 2), (19, 37 + 2 * rise), 0.05)):
            canvas.stroke(whisker, _INK, 0.6, (0.9, 0.3))
    collar = join(spline((30, 44.5), (43, 50), (56, 44.5)), spline((57, 48), (43, 54), (29, 48)))
    canvas.shape(collar, _COLLAR, _INK)
    canvas.shape(ellipse(43, 54, 3, 3, 30), _GOLD, _INK)
    canvas.stroke(polyline((43, 54.5), (43, 57)), _INK, 1.0)


def _draw_plant(canvas: Canvas, x: float, ground: float) -> None:
    leaves = ((-13, -34, 0.2), (12, -36, -0.2), (-15, -20, 0.25), (14, -21, -0.25), (0, -44, 0.1))
    for side, top, bend in leaves:
        start, end = (x + side / 8, ground - 14), (x + side, ground + top)
        blade = join(arc(start, end, bend), arc(end, start, bend))
        canvas.shape(blade, _LEAF if side <= 0 else _LEAF_SHADE, _INK)
        canvas.stroke(
            polyline(start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)), _INK, 0.6
        )
    pot = polyline(
        (x - 8, ground - 14), (x + 8, ground - 14), (x + 6, ground + 4), (x - 6, ground + 4)
    )
    canvas.shape(pot, _POT, _INK)
    canvas.shape(_box(x - 9.5, ground - 17, x + 9.5, ground - 12, 1), _POT, _INK)


# --- a robot with a balloon ---

_METAL, _DARK_METAL, _PANEL = rgb("a9b8c6"), rgb("6f8092"), rgb("e8e2cf")
_RED, _GLASS, _TEAL = rgb("d9534a"), rgb("a8e0e6"), rgb("3f9a94")


def _draw_robot(canvas: Canvas) -> None:
    canvas.shape(_box(-2, 90, 82, 102), rgb("d8cdb8"), _INK)
    canvas.stroke(spline((62, 56), (66, 44), (63, 36), (66, 30)), _INK, 0.8)
    canvas.shape(
        spline((66, 30), (56, 19), (57, 9), (66, 5), (75, 9), (76, 19), (66, 30)), _RED, _INK
    )
    canvas.shade(spline((60, 11), (58.5, 17), (60, 18), (62, 12), closed=True), rgb("f2948c"))
    canvas.shape(polyline((64.5, 32), (67.5, 32), (66, 29.5)), _RED, _INK)
    for leg in _both_sides(38, _box(26, 74, 34, 84)):
        canvas.shape(leg, _DARK_METAL, _INK)
    for foot in _both_sides(38, _box(21, 83, 36, 92, 3)):
        canvas.shape(foot, _TEAL, _INK)
    for wheel in (25, 31, 45, 51):
        canvas.shape(ellipse(wheel, 88.5, 2.2, 2.2, 30), _PANEL, _INK, 0.8)
    _draw_robot_arms(canvas)
    canvas.shape(_box(22, 44, 54, 76, 4), _METAL, _INK, 1.2)
    canvas.shape(_box(27, 49, 49, 65, 2), _PANEL, _INK)
    canvas.shape(ellipse(33, 57, 4.5, 4.5, 40), (255, 255, 255), _INK)
    canvas.stroke(polyline((33, 57), (35.5, 53.8)), _INK, 0.9)
    for row, button in enumerate((_RED, _GOLD, _LEAF)):
        canvas.shape(ellipse(44, 53 + 4 * row, 1.5, 1.5, 24), button, _INK, 0.8)
    for x in (30, 34, 38, 42, 46):
        canvas.stroke(polyline((x, 69), (x, 73)), _INK, 0.9)
    canvas.shape(_box(34, 38, 42, 45), _DARK_METAL, _INK)
    canvas.stroke(polyline((38, 16), (38, 8)), _INK, 1.4, (1, 1))
    canvas.shape(ellipse(38, 6.5, 2.4, 2.4, 30), _RED, _INK)
    for bolt in _both_sides(38, _box(16, 25, 20, 33, 1)):
        canvas.shape(bolt, _DARK_METAL, _INK)
    canvas.shape(_box(19, 15, 57, 40, 6), _METAL, _INK, 1.2)
    canvas.shape(_box(23, 20, 53, 32, 5), _GLASS, _INK)
    for eye in _both_sides(38, ellipse(31, 26, 3.6, 3.6, 36)):
        canvas.shape(eye, _GOLD, _INK)
    for pupil in _both_sides(38, ellipse(31.6, 26.4, 1.3, 1.3, 24)):
        canvas.ink(pupil, _INK)
    canvas.stroke(spline((32, 35), (38, 37.4), (44, 35)), _INK, 1.1)


def _draw_robot_arms(canvas: Canvas) -> None:
    hanging = ((20, 50), (15, 56), (13, 63), (14, 70))
    raised = ((56, 50), (62, 55), (64, 60), (62, 63))
    for joints in (hanging, raised):
        for x, y in joints:
            canvas.shape(ellipse(x, y, 3.2, 3.2, 30), _DARK_METAL, _INK)
    for x, y, up in ((14, 75, 1), (62, 57, -1)):
        claw = join(
            spline((x - 4, y - 3 * up), (x - 5, y + 2 * up), (x - 1.5, y + 4 * up)),
            polyline((x - 1.5, y + 1.5 * up), (x + 1.5, y + 1.5 * up)),
            spline((x + 1.5, y + 4 * up), (x + 5, y + 2 * up), (x + 4, y - 3 * up)),
        )
        canvas.shape(claw, _TEAL, _INK)


# --- a house by a lake ---

_SKY, _CLOUD, _SUN = rgb("bfe3f5"), rgb("ffffff"), rgb("ffd75e")
_FAR_HILL, _HILL, _GRASS, _PATH = rgb("9db8d6"), rgb("8cc079"), rgb("a7d27c"), rgb("ecd9ac")
_ROOF, _HOUSE, _WOOD, _LAKE = rgb("c4553f"), rgb("fbeed2"), rgb("8a5a3c"), rgb("6fb4d9")


def _draw_house(canvas: Canvas) -> None:
    canvas.fill(_box(-2, -2, 102, 78), _SKY)
    canvas.shape(ellipse(80, 15, 8, 8, 60), _SUN, _INK)
    for x, middle, size in ((24, 14, 1.0), (60, 9, 0.7)):
        _draw_cloud(canvas, x, middle, size)
    far = spline((-4, 44), (10, 30), (24, 38), (42, 24), (60, 38), (78, 28), (104, 42))
    canvas.shape(join(far, polyline((104, 80), (-4, 80))), _FAR_HILL, _INK)
    near = spline((-4, 50), (20, 42), (46, 46), (72, 42), (104, 52))
    canvas.shape(join(near, polyline((104, 80), (-4, 80))), _HILL, _INK)
    canvas.shape(
        spline((50, 60), (74, 54), (104, 58), (104, 72), (70, 70), closed=True), _LAKE, _INK
    )
    for y in (60.5, 64.0):
        canvas.stroke(spline((74, y), (79, y - 0.8), (84, y), (89, y - 0.8)), _INK, 0.6)
    meadow = spline((-4, 58), (30, 55), (56, 64), (80, 71), (104, 69))
    canvas.shape(join(meadow, polyline((104, 80), (-4, 80))), _GRASS, _INK)
    path = join(
        spline((29, 60), (34, 66), (28, 72), (32, 80)),
        spline((46, 80), (40, 72), (41, 66), (35, 60)),
    )
    canvas.shape(path, _PATH, _INK)
    _draw_cottage(canvas)
    _draw_tree(canvas, 62, 70)
    for left in range(66, 100, 6):
        canvas.shape(
            polyline(
                (left, 77), (left, 70), (left + 1.2, 68.6), (left + 2.4, 70), (left + 2.4, 77)
            ),
            _CLOUD,
            _INK,
            0.8,
        )


def _draw_cottage(canvas: Canvas) -> None:
    canvas.shape(_box(37, 27, 42, 40), _ROOF, _INK)
    canvas.shape(_box(36, 25, 43, 28), _WOOD, _INK)
    canvas.shape(_box(16, 41, 46, 61), _HOUSE, _INK)
    canvas.shape(polyline((12, 43), (20, 29), (42, 29), (50, 43)), _ROOF, _INK, 1.2)
    for y, shift in ((33.6, 0.0), (38.3, 2.0)):
        canvas.stroke(polyline((31 - 12 - (y - 29) / 2, y), (31 + 12 + (y - 29) / 2, y)), _INK, 0.7)
        for x in range(21, 43, 5):
            canvas.stroke(polyline((x + shift, y), (x + shift - 0.4, y + 3.6)), _INK, 0.6)
    canvas.shape(_box(28.5, 48, 35.5, 61), _WOOD, _INK)
    canvas.ink(ellipse(34, 55, 0.5, 0.5, 16), _INK)
    for left in (19, 38.5):
        canvas.shape(_box(left, 48, left + 6, 55), _GLASS, _INK)
        canvas.stroke(polyline((left + 3, 48), (left + 3, 55)), _INK, 0.8, (1, 1))
        canvas.stroke(polyline((left, 51.5), (left + 6, 51.5)), _INK, 0.8, (1, 1))


def _draw_tree(canvas: Canvas, x: float, ground: float) -> None:
    trunk = join(
        spline((x - 3, ground), (x - 1.5, ground - 8), (x - 2, ground - 18)),
        spline((x + 2, ground - 18), (x + 1.5, ground - 8), (x + 3.5, ground)),
    )
    canvas.shape(trunk, _WOOD, _INK)
    crown = [
        (
            x + (9 + 1.4 * (-1) ** index) * np.cos(turn),
            ground - 24 + (9 + 1.4 * (-1) ** index) * np.sin(turn),
        )
        for index, turn in enumerate(np.linspace(0, 2 * np.pi, 16, endpoint=False))
    ]
    canvas.shape(spline(*crown, closed=True), _LEAF, _INK)
    for dx, dy in ((-4, -28), (3, -22), (4, -29), (-3, -20)):
        canvas.shape(ellipse(x + dx, ground + dy, 1.4, 1.4, 24), _RED, _INK, 0.7)


def _draw_cloud(canvas: Canvas, x: float, y: float, size: float) -> None:
    bumps = ((-9, 2), (-7, -2), (-2, -4.5), (4, -3.5), (8, -1), (9, 2), (0, 3.4))
    canvas.shape(
        spline(*((x + size * dx, y + size * dy) for dx, dy in bumps), closed=True), _CLOUD, _INK
    )


SCENES: dict[str, tuple[Callable[[Canvas], None], tuple[int, int]]] = {
    "cat": (_draw_cat, (100, 98)),
    "robot": (_draw_robot, (82, 100)),
    "house": (_draw_house, (100, 78)),
}
"""What draws each scene, and its width and height."""
