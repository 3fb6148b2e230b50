"""The layout of `train.h5` and `test.h5`, and a writer of such files.

One row per picture in every HDF5 dataset. Pictures are stored one per chunk, so that a training
run can read single pictures. Every HDF5 dataset has the attribute `sha256`: the digest of its
rows' digests, in order (see `checksum`).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from pipeline.pack.extras import MAX_COLORS, MAX_REFERENCES
from pipeline.pack.isolated import trust
from sketch_models.styles import STYLES

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SCHEMA = "senga-1"
ATTRIBUTES = ("schema", "dataset", "split", "size", "fingerprint", "config", "created")
COLUMNS: dict[str, Any] = {
    "id": np.dtype("<i8"),
    "box": np.dtype("<i2"),
    "tags": h5py.string_dtype("utf-8"),
    "sha256": np.dtype("S64"),
}
_ROWS_PER_CHUNK = 256  # of a column: a few kB
_GZIP_LEVEL = 2  # of igzip: as small as zlib's fastest, in a fifth of its time


def picture_names(lines: Iterable[str] = ("",), sketches: Iterable[str] = ()) -> list[str]:
    """Return the names of the HDF5 datasets of pictures, colour first.

    Args:
        lines: suffixes of the variants of line art: `""` for the only one, else such as `_512`.
        sketches: suffixes of the variants of sketches; empty if sketches are not packed.
    """
    maps = [f"line/{style}{suffix}" for suffix in lines for style in STYLES]
    maps += [f"sketch/{style}{suffix}" for suffix in sketches for style in STYLES]
    return ["color", *maps]


def variant_suffixes(names: Iterable[str], group: str) -> list[str]:
    """Return the sorted suffixes of the variants in the HDF5 group `line` or `sketch`."""
    pattern = re.compile(f"{group}/(?:{'|'.join(STYLES)})(.*)")
    return sorted({match[1] for name in names for match in [pattern.fullmatch(name)] if match})


def picture_shape(name: str, size: int) -> tuple[int, ...]:
    """Return the shape of one picture of an HDF5 dataset."""
    if name == "flat_colors":
        return (MAX_COLORS, 3)
    return (size, size, 3) if name == "color" else (size, size)


def picture_type(name: str) -> np.dtype[Any]:
    """Return the type of the pixels of an HDF5 dataset of pictures."""
    return np.dtype("<u2" if name == "flat" else "u1")


def column_shape(name: str) -> tuple[int, ...]:
    """Return the shape of one value of a column."""
    return {"box": (4,), "reference": (MAX_REFERENCES,)}.get(name, ())


@dataclass(frozen=True)
class Chunk:
    """One picture as it is stored, with the digest of its pixels.

    Attributes:
        content: the compressed pixels.
        digest: sha256 of the pixels, 32 bytes.
    """

    content: bytes
    digest: bytes

    @classmethod
    def compress(cls, picture: NDArray[np.uint8 | np.uint16], compression: str) -> Chunk:
        """Compress a picture; `compression` is `gzip` or `none`."""
        pixels = picture.tobytes()
        content = isal_zlib.compress(pixels, _GZIP_LEVEL) if compression == "gzip" else pixels
        return cls(content, hashlib.sha256(pixels).digest())


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of all HDF5 datasets.

    Attributes:
        id: post id.
        box: content box: left, top, right, bottom, half-open, in pixels.
        tags: tags of the post, separated by spaces.
        sha256: sha256 of the downloaded file, or of the pixels of a drawn picture, 64 hex digits.
        pictures: colour, lines, sketches and extras by the name of their HDF5 dataset.
        extra_columns: values of the columns of extras, likewise.
    """

    id: int
    box: tuple[int, int, int, int]
    tags: str
    sha256: str
    pictures: Mapping[str, Chunk]
    extra_columns: Mapping[str, object] = field(default_factory=dict)

    def value(self, name: str) -> object:
        """Return the value of a column."""
        return getattr(self, name) if name in COLUMNS else self.extra_columns[name]


def _column_bytes(value: object, dtype: np.dtype[Any]) -> bytes:
    """Return the value of a column as bytes, for its digest."""
    return value.encode() if isinstance(value, str) else np.array(value, dtype).tobytes()


def checksum(rows: Iterable[bytes]) -> str:
    """Return the checksum of an HDF5 dataset, 64 hex digits.

    Args:
        rows: the sha256 of every row's bytes, in order; strings as UTF-8, numbers little-endian.
    """
    sha256 = hashlib.sha256()
    for row in rows:
        sha256.update(row)
    return sha256.hexdigest()


