"""Draw the figure of the documentation: `python -m benchmarks.line_art.figure docs/lines.png`.

Characters that no training draws, with their lines by the networks and by the filters.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.line_art.choosing import pairs
from benchmarks.line_art.pictures import SOURCES
from pipeline.report.contact_sheet import SheetRow, contact_sheet
from sketch_models import STYLES, ink_to_sketch, load

_SPOILT = {"big-ears, dark", "toon-head, night sky", "big-smile, tinted"}
_CELL = 260  # pixels
_COLORS = 128  # of the file


def _pictures() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield the name of a style, and a picture of it."""
    yield "micah", SOURCES["micah"].draw(3).color
    yield "adventurer", SOURCES["adventurer, unseen hair and features"].draw(2).color
    left = set(_SPOILT)
    for name, color, _ in islice(pairs(100), 100):
        if name in left:
            left.remove(name)
            yield name.partition(",")[0], color


def figure() -> NDArray[np.uint8]:
    """Return the figure, (H, W, 3) uint8 RGB."""
    tracer, inker, xdog, centerline = (
        load("tracer"),
        load("inker"),
        load("xdog"),
        load("centerline"),
    )
    rows = []
    for name, color in _pictures():
        sketch, filtered = (
            ink_to_sketch(model.lines([color])[0], STYLES[0]) for model in (tracer, xdog)
        )
        lines = {
            "tracer + inker": inker.simplify([sketch])[0],
            "xdog + centerline": centerline.simplify([filtered])[0],
        }
        rows.append(SheetRow(label=name, color=color, sketches={"tracer": sketch}, lines=lines))
    return contact_sheet(rows, _CELL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    target = parser.parse_args().target
    file = io.BytesIO()
    fewer = Image.fromarray(figure()).quantize(_COLORS, dither=Image.Dither.NONE)
    fewer.save(file, "PNG", optimize=True)
    target.write_bytes(file.getvalue())


if __name__ == "__main__":
    main()
