"""The layout of `train.h5` and `test.h5`, and how such a file is written.

One row per picture in every dataset. Pictures are stored one per chunk, so that a training run
reads any of them alone. Every dataset carries the attribute `sha256`: the digest of its rows'
digests, in order (see `digest`).
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
_COLUMN_ROWS = 256  # rows per chunk of a column: a few kB
_LEVEL = 2  # igzip's: as small as zlib's fastest, in a fifth of its time


def picture_names(lines: Iterable[str] = ("",), sketches: Iterable[str] = ()) -> list[str]:
    """Names of the datasets that hold pictures, colour first.

    Args:
        lines: suffixes of the variants of line art: `""` for the only one, else such as `_512`.
        sketches: the same of the sketches; none where they are not packed.
    """
    maps = [f"line/{style}{suffix}" for suffix in lines for style in STYLES]
    maps += [f"sketch/{style}{suffix}" for suffix in sketches for style in STYLES]
    return ["color", *maps]


def suffixes(names: Iterable[str], kind: str) -> list[str]:
    """The suffixes of `line` or `sketch` that dataset names speak of, in order."""
    found = re.compile(f"{kind}/(?:{'|'.join(STYLES)})(.*)")
    return sorted({match[1] for name in names for match in [found.fullmatch(name)] if match})


def picture_shape(name: str, size: int) -> tuple[int, ...]:
    """Shape of one picture of a dataset."""
    return (size, size, 3) if name == "color" else (size, size)


@dataclass(frozen=True)
class Chunk:
    """One picture as it is stored, with the digest of its pixels.

    Attributes:
        content: the pixels, compressed as the file says.
        digest: sha256 of the pixels, 32 bytes.
    """

    content: bytes
    digest: bytes

    @classmethod
    def of(cls, picture: NDArray[np.uint8], compression: str) -> Chunk:
        """Compresses a picture; `compression` is `gzip` or `none`."""
        pixels = picture.tobytes()
        content = isal_zlib.compress(pixels, _LEVEL) if compression == "gzip" else pixels
        return cls(content, hashlib.sha256(pixels).digest())


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture with everything that belongs to it.

    Attributes:
        id: post id.
        box: content box: left, top, right, bottom, half-open, in pixels.
        tags: as the booru has them, separated by spaces.
        sha256: of the downloaded bytes, 64 hex digits.
        pictures: by dataset name.
    """

    id: int
    box: tuple[int, int, int, int]
    tags: str
    sha256: str
    pictures: Mapping[str, Chunk]

    def column(self, name: str) -> bytes:
        """One value of a column as bytes, for its digest."""
        value = getattr(self, name)
        if isinstance(value, str):
            return value.encode()
        return np.array(value, COLUMNS[name]).tobytes()


def digest(rows: Iterable[bytes]) -> str:
    """The checksum of a dataset, 64 hex digits.

    Args:
        rows: the sha256 of every row's bytes, in order; strings as UTF-8, numbers little-endian.
    """
    state = hashlib.sha256()
    for row in rows:
        state.update(row)
    return state.hexdigest()


class _Sink(io.FileIO):
    """A file that remembers the first write that fails and swallows the ones after it.

    The HDF5 library crashes the process when it cannot write what it has in memory while it
    closes a file, as on a full disk.
    """

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes all of `data`, unless an earlier write has failed."""
        left = memoryview(data).cast("B")
        total = len(left)
        try:
            while left and self.failure is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.failure = error
        return total

    def truncate(self, size: int | None = None, /) -> int:
        """Changes the length of the file, unless an earlier write has failed."""
        if self.failure is None:
            try:
                return super().truncate(size)
            except OSError as error:
                self.failure = error
        return size or 0


class DatasetFile(AbstractContextManager["DatasetFile"]):
    """A `train.h5` or `test.h5` that is being written; constant memory, whatever its length.

    Args:
        path: the file to write.
        room: the most rows that may come; the file is cut to those that came.
        size: side of the pictures, in pixels.
        names: of the datasets that hold pictures; see `picture_names`.
        compression: `gzip` or `none`.
        attributes: what the file says about itself, but `schema` and `size`.
    """

    def __init__(
        self,
        path: Path,
        room: int,
        *,
        size: int,
        names: Sequence[str],
        compression: str,
        attributes: Mapping[str, str],
    ) -> None:
        self._sink = _Sink(path, "w+")
        self._file = h5py.File(self._sink, "w")
        self._file.attrs.update({"schema": SCHEMA, "size": size, **attributes})
        self._rows: list[Row] = []  # those whose columns are not written yet
        self._written = 0
        filters = (
            {"compression": "gzip", "compression_opts": _LEVEL} if compression == "gzip" else {}
        )
        self._pictures = {
            name: self._dataset(name, (room, *shape), np.uint8, 1, **filters)
            for name in names
            for shape in [picture_shape(name, size)]
        }
        self._columns = {
            name: self._dataset(name, (room, 4) if name == "box" else (room,), kind, _COLUMN_ROWS)
            for name, kind in COLUMNS.items()
        }
        self._digests = {name: hashlib.sha256() for name in [*self._pictures, *self._columns]}

    def _dataset(
        self, name: str, shape: tuple[int, ...], kind: object, rows: int, **filters: object
    ) -> h5py.Dataset:
        """An empty dataset that can be cut later, with `rows` rows per chunk."""
        tail = shape[1:]
        return self._file.create_dataset(
            name, shape, kind, maxshape=(None, *tail), chunks=(rows, *tail), **filters
        )

    def append(self, row: Row) -> None:
        """Adds a picture.

        Raises:
            OSError: as the operating system gave it, such as that the disk is full.
        """
        place = self._written + len(self._rows)
        for name, dataset in self._pictures.items():
            chunk = row.pictures[name]
            dataset.id.write_direct_chunk((place,) + (0,) * (dataset.ndim - 1), chunk.content)
            self._digests[name].update(chunk.digest)
        self._rows.append(row)
        if len(self._rows) == _COLUMN_ROWS:
            self._write_columns()
        self._check()

    def _write_columns(self) -> None:
        if not self._rows:
            return
        end = self._written + len(self._rows)
        for name, dataset in self._columns.items():
            dataset[self._written : end] = [getattr(row, name) for row in self._rows]
            for row in self._rows:
                self._digests[name].update(hashlib.sha256(row.column(name)).digest())
        self._rows.clear()
        self._written = end

    def _check(self) -> None:
        if self._sink.failure is not None:
            raise self._sink.failure

    def _finish(self) -> None:
        self._write_columns()
        for name, dataset in {**self._pictures, **self._columns}.items():
            dataset.resize(self._written, axis=0)
            dataset.attrs["sha256"] = self._digests[name].hexdigest()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._sink:
            if error is None:
                self._finish()
            self._file.close()
        if error is None:
            self._check()


def content(file: h5py.File) -> str:
    """A digest of everything that people train from: not of names, dates or compression."""
    found: dict[str, str] = {}

    def add(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = str(item.attrs["sha256"])

    file.visititems(add)
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
