"""Read a CSV of any columns, whose fields may hold line breaks.

A row that has not as many fields as the header, or whose quotes are out of place, costs itself and
no other: a quote that is not closed on its line is taken for the start of a field of several lines
only if the row is whole with them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.posts.clean_text import clean_lines, decode
from pipeline.posts.kaggle_csv import (
    FAULTS,
    MAX_LINE,
    MAX_ROW,
    Block,
    CsvLayout,
    SplitLines,
    read_blocks,
    split_line,
    split_lines,
)
from pipeline.posts.marks import Marks
from pipeline.posts.raw_rows import Part, RawRows
from pipeline.posts.rows import Rejected, Rejects
from pipeline.posts.table_stream import open_text
from sketch_models.errors import SengaError

_SEPARATORS = (",", "\t", ";", "|")
_EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?')  # a line that Excel may write before the header
_CODES = (*FAULTS, "too_long")

_Lines = NDArray[np.intp]


class CsvReader:
    """A CSV or TSV with a header, plain or packed.

    Args:
        path: of the file.
        known: names of columns that decide which separator it is.
    """

    def __init__(self, path: Path, known: Collection[str]) -> None:
        self._path = path
        with open_text(path) as stream:
            self._start, self.names, self._separator = _read_header(path, stream, known)

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Read some columns; see `TableReader`."""
        # Places stand for names: those of the file may be anything, and occur twice.
        places = [str(place) for place in range(len(self.names))]
        wanted = [
            places[self.names.index(name)] if name in self.names else f"missing {name}"
            for name in columns
        ]
        layout = CsvLayout(tuple(places), self._separator, tuple(dict.fromkeys(wanted)))
        with open_text(self._path) as stream:
            blocks = _skip(read_blocks(stream), self._start)
            for block, is_even in _whole_rows(blocks, layout):
                yield partial(_read_block, block, layout, wanted, is_even=is_even)


def _read_header(
    path: Path, stream: IO[bytes], known: Collection[str]
) -> tuple[int, list[str], str]:
    """Return the line that the rows start at, the names of the columns and the separator."""
    first = next(read_blocks(stream), None)
    lines = first.content.split(b"\n", 2) if first else []
    if not lines or not lines[0].strip():
        raise SengaError(f"{path} holds no posts: it is empty. Write it again.")
    line, text = 1, _header_text(lines[0])
    separators: Sequence[str] = _SEPARATORS
    if excel := _EXCEL_SEPARATOR.fullmatch(text):
        line, text, separators = 2, _header_text(lines[1]), (excel[1],)
    if text.startswith(("PK", "<")) or "\0" in text:
        raise SengaError(
            f"{path} starts with {text[:40]!r}, expected the header of a CSV or TSV, JSON, "
            "Parquet or SQLite. Unpack it, or save it as CSV in UTF-8."
        )
    splits = [(split_line(text, separator) or [], separator) for separator in separators]
    names, separator = max(splits, key=lambda split: (len({*split[0]} & {*known}), len(split[0])))
    return line + 1, [name.strip() for name in names], separator


