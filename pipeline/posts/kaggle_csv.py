"""Split a CSV in the Kaggle layout into the fields of its lines, block by block.

A line is a row: no field of this layout holds a line break, so a quote that is not closed spoils
its own line and no other. Blocks go through the CSV parser of polars, which is fast but silent
about rows that are too short and quotes out of place. Its result is used only if every byte of the
block is accounted for; other blocks are halved until the bad lines are alone.
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
_LINEWISE_BYTES = 16 << 10  # blocks of this size are read line by line if something is wrong
_WIDE_HEADER = ",".join((*COLUMNS, "extra")).encode() + b"\n"  # long rows fill `extra`
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


def read_blocks(stream: IO[bytes] | GzipFile) -> Iterator[Block]:
    """Cut a stream into blocks.

    Raises:
        SengaError: if a line is longer than a block.
    """
    line = 1
    while block := stream.read(BLOCK):
        if not block.endswith(b"\n"):
            block += stream.readline(BLOCK)
        if not block.endswith(b"\n"):
            if stream.read(1):
                raise SengaError(
                    f"The CSV has a line longer than {BLOCK >> 20} MiB after line {line}. "
                    "Check that it is the file you meant."
                )
            block += b"\n"
        yield Block(line, block)
        line += _count(block, "\n")


def split_line(text: str) -> list[str] | None:
    """Return the fields of a CSV line; None if a quote is not closed or is inside a field."""
    fields, offset, more = [], 0, True
    while more:
        field = _FIELD.match(text, offset)
        if field is None:
            return None
        quoted, unquoted, comma = field.groups()
        fields.append(unquoted if quoted is None else quoted.replace('""', '"'))
        offset, more = field.end(), bool(comma)
    return fields


def split_lines(content: bytes) -> Iterator[pl.DataFrame]:
    """Split each line into its fields, as strings; add a `reason` if it cannot be split.

    Args:
        content: whole lines, each with its end.

    Yields:
        Frames with the columns `COLUMNS` and `reason`, one row for each line, in order.
    """
    frame = _parse(content)
    if frame is not None:
        yield frame
    elif len(content) <= _LINEWISE_BYTES or content.count(b"\n") == 1:
        yield _split(content.split(b"\n")[:-1])
    else:
        middle = content.find(b"\n", len(content) // 2) + 1
        if middle == len(content):
            middle = content.rfind(b"\n", 0, len(content) // 2) + 1
        yield from split_lines(content[:middle])
        yield from split_lines(content[middle:])


def _parse(content: bytes) -> pl.DataFrame | None:
    """Split many lines at once, like `_split`; return None if anything may have gone wrong."""
    structure = _count_structure(content)
    if structure is None:
        return None
    try:
        frame = pl.read_csv(
            _WIDE_HEADER + content,
            infer_schema=False,
            empty_string_is_null=False,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:  # not UTF-8
        return None
    if frame.height != _count(content, "\n"):
        return None
    # A row without tags may have been too short, and is split alone. The others have nine fields,
    # or ten of which the last is empty: those are longer than the sum of their fields.
    doubtful = frame.select((pl.col("tags") == "") | (pl.col("extra") != "")).to_series()
    doubtful_rows = doubtful.arg_true()
    lines = content.split(b"\n") if len(doubtful_rows) else []
    doubtful_lines = [lines[row] for row in doubtful_rows]
    certain = frame.filter(~doubtful) if doubtful_lines else frame
    field_bytes = certain.select(pl.sum_horizontal(pl.all().str.len_bytes()).sum()).item()
    field_bytes += (len(COLUMNS) - 1) * certain.height
    expected_bytes = len(content) - structure
    if doubtful_lines:
        doubtful_content = b"\n".join([*doubtful_lines, b""])
        expected_bytes -= len(doubtful_content) - (_count_structure(doubtful_content) or 0)
    if field_bytes != expected_bytes:
        return None
    frame = certain.select(*COLUMNS, reason=pl.lit(None, pl.String))
    if not doubtful_lines:
        return frame
    order = pl.concat([(~doubtful).arg_true(), doubtful_rows]).arg_sort()
    return pl.concat([frame, _split(doubtful_lines)])[order]


def _count_structure(content: bytes) -> int | None:
    """Count the bytes that are line ends or quote marks.

    Returns:
        The count; None if there is another control character, or a quote that neither surrounds
        a field nor is doubled inside one.
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
    """Count a character like `bytes.count`, ten times as fast if there are many."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == ord(character)))


def _split(lines: Iterable[bytes]) -> pl.DataFrame:
    """Split each line into its fields, as strings; add a `reason` if it cannot be split."""
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
