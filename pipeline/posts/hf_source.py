"""Posts of tables with pictures, as Hugging Face's `datasets` writes them; a row is a post."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from pipeline.picture_error import PictureError
from pipeline.picture_header import picture_size
from pipeline.posts import sidecar
from pipeline.posts.folder_source import Sizes
from pipeline.posts.hf_files import TableFile, TableFiles
from pipeline.posts.local_file import LocalFile, row_id
from pipeline.posts.picture_table import PictureTable, TableError, open_table, pictures_of
from pipeline.posts.rows import FIELDS, POSTS, Rejected, Rejects, read_rows
from pipeline.posts.sidecar import TOO_LONG, merge_what_fits

_ROWS = 2_000  # that are looked at at once
_SIZES = ("width", "height")
_SCHEMA = {"line": pl.Int64, **dict.fromkeys(FIELDS, pl.String)}


@dataclass(frozen=True)
class _Opened:
    """A table that is being read.

    Attributes:
        file: it.
        table: its content.
        pictures: the name of the column of pictures.
        first_line: of its first row.
    """

    file: TableFile
    table: PictureTable
    pictures: str
    first_line: int

    @property
    def known(self) -> list[str]:
        """The columns that say what a post needs."""
        wanted = {*sidecar.KEYS, *_SIZES} - {self.pictures}
        columns = self.table.columns.items()
        return [name for name, dtype in columns if name in wanted and dtype != pl.Binary]

    @property
    def has_ids(self) -> bool:
        dtype = self.table.columns.get("id")
        return dtype is not None and dtype.is_integer()

    def address(self, row: int) -> str:
        file = self.file
        local = LocalFile(path=file.path, size=file.size, modified=file.modified, member=str(row))
        return local.to_url()


class HfSource:
    """The rows of tables.

    A post's line is the place of its row among those of all tables, from 1 on; a file that is no
    table takes a line.

    Args:
        tables: the files.
        image_column: the name of the column of pictures; empty to find it.
        known_sizes: width and height of pictures that an earlier import has read, by address.

    Attributes:
        fault: why the first table that cannot be used cannot be; empty if all can be.
    """

    def __init__(
        self, tables: TableFiles, *, image_column: str = "", known_sizes: Sizes | None = None
    ) -> None:
        self._tables = tables
        self._image_column = image_column
        self._known_sizes = known_sizes or {}
        self._starts: list[tuple[int, str]] = []  # first line and path of each table that was read
        self.fault = ""

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        """Read the posts in the order of the files; and the rows that are none."""
        self._starts.clear()
        line = 1
        for path, code in self._tables.skipped:
            yield _rejected(Rejected(line, code, os.fsencode(path)))
            line += 1
        for file in self._tables.files:
            self._starts.append((line, file.path))
            try:
                table = open_table(self._tables.root / file.path)
                pictures = table.find_pictures(self._image_column)
            except TableError as error:
                self.fault = self.fault or f"{file.path}: {error}"
                text = f"{file.path}: {error}"
                yield _rejected(Rejected(line, "bad_table", os.fsencode(text)))
                line += 1
            else:
                yield from self._read_table(_Opened(file, table, pictures, line))
                line += table.rows

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        """Name rows that were read, by their lines in ascending order."""
        for line in lines:
            start, path = self._starts[
                bisect_right(self._starts, line, key=lambda each: each[0]) - 1
            ]
            yield Rejected(line, reason, _text(path, line - start))

    def _read_table(self, opened: _Opened) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        for number, rows in enumerate(opened.table.batches):
            columns = opened.known
            if any(opened.address(row) not in self._known_sizes for row in rows):
                columns = [*columns, opened.pictures]
            try:
                frame = opened.table.read(number, columns)
            except TableError as error:
                self.fault = self.fault or f"{opened.file.path}: {error}"
                make = partial(self._lost, opened, rows)
                yield pl.DataFrame(schema=POSTS), Rejects({"bad_table": len(rows)}, make)
                continue
            for start in range(0, len(rows), _ROWS):
                yield self._read_rows(opened, rows.start + start, frame.slice(start, _ROWS))

    def _lost(self, opened: _Opened, rows: range) -> Iterator[Rejected]:
        for row in rows:
            text = _text(opened.file.path, row)
            yield Rejected(opened.first_line + row, "bad_table", text)

    def _read_rows(
        self, opened: _Opened, first_row: int, frame: pl.DataFrame
    ) -> tuple[pl.DataFrame, Rejects]:
        rows: list[dict[str, object]] = []
        rejected: list[Rejected] = []
        facts = frame.select(opened.known).iter_rows(named=True)
        contents = _contents(frame, opened.pictures)
        cells = facts if opened.known else iter([{}] * frame.height)
        for row, (fact, content) in enumerate(zip(cells, contents, strict=True), first_row):
            line = opened.first_line + row
            try:
                post, left_out = self._post(opened, row, fact, content)
            except PictureError as error:
                rejected.append(Rejected(line, error.code, _text(opened.file.path, row)))
            else:
                rows.append({"line": line, **post})
                rejected += [Rejected(line, "bad_sidecar", os.fsencode(text)) for text in left_out]
        posts, odd = read_rows(pl.DataFrame(rows, _SCHEMA), local=True)
        return posts, Rejects.of(sorted([*rejected, *odd], key=lambda each: each.line))

    def _post(
        self,
        opened: _Opened,
        row: int,
        facts: dict[str, Any],
        content: tuple[bytes | None, str | None] | None,
    ) -> tuple[dict[str, object], list[str]]:
        """Return the fields of a row; and why its texts are left out, if they are.

        Raises:
            PictureError: if it has no picture.
        """
        url, (width, height) = self._picture(opened, row, content)
        cells = {name: opened.table.plain(name, value) for name, value in facts.items()}
        is_numbered = opened.has_ids and cells["id"] != 0  # a hash stands for 0, which is no id
        number = cells["id"] if is_numbered else row_id(opened.file.path, row)
        place = f"{opened.file.path}#{row}"
        record, left_out = merge_what_fits([(place, sidecar.record_of(cells))], len(url))
        post: dict[str, object] = {
            **dict.fromkeys(FIELDS, ""),
            **record,
            "id": "" if number is None else str(number),
            "sample_url": url,
            "sample_width": str(width or cells.get("width") or ""),
            "sample_height": str(height or cells.get("height") or ""),
        }
        return post, [f"{each}: {TOO_LONG}" for each in left_out]

    def _picture(
        self, opened: _Opened, row: int, content: tuple[bytes | None, str | None] | None
    ) -> tuple[str, tuple[int | None, int | None]]:
        """Return the address of a row's picture, and its size.

        Raises:
            PictureError: if it has none.
        """
        url = opened.address(row)
        if content is None:
            return url, self._known_sizes[url]
        data, path = content
        if data is not None:
            return url, picture_size(BytesIO(data)) or (None, None)
        return self._beside(opened.file, path or "")

    def _beside(self, table: TableFile, name: str) -> tuple[str, tuple[int | None, int | None]]:
        """Return address and size of a picture in a file beside a table.

        Raises:
            PictureError: if there is none.
        """
        path = PurePosixPath(table.path).parent / name
        if not name or path.is_absolute() or ".." in path.parts:
            raise PictureError("no_bytes")
        try:
            with (self._tables.root / path).open("rb") as file:
                facts = os.fstat(file.fileno())
                size = picture_size(file) or (None, None)
        except (OSError, ValueError) as error:
            raise PictureError("no_bytes") from error
        local = LocalFile(path=str(path), size=facts.st_size, modified=facts.st_mtime_ns)
        return local.to_url(), size


def _contents(frame: pl.DataFrame, column: str) -> Iterator[tuple[bytes | None, str | None] | None]:
    """Yield bytes and path of each picture, one at a time; None if the column was not read."""
    if column not in frame.columns:
        yield from [None] * frame.height
        return
    pictures, paths = pictures_of(frame, column)
    for row in range(frame.height):  # an iterator of polars would copy thousands at once
        yield pictures[row], paths[row]


def _rejected(row: Rejected) -> tuple[pl.DataFrame, Rejects]:
    return pl.DataFrame(schema=POSTS), Rejects.of([row])


def _text(path: str, row: int) -> bytes:
    return os.fsencode(f"{path}#{row}")
