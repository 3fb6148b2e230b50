"""Pictures of a packed file to look at and to measure on, with reproducible hints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.hints import Box, HintOptions, Hints, simulate_hints
from pipeline.pack.dataset_reader import DatasetReader
from sketch_models.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class PackedPicture:
    """One picture of a packed file.

    Attributes:
        id: post id.
        color: (S, S, 3) uint8 RGB, the ground truth.
        line: (S, S) uint8, 0 ink.
        box: of its content.
    """

    id: int
    color: NDArray[np.uint8]
    line: NDArray[np.uint8]
    box: Box

    def hints(self, patches: int, options: HintOptions, seed: int) -> Hints:
        """Return simulated hints with this number of patches, always the same for a seed."""
        rng = np.random.default_rng((seed, self.id, patches))
        return simulate_hints(self.color, self.box, options, rng, patches)


def read_pictures(
    path: str | Path, line: str = "", limit: int | None = None
) -> list[PackedPicture]:
    """Read the first pictures of a packed file.

    Args:
        path: of `test.h5`.
        line: the name of the line art under `line/`; the file's first if empty.
        limit: number of pictures at most; all of them if None.

    Raises:
        DatasetError: If the file cannot be read, is empty, or has no such line art.
    """
    reader = DatasetReader(path)
    name = _line_name(reader, line)
    count = min(len(reader), limit or len(reader))
    if not count:
        raise DatasetError(f"{path} has no pictures: build it from more posts.")
    return [
        PackedPicture(
            id=int(reader.ids[row]),
            color=reader.picture("color", row),
            line=reader.picture(f"line/{name}", row),
            box=_box(reader.boxes[row]),
        )
        for row in range(count)
    ]


@dataclass(frozen=True, kw_only=True)
class Variants:
    """Other drawings of the first pictures of a packed file; lists have one entry per picture.

    Attributes:
        sketches: the sketches of the line art, (S, S) uint8; empty if none were packed.
        lines: all line art of the same style, by the name of its variant.
    """

    sketches: list[NDArray[np.uint8]]
    lines: dict[str, list[NDArray[np.uint8]]]


def read_variants(path: str | Path, line: str, limit: int) -> Variants:
    """Read the sketches and all variants of the line art of the first pictures.

    Args:
        path: of `test.h5`.
        line: as for `read_pictures`.
        limit: number of pictures at most.

    Raises:
        DatasetError: If the file cannot be read or has no such line art.
    """
    reader = DatasetReader(path)
    name = _line_name(reader, line)
    rows = range(min(len(reader), limit))
    # A line drawing is named after the sketch that it was drawn from, and more.
    sketches = [sketch for sketch in reader.sketch_names if f"{name}_".startswith(f"{sketch}_")]
    style = name.partition("_")[0]
    variants = [other for other in reader.line_names if other.partition("_")[0] == style]
    return Variants(
        sketches=[reader.picture(f"sketch/{max(sketches)}", row) for row in rows if sketches],
        lines={
            variant: [reader.picture(f"line/{variant}", row) for row in rows]
            for variant in variants
        },
    )


def _line_name(reader: DatasetReader, line: str) -> str:
    """Return the name of the line art to read, the file's first if none is given."""
    if line and line not in reader.line_names:
        names = ", ".join(reader.line_names)
        raise DatasetError(f"{reader.path} has no line art {line}. Choose one of {names}.")
    return line or reader.line_names[0]


def _box(values: NDArray[np.int64]) -> Box:
    left, top, right, bottom = (int(value) for value in values)
    return left, top, right, bottom
