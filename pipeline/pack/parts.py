"""Packed files in parts: `train.h5` is an index of `train-00000.h5`, `train-00001.h5` and so on.

Every part is a packed file of its own. The index has the columns of all rows; its pictures are
virtual datasets, which every HDF5 library follows into the parts beside it. A part that is missing
would be zeros to it, so Senga looks whether all are there first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.damage import DamagedFileError

_NUMBER = re.compile(r"-[0-9]{5,}")


@dataclass(frozen=True)
class Part:
    """A part of a packed file.

    Attributes:
        path: of the part.
        start: the row of the index that its first row is.
        stop: the row behind its last one.
    """

    path: Path
    start: int
    stop: int


def part_path(index: Path, number: int) -> Path:
    """Return the path of a part, such as `train-00000.h5` of `train.h5`."""
    return index.with_name(f"{index.stem}-{number:05d}{index.suffix}")


def find_parts(index: Path) -> list[Path]:
    """Return the files beside an index that have the names of its parts, in order."""
    index = index.resolve()
    names = (path for path in index.parent.glob(f"*{index.suffix}") if is_part(path, index))
    return sorted(names)


def is_part(path: Path, index: Path) -> bool:
    """Return whether a file has the name of a part of an index beside it."""
    return (
        path.suffix == index.suffix
        and path.stem.startswith(index.stem)
        and _NUMBER.fullmatch(path.stem[len(index.stem) :]) is not None
    )


def read_parts(index: Path, dataset: h5py.Dataset) -> list[Part]:
    """Return the parts that a virtual dataset is made of, in the order of its rows.

    Args:
        index: the path of the index; of a link, that of the link.
        dataset: of pictures.

    Raises:
        DamagedFileError: if it is made of other files, or of rows in another order.
    """
    name, parts = dataset.name[1:], []
    path = index.resolve()
    row = 0
    for source in dataset.virtual_sources():
        part = path.parent / source.file_name  # which may be any path
        is_own = part.parent == path.parent and is_part(part, path)
        if not is_own or source.dset_name.lstrip("/") != name:
            raise DamagedFileError(index, f"{name} is stored in other files")
        first, last = source.vspace.get_select_bounds()
        if first[0] != row:
            raise DamagedFileError(index, f"the parts of {name} are not in the order of its rows")
        row = last[0] + 1
        parts.append(Part(part, first[0], row))
    if row != len(dataset):
        raise DamagedFileError(index, f"{name} has rows that are in no part")
    return parts


def check_parts(index: Path, parts: Iterable[Part]) -> None:
    """Raise DamagedFileError if a part of an index is missing."""
    for part in parts:
        if not part.path.is_file():
            raise DamagedFileError(index, f"its part {part.path} is missing")


def same_columns(index: h5py.File, part: h5py.File, rows: Part, names: Iterable[str]) -> str:
    """Return the name of a column that a part has other values of than its index; empty if none."""

    def differs(name: str) -> bool:
        expected: Any = index[name][rows.start : rows.stop]
        return name not in part or not np.array_equal(expected, part[name][:])

    return next(filter(differs, names), "")
