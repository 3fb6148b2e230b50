"""Check that packed files have the right layout and are undamaged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.damage import DamagedFileError
from pipeline.pack import dataset_file
from pipeline.pack.bounds import check_bounds
from pipeline.pack.dataset_file import (
    ATTRIBUTES,
    COLUMNS,
    SCHEMA,
    column_shape,
    picture_names,
    picture_shape,
    picture_type,
    variant_suffixes,
)
from pipeline.pack.extras import REFERENCE, extra_columns, extra_pictures, find_extras
from pipeline.pack.isolated import read_isolated
from pipeline.pack.parts import read_parts, same_columns
from pipeline.pack.square import PAPER
from pipeline.pack.verify_extras import extra_fault
from pipeline.progress import OnProgress, ignore
from sketch_models.errors import DatasetError

_ROWS_AT_ONCE = 64
_BYTES_AT_ONCE = 64 << 20  # unless a row takes more


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """Summary of a verified file.

    Attributes:
        path: the file.
        pictures: number of rows.
        size: side of the pictures, in pixels.
        sketches: whether it has sketches.
        extras: those of `pipeline.pack.extras.EXTRAS` that it has.
        content: digest of all HDF5 datasets.
        ids: post ids, (N,) int64, ascending.
    """

    path: Path
    pictures: int
    size: int
    sketches: bool
    extras: tuple[str, ...]
    content: str
    ids: NDArray[np.int64] = field(repr=False)


def verify(paths: Sequence[Path]) -> list[DatasetSummary]:
    """Verify the files of one dataset, and that no picture is in two of them.

    A file is valid if its layout and attributes are those of `dataset_file`, its ids ascend,
    every checksum matches, every picture is paper outside its content box, no line art is blank and
    extras are as `verify_extras` says.

    Raises:
        DatasetError: the first fault, in one sentence; if it is not that there is no file, a
            DamagedFileError.
    """
    summaries = [_verify_isolated(path) for path in paths]
    for number, summary in enumerate(summaries):
        for other in summaries[:number]:
            common = np.intersect1d(other.ids, summary.ids)
            if common.size:
                fault = f"it has post {common[0]}, as {other.path} has ({common.size} in all)"
                raise DamagedFileError(summary.path, fault)
    return summaries


def _verify_isolated(path: Path) -> DatasetSummary:
    if not path.is_file():
        raise DatasetError(f"{path} is missing. Build it first.")
    found = read_isolated("verify", path)
    if found is None:
        return verify_file(path)
    ids = np.array(found["ids"], np.int64)
    return DatasetSummary(path=path, **{**found, "extras": tuple(found["extras"]), "ids": ids})


def verify_file(path: Path, on_progress: OnProgress = ignore) -> DatasetSummary:
    """Verify a file in this process, which the HDF5 library may end, or keep busy for ever.

    Args:
        path: of the file.
        on_progress: called with the number of rows that were read of one HDF5 dataset.

    Raises:
        DamagedFileError: the first fault.
    """
    try:
        with h5py.File(path, "r") as file:
            check_bounds(path, file)
            return _Verifier(path, file, on_progress).verify()
    except (DatasetError, MemoryError):
        raise
    except Exception as error:  # whatever h5py raises, and values of any type and shape
        reason = str(error).partition("(")[2].rstrip(")") or str(error)
        fault = f"it is not a complete HDF5 file ({reason})"
        raise DamagedFileError(path, fault) from error


class _Verifier:
    """The checks of one open file."""

    def __init__(self, path: Path, file: h5py.File, on_progress: OnProgress) -> None:
        self._path = path
        self._file = file
        self._on_progress = on_progress
        self._extra_names: set[str] = set()

    def verify(self) -> DatasetSummary:
        size = self._check_attributes()
        names, extras = self._check_layout(size)
        self._extra_names = {*extra_pictures(extras), *extra_columns(extras)}
        ids = self._check_ids()
        boxes = self._check_boxes(size)
        for name in [*names, *COLUMNS, *extra_columns(extras)]:
            self._check_rows(name, boxes, ids)
        if self._file["color"].is_virtual:
            self._check_parts([*COLUMNS, *extra_columns({*extras} - {REFERENCE})])
        return DatasetSummary(
            path=self._path,
            pictures=len(ids),
            size=size,
            sketches=any(name.startswith("sketch/") for name in names),
            extras=extras,
            content=dataset_file.content_digest(self._file),
            ids=ids,
        )

    def _require(self, condition: bool, fault: str) -> None:
        if not condition:
            raise DamagedFileError(self._path, fault)

    def _check_attributes(self) -> int:
        """Check the attributes; return the side of the pictures."""
        attributes = dict(self._file.attrs)
        missing = [name for name in ATTRIBUTES if name not in attributes]
        self._require(not missing, f"it lacks the attributes {', '.join(missing)}")
        schema, size = attributes["schema"], attributes["size"]
        self._require(schema == SCHEMA, f"its schema is {schema}, expected {SCHEMA}")
        is_positive = isinstance(size, np.integer) and int(size) > 0
        self._require(is_positive, f"its size is {size}, expected a number of pixels")
        self._require(_is_json(attributes["config"]), "its attribute config is not JSON")
        return int(size)

    def _check_layout(self, size: int) -> tuple[list[str], tuple[str, ...]]:
        """Check names, types, shapes and chunks; return the names of pictures, and the extras."""
        datasets: dict[str, h5py.Dataset] = {}
        self._file.visititems(
            lambda name, item: datasets.update(
                {name: item} if isinstance(item, h5py.Dataset) else {}
            )
        )
        lines, sketches = (variant_suffixes(datasets, group) for group in ("line", "sketch"))
        extras = find_extras(datasets)
        names = [*picture_names(lines or [""], sketches), *extra_pictures(extras)]
        columns = {**COLUMNS, **extra_columns(extras)}
        differing = sorted(set(datasets) ^ {*names, *columns})
        expected = ", ".join([*names, *columns])
        self._require(
            not differing, f"its datasets differ in {', '.join(differing)}, expected {expected}"
        )
        rows = datasets["id"].shape[:1]
        for name in names:
            shape = picture_shape(name, size)
            self._check_dataset(datasets[name], picture_type(name), (*rows, *shape))
            chunks = datasets[name].chunks
            self._require(
                chunks == (1, *shape) or datasets[name].is_virtual,
                f"{name} has chunks {chunks}, expected one per picture",
            )
        for name, dtype in columns.items():
            self._check_dataset(datasets[name], dtype, (*rows, *column_shape(name)))
        return names, extras

    def _check_dataset(
        self, dataset: h5py.Dataset, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> None:
        name = dataset.name[1:]
        self._require(
            dataset.dtype == dtype and dataset.shape == shape,
            f"{name} is {dataset.dtype} {dataset.shape}, expected {dtype} {shape}",
        )
        self._require("sha256" in dataset.attrs, f"{name} has no checksum")

    def _check_ids(self) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = self._file["id"][:]
        self._require(bool((np.diff(ids) > 0).all()), "its ids do not ascend")
        return ids

    def _check_boxes(self, size: int) -> NDArray[np.int16]:
        boxes: NDArray[np.int16] = self._file["box"][:]
        left, top, right, bottom = boxes.T
        inside = (left >= 0) & (top >= 0) & (left < right) & (top < bottom)
        inside &= (right <= size) & (bottom <= size)
        for row in np.flatnonzero(~inside)[:1]:
            box = boxes[row].tolist()
            edges = "left, top, right, bottom"
            fault = f"the box of row {row} is {box}, expected {edges} within {size} pixels"
            self._require(False, fault)
        return boxes

    def _check_parts(self, columns: Sequence[str]) -> None:
        """Check that every part has the same values as the index; pictures are those of parts."""
        for part in read_parts(self._path, self._file["color"]):
            with h5py.File(part.path, "r") as file:
                check_bounds(part.path, file)
                name = same_columns(self._file, file, part, columns)
            self._require(not name, f"its part {part.path.name} has another {name}")

    def _check_rows(self, name: str, boxes: NDArray[np.int16], ids: NDArray[np.int64]) -> None:
        """Check a dataset's checksum, and every picture of it, while reading it once."""
        checksum = dataset_file.checksum(self._digests(name, boxes, ids))
        matches = checksum == self._file[name].attrs["sha256"]
        self._require(matches, f"{name} does not match its checksum")

    def _digests(
        self, name: str, boxes: NDArray[np.int16], ids: NDArray[np.int64]
    ) -> Iterator[bytes]:
        for row, value in enumerate(self._rows(name)):
            if name in self._extra_names:
                fault = extra_fault(name, value, boxes[row], ids[row], ids)
                self._require(not fault, f"{name} of row {row} {fault}")
            elif name not in COLUMNS:
                self._check_picture(name, row, value, boxes[row])
            raw = value if isinstance(value, bytes) else value.tobytes()
            yield hashlib.sha256(raw).digest()

    def _rows(self, name: str) -> Iterator[Any]:
        dataset = self._file[name]
        row_bytes = max(1, dataset.nbytes // max(1, len(dataset)))
        step = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // row_bytes))
        for start in range(0, len(dataset), step):
            rows = dataset[start : start + step]
            self._on_progress(len(rows))
            yield from rows

    def _check_picture(
        self, name: str, row: int, picture: NDArray[np.uint8], box: NDArray[np.int16]
    ) -> None:
        left, top, right, bottom = box
        margins = (picture[:top], picture[bottom:], picture[:, :left], picture[:, right:])
        is_paper = all((margin == PAPER).all() for margin in margins)
        self._require(is_paper, f"{name} of row {row} is not paper outside its content box")
        has_ink = not name.startswith("line/") or bool(picture.min() < PAPER)
        self._require(has_ink, f"{name} of row {row} is blank")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, TypeError):
        return False
    return True
