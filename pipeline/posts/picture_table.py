"""Tables with pictures in a column, as `datasets` and others write them: Parquet or Arrow.

They are read in batches, the row groups of Parquet and the record batches of Arrow: neither can be
unpacked in parts.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from pipeline.posts.arrow_batches import ArrowError, is_arrow, read_index, read_stream
from pipeline.posts.parquet import is_parquet
from pipeline.posts.parquet_pages import PageError, row_groups

MAX_BATCH_BYTES = 1 << 30
"""The largest batch that is read; while it is unpacked, it takes up to three times as much."""

_USUAL_NAMES = ("image", "color", "jpg", "img")
_LFS = b"version https://git-lfs.github.com/"
_DAMAGES = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    PageError,
    ArrowError,
    OSError,
)


class TableError(Exception):
    """A table that cannot be used; the message says why, and what to do if that is known."""


class _ReadBatch(Protocol):
    def __call__(self, number: int, columns: list[str]) -> pl.DataFrame: ...


@dataclass(frozen=True)
class PictureTable:
    """A table of a file.

    Attributes:
        columns: their types.
        features: what `datasets` says of the columns, by their names; empty if nothing.
        batches: ranges of rows, one behind the other; each is read whole.
    """

    columns: dict[str, pl.DataType]
    features: dict[str, Any]
    batches: list[range]
    _read: _ReadBatch

    @property
    def rows(self) -> int:
        """The number of its rows."""
        return self.batches[-1].stop if self.batches else 0

    def read(self, number: int, columns: Collection[str]) -> pl.DataFrame:
        """Read some columns of a batch.

        Raises:
            TableError: if it is damaged.
        """
        with _explained():
            frame = self._read(number, list(columns))
        if frame.height != len(self.batches[number]):
            raise TableError("some of its rows are missing")
        return frame

    def plain(self, column: str, value: object) -> object:
        """Return a cell as JSON would have it; of a class, the name instead of the number."""
        feature = self.features.get(column)
        if isinstance(value, int) and isinstance(feature, dict) and "names" in feature:
            names = feature["names"]
            is_named = isinstance(names, list) and 0 <= value < len(names)
            return names[value] if is_named else None
        return value.isoformat() if isinstance(value, date) else value

    def find_pictures(self, wanted: str = "") -> str:
        """Return the name of the column of pictures.

        Args:
            wanted: its name, if a person has said it.

        Raises:
            TableError: if there is none, or nobody knows which of several it is.
        """
        named = [name for name, feature in self.features.items() if _type_of(feature) == "Image"]
        others = {name for name, feature in self.features.items() if _is_of_other_media(feature)}
        names = [
            name
            for name, dtype in self.columns.items()
            if _has_bytes(dtype) and (name in named or (not named and name not in others))
        ]
        if wanted:
            if not _has_bytes(self.columns.get(wanted, pl.Null())):
                raise TableError(
                    f"it has no column {wanted} with the bytes of pictures; columns with bytes: "
                    f"{', '.join(names) or 'none'}"
                )
            return wanted
        if len(names) == 1:
            return names[0]
        if not names:
            raise TableError(
                "no column has the bytes of pictures; its columns: "
                f"{', '.join(self.columns) or 'none'}"
            )
        usual = [name for name in _USUAL_NAMES if name in names]
        if not usual:
            raise TableError(
                f"the columns {', '.join(names)} have bytes: name that of the pictures as "
                "[metadata] image_column"
            )
        return usual[0]


def open_table(path: Path) -> PictureTable:
    """Read what a file has, but no row of it.

    Raises:
        TableError: if it is neither Parquet nor Arrow, or damaged, or has a batch that is too
            large.
    """
    with _explained():
        if is_parquet(path):
            return _open_parquet(path)
        if is_arrow(path):
            return _open_arrow(path)
        with path.open("rb") as file:
            if file.read(len(_LFS)) == _LFS:
                raise TableError("it is a pointer of Git LFS: run `git lfs pull` beside it")
    raise TableError("it is neither Parquet nor Arrow")


def pictures_of(frame: pl.DataFrame, column: str) -> tuple[pl.Series, pl.Series]:
    """Return the bytes of pictures, and the paths that stand beside them; null where none is."""
    values = frame[column]
    if not isinstance(values.dtype, pl.Struct):
        return values, pl.repeat(None, len(values), dtype=pl.String, eager=True)
    fields = {field.name: field.dtype for field in values.dtype.fields}
    has_paths = fields.get("path") == pl.String
    paths = values.struct.field("path") if has_paths else None
    empty = pl.repeat(None, len(values), dtype=pl.String, eager=True)
    return values.struct.field("bytes"), empty if paths is None else paths


def _open_parquet(path: Path) -> PictureTable:
    schema = dict(pl.read_parquet_schema(path))
    groups = row_groups(path, [name for name, dtype in schema.items() if _has_bytes(dtype)])
    batches = _batches([group.rows for group in groups])
    largest = max((max(group.sizes.values(), default=0) for group in groups), default=0)
    _check_size(largest, "row group", "to_parquet of `datasets`")
    scan = partial(pl.scan_parquet, path, glob=False, hive_partitioning=False)

    def read(number: int, columns: list[str]) -> pl.DataFrame:
        rows = batches[number]
        return scan().slice(rows.start, len(rows)).select(columns).collect()

    return PictureTable(schema, _features(pl.read_parquet_metadata(path)), batches, read)


def _open_arrow(path: Path) -> PictureTable:
    index = read_index(path)
    largest = max((batch.size for batch in index.batches), default=0)
    _check_size(largest, "record batch", "save_to_disk of `datasets`")
    batches = _batches([batch.rows for batch in index.batches])

    # Of damaged batches `scan_ipc` makes an end of the process.
    def read(number: int, columns: list[str]) -> pl.DataFrame:
        return pl.read_ipc_stream(BytesIO(read_stream(path, index, number)), columns=columns)

    schema = pl.read_ipc_stream(BytesIO(read_stream(path, index))).schema
    return PictureTable(dict(schema), _features(index.metadata), batches, read)


def _batches(rows: list[int]) -> list[range]:
    batches, start = [], 0
    for count in rows:
        batches.append(range(start, start + count))
        start += count
    return batches


def _check_size(largest: int, unit: str, remedy: str) -> None:
    if largest > MAX_BATCH_BYTES:
        raise TableError(
            f"a {unit} takes {largest >> 20:,} MiB, at most {MAX_BATCH_BYTES >> 20:,} are read: "
            f"write it again with smaller ones, as {remedy} does"
        )


def _features(metadata: dict[str, str]) -> dict[str, Any]:
    """Return the features of a dataset, which its library keeps in the metadata of a file."""
    try:
        features = json.loads(metadata["huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _type_of(feature: object) -> object:
    return feature.get("_type") if isinstance(feature, dict) else None


def _is_of_other_media(feature: object) -> bool:
    return _type_of(feature) in ("Audio", "Video", "Pdf", "Nifti")


def _has_bytes(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(field.name == "bytes" and field.dtype == pl.Binary for field in dtype.fields)
    return dtype == pl.Binary


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the errors of the libraries into one of the table."""
    try:
        yield
    except _DAMAGES as error:
        cause = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise TableError(f"it cannot be read ({cause})") from error
