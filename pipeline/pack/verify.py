"""Re-opens packed files and checks that they hold what they promise.

For people: `python -m pipeline.pack.verify data/sample/train.h5 data/sample/test.h5`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.pack import dataset_file
from pipeline.pack.dataset_file import (
    ATTRIBUTES,
    COLUMNS,
    SCHEMA,
    picture_names,
    picture_shape,
    suffixes,
)
from pipeline.pack.square import PAPER
from sketch_models.errors import SengaError

_ROWS = 64  # read at once


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a packed file turned out to hold.

    Attributes:
        path: the file.
        pictures: number of rows.
        size: side of the pictures, in pixels.
        sketches: whether the sketches are in it.
        content: digest of all that people train from.
        ids: post ids, (N,) int64, ascending.
    """

    path: Path
    pictures: int
    size: int
    sketches: bool
    content: str
    ids: NDArray[np.int64] = field(repr=False)


def verify(paths: Sequence[Path]) -> list[Report]:
    """Checks files that belong together: each one, and that no picture is in two of them.

    A file is right when its layout and attributes are those of `dataset_file`, its ids
    ascend, every dataset has its checksum, every picture keeps to its content box and no line art
    is blank.

    Raises:
        SengaError: the first thing that is wrong, in one sentence.
    """
    reports = [_verify_file(path) for path in paths]
    for number, report in enumerate(reports):
        for other in reports[:number]:
            both = np.intersect1d(other.ids, report.ids)
            if both.size:
                raise SengaError(
                    f"{other.path} and {report.path} both hold post {both[0]} "
                    f"({both.size} in all), expected no picture in two files: build them again."
                )
    return reports


def _verify_file(path: Path) -> Report:
    if not path.is_file():
        raise SengaError(f"{path} is missing: build it first.")
    try:
        with h5py.File(path, "r") as file:
            return _File(path, file).verify()
    except (OSError, RuntimeError) as error:  # what h5py makes of HDF5's own complaints
        reason = str(error).partition("(")[2].rstrip(")") or str(error)
        raise SengaError(f"{path} is not a whole HDF5 file ({reason}): build it again.") from error


class _File:
    """One open file under examination."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self._path = path
        self._file = file

    def verify(self) -> Report:
        size = self._attributes()
        names = self._layout(size)
        ids = self._ids()
        boxes = self._boxes(size)
        for name in [*names, *COLUMNS]:
            self._check_rows(name, boxes)
        return Report(
            path=self._path,
            pictures=len(ids),
            size=size,
            sketches=any(name.startswith("sketch/") for name in names),
            content=dataset_file.content(self._file),
            ids=ids,
        )

    def _require(self, holds: bool, found: str, expected: str) -> None:
        if not holds:
            raise SengaError(f"{self._path}: {found}, expected {expected}: build it again.")

    def _attributes(self) -> int:
        """Checks the attributes; returns the side of the pictures."""
        attributes = dict(self._file.attrs)
        missing = [name for name in ATTRIBUTES if name not in attributes]
        self._require(not missing, f"it lacks {', '.join(missing)}", "all attributes of its layout")
        schema, size = attributes["schema"], attributes["size"]
        self._require(schema == SCHEMA, f"its schema is {schema}", SCHEMA)
        sane = isinstance(size, np.integer) and int(size) > 0
        self._require(sane, f"its size is {size}", "a number of pixels")
        try:
            json.loads(attributes["config"])
        except (ValueError, TypeError):
            self._require(False, "its attribute config cannot be read", "JSON")
        return int(size)

    def _layout(self, size: int) -> list[str]:
        """Checks names, types, shapes and chunks; returns the names of the picture datasets."""
        found: dict[str, h5py.Dataset] = {}
        self._file.visititems(
            lambda name, item: found.update({name: item} if isinstance(item, h5py.Dataset) else {})
        )
        lines, sketches = (suffixes(found, kind) for kind in ("line", "sketch"))
        names = picture_names(lines or [""], sketches)
        differing = sorted(set(found) ^ {*names, *COLUMNS})
        self._require(
            not differing,
            f"its datasets differ in {', '.join(differing)}",
            f"{', '.join([*names, *COLUMNS])}",
        )
        rows = found["id"].shape[:1]
        for name in names:
            shape = picture_shape(name, size)
            self._require_dataset(found[name], np.dtype(np.uint8), (*rows, *shape))
            chunks = found[name].chunks
            self._require(chunks == (1, *shape), f"{name} has chunks {chunks}", "one per picture")
        for name, kind in COLUMNS.items():
            self._require_dataset(found[name], kind, (*rows, 4) if name == "box" else rows)
        return names

    def _require_dataset(
        self, dataset: h5py.Dataset, kind: np.dtype[Any], shape: tuple[int, ...]
    ) -> None:
        same = dataset.dtype == kind and dataset.shape == shape
        found = f"{dataset.name[1:]} is {dataset.dtype} {dataset.shape}"
        self._require(same, found, f"{kind} {shape}")
        self._require("sha256" in dataset.attrs, f"{dataset.name[1:]} has no checksum", "one")

    def _ids(self) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = self._file["id"][:]
        self._require(bool((np.diff(ids) > 0).all()), "its ids do not ascend", "each post once")
        return ids

    def _boxes(self, size: int) -> NDArray[np.int16]:
        boxes: NDArray[np.int16] = self._file["box"][:]
        left, top, right, bottom = boxes.T
        inside = (left >= 0) & (top >= 0) & (left < right) & (top < bottom)
        inside &= (right <= size) & (bottom <= size)
        for row in np.flatnonzero(~inside)[:1]:
            found = f"the box of row {row} is {boxes[row].tolist()}"
            self._require(False, found, f"left, top, right, bottom within {size}")
        return boxes

    def _check_rows(self, name: str, boxes: NDArray[np.int16]) -> None:
        """Reads a dataset once: its checksum, and for pictures what each of them promises."""
        found = dataset_file.digest(self._digests(name, boxes))
        same = found == self._file[name].attrs["sha256"]
        self._require(same, f"{name} is not what was written", "what its checksum says")

    def _digests(self, name: str, boxes: NDArray[np.int16]) -> Iterator[bytes]:
        for row, value in enumerate(self._rows(name)):
            if name not in COLUMNS:
                self._check_picture(name, row, value, boxes[row])
            raw = value if isinstance(value, bytes) else value.tobytes()
            yield hashlib.sha256(raw).digest()

    def _rows(self, name: str) -> Iterator[Any]:
        dataset = self._file[name]
        for start in range(0, len(dataset), _ROWS):
            yield from dataset[start : start + _ROWS]

    def _check_picture(
        self, name: str, row: int, picture: NDArray[np.uint8], box: NDArray[np.int16]
    ) -> None:
        left, top, right, bottom = box
        margins = (picture[:top], picture[bottom:], picture[:, :left], picture[:, right:])
        clean = all((margin == PAPER).all() for margin in margins)
        self._require(clean, f"{name} of row {row} reaches out of its content box", "paper there")
        drawn = not name.startswith("line/") or bool(picture.min() < PAPER)
        self._require(drawn, f"{name} of row {row} is blank", "line art")


def main(arguments: Sequence[str] | None = None) -> int:
    """Says of each file what is in it, or what is wrong with the first that is not right."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.pack.verify", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="files that belong together")
    try:
        for report in verify(parser.parse_args(arguments).files):
            parts = "colour, lines and sketches" if report.sketches else "colour and lines"
            sys.stdout.write(
                f"{report.path}: {report.pictures:,} pictures of {report.size} x {report.size}, "
                f"{parts}: whole, content {report.content[:12]}\n"
            )
    except SengaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