def _header_text(header: bytes) -> str:
    return decode(header.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n"))


def _skip(blocks: Iterator[Block], start: int) -> Iterator[Block]:
    """Leave out the lines before `start`, all of which are in the first block."""
    for block in blocks:
        if block.line < start:
            content = block.content.split(b"\n", start - block.line)[-1]
            if not content:
                continue
            yield Block(start, content, block.cut)
        else:
            yield block


@dataclass(frozen=True)
class _Rows:
    """The rows of some lines.

    Attributes:
        marks: of a line for each row: line breaks inside of fields are spaces.
        first_lines: the place of the first line of each row among the lines.
    """

    marks: Marks
    first_lines: _Lines


def _whole_rows(blocks: Iterator[Block], layout: CsvLayout) -> Iterator[tuple[Block, bool]]:
    """Move the lines at the end of a block whose row goes on behind it to the next block.

    Yields:
        A block, and whether each of its lines has an even number of quotes.
    """
    kept: Block | None = None
    for block in blocks:
        whole = block
        if kept is not None:
            whole = Block(kept.line, kept.content + block.content, kept.cut | block.cut)
        odd = _odd_lines(whole.marks)
        end = _end_of_rows(whole, odd, layout)
        rest = whole.content[end:]
        if len(rest) > MAX_LINE:
            end, rest = len(whole.content), b""
        line = whole.line + int(np.searchsorted(whole.marks.ends, end))
        kept = Block(line, rest, whole.cut) if rest else None
        if kept is None:
            yield whole, not len(odd)
        elif end:
            yield Block(whole.line, whole.content[:end], whole.cut), False
    if kept is not None:
        yield kept, False


def _end_of_rows(block: Block, odd: _Lines, layout: CsvLayout) -> int:
    """Return the place behind the last row that is whole.

    Whether a quote is open is told by the last line with an odd number of quotes: it ends a row of
    several lines, or begins one, or is damaged.
    """
    if not len(odd):
        return len(block.content)
    is_even = not len(odd) % 2
    pair = odd[-2:] if is_even else odd[-3:-1]
    is_sound = not len(pair) or bool(_checked_spans(block.marks, pair, layout))
    spans = [] if is_sound else _checked_spans(block.marks, odd, layout)
    last = int(odd[-1])
    if (is_sound and is_even) or (spans and spans[-1][1] == last):
        return len(block.content)
    return int(block.marks.ends[last - 1]) + 1 if last else 0


def _odd_lines(marks: Marks) -> _Lines:
    """Return the lines with an odd number of quotes."""
    quotes = np.searchsorted(marks.quotes, marks.ends)
    return np.flatnonzero(np.diff(quotes, prepend=0) % 2)


def _checked_spans(marks: Marks, odd: _Lines, layout: CsvLayout) -> list[tuple[int, int]]:
    """Return the first and the last line of each row of several lines that is whole."""
    content, ends = marks.content, marks.ends
    spans = []
    lines = odd.tolist()
    place = 0
    while place + 1 < len(lines):
        first, last = lines[place], lines[place + 1]
        start = int(ends[first - 1]) + 1 if first else 0
        text = content[start : int(ends[last])]
        if len(text) <= MAX_LINE and _is_row(text, layout):
            spans.append((first, last))
            place += 1
        place += 1
    return spans


def _is_row(text: bytes, layout: CsvLayout) -> bool:
    fields = split_line(decode(text).rstrip("\r"), layout.separator)
    return fields is not None and len(fields) == len(layout.names)


def _join(marks: Marks, spans: Sequence[tuple[int, int]]) -> _Rows:
    """Return rows of which some have several lines."""
    ends = marks.ends
    characters = marks.characters.copy()
    inner = np.concatenate([[], *(np.arange(first, last) for first, last in spans)]).astype(np.intp)
    characters[ends[inner]] = ord(" ")
    is_first = np.ones(len(ends), bool)
    is_first[inner + 1] = False
    return _Rows(Marks(characters.tobytes()), np.flatnonzero(is_first))


def _split(marks: Marks, layout: CsvLayout, *, is_even: bool) -> tuple[_Rows, SplitLines]:
    """Split lines into rows, and rows into fields."""
    rows = _Rows(marks, np.arange(len(marks.ends)))
    odd = np.empty(0, np.intp) if is_even else _odd_lines(marks)
    if len(odd):
        pairs = [(int(first), int(last)) for first, last in zip(odd[::2], odd[1::2], strict=False)]
        joined = _join(marks, pairs)
        split = split_lines(joined.marks, layout)
        if not len(odd) % 2 and not split.faults.any():
            return joined, split
        rows = _join(marks, _checked_spans(marks, odd, layout))
    return rows, split_lines(rows.marks, layout)


def _read_block(
    block: Block, layout: CsvLayout, wanted: Sequence[str], *, is_even: bool
) -> RawRows:
    lines = clean_lines(block.marks, keep="\t" if layout.separator == "\t" else "")
    rows, split = _split(lines, layout, is_even=is_even)
    faults = split.faults
    if block.cut:
        cut = np.array(sorted(block.cut)) - block.line
        cut = cut[(cut >= 0) & (cut < len(lines.ends))]
        faults[np.searchsorted(rows.first_lines, cut, side="right") - 1] = _CODES.index("too_long")
    good = faults[split.places] == 0
    lines = block.line + rows.first_lines[split.places[good]]
    rows_of_posts = split.rows if good.all() else split.rows.filter(good)
    frame = rows_of_posts.select(
        pl.Series("line", lines, pl.Int64),
        *(pl.col(name).alias(str(place)) for place, name in enumerate(wanted)),
    )
    counts = np.bincount(faults, minlength=len(_CODES)).tolist()
    return RawRows(
        frame,
        Rejects(
            {code: count for code, count in zip(_CODES, counts, strict=True) if code and count},
            partial(_list_rejected, block, rows.first_lines, faults),
        ),
        is_clean=layout.separator != "\t",
    )


def _list_rejected(
    block: Block, first_lines: _Lines, faults: NDArray[np.uint8]
) -> Iterator[Rejected]:
    lines = block.content.split(b"\n")
    bounds = [*first_lines.tolist(), len(lines) - 1]
    for row in np.flatnonzero(faults).tolist():
        first, end = bounds[row], bounds[row + 1]
        text = b"\n".join(lines[first:end]).removesuffix(b"\r")
        yield Rejected(block.line + first, _CODES[faults[row]], text[:MAX_ROW])
