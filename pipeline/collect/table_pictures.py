"""Read pictures out of tables, each by its row."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import polars as pl

from pipeline.picture_error import PictureError
from pipeline.posts.local_file import LocalFile
from pipeline.posts.picture_table import PictureTable, TableError, open_table, pictures_of

_KEPT_BYTES = 128 << 20  # of batches that are kept; the last one always is


@dataclass(frozen=True)
class _Batch:
    """The pictures of some rows.

    Attributes:
        rows: their numbers.
        pictures: their bytes.
        size: bytes of all.
    """

    rows: range
    pictures: pl.Series
    size: int


class TablePictures:
    """The pictures of tables; `read` may be called from any thread.

    Rows are unpacked in the batches that a table has, and neighbours are read one behind the
    other: so the last batches are kept.

    Args:
        root: the folder that the addresses are relative to.
        image_column: the name of the column of pictures; empty to find it.
    """

    def __init__(self, root: Path, image_column: str = "") -> None:
        self._root = root
        self._image_column = image_column
        self._lock = Lock()
        self._tables: dict[LocalFile, tuple[PictureTable, str]] = {}
        self._batches: OrderedDict[tuple[LocalFile, int], _Batch] = OrderedDict()

    def read(self, file: LocalFile, max_bytes: int) -> bytes:
        """Return the bytes of a picture.

        Raises:
            PictureError: `too_many_bytes`, `empty`, `changed_file` or `unreadable`.
            OSError: if the file of the table is not there.
        """
        facts = (self._root / file.path).stat()
        if (facts.st_size, facts.st_mtime_ns) != (file.size, file.modified):
            raise PictureError("changed_file", "since it was imported; run again")
        table = LocalFile(path=file.path, size=file.size, modified=file.modified)
        try:
            with self._lock:
                batch = self._batch(table, int(file.member))
        except (TableError, ValueError) as error:
            raise PictureError("unreadable", str(error)) from error
        content: bytes | None = batch.pictures[int(file.member) - batch.rows.start]
        if not content:
            raise PictureError("empty")
        if len(content) > max_bytes:
            raise PictureError("too_many_bytes", f"{len(content):,} bytes")
        return content

    def _batch(self, file: LocalFile, row: int) -> _Batch:
        """Return the batch of a row, unpacked.

        Raises:
            TableError: if the table cannot be read, or has no such row.
        """
        if file not in self._tables:
            table = open_table(self._root / file.path)
            self._tables[file] = table, table.find_pictures(self._image_column)
        table, column = self._tables[file]
        number = next((n for n, rows in enumerate(table.batches) if row in rows), None)
        if number is None:
            raise TableError(f"it has no row {row}")
        if (file, number) not in self._batches:
            self._make_room()
            pictures, _ = pictures_of(table.read(number, [column]), column)
            size = int(pictures.bin.size().sum())
            self._batches[file, number] = _Batch(table.batches[number], pictures, size)
        self._batches.move_to_end((file, number))
        return self._batches[file, number]

    def _make_room(self) -> None:
        """Drop what was read least recently, if there is too much."""
        while sum(batch.size for batch in self._batches.values()) > _KEPT_BYTES:
            self._batches.popitem(last=False)
