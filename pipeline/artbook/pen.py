"""Pens: how the outlines of a page are drawn, or left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import chance, log_uniform
from pipeline.sample_booru.artist.palette import Color

INKS = ("black", "dark", "colored", "light", "absent")
"""The colours of outlines: black; one dark colour; a darker shade of what they bound; pale on dark;
or none, so that areas of different colours meet."""

_WIDEST_STRIPE = 12.0  # pixels: wider bright lines look like areas, with a line on either side


@dataclass(frozen=True, kw_only=True)
class Pen:
    """How the outlines of a page are drawn.

    Attributes:
        ink: one of `INKS`.
        color: of the ink, for black, dark and light.
        shade: brightness of coloured ink, as a share of what it bounds.
        width: of a normal line, in pixels of the page.
        taper: how much thinner the ends of a line are, 0 to 1.
        swell: how much the width changes along a line, 0 to 1.
        opacity: 0 to 1.
        grain: how much of a line the grain of the paper takes away, 0 to 1.
        gaps: share of a line that is missing, 0 to 1, in short gaps.
        blur: standard deviation, in pixels of the page.
        absent: share of the shapes without an outline, 0 to 1.
        accents: share of the lines that have a colour of their own, 0 to 1.
        round_joins: whether corners and ends of lines are round.
    """

    ink: str = "black"
    color: Color = (0, 0, 0)
    shade: float = 0.5
    width: float = 3.0
    taper: float = 0.4
    swell: float = 0.0
    opacity: float = 1.0
    grain: float = 0.0
    gaps: float = 0.0
    blur: float = 0.0
    absent: float = 0.0
    accents: float = 0.0
    round_joins: bool = False

    def ink_on(self, fill: Color) -> Color:
        """Return the colour of a line around a fill."""
        if self.ink != "colored":
            return self.color
        r, g, b = (int(value * self.shade) for value in fill)
        return r, g, b


def random_pen(rng: np.random.Generator, ink: str | None = None) -> Pen:
    """Return a pen of which every property is drawn on its own."""
    ink = ink or str(rng.choice(INKS, p=(0.32, 0.18, 0.27, 0.1, 0.13)))
    dark = rng.integers(0, 90, 3)
    color = {
        "light": 255 - dark // 2,
        "dark": dark,
    }.get(ink, rng.integers(0, 16, 3))
    width = float(rng.uniform(4, 30)) if chance(rng, 0.4) else log_uniform(rng, 0.9, 5)
    if ink == "light":
        width = log_uniform(rng, 0.9, _WIDEST_STRIPE)
    has_accents = chance(rng, 0.45) and width <= _WIDEST_STRIPE
    return Pen(
        ink=ink,
        color=(int(color[0]), int(color[1]), int(color[2])),
        shade=float(rng.uniform(0.15, 1 if width <= _WIDEST_STRIPE else 0.6)),
        width=width,
        taper=float(rng.uniform(0, 0.9)) if chance(rng, 0.6) else 0.0,
        swell=float(rng.uniform(0, 0.6)) if chance(rng, 0.4) else 0.0,
        opacity=float(rng.uniform(0.35, 1)) if chance(rng, 0.3) else 1.0,
        grain=float(rng.uniform(0.2, 0.8)) if chance(rng, 0.15) else 0.0,
        gaps=float(rng.uniform(0.02, 0.2)) if chance(rng, 0.12) else 0.0,
        blur=float(rng.uniform(0.3, 2.2)) if chance(rng, 0.25) else 0.0,
        absent=1.0 if ink == "absent" else float(rng.uniform(0.1, 0.6)) * chance(rng, 0.25),
        accents=float(rng.uniform(0.05, 0.5)) if has_accents else 0.0,
        round_joins=chance(rng, 0.6),
    )


def plain_pen(rng: np.random.Generator) -> Pen:
    """Return a pen as most pictures are drawn with: fine, dark, without gaps."""
    ink = str(rng.choice(INKS[:3]))
    dark = rng.integers(0, 60, 3) if ink == "dark" else rng.integers(0, 16, 3)
    return Pen(
        ink=ink,
        color=(int(dark[0]), int(dark[1]), int(dark[2])),
        shade=float(rng.uniform(0.2, 1)),
        width=log_uniform(rng, 1.2, 5),
        taper=float(rng.uniform(0, 0.9)),
    )


def half_widths(
    pen: Pen,
    count: int,
    half: float,
    thinnest: float,
    closed: bool,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return half the width of a line at each of its points.

    Args:
        pen: its taper and swell.
        count: number of points.
        half: of a line without taper or swell.
        thinnest: width of the ends that the drawing asks for, as a share.
        closed: whether the line has no ends.
        rng: the source of randomness.
    """
    u = np.linspace(0, 1, count)
    widths = np.full(count, half)
    low = min(thinnest, 1 - pen.taper)
    if low < 1 and not closed:
        widths *= low + (1 - low) * np.sin(np.pi / 2 * np.minimum(1, np.minimum(u, 1 - u) / 0.38))
    if pen.swell:
        waves = rng.uniform(0.5, 3, 2)
        phases = rng.uniform(0, 2 * np.pi, 2)
        wave = np.sin(2 * np.pi * waves[0] * u + phases[0]) + np.sin(
            2 * np.pi * waves[1] * u + phases[1]
        )
        widths *= 1 + 0.5 * pen.swell * wave
    return widths


def open_gaps(pen: Pen, length: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return the parts of a line that are drawn, as shares of its length in pixels."""
    if not pen.gaps or length < 16:
        return [(0.0, 1.0)]
    gaps = max(1, round(pen.gaps * length / 8))
    centers = np.sort(rng.uniform(0.05, 0.95, gaps))
    half = rng.uniform(1.5, 5, gaps) / length
    edges = np.concatenate([[0.0], np.ravel(np.stack([centers - half, centers + half], 1)), [1.0]])
    edges = np.maximum.accumulate(edges)
    return [(float(a), float(b)) for a, b in edges.reshape(-1, 2) if b - a > 1e-3]
