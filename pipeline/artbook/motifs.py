"""Things that mean nothing and have lines of every kind: what compositions are made of.

A motif draws itself on a canvas in pixels of the page, somewhere around a point, about as large as
it is asked to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.chance import chance, integer, log_uniform
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.curve import Points, ellipse, ribbon, spline
from pipeline.sample_booru.artist.palette import Color

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_LETTERS = "ABCDEFGHKLMNPRSTUVXYZabcdeghkmnopqrsuxyz0123456789?!&"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a motif goes, and what it is painted with.

    Attributes:
        x: middle, in pixels of the page.
        y: middle, in pixels of the page.
        size: about its diameter, in pixels of the page.
        palette: colours of its areas.
    """

    x: float
    y: float
    size: float
    palette: Sequence[Color]

    def color(self, rng: np.random.Generator) -> Color:
        """Return one of its colours."""
        return self.palette[int(rng.integers(len(self.palette)))]


def _dark(color: Color) -> Color:
    r, g, b = (value // 3 for value in color)
    return r, g, b


def _blob(rng: np.random.Generator, place: Place) -> Points:
    """Return a closed shape: round, bumpy, angular or pointed."""
    count = integer(rng, 3, 12)
    angles = np.sort(rng.uniform(0, 2 * np.pi, count)) if chance(rng, 0.5) else None
    if angles is None:
        angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    roughness = rng.uniform(0.05, 0.6)
    radii = place.size / 2 * (1 - roughness * rng.random(count))
    if chance(rng, 0.15):  # a star
        radii[::2] *= rng.uniform(0.3, 0.6)
    stretch = log_uniform(rng, 0.35, 1.0)
    turn = rng.uniform(0, 2 * np.pi)
    points = np.stack([radii * np.cos(angles), stretch * radii * np.sin(angles)], axis=1)
    c, s = np.cos(turn), np.sin(turn)
    points = np.asarray(points @ np.array([[c, s], [-s, c]]) + (place.x, place.y), float)
    if chance(rng, 0.3):
        return points
    distinct = points + rng.normal(0, 1e-3, points.shape)
    return spline(*[(float(x), float(y)) for x, y in distinct], closed=True)


def _path(rng: np.random.Generator, place: Place, knots: int, wander: float = 0.5) -> Points:
    """Return an open curve through a place."""
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    t = np.linspace(-0.5, 0.5, knots)
    sway = rng.normal(0, wander / 2, knots)
    points = np.array([place.x, place.y]) + place.size * (
        t[:, None] * along + (sway * 0.5)[:, None] * across
    )
    return spline(*[(float(x), float(y)) for x, y in points])


def shape(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a closed shape, with inner lines now and then."""
    color = place.color(rng)
    outline = _blob(rng, place)
    canvas.fill(outline, color)
    if chance(rng, 0.3):
        with canvas.clipped(outline) as inner:
            for _ in range(integer(rng, 1, 6)):
                inner.stroke(_path(rng, place, 4), _dark(color), rng.uniform(0.5, 1))
    canvas.outline(outline, _dark(color))


def band(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a ribbon or a tube."""
    color = place.color(rng)
    spine = _path(rng, place, integer(rng, 3, 6), 0.8)
    half = place.size * log_uniform(rng, 0.02, 0.2)
    widths = half * rng.uniform(0.4, 1, 4)
    area = ribbon(spine, [float(width) for width in widths])
    canvas.fill(area, color)
    canvas.outline(area, _dark(color))
    if chance(rng, 0.3):
        canvas.stroke(spine, _dark(color), 0.7)


def hair(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a bundle of pointed locks that grow from one place, and strands on them."""
    color = place.color(rng)
    angle = rng.uniform(0, 2 * np.pi)
    spread = rng.uniform(0.2, 1.2)
    bend = rng.normal(0, 0.5)
    locks = min(integer(rng, 3, 16), max(2, int(place.size / 9)))
    root = np.array([place.x, place.y]) - place.size / 3 * np.array([np.cos(angle), np.sin(angle)])
    for _ in range(locks):
        a = angle + rng.uniform(-spread, spread)
        length = place.size * rng.uniform(0.6, 1.1)
        start = root + rng.normal(0, place.size * 0.08, 2)
        middle = start + length * 0.5 * np.array([np.cos(a), np.sin(a)])
        curl = a + bend + rng.normal(0, 0.2)
        tip = middle + length * 0.5 * np.array([np.cos(curl), np.sin(curl)])
        spine = spline(*[(float(x), float(y)) for x, y in (start, middle, tip)], steps=12)
        half = max(2.5, place.size * rng.uniform(0.02, 0.1))
        lock = ribbon(spine, (half * 0.7, half, half * 0.7, 0.2))
        canvas.fill(lock, color)
        canvas.outline(lock, _dark(color))
        for _ in range(integer(rng, 0, min(3, int(half / 3)))):
            shift = rng.uniform(-0.6, 0.6)
            edge = ribbon(spine, (half * 0.7, half, half * 0.7, 0.2), left=shift, right=shift)
            strand = edge[: len(spine)]
            low = integer(rng, 0, len(spine) // 2)
            canvas.stroke(strand[low:], _dark(color), rng.uniform(0.3, 0.8), (0.3, 0.2))


def folds(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw cloth: a large shape, and tapering folds from its rim inwards."""
    color = place.color(rng)
    cloth = _blob(rng, place)
    canvas.fill(cloth, color)
    with canvas.clipped(cloth) as inner:
        for _ in range(min(integer(rng, 3, 14), max(2, int(place.size / 10)))):
            start = cloth[int(rng.integers(len(cloth)))]
            aim = np.array([place.x, place.y]) + rng.normal(0, place.size / 5, 2)
            end = start + (aim - start) * rng.uniform(0.3, 1)
            middle = (start + end) / 2 + rng.normal(0, place.size * 0.06, 2)
            curve = spline(*[(float(x), float(y)) for x, y in (start, middle, end)])
            inner.stroke(curve, _dark(color), rng.uniform(0.5, 1.1), (0.9, 0.1))
    canvas.outline(cloth, _dark(color))


def pattern(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a shape with outlined dots, bars or checks on it."""
    color, second = place.color(rng), place.color(rng)
    cloth = _blob(rng, place)
    canvas.fill(cloth, color)
    step = log_uniform(rng, 8, max(9.0, place.size / 3))
    turn = rng.uniform(0, np.pi)
    along = np.array([np.cos(turn), np.sin(turn)])
    across = np.array([-along[1], along[0]])
    count = min(9, int(place.size / step / 2) + 1)
    bars = chance(rng, 0.4)
    with canvas.clipped(cloth) as inner:
        for i in range(-count, count + 1):
            middle = np.array([place.x, place.y]) + i * step * across
            if bars:
                bar = ribbon(
                    np.stack([middle - place.size * along, middle + place.size * along]),
                    (step * 0.25, step * 0.25),
                )
                inner.fill(bar, second)
                inner.outline(bar, _dark(second), 0.7)
                continue
            for j in range(-count, count + 1):
                x, y = middle + j * step * along
                dot = ellipse(float(x), float(y), step * 0.3, step * 0.3, 14)
                inner.fill(dot, second)
                inner.outline(dot, _dark(second), 0.7)
    canvas.outline(cloth, _dark(color))


def lace(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a band of frills: small arcs, with holes."""
    color = place.color(rng)
    spine = _path(rng, place, 4, 0.4)
    radius = max(4.0, place.size * rng.uniform(0.03, 0.08))
    steps = np.linalg.norm(np.diff(spine, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    for place_on in np.arange(0, at[-1], radius * 1.6):
        x, y = (float(np.interp(place_on, at, spine[:, axis])) for axis in (0, 1))
        frill = ellipse(x, y, radius, radius, 18)
        canvas.fill(frill, color)
        canvas.outline(frill, _dark(color), 0.7)
        if radius > 5:
            canvas.outline(ellipse(x, y, radius * 0.4, radius * 0.4, 12), _dark(color), 0.6)


def lettering(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw letters, as strokes or as outlined shapes."""
    text = "".join(rng.choice(list(_LETTERS), integer(rng, 1, 8)))
    font = int(rng.choice(_FONTS))
    scale = log_uniform(rng, 0.35, max(0.5, place.size / 40)) * OVERSAMPLING
    outlined = scale > 2.5 * OVERSAMPLING or (chance(rng, 0.3) and scale > 1.5 * OVERSAMPLING)
    thickness = max(1, round(canvas.line_width))
    corner = (round((place.x - place.size / 2) * OVERSAMPLING), round(place.y * OVERSAMPLING))
    color = place.color(rng)
    if not outlined:
        cv2.putText(canvas.line, text, corner, font, scale, (0,), 5, cv2.LINE_AA)
        cv2.putText(canvas.strokes, text, corner, font, scale, (255,), thickness, cv2.LINE_AA)
        ink = canvas.pen.ink_on(_dark(color))
        cv2.putText(canvas.stroke_color, text, corner, font, scale, ink, thickness + 5, cv2.LINE_8)
        return
    mask = np.zeros(canvas.line.shape, np.uint8)
    cv2.putText(mask, text, corner, font, scale, (255,), max(6, round(scale * 5)), cv2.LINE_8)
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for contour, (_, _, _, parent) in zip(contours, tree[0] if len(contours) else (), strict=True):
        if len(contour) < 3:
            continue
        edge = contour[:, 0].astype(float) / OVERSAMPLING
        canvas.fill(edge, color if parent < 0 else place.palette[0])
        canvas.outline(edge, _dark(color))


def machine(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw boxes, plates, bolts, gears and pipes, at right angles."""
    turn = rng.normal(0, 0.3) if chance(rng, 0.5) else 0.0
    c, s = np.cos(turn), np.sin(turn)
    to_page = np.array([[c, s], [-s, c]])
    for _ in range(integer(rng, 2, 9)):
        color = place.color(rng)
        w, h = place.size * rng.uniform(0.05, 0.5, 2)
        x, y = place.size * rng.normal(0, 0.25, 2)
        box = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2 + (x, y)
        plate = box @ to_page + (place.x, place.y)
        canvas.fill(plate, color)
        canvas.outline(plate, _dark(color))
        for k in range(integer(rng, 0, 4)):
            share = (k + 1) / 5
            a, b = (
                plate[0] + share * (plate[3] - plate[0]),
                plate[1] + share * (plate[2] - plate[1]),
            )
            canvas.stroke(np.stack([a, (a + b) / 2, b]), _dark(color), 0.7, (1, 1))
    if chance(rng, 0.6):
        _gear(canvas, rng, place)


def _gear(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    teeth = integer(rng, 6, 18)
    radius = place.size * rng.uniform(0.1, 0.35)
    angles = np.linspace(0, 2 * np.pi, 4 * teeth, endpoint=False)
    radii = radius * np.where(np.arange(4 * teeth) % 4 < 2, 1.0, 0.8)
    color = place.color(rng)
    gear = np.stack([place.x + radii * np.cos(angles), place.y + radii * np.sin(angles)], axis=1)
    canvas.fill(gear, color)
    canvas.outline(gear, _dark(color))
    hole = ellipse(place.x, place.y, radius * 0.35, radius * 0.35)
    canvas.fill(hole, place.color(rng))
    canvas.outline(hole, _dark(color))


def foliage(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a twig with leaves, each with its middle line."""
    color = place.color(rng)
    twig = _path(rng, place, 4, 0.6)
    canvas.stroke(twig, _dark(color), 1.2)
    length = max(9.0, place.size * rng.uniform(0.1, 0.3))
    leaves = min(integer(rng, 3, 14), max(2, int(2 * place.size / length)))
    for index in np.linspace(0, len(twig) - 1, leaves).astype(int):
        angle = rng.uniform(0, 2 * np.pi)
        tip = twig[index] + length * np.array([np.cos(angle), np.sin(angle)])
        middle = (twig[index] + tip) / 2 + rng.normal(0, length * 0.1, 2)
        spine = spline(*[(float(x), float(y)) for x, y in (twig[index], middle, tip)])
        leaf = ribbon(spine, (0.2, length * 0.22, length * 0.16, 0.2))
        canvas.fill(leaf, color)
        canvas.outline(leaf, _dark(color), 0.8)
        if length > 12:
            canvas.stroke(spine, _dark(color), 0.5, (0.8, 0.2))


def hatching(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a shape that is filled with close parallel lines."""
    color = place.color(rng)
    area = _blob(rng, place)
    canvas.fill(area, color)
    step = max(log_uniform(rng, 5, 14), canvas.pen.width * 2.2)
    turn = rng.uniform(0, np.pi)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    count = min(24, int(place.size / step / 2))
    with canvas.clipped(area) as inner:
        for i in range(-count, count + 1):
            middle = np.array([place.x, place.y]) + (i * step + rng.normal(0, step * 0.08)) * across
            half = place.size * rng.uniform(0.2, 0.5) * along
            bow = middle + rng.normal(0, step * 0.15, 2)
            inner.stroke(np.stack([middle - half, bow, middle + half]), _dark(color), 0.6)
    canvas.outline(area, _dark(color))


def solid(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw a shape that is filled with ink; its rim is its line, or its middle if it is narrow."""
    area = _blob(rng, place)
    black = int(rng.integers(0, 24))
    canvas.fill(area, (black, black, black))
    canvas.ink(area, (black, black, black))


def eye(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw an eye: lashes of ink, rings, a pupil, highlights that are no lines."""
    color = place.color(rng)
    w, h = place.size * 0.5, place.size * rng.uniform(0.3, 0.6)
    white = ellipse(place.x, place.y, w, h)
    canvas.fill(white, (252, 250, 250))
    with canvas.clipped(white) as inner:
        iris = ellipse(place.x, place.y, w * 0.55, h * 0.9)
        inner.fill(iris, color)
        inner.outline(iris, _dark(color))
        pupil = ellipse(place.x, place.y, w * 0.22, h * 0.4)
        inner.fill(pupil, (10, 10, 14))
        inner.ink(pupil, (10, 10, 14))
        for _ in range(integer(rng, 1, 3)):
            x, y = place.x + rng.normal(0, w * 0.25), place.y - h * rng.uniform(0.1, 0.5)
            inner.shade(ellipse(x, y, w * 0.12, h * 0.16, 16), (255, 255, 255))
    top = ellipse(place.x, place.y, w, h, 40)[20:]
    half = max(1.0, place.size * rng.uniform(0.02, 0.06))
    canvas.ink(ribbon(top, (0.3, half, half, 0.3)), _dark(color))
    canvas.stroke(ellipse(place.x, place.y, w, h, 40)[2:18], _dark(color), 0.7)


def details(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw many tiny things: buttons, crosses, short strokes, loops."""
    color = place.color(rng)
    for _ in range(integer(rng, 5, 25)):
        x, y = np.array([place.x, place.y]) + rng.normal(0, place.size / 3, 2)
        small = Place(x=float(x), y=float(y), size=log_uniform(rng, 5, 22), palette=place.palette)
        if chance(rng, 0.5):
            dot = ellipse(small.x, small.y, small.size / 2, small.size / 2, 16)
            canvas.fill(dot, small.color(rng))
            canvas.outline(dot, _dark(color), 0.7)
        else:
            canvas.stroke(_path(rng, small, 3), _dark(color), 0.8)


def contours(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw lines side by side, with thin gaps between them."""
    color = place.color(rng)
    spine = _path(rng, place, 5, 0.8)
    gap = max(log_uniform(rng, 4, 16), canvas.pen.width * 1.8)
    count = integer(rng, 2, 6)
    area = ribbon(spine, (gap * count / 2, gap * count / 2))
    canvas.fill(area, color)
    canvas.outline(area, _dark(color))
    for index in range(1, count):
        share = 2 * index / count - 1
        line = ribbon(spine, (gap * count / 2, gap * count / 2), left=share, right=share)
        canvas.stroke(line[: len(spine)], _dark(color), 0.7, (1, 1))


def curve(canvas: PageCanvas, rng: np.random.Generator, place: Place) -> None:
    """Draw an open line by itself."""
    ends = (1.0, 1.0) if chance(rng, 0.5) else (0.4, 0.4)
    canvas.stroke(_path(rng, place, integer(rng, 2, 5)), _dark(place.color(rng)), 1.0, ends)


MOTIFS: dict[Callable[[PageCanvas, np.random.Generator, Place], None], float] = {
    shape: 6,
    band: 3,
    hair: 4,
    folds: 3,
    pattern: 1.5,
    lace: 1,
    lettering: 1,
    machine: 2,
    foliage: 1.5,
    hatching: 1,
    solid: 1.5,
    eye: 2,
    details: 1.5,
    contours: 1.5,
    curve: 1,
}
"""Every motif, and how often it is drawn in relation to the others."""

PLAIN = (shape, solid, contours, curve)
"""Those with room for wide outlines."""
