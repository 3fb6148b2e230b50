"""Pictures to look at and to measure on, with hints that are the same every time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.hints import Box, HintOptions, Hints, simulate
from pipeline.dataset_reader import DatasetReader
from pipeline.errors import SengaError


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
    if line and line not in reader.line_names:
        names = ", ".join(reader.line_names)
        raise SengaError(f"{path} has no line art {line}, expected one of {names}.")
    count = min(len(reader), most or len(reader))
    if not count:
        raise SengaError(f"{path} has no pictures: build it from more posts.")
    return [
        HeldOut(
            id=int(reader.ids[row]),
            color=reader.picture("color", row),
            line=reader.picture(f"line/{line or reader.line_names[0]}", row),
            box=_box(reader.boxes[row]),
        )
        for row in range(count)
    ]


def _box(values: NDArray[np.int64]) -> Box:
    left, top, right, bottom = (int(value) for value in values)
    return left, top, right, bottom
