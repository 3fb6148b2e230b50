"""Icons of OpenMoji 17 (CC BY-SA 4.0), whose outlines are a group of their own.

`python -m benchmarks.line_art.openmoji` chooses the icons again and prints them.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections.abc import Iterator
from itertools import islice

from benchmarks.line_art import fetch
from benchmarks.line_art.score import score
from benchmarks.line_art.truth import centre_lines
from benchmarks.line_art.vector import Drawing, on_paper

WIDTHS = (2, 4, 8, 12, 16, 25)  # pixels

ICONS = (
    "1F3A8",
    "1F392",
    "2699",
    "1F928",
    "1F620",
    "1F45D",
    "1F969",
    "1F60A",
    "1F438",
    "1F30E",
    "1F95D",
    "1F4E5",
    "1F614",
    "1F37D",
    "1F610",
    "1F6AA",
    "1F641",
    "1F62E",
    "1FAE8",
    "1F9C0",
    "23F2",
    "1FAE4",
    "1F4F0",
    "1F36A",
    "1F4E4",
    "1F621",
    "1F6A5",
    "1F60F",
    "1F45C",
)

_LINE = "line"  # the group of the outlines
_FILL = re.compile(r'fill="#(?!fff)', re.IGNORECASE)  # any colour but white
_GROUPS = (
    "activities",
    "animals-nature",
    "food-drink",
    "objects",
    "people-body",
    "smileys-emotion",
    "travel-places",
)


def icon(code: str) -> Drawing:
    """Return an icon as it was drawn, in colour."""
    path = fetch.openmoji() / "color" / "svg" / f"{code}.svg"
    return Drawing(path.read_text(encoding="utf-8"))


def redrawn(code: str, width: float) -> Drawing:
    """Return an icon whose outlines have another width, in pixels."""
    return icon(code).outlined(width, None, group=_LINE)


def outlines(code: str) -> Drawing:
    """Return the outlines alone, drawn thin."""
    return redrawn(code, 2).only(_LINE)


def is_clear(code: str) -> bool:
    """Return whether nobody can doubt the lines of an icon, however wide they are drawn.

    It has coloured areas, which end at outlines, and the widest outlines do not run together.
    """
    colored, line, _ = icon(code).svg.partition(f'<g id="{_LINE}"')
    if not line or not _FILL.search(colored):
        return False
    truth = outlines(code).lines()
    if truth.sum() < 1695:  # pixels; a plain disc has fewer
        return False
    of_areas = score(redrawn(code, 2).lines(), truth).precision
    wide = on_paper(redrawn(code, WIDTHS[-1]).only(_LINE).pixels())[..., 0] < 128
    return of_areas > 0.96 and score(centre_lines(wide), truth).f1 > 0.96


def choose() -> Iterator[str]:
    """Yield the clear icons of the usual things, without skin tones, in an arbitrary order."""
    table = json.loads((fetch.openmoji() / "data" / "openmoji.json").read_text(encoding="utf-8"))
    codes = [
        row["hexcode"]
        for row in table
        if row["group"] in _GROUPS and not row["skintone_combination"]
    ]
    yield from filter(is_clear, sorted(codes, key=lambda code: zlib.crc32(code.encode())))


if __name__ == "__main__":
    for chosen in islice(choose(), 29):
        sys.stdout.write(f'    "{chosen}",\n')
        sys.stdout.flush()
