"""Splits a CSV in the Kaggle layout into the fields of its lines, block by block.

A line is a row: no field of this layout holds a line break, so a quote that is not closed spoils
its own line and no other. Blocks go through the CSV parser of polars, which is fast but silent
about rows that are too short and quotes out of place. What it makes of a block is believed only
where every byte of the block is accounted for; other blocks are halved until the lines in question
stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from gzip import GzipFile
from typing import IO

import numpy as np
import polars as pl

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

BLOCK = 16 << 20  # bytes; larger ones are no faster, and cost memory
_ALONE = 16 << 10  # bytes; blocks of this size are read line by line if something is wrong
_WIDE = ",".join((*COLUMNS, "extra")).encode() + b"\n"  # one more, where long rows show
_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|\Z)')


@dataclass(frozen=True)
class Block:
    """Whole lines of a file.

    Attributes:
        line: number of the first one; the header is line 1.
        content: the lines, each with its end.
    """

    line: int
    content: bytes


def blocks(stream: IO[bytes] | GzipFile) -> Iterator[Block]:
    """Cuts a stream into blocks.

    Raises:
        SengaError: where a line is longer than a block.
    """
    line = 1
    while block := stream.read(BLOCK):
        if not block.endswith(b"\n"):
            block += stream.readline(BLOCK)
        if not block.endswith(b"\n"):
            if stream.read(1):
                raise SengaError(
                    f"A line of the CSV, after line {line}, is longer than {BLOCK >> 20} MiB, "
                    "expected one post per line: check that the file is what you meant."
                )
            block += b"\n"
        yield Block(line, block)
        line += _count(block, "\n")


def split_line(text: str) -> list[str] | None:
    """The fields of one CSV line; None where a quote is not closed or stands inside a field."""
    fields, at, more = [], 0, True
    while more:
        field = _FIELD.match(text, at)
        if field is None:
            return None
        quoted, plain, comma = field.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        at, more = field.end(), bool(comma)
    return fields


def split_lines(content: bytes) -> Iterator[pl.DataFrame]:
    """The fields of each line as strings, and a `reason` where a line cannot be split.

    Args:
        content: whole lines, each with its end.

    Yields:
        Frames with the columns `COLUMNS` and `reason`, one row for each line, in order.
    """
    frame = _parse(content)
    if frame is not None:
        yield frame
    elif len(content) <= _ALONE or content.count(b"\n") == 1:
        yield _split(content.split(b"\n")[:-1])
    else:
        middle = content.find(b"\n", len(content) // 2) + 1
        if middle == len(content):
            middle = content.rfind(b"\n", 0, len(content) // 2) + 1
        yield from split_lines(content[:middle])
        yield from split_lines(content[middle:])


def _parse(content: bytes) -> pl.DataFrame | None:
    """Like `_split`, for many lines at once; None unless nothing can have gone wrong."""
    structure = _structure(content)
    if structure is None:
        return None
    try:
        frame = pl.read_csv(
            _WIDE + content,
            infer_schema=False,
            empty_string_is_null=False,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:  # not UTF-8
        return None
    if frame.height != _count(content, "\n"):
        return None
    # A row without tags may have been too short, and is looked at alone. The others have nine
    # fields, or ten of which the last is empty: those are longer than their parts.
    doubtful = frame.select((pl.col("tags") == "") | (pl.col("extra") != "")).to_series()
    places = doubtful.arg_true()
    lines = content.split(b"\n") if len(places) else []
    alone = [lines[place] for place in places]
    certain = frame.filter(~doubtful) if alone else frame
    parts = certain.select(pl.sum_horizontal(pl.all().str.len_bytes()).sum()).item()
    parts += (len(COLUMNS) - 1) * certain.height
    rest = len(content) - structure
    if alone:
        apart = b"\n".join([*alone, b""])
        rest -= len(apart) - (_structure(apart) or 0)
    if parts != rest:
        return None
    frame = certain.select(*COLUMNS, reason=pl.lit(None, pl.String))
    if not alone:
        return frame
    order = pl.concat([(~doubtful).arg_true(), places]).arg_sort()
    return pl.concat([frame, _split(alone)])[order]


def _structure(content: bytes) -> int | None:
    """Counts the bytes that are line ends or quote marks.

    None where there is another control character, or a quote that neither surrounds a field nor
    is doubled inside one.
    """
    characters = np.frombuffer(content, np.uint8)
    controls = np.count_nonzero(characters < ord(" "))
    newlines = _count(content, "\n")
    if controls > newlines and controls != newlines + content.count(b"\r\n"):
        return None
    quotes = np.flatnonzero(characters == ord('"'))
    if len(quotes) % 2:
        return None
    opening, closing = quotes[::2], quotes[1::2]
    before, after = characters[opening - 1], characters[closing + 1]  # -1: the last newline
    opens = (before == ord(",")) | (before == ord("\n"))
    closes = (after == ord(",")) | (after < ord(" "))
    doubled = opening[1:] == closing[:-1] + 1
    opens[1:] |= doubled
    closes[:-1] |= doubled
    if not (opens.all() and closes.all()):
        return None
    return int(controls + len(quotes) - np.count_nonzero(doubled))


def _count(content: bytes, character: str) -> int:
    """Like `bytes.count`, ten times as fast where there are many."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == ord(character)))


def _split(lines: Iterable[bytes]) -> pl.DataFrame:
    """The fields of each line as strings, and a `reason` where a line cannot be split."""
    rows = [_split_or_reason(line.removesuffix(b"\r")) for line in lines]
    return pl.DataFrame(rows, dict.fromkeys([*COLUMNS, "reason"], pl.String), orient="row")


def _split_or_reason(line: bytes) -> Sequence[str | None]:
    reason = None
    fields = None
    try:
        text = line.decode()
    except UnicodeDecodeError:
        reason = "not_utf8"
    else:
        fields = split_line(text)
        if not text.strip():
            reason = "empty_line"
        elif any(character < " " for character in text):
            reason = "control_character"
        elif fields is None:
            reason = "broken_quote"
        elif len(fields) != len(COLUMNS):
            reason = "field_count"
    if fields is None or reason:
        return [*[None] * len(COLUMNS), reason]
    return [*fields, None]
