"""The front hair: the dome of the head, the bangs and the side locks, as one shape."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Point, Points, arc, join, spline
from pipeline.sample_booru.artist.face import turn_head
from pipeline.sample_booru.artist.palette import Material, mix


@dataclass(frozen=True)
class Clump:
    """One strand of the bangs: from the valley on its left to its tip, and to the next valley."""

    left: Point
    tip: Point
    right: Point
    bulge: tuple[float, float]
    blunt: bool = False  # cut straight instead of tapered

    def edges(self) -> tuple[Points, Points]:
        """Return the left edge, downwards, and the right edge, upwards."""
        if self.blunt:
            corner = (self.left[0] + 0.12 * (self.tip[0] - self.left[0]), self.tip[1] - 0.02)
            hem = arc(corner, self.tip, -0.03)
            return join(arc(self.left, corner, 0.0), hem), arc(self.tip, self.right, -0.1)
        return arc(self.left, self.tip, self.bulge[0]), arc(self.tip, self.right, self.bulge[1])


@dataclass(frozen=True)
class Fringe:
    """The front hair, in head units, as projected."""

    dome: Points  # from the left ear over the top to the right ear
    clumps: tuple[Clump, ...]  # from left to right, side locks included
    whorl: Point

    @property
    def shape(self) -> Points:
        """The closed outline."""
        edges = [part for clump in self.clumps[::-1] for part in _reversed(clump)]
        return join(self.dome, *edges)


@dataclass(frozen=True)
class Strand:
    """A strand of the bangs as seen from the front: its tip, the valley after it, its sweep."""

    tip: Point
    valley: Point
    sweep: float  # -1 to the left, 1 to the right


def _reversed(clump: Clump) -> tuple[Points, Points]:
    down, up = clump.edges()
    return up[::-1], down[::-1]


def _bang_tips(person: Character, rng: np.random.Generator) -> list[Strand]:
    """Return the strands of the bangs, left to right."""
    side, bangs = person.hair.side, person.hair.bangs
    if bangs == "parted":
        return _parted(side, rng)
    if bangs == "blunt":
        return _blunt(rng)
    count = int(rng.integers(3, 6)) if bangs == "choppy" else int(rng.integers(3, 5))
    at = np.linspace(-0.72, 0.72, count + 1)
    at[1:-1] += rng.normal(0, 0.07, count - 1)
    lean = side * 0.20 if bangs == "swept" else side * 0.04
    strands = []
    for low, high in pairwise(at):
        middle = float((low + high) / 2)
        sweep = side * 0.9 if bangs == "swept" else middle * 1.3 + float(rng.normal(0, 0.25))
        sweep = float(np.clip(sweep, -1, 1))
        x = float(np.clip(middle + lean + 0.05 * sweep, -0.74, 0.74))
        y = 0.18 + 0.12 * np.cos(middle * 4.2) + rng.normal(0, 0.05)
        if bangs == "swept":
            y += 0.16 * side * middle
        strands.append(
            Strand((x, float(y)), (float(high), -0.24 - float(rng.uniform(0, 0.16))), sweep)
        )
    return strands


def _parted(side: float, rng: np.random.Generator) -> list[Strand]:
    part = 0.14 * side
    drop = float(rng.uniform(-0.06, 0.08))
    return [
        Strand((-0.70, 0.34 + drop), (-0.50, -0.16), -0.9),
        Strand((-0.52, 0.06), (part, -0.66), -1.0),
        Strand((0.54, 0.04), (0.52, -0.18), 1.0),
        Strand((0.71, 0.32 + drop), (0.72, -0.1), 0.9),
    ]


def _blunt(rng: np.random.Generator) -> list[Strand]:
    count = int(rng.integers(3, 6))
    at = np.linspace(-0.72, 0.72, count + 1)
    at[1:-1] += rng.normal(0, 0.06, count - 1)
    return [
        Strand(
            (
                float(low + (high - low) * rng.uniform(0.80, 0.92)),
                0.12 + float(rng.normal(0, 0.015)),
            ),
            (float(high), 0.01 - float(rng.uniform(0.0, 0.10))),
            0.0,
        )
        for low, high in pairwise(at)
    ]


def fringe(person: Character) -> Fringe:
    """Return the front hair of a person."""
    rng = person.generator("fringe")
    yaw, nod = person.yaw, person.nod
    shift = -0.10 * np.sin(yaw)
    puff = 1.03 + 0.03 * person.hair.wave
    dome = spline(
        (-1.04, 0.26), (-1.08, -0.16), (-0.98, -0.64), (-0.64, -1.07), (-0.04, -1.25),
        (0.60, -1.08), (0.98, -0.64), (1.08, -0.16), (1.04, 0.26), steps=10,
    )  # fmt: skip
    dome = dome * np.array([puff, 1.0]) + np.array([shift, 0])

    def seen(point: Point, depth: float = 0.10) -> Point:
        x, y = turn_head(np.array([point]), yaw, nod, depth)[0]
        return float(x), float(y)

    ends = [(float(x), float(y)) for x, y in (dome[0], dome[-1])]
    start, at = seen((-0.74, -0.10)), seen((-0.74, -0.10))
    clumps = _side_lock(person, rng, ends[0], start, -1.0)
    for strand in _bang_tips(person, rng):
        right = seen(strand.valley)
        bulge = (-0.09 + 0.10 * strand.sweep, -0.09 - 0.10 * strand.sweep)
        blunt = person.hair.bangs == "blunt"
        clumps.append(Clump(at, seen(strand.tip), right, bulge, blunt))
        at = right
    clumps += _side_lock(person, rng, at, ends[1], 1.0)
    whorl = (0.10 * person.hair.side + shift, -1.16)
    if person.hair.bangs == "parted":
        whorl = (0.16 * person.hair.side + 0.5 * np.sin(yaw), -1.10)
    return Fringe(dome, tuple(clumps), whorl)


def _side_lock(
    person: Character, rng: np.random.Generator, left: Point, right: Point, side: float
) -> list[Clump]:
    """Return the lock beside the face, a long and a short strand between two points of the hair."""
    low = person.hair.lock * float(rng.uniform(0.9, 1.1))
    outer = left if side < 0 else right
    x = outer[0] - side * (0.10 + 0.05 * person.hair.wave * float(rng.uniform(-1, 1)))
    long: Point = (x, low)
    valley: Point = (x - side * 0.11, low - float(rng.uniform(0.34, 0.46)))
    short: Point = (x - side * 0.21, low - float(rng.uniform(0.14, 0.24)))
    if side < 0:
        return [
            Clump(left, long, valley, (-0.07, -0.06)),
            Clump(valley, short, right, (-0.05, 0.05)),
        ]
    return [Clump(left, short, valley, (0.05, -0.05)), Clump(valley, long, right, (-0.06, -0.07))]


def _towards_whorl(start: Point, whorl: Point, share: float) -> Points:
    """Return a curve from a valley towards the whorl, along the round of the head."""
    out = np.clip((start[0] - whorl[0]) * 0.22, -0.2, 0.2)
    curve = arc(start, whorl, float(out), 24)
    return curve[: max(4, int(24 * share))]


def draw_fringe(canvas: Canvas, person: Character, hair: Material) -> None:
    """Draw the front hair."""
    rng = person.generator("strands")
    front = fringe(person)
    with canvas.clipped(front.shape, hair.base) as inner:
        inner.gradient((-0.9, hair.base), (1.3, mix(hair.base, hair.shade, 0.4)))
        _draw_form_shadow(inner, front, hair)
        for clump in front.clumps:
            _draw_strand_shadow(inner, clump, front.whorl, hair)
        _draw_gloss(inner, person, front.whorl, hair, rng)
        for clump in front.clumps[:-1]:
            up = _towards_whorl(clump.right, front.whorl, float(rng.uniform(0.25, 0.62)))
            inner.stroke(up, hair.ink, 0.9, (0.9, 0.0))
        for clump in front.clumps[1:-1]:
            _draw_fine_line(inner, clump, front.whorl, hair, rng)
        _draw_crown_lines(inner, front, hair, rng)
    canvas.stroke(front.dome, hair.ink, 1.15, (0.8, 0.8))
    for clump in front.clumps:
        down, up = clump.edges()
        canvas.stroke(down, hair.ink, 1.0, (0.8, 0.6))
        canvas.stroke(up, hair.ink, 1.0, (0.6, 0.8))


def _draw_form_shadow(inner: Canvas, front: Fringe, hair: Material) -> None:
    """Shade the side of the head that is turned away from the light."""
    rim = front.dome[len(front.dome) * 9 // 16 :]
    width = 0.26 * np.linspace(0.0, 1.0, len(rim)) ** 0.8
    inner.shade(join(rim, (rim - np.stack([width, 0 * width], axis=1))[::-1]), hair.shade)


def _draw_strand_shadow(inner: Canvas, clump: Clump, whorl: Point, hair: Material) -> None:
    """Shade the right side of a strand."""
    _, up = clump.edges()
    above = _towards_whorl(clump.right, whorl, 0.2)
    top = (float(above[-1, 0]), float(above[-1, 1]))
    inner.shade(join(up, above, arc(top, clump.tip, -0.10, 12)), hair.shade)


def _draw_gloss(
    inner: Canvas, person: Character, whorl: Point, hair: Material, rng: np.random.Generator
) -> None:
    """Draw the ring of light around the head, a row of streaks along the strands."""
    shift = 0.20 * np.sin(person.yaw)
    for x in np.arange(-0.84, 0.86, 0.062):
        if abs(x - 0.22) < 0.09 or rng.random() < 0.08:
            continue
        thick = np.cos(x * 1.55)
        high = 0.05 + 0.13 * thick * rng.uniform(0.5, 1.0)
        low = 0.05 + 0.15 * thick * rng.uniform(0.3, 1.0)
        at = np.array([x + shift, -0.60 + 0.34 * x**2])
        direction = at - np.array(whorl)
        direction /= np.linalg.norm(direction)
        a, b = at - direction * high, at + direction * low
        side = np.array([direction[1], -direction[0]]) * 0.040
        inner.shade(np.stack([a, at - side, b, at + side]), hair.light)


def _draw_crown_lines(
    inner: Canvas, front: Fringe, hair: Material, rng: np.random.Generator
) -> None:
    """Draw long lines that follow the round of the head, from near the whorl to the sides."""
    middle = front.dome.mean(axis=0)
    for low, high in ((0.05, 0.30), (0.70, 0.95)):
        first = float(rng.uniform(low, low + 0.08))
        last = float(rng.uniform(high - 0.08, high))
        part = front.dome[round(first * 79) : round(last * 79)]
        inset = float(rng.uniform(0.80, 0.88))
        inner.stroke(middle + (part - middle) * inset, hair.ink, 0.6, (0.0, 0.0))


def _draw_fine_line(
    inner: Canvas, clump: Clump, whorl: Point, hair: Material, rng: np.random.Generator
) -> None:
    """Draw a short line inside a strand, from near its tip."""
    if clump.blunt or rng.random() < 0.45:
        return
    root = (np.array(clump.left) + np.array(clump.right)) / 2
    middle = root * 0.45 + np.array(clump.tip) * 0.55
    start = (float(middle[0]), float(middle[1]))
    inner.stroke(
        _towards_whorl(start, whorl, float(rng.uniform(0.18, 0.4))), hair.ink, 0.55, (0.0, 0.0)
    )
