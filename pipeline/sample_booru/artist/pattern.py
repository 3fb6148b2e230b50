"""Prints on clothes: shapes of colour without line art."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import BUST
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Point, Points, ellipse, polyline
from pipeline.sample_booru.artist.palette import mix
from pipeline.sample_booru.artist.wardrobe import Fabrics

_PRINTS = {
    "sweater": ("none", "stripes", "diamonds", "none"),
    "hoodie": ("none", "star", "band", "none"),
    "sundress": ("dots", "flowers", "none"),
    "kimono": ("flowers", "flowers", "none"),
}


def print_of(person: Character) -> str:
    """Return the print on the clothes of a person."""
    prints = _PRINTS.get(person.outfit.top, ("none",))
    return prints[int(person.generator("print").integers(len(prints)))]


def draw_print(
    inner: Canvas, person: Character, fabrics: Fabrics, top: float, bottom: float
) -> None:
    """Draw the print between two heights.

    Args:
        inner: a canvas in body units, clipped to the garment.
        person: the character.
        fabrics: fabrics of the outfit.
        top: y of the upper end of the garment, in body units.
        bottom: y of its lower end.
    """
    pattern = print_of(person)
    color = mix(fabrics.second.base, fabrics.main.base, 0.15)
    for shape in _shapes(pattern, top, bottom):
        inner.shade(shape, color)
    if pattern == "flowers":
        for x, y in _grid(top, bottom, 0.62):
            inner.shade(ellipse(x, y, 0.04, 0.04, 12), fabrics.accent.base)


def _shapes(pattern: str, top: float, bottom: float) -> list[Points]:
    if pattern == "stripes":
        return [_bar(float(y), 0.17) for y in np.arange(2.05, min(bottom, 4.3), 0.42)]
    if pattern == "band":
        return [_bar(BUST - 0.25, 0.36)]
    if pattern == "diamonds":
        return [_diamond(float(x), BUST - 0.1, 0.19, 0.27) for x in np.arange(-1.2, 1.3, 0.4)]
    if pattern == "star":
        return [_star(0.0, BUST + 0.15, 0.32)]
    if pattern == "dots":
        return [ellipse(x, y, 0.055, 0.055, 20) for x, y in _grid(top, bottom, 0.34)]
    if pattern == "flowers":
        return [petal for x, y in _grid(top, bottom, 0.62) for petal in _blossom(x, y)]
    return []


def _grid(top: float, bottom: float, step: float) -> list[Point]:
    """Return positions in rows that are shifted against each other."""
    rows = np.arange(top, bottom + step, step)
    return [
        (float(x) + (row % 2) * step / 2, float(y) + 0.12 * step * float(np.sin(7 * x + 3 * y)))
        for row, y in enumerate(rows)
        for x in np.arange(-2.4, 2.5, step)
    ]


def _blossom(x: float, y: float) -> list[Points]:
    angles = np.arange(5) * 2 * np.pi / 5 + x
    return [
        ellipse(x + 0.085 * float(np.cos(a)), y + 0.085 * float(np.sin(a)), 0.065, 0.065, 14)
        for a in angles
    ]


def _star(x: float, y: float, size: float) -> Points:
    angles = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = size * np.where(np.arange(10) % 2 == 0, 1.0, 0.45)
    return np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], axis=1)


def _bar(y: float, thick: float) -> Points:
    return polyline((-3, y), (3, y), (3, y + thick), (-3, y + thick))


def _diamond(x: float, y: float, rx: float, ry: float) -> Points:
    return polyline((x - rx, y), (x, y - ry), (x + rx, y), (x, y + ry))
