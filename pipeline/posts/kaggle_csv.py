"""Split a CSV with the columns of Kaggle's into the fields of its lines, block by block.

A line is a row: no field of this layout holds a line break, so a quote that is not closed spoils
its own line and no other. Blocks go through the CSV parser of polars, which is fast but silent
about rows that are too short and quotes out of place. Its result is used only if every byte of the
block is accounted for; of other blocks, the bad lines are found by counting and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from gzip import GzipFile
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.posts.marks import Marks
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
_MAX_LINEWISE = 1000  # of a block: lines that are read one by one

FAULTS = ("", "empty_line", "broken_quote", "field_count")
"""Why a line cannot be split; empty if it can be."""


@dataclass(frozen=True)
class CsvLayout:
    """The columns of a CSV.

    Attributes:
        names: of all columns in their order: those of `columns`, each at most once; others in
            any spelling.
        separator: the character between two fields.
        columns: that are read; those that `names` lacks are empty.
    """

    names: tuple[str, ...] = COLUMNS
    separator: str = ","
    columns: tuple[str, ...] = COLUMNS

    @property
    def wide_header(self) -> bytes:
        """The line of the header, with places as names, and `extra`, which long rows fill."""
        places = map(str, range(len(self.names)))
        return self.separator.join([*places, "extra"]).encode() + b"\n"

    def select(self) -> list[pl.Expr]:
        """Return the columns `columns` of a table whose columns are named by their places."""
        return [
            pl.col(str(self.names.index(name))).alias(name)
            if name in self.names
            else pl.lit("").alias(name)
            for name in self.columns
        ]


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

    @cached_property
    def marks(self) -> Marks:
        """Of `content`."""
        return Marks(self.content)


def read_blocks(stream: IO[bytes] | GzipFile) -> Iterator[Block]:
    """Cut a stream into blocks of bounded size and number of lines.

    Raises:
        SengaError: if a line is longer than a gigabyte.
    """
    line = 1
    while content := stream.read(BLOCK):
        if not content.endswith(b"\n"):
            content += _rest_of_line(stream, line)
        whole = Block(line, content)
        ends = whole.marks.ends
        lengths = np.diff(ends, prepend=-1) - 1
        if len(ends) <= _MAX_LINES and lengths.max() <= MAX_LINE:
            yield whole
        else:
            yield from _cut(whole, lengths)
        line += len(ends)


def _cut(block: Block, lengths: NDArray[np.intp]) -> Iterator[Block]:
    """Cut a block of too many lines, and lines that are too long."""
    content, cut = _cut_long_lines(block, lengths)
    ends = Marks(content).ends
    begin = 0
    for first in range(0, len(ends), _MAX_LINES):
        last = min(first + _MAX_LINES, len(ends)) - 1
        end = int(ends[last]) + 1
        numbers = frozenset(block.line + n for n in cut if first <= n <= last)
        yield Block(block.line + first, content[begin:end], numbers)
        begin = end


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


def _cut_long_lines(block: Block, lengths: NDArray[np.intp]) -> tuple[bytes, list[int]]:
    """Return the lines, of long ones the beginning, and the places of those among the lines."""
    cut = np.flatnonzero(lengths > MAX_LINE).tolist()
    kept, begin = [], 0
    for place in cut:
        end = int(block.marks.ends[place])
        kept.append(block.content[begin : end - int(lengths[place]) + MAX_ROW])
        begin = end
    return b"".join([*kept, block.content[begin:]]) if cut else block.content, cut


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


@dataclass(frozen=True)
class SplitLines:
    """The fields of some lines.

    Attributes:
        rows: the columns of the layout, as strings, of the lines that could be split.
        places: of the rows among the lines.
        faults: of every line: 0 for a row, else the place of its code in `FAULTS`.
    """

    rows: pl.DataFrame
    places: NDArray[np.intp]
    faults: NDArray[np.uint8]


def split_lines(marks: Marks, layout: CsvLayout) -> SplitLines:
    r"""Split each line into its fields.

    Args:
        marks: of the lines, which are those of `clean_lines`.
        layout: of the lines.
    """
    frame = _parse(marks, layout)
    if frame is None:
        faults = _line_faults(marks, layout)
        lines = Marks(_select_lines(marks, faults == 0))
        # Line by line, if polars reads lines without a fault in another way.
        frame = _parse(lines, layout, counted=True) if lines.content else _split([], layout)
        frame = _split(lines.content.split(b"\n")[:-1], layout) if frame is None else frame
    else:
        faults = np.zeros(frame.height, np.uint8)
    if frame["reason"].null_count() < frame.height:
        codes = frame["reason"].replace_strict(FAULTS, range(len(FAULTS)), default=0)
        faults[faults == 0] = codes.cast(pl.UInt8).to_numpy()
        frame = frame.filter(pl.col("reason").is_null())
    return SplitLines(frame.select(layout.columns), np.flatnonzero(faults == 0), faults)


def _line_faults(marks: Marks, layout: CsvLayout) -> NDArray[np.uint8]:
    """Return for each line why it has not the fields of the layout, as `_split` would."""
    characters, ends, quotes = marks.characters, marks.ends, marks.quotes
    line_of_quote = np.searchsorted(ends, quotes)
    broken = np.bincount(line_of_quote, minlength=len(ends)) % 2 == 1
    quotes = quotes[~broken[line_of_quote]]  # of each line an even number
    misplaced, _ = _misplaced(characters, quotes, layout.separator)
    broken[np.searchsorted(ends, quotes[::2][misplaced])] = True
    separators = np.flatnonzero(characters == ord(layout.separator))
    if len(quotes):
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    fields = np.bincount(np.searchsorted(ends, separators), minlength=len(ends)) + 1
    faults = np.where(fields == len(layout.names), 0, FAULTS.index("field_count"))
    faults[broken] = FAULTS.index("broken_quote")
    faults[_blank_lines(marks, layout.separator)] = FAULTS.index("empty_line")
    return faults.astype(np.uint8)


def _select_lines(marks: Marks, chosen: NDArray[np.bool_]) -> bytes:
    lengths = np.diff(marks.ends, prepend=-1)
    return marks.characters[np.repeat(chosen, lengths)].tobytes()


def _blank_lines(marks: Marks, separator: str) -> NDArray[np.bool_]:
    """Return for each line whether it has nothing but separators and spaces."""
    visible = ~np.isin(marks.characters, np.frombuffer(f"{separator} \n".encode(), np.uint8))
    starts = np.concatenate([[0], marks.ends[:-1] + 1])
    counts: NDArray[np.int32] = np.add.reduceat(visible, starts, dtype=np.int32)
    return counts < 1


def _parse(marks: Marks, layout: CsvLayout, *, counted: bool = False) -> pl.DataFrame | None:
    """Split many lines at once, like `_split`; return None if anything may have gone wrong.

    Args:
        marks: as for `split_lines`.
        layout: of the lines.
        counted: whether all lines have as many fields as they should.
    """
    content = marks.content
    structure = _count_structure(marks, layout.separator)
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
    if frame.height != len(marks.ends):
        return None
    # A row whose last field is empty may have been too short, and is split alone. The others have
    # all fields, or one more that is empty: those are longer than the sum of their fields.
    last = frame.columns[-2]
    doubtful = frame.select((pl.col(last) == "") | (pl.col("extra") != "")).to_series()
    doubtful_rows = doubtful.arg_true() if not counted else doubtful.head(0)
    if len(doubtful_rows) > _MAX_LINEWISE:
        return None
    lines = content.split(b"\n") if len(doubtful_rows) else []
    doubtful_lines = [lines[row] for row in doubtful_rows]
    certain = frame.filter(~doubtful) if doubtful_lines else frame
    field_bytes = certain.select(pl.sum_horizontal(pl.all().str.len_bytes()).sum()).item()
    field_bytes += (len(layout.names) - 1) * certain.height
    expected_bytes = len(content) - structure
    if doubtful_lines:
        doubtful_marks = Marks(b"\n".join([*doubtful_lines, b""]))
        doubtful_structure = _count_structure(doubtful_marks, layout.separator) or 0
        expected_bytes -= len(doubtful_marks.content) - doubtful_structure
    if field_bytes != expected_bytes:
        return None
    frame = certain.select(*layout.select(), reason=pl.lit(None, pl.String))
    if not doubtful_lines:
        return frame
    order = pl.concat([(~doubtful).arg_true(), doubtful_rows]).arg_sort()
    return pl.concat([frame, _split(doubtful_lines, layout)])[order]


def _count_structure(marks: Marks, separator: str) -> int | None:
    """Count the bytes that are line ends or quote marks.

    Returns:
        The count; None if there is a quote that neither surrounds a field nor is doubled inside
        one.
    """
    if len(marks.quotes) % 2:
        return None
    misplaced, doubled = _misplaced(marks.characters, marks.quotes, separator)
    if misplaced.any():
        return None
    return len(marks.ends) + len(marks.quotes) - doubled


def _misplaced(
    characters: NDArray[np.uint8], quotes: NDArray[np.intp], separator: str
) -> tuple[NDArray[np.bool_], int]:
    """Check pairs of quotes, each of which surrounds a field or a part of one.

    Args:
        characters: whole lines.
        quotes: the places of quote marks, of each line an even number.
        separator: the character between two fields.

    Returns:
        Whether one of a pair neither is at an end of a field nor is doubled inside one; and the
        number of those that are doubled.
    """
    opening, closing = quotes[::2], quotes[1::2]
    before, after = characters[opening - 1], characters[closing + 1]  # -1: the last newline
    opens = (before == ord(separator)) | (before == ord("\n"))
    closes = (after == ord(separator)) | (after == ord("\n"))
    doubled = opening[1:] == closing[:-1] + 1
    opens[1:] |= doubled
    closes[:-1] |= doubled
    return ~(opens & closes), int(np.count_nonzero(doubled))


def _split(lines: Iterable[bytes], layout: CsvLayout) -> pl.DataFrame:
    """Split each line into its fields, as strings; add a `reason` if it cannot be split."""
    columns = layout.columns
    places = [layout.names.index(name) if name in layout.names else -1 for name in columns]
    rows = [_split_or_reason(line.decode(), layout, places) for line in lines]
    return pl.DataFrame(rows, dict.fromkeys([*columns, "reason"], pl.String), orient="row")


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
        return [*[None] * len(places), reason]
    return [*("" if place < 0 else fields[place] for place in places), None]
