"""The pictures of the table, a source for each row.

All are drawn on demand, the same ones every time, with a long side of 768 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.line_art import fetch, openmoji
from benchmarks.line_art.dicebear import character, variants
from benchmarks.line_art.truth import SIZE, centre_lines
from benchmarks.line_art.vector import Drawing, on_paper
from pipeline.artbook.dicebear import is_held_out
from pipeline.artbook.page import draw_page
from pipeline.artbook.paint import PAINTS
from pipeline.artbook.paper import PAPERS
from pipeline.artbook.pen import INKS
from pipeline.artbook.rough import MEDIA
from pipeline.artbook.sketch import draw_sketch
from pipeline.picture import resize_long_side
from pipeline.sample_booru.artist.draw import draw

FIRST_ID = 20_000  # of the sample booru; the defaults were chosen on 7,000 to 7,009
FIRST_SEED = 1 << 40  # of the artbook; no training gets there


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture whose lines are known.

    Attributes:
        color: (H, W, 3) uint8 RGB; of a rough sketch too.
        lines: (H, W) bool, one pixel wide.
        certain: (H, W) bool, where it is known whether there is a line; None for everywhere.
    """

    color: NDArray[np.uint8]
    lines: NDArray[np.bool_]
    certain: NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """A row of the table.

    Attributes:
        draw: returns a picture by its number, from 0.
        is_sketch: the pictures are rough sketches, and go to line models as they are.
        pictures: how many there are, or None if there is no end.
        fetch: fetches what the pictures are made from.
    """

    draw: Callable[[int], Picture]
    is_sketch: bool = False
    pictures: int | None = None
    fetch: Callable[[], object] | None = None


def _sample_booru(number: int) -> Picture:
    drawing = draw(FIRST_ID + number)
    return Picture(
        color=resize_long_side(drawing.color, SIZE),
        lines=centre_lines(resize_long_side(drawing.line, SIZE) < 128),
    )


# --- characters of dicebear ---

_CLEAR = {
    "adventurer": "#e5d7a3 #b9a05f #796a45 #85c2c6 #6a4e35 #afafaf #3eac2c #dba3be #ac6511 #cb6820",
    "micah": "#d2eff3 #e0ddff #f4d150 #9287ff #fc909f #6bd9e9 #ffffff",
}
"""The colours of the style that can be told from its black outlines."""


def _adventurer(number: int) -> Picture:
    """Draw a face whose hair, eyes, eyebrows, mouth and details no training draws."""
    chosen = {
        f"{part}Variant": [
            name for name in variants("adventurer", part) if is_held_out("adventurer", part, name)
        ]
        for part in ("hair", "eyes", "eyebrows", "mouth", "details")
    }
    return _drawn(character("adventurer", number, hairColor=_CLEAR["adventurer"].split(), **chosen))


def _micah(number: int) -> Picture:
    """Draw a face without what is no line and looks like one: stubble, and lights on bald heads."""
    colors = _CLEAR["micah"].split()
    hair = sorted(set(variants("micah", "hair")) - {"mrClean", "mrT"})
    chosen = {"hairVariant": hair, "hairColor": colors, "shirtColor": colors}
    return _drawn(character("micah", number, facialHairProbability=0, **chosen))


def _drawn(drawing: Drawing) -> Picture:
    return Picture(color=on_paper(drawing.pixels()), lines=drawing.lines())


# --- icons ---


def _icon(width: float, number: int) -> Picture:
    code = openmoji.ICONS[number]
    return Picture(
        color=on_paper(openmoji.redrawn(code, width).pixels()),
        lines=openmoji.outlines(code).lines(),
    )


# --- pages of the artbook ---


_FEWEST = 500  # pixels of lines that are certain; a page with fewer says nothing
_SEEDS = 1000  # of each number


def _page(number: int, style: str | None = None, ink: str | None = None) -> Picture:
    def draw(seed: int) -> Picture:
        page = draw_page(seed, SIZE, style=style, ink=ink)
        return _certain(page.color, page.lines, page.weight)

    return _with_lines(number, draw)


def _sketch(number: int, medium: str | None = None, paper: str | None = None) -> Picture:
    def draw(seed: int) -> Picture:
        page = draw_sketch(seed, SIZE, source="hand", medium=medium, paper=paper)
        return _certain(np.repeat(page.sketch[..., None], 3, axis=2), page.lines, page.weight)

    return _with_lines(number, draw)


def _certain(
    color: NDArray[np.uint8], lines: NDArray[np.uint8], weight: NDArray[np.uint8]
) -> Picture:
    return Picture(color=color, lines=centre_lines(lines < 128), certain=weight > 0)


def _with_lines(number: int, draw: Callable[[int], Picture]) -> Picture:
    """Return the first page of a number that has lines enough."""
    first = FIRST_SEED + _SEEDS * number
    return next(filter(_has_lines, map(draw, range(first, first + _SEEDS))))


def _has_lines(page: Picture) -> bool:
    certain = page.lines if page.certain is None else page.lines & page.certain
    return int(certain.sum()) >= _FEWEST


SOURCES: dict[str, Source] = {
    "sample booru": Source(draw=_sample_booru),
    "adventurer, unseen hair and features": Source(draw=_adventurer),
    "micah": Source(draw=_micah),
    **{
        f"OpenMoji, outlines of {width} px": Source(
            draw=partial(_icon, width), pictures=len(openmoji.ICONS), fetch=fetch.openmoji
        )
        for width in openmoji.WIDTHS
    },
    **{f"artbook, {style}": Source(draw=partial(_page, style=style)) for style in PAINTS},
    **{f"artbook, {ink} outlines": Source(draw=partial(_page, ink=ink)) for ink in INKS},
    **{
        f"sketch, {medium}": Source(draw=partial(_sketch, medium=medium), is_sketch=True)
        for medium in MEDIA
    },
    **{
        f"sketch on paper: {paper}": Source(draw=partial(_sketch, paper=paper), is_sketch=True)
        for paper in PAPERS
    },
}
