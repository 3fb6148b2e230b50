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
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

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
    return (size, size, 3) if name == "color" else (size, size)


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
    def compress(cls, picture: NDArray[np.uint8], compression: str) -> Chunk:
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
        pictures: colour, lines and sketches by the name of their HDF5 dataset.
    """

    id: int
    box: tuple[int, int, int, int]
    tags: str
    sha256: str
    pictures: Mapping[str, Chunk]

    def column_bytes(self, name: str) -> bytes:
        """Return the value of a column as bytes, for its digest."""
        value = getattr(self, name)
        if isinstance(value, str):
            return value.encode()
        return np.array(value, COLUMNS[name]).tobytes()


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
        names: names of the HDF5 datasets of pictures; see `picture_names`.
        compression: `gzip` or `none`.
        attributes: the attributes of the file except `schema` and `size`.
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
            name: self._create_dataset(name, (max_rows, *shape), np.uint8, 1, **filters)
            for name in names
            for shape in [picture_shape(name, size)]
        }
        self._columns = {
            name: self._create_dataset(
                name, (max_rows, 4) if name == "box" else (max_rows,), dtype, _ROWS_PER_CHUNK
            )
            for name, dtype in COLUMNS.items()
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

    def append(self, row: Row) -> None:
        """Append a row.

        Raises:
            OSError: as the operating system raised it, for example if the disk is full.
        """
        index = self._written + len(self._rows)
        if index == self._room:
            self._grow()
        for name, dataset in self._pictures.items():
            chunk = row.pictures[name]
            dataset.id.write_direct_chunk((index,) + (0,) * (dataset.ndim - 1), chunk.content)
            self._digests[name].update(chunk.digest)
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_CHUNK:
            self._write_columns()
        self._raise_write_error()

    def _grow(self) -> None:
        self._room = max(2 * self._room, _ROWS_PER_CHUNK)
        for dataset in {**self._pictures, **self._columns}.values():
            dataset.resize(self._room, axis=0)

    def _write_columns(self) -> None:
        if not self._rows:
            return
        end = self._written + len(self._rows)
        for name, dataset in self._columns.items():
            dataset[self._written : end] = [getattr(row, name) for row in self._rows]
            for row in self._rows:
                self._digests[name].update(hashlib.sha256(row.column_bytes(name)).digest())
        self._rows.clear()
        self._written = end

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
