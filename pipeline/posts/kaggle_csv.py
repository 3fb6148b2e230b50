"""Split a CSV with the columns of Kaggle's into the fields of its lines, block by block.

A line is a row: no field of this layout holds a line break, so a quote that is not closed spoils
its own line and no other. Blocks go through the CSV parser of polars, which is fast but silent
about rows that are too short and quotes out of place. Its result is used only if every byte of the
block is accounted for; other blocks are halved until the bad lines are alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from gzip import GzipFile
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sketch_models.errors import SengaError

COLUMNS = (
    "id",
    "created_at",
    "rating",
    "score",
    "sample_url",
    "sample_width",
    "sample_height",
    "preview_url",
    "tags",
)
"""Header of the Kaggle dataset `alamson/safebooru`."""

NEEDED = ("id", "sample_url", "tags")
"""Columns without which no file holds posts; the others are unknown if they are missing."""

BLOCK = 16 << 20  # bytes; larger ones are no faster, and cost memory
MAX_LINE = 1 << 18  # bytes; of a longer line only the beginning is read
MAX_ROW = 1 << 15  # bytes of a post's URL and tags; those of boards take up to some 10,000
_MAX_LINES = 200_000  # of a block: a row takes memory however short it is
_MAX_SKIPPED = 1 << 30  # bytes of a line
_LINEWISE_BYTES = 16 << 10  # blocks of this size are read line by line if something is wrong


@dataclass(frozen=True)
class CsvLayout:
    """The columns of a CSV.

    Attributes:
        names: of all columns in their order: those of `COLUMNS`, each at most once; others in
            any spelling.
        separator: the character between two fields.
    """

    names: tuple[str, ...] = COLUMNS
    separator: str = ","

    @property
    def wide_header(self) -> bytes:
        """The line of the header, with unique names, and `extra`, which long rows fill."""
        names = [name if name in COLUMNS else str(n) for n, name in enumerate(self.names)]
        return self.separator.join([*names, "extra"]).encode() + b"\n"

    def select(self) -> list[pl.Expr]:
        """Return the columns `COLUMNS` of a table with these columns; missing ones are empty."""
        return [pl.col(name) if name in self.names else pl.lit("").alias(name) for name in COLUMNS]


@dataclass(frozen=True)
class Block:
    """Whole lines of a file.

    Attributes:
        line: number of the first one; the header is line 1.
        content: the lines, each with its end.
        cut: numbers of the lines that were longer than `MAX_LINE`; `content` has their beginning.
    """

    line: int
    content: bytes
    cut: frozenset[int] = frozenset()


def read_blocks(stream: IO[bytes] | GzipFile) -> Iterator[Block]:
    """Cut a stream into blocks of bounded size and number of lines.

    Raises:
        SengaError: if a line is longer than a gigabyte.
    """
    line = 1
    while content := stream.read(BLOCK):
        if not content.endswith(b"\n"):
            content += _rest_of_line(stream, line)
        ends = _line_ends(content)
        content, cut = _cut_long_lines(content, ends)
        ends = _line_ends(content) if cut else ends
        begin = 0
        for first in range(0, len(ends), _MAX_LINES):
            last = min(first + _MAX_LINES, len(ends)) - 1
            end = int(ends[last]) + 1
            numbers = frozenset(line + n for n in cut if first <= n <= last)
            yield Block(line + first, content[begin:end], numbers)
            begin = end
        line += len(ends)


def _rest_of_line(stream: IO[bytes] | GzipFile, line: int) -> bytes:
    """Return the rest of a line, with its end; only the beginning of a long one."""
    rest = part = stream.readline(MAX_LINE)
    size = len(part)
    while part and not part.endswith(b"\n"):
        part = stream.readline(BLOCK)
        size += len(part)
        if size > _MAX_SKIPPED:
            raise SengaError(
                f"The CSV has a line longer than {_MAX_SKIPPED >> 30} GiB after line {line}. "
                "Check that it is the file you meant."
            )
    return rest.removesuffix(b"\n") + b"\n"


def _line_ends(content: bytes) -> NDArray[np.intp]:
    return np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))


def _cut_long_lines(content: bytes, ends: NDArray[np.intp]) -> tuple[bytes, list[int]]:
    """Return the lines, of long ones the beginning, and the places of those among the lines."""
    lengths = np.diff(ends, prepend=-1) - 1
    cut = np.flatnonzero(lengths > MAX_LINE).tolist()
    kept, begin = [], 0
    for place in cut:
        end = int(ends[place])
        kept.append(content[begin : end - int(lengths[place]) + MAX_ROW])
        begin = end
    return b"".join([*kept, content[begin:]]) if cut else content, cut


@cache
def _field_pattern(separator: str) -> re.Pattern[str]:
    separator = re.escape(separator)
    return re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"|([^"{separator}]*))({separator}|\Z)')


def split_line(text: str, separator: str = ",") -> list[str] | None:
    """Return the fields of a CSV line; None if a quote is not closed or is inside a field."""
    pattern = _field_pattern(separator)
    fields, offset, more = [], 0, True
    while more:
        field = pattern.match(text, offset)
        if field is None:
            return None
        quoted, unquoted, end = field.groups()
        fields.append(unquoted if quoted is None else quoted.replace('""', '"'))
        offset, more = field.end(), bool(end)
    return fields


def split_lines(content: bytes, layout: CsvLayout) -> Iterator[pl.DataFrame]:
    r"""Split each line into its fields, as strings; add a `reason` if it cannot be split.

    Args:
        content: whole lines of `clean_lines`, each with its end.
        layout: of the lines.

    Yields:
        Frames with the columns `COLUMNS` and `reason`, one row for each line, in order.
    """
    frame = _parse(content, layout)
    if frame is not None:
        yield frame
        return
    blank = _blank_lines(content, layout.separator)
    if not blank.any():
        yield from _split_halves(content, layout)
        return
    lines = np.array(content.split(b"\n")[:-1], object)[~blank]
    frames = [*split_lines(b"\n".join([*lines, b""]), layout)] if len(lines) else []
    reason = pl.repeat("empty_line", int(blank.sum()), eager=True).alias("reason")
    empty = reason.to_frame().select(*(pl.lit(None, pl.String).alias(n) for n in COLUMNS), "reason")
    order = np.argsort(np.concatenate([np.flatnonzero(~blank), np.flatnonzero(blank)]))
    yield pl.concat([*frames, empty])[order]


def _blank_lines(content: bytes, separator: str) -> NDArray[np.bool_]:
    """Return for each line whether it has nothing but separators and spaces."""
    characters = np.frombuffer(content, np.uint8)
    visible = ~np.isin(characters, np.frombuffer(f"{separator} \n".encode(), np.uint8))
    starts = np.concatenate([[0], _line_ends(content)[:-1] + 1])
    counts: NDArray[np.int32] = np.add.reduceat(visible, starts, dtype=np.int32)
    return counts < 1


def _split_halves(content: bytes, layout: CsvLayout) -> Iterator[pl.DataFrame]:
    """Split lines of which some may be bad: a few one by one, many in two halves."""
    if len(content) <= _LINEWISE_BYTES or content.count(b"\n") == 1:
        yield _split(content.split(b"\n")[:-1], layout)
        return
    middle = content.find(b"\n", len(content) // 2) + 1
    if middle == len(content):
        middle = content.rfind(b"\n", 0, len(content) // 2) + 1
    yield from split_lines(content[:middle], layout)
    yield from split_lines(content[middle:], layout)


def _parse(content: bytes, layout: CsvLayout) -> pl.DataFrame | None:
    """Split many lines at once, like `_split`; return None if anything may have gone wrong."""
    structure = _count_structure(content, layout.separator)
    if structure is None:
        return None
    try:
        frame = pl.read_csv(
            layout.wide_header + content,
            separator=layout.separator,
            infer_schema=False,
            empty_string_is_null=False,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != _count(content, "\n"):
        return None
    # A row whose last field is empty may have been too short, and is split alone. The others have
    # all fields, or one more that is empty: those are longer than the sum of their fields.
    last = frame.columns[-2]
    doubtful = frame.select((pl.col(last) == "") | (pl.col("extra") != "")).to_series()
    doubtful_rows = doubtful.arg_true()
    lines = content.split(b"\n") if len(doubtful_rows) else []
    doubtful_lines = [lines[row] for row in doubtful_rows]
    certain = frame.filter(~doubtful) if doubtful_lines else frame
    field_bytes = certain.select(pl.sum_horizontal(pl.all().str.len_bytes()).sum()).item()
    field_bytes += (len(layout.names) - 1) * certain.height
    expected_bytes = len(content) - structure
    if doubtful_lines:
        doubtful_content = b"\n".join([*doubtful_lines, b""])
        doubtful_structure = _count_structure(doubtful_content, layout.separator) or 0
        expected_bytes -= len(doubtful_content) - doubtful_structure
    if field_bytes != expected_bytes:
        return None
    frame = certain.select(*layout.select(), reason=pl.lit(None, pl.String))
    if not doubtful_lines:
        return frame
    order = pl.concat([(~doubtful).arg_true(), doubtful_rows]).arg_sort()
    return pl.concat([frame, _split(doubtful_lines, layout)])[order]


def _count_structure(content: bytes, separator: str) -> int | None:
    """Count the bytes that are line ends or quote marks.

    Returns:
        The count; None if there is a quote that neither surrounds a field nor is doubled inside
        one.
    """
    characters = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(characters == ord('"'))
    if len(quotes) % 2:
        return None
    opening, closing = quotes[::2], quotes[1::2]
    before, after = characters[opening - 1], characters[closing + 1]  # -1: the last newline
    opens = (before == ord(separator)) | (before == ord("\n"))
    closes = (after == ord(separator)) | (after == ord("\n"))
    doubled = opening[1:] == closing[:-1] + 1
    opens[1:] |= doubled
    closes[:-1] |= doubled
    if not (opens.all() and closes.all()):
        return None
    return int(_count(content, "\n") + len(quotes) - np.count_nonzero(doubled))


def _count(content: bytes, character: str) -> int:
    """Count a character like `bytes.count`, ten times as fast if there are many."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == ord(character)))


def _split(lines: Iterable[bytes], layout: CsvLayout) -> pl.DataFrame:
    """Split each line into its fields, as strings; add a `reason` if it cannot be split."""
    places = [layout.names.index(name) if name in layout.names else -1 for name in COLUMNS]
    rows = [_split_or_reason(line.decode(), layout, places) for line in lines]
    return pl.DataFrame(rows, dict.fromkeys([*COLUMNS, "reason"], pl.String), orient="row")


def _split_or_reason(text: str, layout: CsvLayout, places: list[int]) -> list[str | None]:
    reason = None
    fields = split_line(text, layout.separator)
    if not text.strip(layout.separator + " "):
        reason = "empty_line"
    elif fields is None:
        reason = "broken_quote"
    elif len(fields) != len(layout.names):
        reason = "field_count"
    if fields is None or reason:
        return [*[None] * len(COLUMNS), reason]
    return [*("" if place < 0 else fields[place] for place in places), None]
