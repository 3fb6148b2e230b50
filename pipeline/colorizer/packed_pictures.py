"""Pictures to look at and to measure on, with hints that are the same every time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.hints import Box, HintOptions, Hints, simulate
from pipeline.pack.dataset_reader import DatasetReader
from sketch_models.errors import SengaError


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """One picture of a packed file.

    Attributes:
        id: post id.
        color: (S, S, 3) uint8 RGB, the truth.
        line: (S, S) uint8, 0 ink.
        box: its content.
    """

    id: int
    color: NDArray[np.uint8]
    line: NDArray[np.uint8]
    box: Box

    def hints(self, patches: int, options: HintOptions, seed: int) -> Hints:
        """So many patches of the truth's colours, the same for the same seed."""
        random = np.random.default_rng((seed, self.id, patches))
        return simulate(self.color, self.box, options, random, patches)


def read_held_out(path: str | Path, line: str = "", most: int | None = None) -> list[HeldOut]:
    """The first pictures of a packed file.

    Args:
        path: of `test.h5`.
        line: the name of the line art under `line/`; the file's first where empty.
        most: how many to read; all of them where None.

    Raises:
        SengaError: where the file cannot be read, is empty, or has no such line art.
    """
    reader = DatasetReader(path)
    name = _line_name(reader, line)
    count = min(len(reader), most or len(reader))
    if not count:
        raise SengaError(f"{path} has no pictures: build it from more posts.")
    return [
        HeldOut(
            id=int(reader.ids[row]),
            color=reader.picture("color", row),
            line=reader.picture(f"line/{name}", row),
            box=_box(reader.boxes[row]),
        )
        for row in range(count)
    ]


@dataclass(frozen=True, kw_only=True)
class Relatives:
    """What else a packed file has of its first pictures; lists have one entry per picture.

    Attributes:
        sketches: that the line art was drawn from, (S, S) uint8; empty where none were packed.
        lines: the line art of the same style by the name of its variant, the given one included.
    """

    sketches: list[NDArray[np.uint8]]
    lines: dict[str, list[NDArray[np.uint8]]]


def read_relatives(path: str | Path, line: str, most: int) -> Relatives:
    """The sketches and the other variants of line art of the first pictures.

    Args:
        path: of `test.h5`.
        line: as for `read_held_out`.
        most: how many pictures.

    Raises:
        SengaError: where the file cannot be read or has no such line art.
    """
    reader = DatasetReader(path)
    name = _line_name(reader, line)
    rows = range(min(len(reader), most))
    # A line drawing is named after the sketch that it was drawn from, and more.
    sketches = [sketch for sketch in reader.sketch_names if f"{name}_".startswith(f"{sketch}_")]
    style = name.partition("_")[0]
    variants = [other for other in reader.line_names if other.partition("_")[0] == style]
    return Relatives(
        sketches=[reader.picture(f"sketch/{max(sketches)}", row) for row in rows if sketches],
        lines={
            variant: [reader.picture(f"line/{variant}", row) for row in rows]
            for variant in variants
        },
    )


def _line_name(reader: DatasetReader, line: str) -> str:
    """The line art that is meant, the file's first where none is named."""
    if line and line not in reader.line_names:
        names = ", ".join(reader.line_names)
        raise SengaError(f"{reader.path} has no line art {line}, expected one of {names}.")
    return line or reader.line_names[0]


def _box(values: NDArray[np.int64]) -> Box:
    left, top, right, bottom = (int(value) for value in values)
    return left, top, right, bottom