class _ErrorKeepingFile(io.FileIO):
    """A file that keeps the first error of a write, and ignores later writes.

    The HDF5 library crashes the process if it cannot write its buffers while it closes a file,
    for example because the disk is full.
    """

    error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of `data`, unless an earlier write has failed."""
        remaining = memoryview(data).cast("B")
        total = len(remaining)
        try:
            while remaining and self.error is None:
                remaining = remaining[super().write(remaining) :]
        except OSError as error:
            self.error = error
        return total

    def truncate(self, size: int | None = None, /) -> int:
        """Change the length of the file, unless an earlier write has failed."""
        if self.error is None:
            try:
                return super().truncate(size)
            except OSError as error:
                self.error = error
        return size or 0


class DatasetWriter(AbstractContextManager["DatasetWriter"]):
    """A writer of a `train.h5` or `test.h5`, in constant memory.

    Args:
        path: the file to write.
        max_rows: the number of rows to make room for, which grows if there are more; the file is
            truncated to those that were appended.
        size: side of the pictures, in pixels.
        names: names of the HDF5 datasets of pictures; see `picture_names` and `extra_pictures`.
        compression: `gzip` or `none`.
        attributes: the attributes of the file except `schema` and `size`.
        extra_columns: types of the columns of extras that rows have; see `extras.extra_columns`.
    """

    def __init__(
        self,
        path: Path,
        max_rows: int,
        *,
        size: int,
        names: Sequence[str],
        compression: str,
        attributes: Mapping[str, str],
        extra_columns: Mapping[str, np.dtype[Any]] | None = None,
    ) -> None:
        self._path = path
        self._raw_file = _ErrorKeepingFile(path, "w+")
        self._file = h5py.File(self._raw_file, "w")
        self._file.attrs.update({"schema": SCHEMA, "size": size, **attributes})
        self._rows: list[Row] = []  # whose columns are not written yet
        self._written, self._room = 0, max_rows
        filters = (
            {"compression": "gzip", "compression_opts": _GZIP_LEVEL}
            if compression == "gzip"
            else {}
        )
        self._pictures = {
            name: self._create_dataset(name, (max_rows, *shape), picture_type(name), 1, **filters)
            for name in names
            for shape in [picture_shape(name, size)]
        }
        self._columns = {
            name: self._create_column(name, max_rows, dtype)
            for name, dtype in {**COLUMNS, **(extra_columns or {})}.items()
        }
        self._digests = {name: hashlib.sha256() for name in [*self._pictures, *self._columns]}

    def _create_dataset(
        self, name: str, shape: tuple[int, ...], dtype: object, chunk_rows: int, **filters: object
    ) -> h5py.Dataset:
        """Create an empty HDF5 dataset that can be resized, with `chunk_rows` rows per chunk."""
        row_shape = shape[1:]
        return self._file.create_dataset(
            name,
            shape,
            dtype,
            maxshape=(None, *row_shape),
            chunks=(chunk_rows, *row_shape),
            **filters,
        )

    def _create_column(self, name: str, max_rows: int, dtype: np.dtype[Any]) -> h5py.Dataset:
        shape = (max_rows, *column_shape(name))
        return self._create_dataset(name, shape, dtype, _ROWS_PER_CHUNK)

    def append(self, row: Row) -> None:
        """Append a row.

        Raises:
            OSError: as the operating system raised it, for example if the disk is full.
        """
        index = self._written + len(self._rows)
        if index == self._room:
            self._grow()
        self._write_pictures(index, row)
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_CHUNK:
            self._write_columns()
        self._raise_write_error()

    def _write_pictures(self, index: int, row: Row) -> None:
        for name, dataset in self._pictures.items():
            chunk = row.pictures[name]
            dataset.id.write_direct_chunk((index,) + (0,) * (dataset.ndim - 1), chunk.content)
            self._digests[name].update(chunk.digest)

    def _grow(self) -> None:
        self._room = max(2 * self._room, _ROWS_PER_CHUNK)
        for dataset in {**self._pictures, **self._columns}.values():
            dataset.resize(self._room, axis=0)

    def _write_columns(self) -> None:
        if not self._rows:
            return
        for name in self._columns:
            self._write_values(name, self._written, [row.value(name) for row in self._rows])
        self._written += len(self._rows)
        self._rows.clear()

    def _write_values(self, name: str, start: int, values: Sequence[object]) -> None:
        """Write values of a column from row `start` on."""
        column = self._columns[name]
        column[start : start + len(values)] = values
        for value in values:
            content = _column_bytes(value, column.dtype)
            self._digests[name].update(hashlib.sha256(content).digest())

    def add_column(self, name: str, dtype: np.dtype[Any], values: Iterable[object]) -> None:
        """Add a column whose values are known once all rows are appended, one for each row."""
        self._write_columns()
        self._columns[name] = self._create_column(name, self._written, dtype)
        self._digests[name] = hashlib.sha256()
        remaining = iter(values)
        for start in range(0, self._written, _ROWS_PER_CHUNK):
            self._write_values(name, start, list(islice(remaining, _ROWS_PER_CHUNK)))

    def _raise_write_error(self) -> None:
        if self._raw_file.error is not None:
            raise self._raw_file.error

    def _finish(self) -> None:
        """Write the pending columns, truncate to the written rows, and add the checksums."""
        self._write_columns()
        for name, dataset in {**self._pictures, **self._columns}.items():
            dataset.resize(self._written, axis=0)
            dataset.attrs["sha256"] = self._digests[name].hexdigest()

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._raw_file:
            if error is None:
                self._finish()
            self._file.close()
        if error is None:
            self._raise_write_error()
            trust(self._path)


def content_digest(file: h5py.File) -> str:
    """Return a digest of all HDF5 datasets, independent of attributes and compression."""
    checksums: dict[str, str] = {}

    def add(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            checksums[name] = str(item.attrs["sha256"])

    file.visititems(add)
    return hashlib.sha256(json.dumps(checksums, sort_keys=True).encode()).hexdigest()
