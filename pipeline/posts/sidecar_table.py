"""Read the sidecar of all pictures of a folder, `metadata.jsonl` or `metadata.csv`.

A line of it that cannot be used costs itself and no other.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.posts.board_answer import parse_json
from pipeline.posts.clean_text import decode, split_mark
from pipeline.posts.sidecar import Record, SidecarError, is_exported, record_of

MAX_TABLE_BYTES = 500_000_000
"""The largest table, which is held in memory."""

TABLES = ("metadata.jsonl", "metadata.csv")
"""Sidecars of all pictures in a folder, and in those below it."""

_BROKEN_JSON = "not a JSON object, or cut off"
_BROKEN_QUOTE = "a quotation mark is not closed, or stands inside a field"
_NO_NAME = "it has no file_name"
_MANY = 1_000  # bad lines without a good one, after which the file is taken for something else
_MAX_ROW_LINES = 100  # of a row of CSV, whose texts may have line breaks

_Row = Mapping[str, Any] | str  # a str says why it is none


class TableRecord(NamedTuple):
    """What a line of a table says.

    Attributes:
        line: its number, from 1 on.
        record: of a picture.
    """

    line: int
    record: Record


@dataclass(frozen=True)
class SidecarTable:
    """What a table says.

    Attributes:
        records: by the names of files.
        drawings: names of files that an export of Senga has as drawings of these pictures.
        faults: lines that cannot be used, by their numbers from 1 on, each with the cause.
    """

    records: dict[str, TableRecord] = field(default_factory=dict)
    drawings: set[str] = field(default_factory=set)
    faults: list[tuple[int, str]] = field(default_factory=list)


def read_table(path: Path) -> SidecarTable:
    """Read a table of an imagefolder.

    Raises:
        SidecarError: if it cannot be used as a whole.
    """
    content = _as_utf8(_read(path))
    table = SidecarTable()
    for line, row in _json_rows(content) if path.suffix == ".jsonl" else _csv_rows(content):
        name = row if isinstance(row, str) else row.get("file_name")
        if isinstance(row, str):
            table.faults.append((line, row))
        elif isinstance(name, str) and name:
            table.records[name.removeprefix("./")] = TableRecord(line, record_of(row))
            if is_exported(row):
                table.drawings.update(_drawings_of(row))
        else:
            table.faults.append((line, _NO_NAME))
        if len(table.faults) >= _MANY and not table.records:
            first, cause = table.faults[0]
            raise SidecarError(f"none of its first {line:,} lines is good; line {first}: {cause}")
    return table


def _drawings_of(row: Mapping[str, Any]) -> Iterator[str]:
    for key, name in row.items():
        if key.endswith("_file_name") and isinstance(name, str):
            yield name


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise SidecarError(f"more than {MAX_TABLE_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise SidecarError(error.strerror or "it cannot be read") from error


def _as_utf8(content: bytes) -> bytes:
    """Return a table without its byte-order mark, in the encoding that nearly all have."""
    rest, encoding = split_mark(content)
    return rest if encoding == "utf-8" else decode(rest, encoding).encode()


def _json_rows(content: bytes) -> Iterator[tuple[int, _Row]]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, _json_row(line)


def _json_row(line: bytes) -> _Row:
    try:
        row = parse_json(line)
    except ValueError:
        return _BROKEN_JSON
    except RecursionError:
        return "nested too deeply"
    return row if isinstance(row, dict) else _BROKEN_JSON


def _csv_rows(content: bytes) -> Iterator[tuple[int, _Row]]:
    lines = _csv_lines(list(StringIO(decode(content), newline="")))
    number, header = next(lines, (1, []))
    if isinstance(header, str):
        raise SidecarError(f"line {number}: {header}")
    if "file_name" not in header:
        raise SidecarError("its first line names no column file_name")
    for number, fields in lines:
        if isinstance(fields, str):
            yield number, fields
        elif any(fields[len(header) :]):
            yield number, f"{len(fields)} fields, and the first line has {len(header)}"
        else:
            yield number, dict(zip(header, fields, strict=False))


def _csv_lines(lines: list[str]) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the fields of each row and the number of its first line; or why it is none.

    Behind a row that is none the next line begins a row, so that a quotation mark that is not
    closed does not swallow the lines up to the next one.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader(lines[start : start + _MAX_ROW_LINES], strict=True)
        number = start + 1
        try:
            fields: list[str] | str = "NUL bytes" if "\0" in lines[start] else next(reader)
        except csv.Error as error:
            fields = str(error) if "limit" in str(error) else _BROKEN_QUOTE
        start += 1 if isinstance(fields, str) else reader.line_num
        if fields:
            yield number, fields
