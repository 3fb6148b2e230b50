"""Prints on clothes: shapes of colour that are no lines."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.body import BUST
from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Point, Points, ellipse, line
from pipeline.sample_booru.artist.palette import mix
from pipeline.sample_booru.artist.wardrobe import Wardrobe

_PRINTS = {
    "sweater": ("none", "stripes", "diamonds", "none"),
    "hoodie": ("none", "star", "band", "none"),
    "sundress": ("dots", "flowers", "none"),
    "kimono": ("flowers", "flowers", "none"),
}


def pattern_of(person: Character) -> str:
    """The print on the clothes of a person."""
    prints = _PRINTS.get(person.outfit.top, ("none",))
    return prints[int(person.generator("print").integers(len(prints)))]


def printed(inner: Canvas, person: Character, cloths: Wardrobe, top: float, bottom: float) -> None:
    """Draws the print between two heights.

    Args:
        inner: in body units, clipped to the garment.
        person: who wears it.
        cloths: of the outfit.
        top: where the garment begins, in body units.
        bottom: where it ends.
    """
    kind = pattern_of(person)
    color = mix(cloths.second.base, cloths.main.base, 0.15)
    for shape in _shapes(kind, top, bottom):
        inner.shade(shape, color)
    if kind == "flowers":
        for x, y in _grid(top, bottom, 0.62):
            inner.shade(ellipse(x, y, 0.04, 0.04, 12), cloths.accent.base)


def _shapes(kind: str, top: float, bottom: float) -> list[Points]:
    if kind == "stripes":
        return [_bar(float(y), 0.17) for y in np.arange(2.05, min(bottom, 4.3), 0.42)]
    if kind == "band":
        return [_bar(BUST - 0.25, 0.36)]
    if kind == "diamonds":
        return [_diamond(float(x), BUST - 0.1, 0.19, 0.27) for x in np.arange(-1.2, 1.3, 0.4)]
    if kind == "star":
        return [_star(0.0, BUST + 0.15, 0.32)]
    if kind == "dots":
        return [ellipse(x, y, 0.055, 0.055, 20) for x, y in _grid(top, bottom, 0.34)]
    if kind == "flowers":
        return [petal for x, y in _grid(top, bottom, 0.62) for petal in _blossom(x, y)]
    return []


def _grid(top: float, bottom: float, step: float) -> list[Point]:
    """Places in rows that are shifted against each other."""
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
    return line((-3, y), (3, y), (3, y + thick), (-3, y + thick))


def _diamond(x: float, y: float, rx: float, ry: float) -> Points:
    return line((x - rx, y), (x, y - ry), (x + rx, y), (x, y + ry))
