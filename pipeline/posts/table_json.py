"""Read objects from JSON: one a line, or in an array, which may itself be in an object.

An array is cut between its objects without being parsed, so that it may be of any size; polars
parses the objects. One that is no JSON costs itself and no other.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.posts.board_answer import parse_json
from pipeline.posts.clean_text import without_surrogates
from pipeline.posts.kaggle_csv import MAX_ROW, Block, read_blocks
from pipeline.posts.raw_rows import Part, RawRows
from pipeline.posts.rows import Rejected, Rejects
from pipeline.posts.table_stream import open_text
from sketch_models.errors import SengaError

_BLOCK = 16 << 20  # bytes
_SAMPLE = 1_000  # objects whose keys are taken for the columns
_LINEWISE = 64  # objects; if one of so many is no JSON, they are read one by one
_WRAPPED = re.compile(  # what API answers have around their array
    rb'\s*\{\s*(?:"@attributes"\s*:\s*\{[^{}]*\}\s*,\s*)?"posts?"\s*:\s*(?=\[)'
)
_HEAD = 1 << 16  # bytes
BROKEN = "broken_json"
"""The reason of what is no JSON object."""


class JsonReader:
    """JSON of objects, plain or packed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with open_text(path) as stream:
            head = stream.read(_HEAD).removeprefix(codecs.BOM_UTF8)
        wrapped = _WRAPPED.match(head)
        self._skipped = wrapped.end() if wrapped else 0
        self._is_array = head[self._skipped :].lstrip().startswith(b"[")
        self.names = self._read_names()

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """Read some columns; see `TableReader`."""
        for block in self._blocks():
            yield partial(_read_block, block, columns, frozenset(self.names))

    def _blocks(self) -> Iterator[Block]:
        with open_text(self._path) as stream:
            if self._is_array:
                yield from _objects(stream, self._skipped)
            else:
                for block in read_blocks(stream):
                    is_first = block.line == 1
                    content = block.content.removeprefix(codecs.BOM_UTF8 if is_first else b"")
                    yield Block(block.line, content, block.cut)

    def _read_names(self) -> list[str]:
        names: dict[str, None] = {}
        block = next(self._blocks(), None)
        if block is None:
            raise SengaError(f"{self._path} holds no posts: it is empty. Write it again.")
        for line in block.content.split(b"\n", _SAMPLE)[:_SAMPLE]:
            value = _parse(line)
            if isinstance(value, dict):
                names.update(dict.fromkeys(map(str, value)))
        if not names:
            raise SengaError(
                f"{self._path} holds no JSON objects, expected one for each post, one a line or "
                "in an array. Write it again."
            )
        return list(names)


def _objects(stream: IO[bytes], skipped: int) -> Iterator[Block]:
    """Yield the members of an array as lines; the first one is line 1.

    A last line that is no JSON says that the array is cut off.
    """
    stream.read(skipped)
    rest, line, is_open = stream.read(_BLOCK).removeprefix(codecs.BOM_UTF8).lstrip()[1:], 1, True
    while is_open:
        part = stream.read(_BLOCK)
        lines, rest, is_open = _cut_members(rest)
        if lines:
            yield Block(line, lines)
            line += lines.count(b"\n")
        if not part and is_open:  # the array is not closed
            cut = rest.translate(None, b"\r\n")[:MAX_ROW]
            yield Block(line, (cut.strip() or b"[") + b"\n")
            return
        rest += part
        if len(rest) > 4 * _BLOCK:
            raise SengaError(
                f"The JSON has an object of more than {3 * _BLOCK >> 20} MiB after object "
                f"{line - 1:,}. Check that it is the file you meant."
            )


def _cut_members(content: bytes) -> tuple[bytes, bytes, bool]:
    """Cut the inside of an array between its members.

    Returns:
        The members as lines, the rest of the content, and whether the array goes on.
    """
    characters = np.frombuffer(content, np.uint8)
    quotes = _plain_quotes(characters)
    outside = np.flatnonzero(_STRUCTURE[characters])
    outside = outside[np.searchsorted(quotes, outside) % 2 == 0]
    depths = np.cumsum(_DEPTH[characters[outside]])
    ends = np.flatnonzero(depths < 0)
    is_open = not len(ends)
    stop = len(outside) if is_open else int(ends[0])
    commas = outside[:stop][(characters[outside[:stop]] == ord(",")) & (depths[:stop] == 0)]
    end = (int(commas[-1]) + 1 if len(commas) else 0) if is_open else int(outside[stop])
    if not end:
        return b"", content, is_open
    lines = bytearray(content[:end].translate(_ONE_LINE))
    for comma in commas.tolist():
        lines[comma] = ord("\n")
    if not is_open and lines.strip():
        lines += b"\n"
    return bytes(lines) if lines.strip() else b"", content[end:], is_open


def _plain_quotes(characters: NDArray[np.uint8]) -> NDArray[np.intp]:
    r"""Return the places of the quotes that begin or end a string: not those behind a `\`."""
    quotes = np.flatnonzero(characters == ord('"'))
    behind = quotes[(characters[quotes - 1] == ord("\\")) & (quotes > 0)]
    if not len(behind):
        return quotes
    slashes = np.flatnonzero(characters == ord("\\"))
    first_slashes = slashes[np.diff(slashes, prepend=-2) > 1]  # of rows of slashes
    rows = first_slashes[np.searchsorted(first_slashes, behind) - 1]
    return np.setdiff1d(quotes, behind[(behind - rows) % 2 == 1], assume_unique=True)


_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_STRUCTURE = np.zeros(256, bool)
_STRUCTURE[np.frombuffer(b"[]{},", np.uint8)] = True
_DEPTH = np.zeros(256, np.int32)
_DEPTH[np.frombuffer(b"[{", np.uint8)] = 1
_DEPTH[np.frombuffer(b"]}", np.uint8)] = -1


def _read_block(block: Block, columns: Sequence[str], names: Collection[str]) -> RawRows:
    """Read objects; those that are none are rejected, and empty lines left out."""
    roots = list(dict.fromkeys(_root(name, names) for name in columns))
    whole = None if block.cut else _parse_fast(block.content, roots)
    if whole is not None and not _may_be_misspelled(whole, block.content):
        count = pl.int_range(block.line, block.line + whole.height, dtype=pl.Int64, eager=True)
        rows = whole.with_columns(line=count).select("line", *_leaves(columns, roots, names))
        return RawRows(rows, Rejects.of([]), is_clean=not _has_controls(block.content))
    lines = block.content.split(b"\n")[:-1]
    places = [place for place, line in enumerate(lines) if line.strip()]
    long = {line - block.line for line in block.cut}
    frames, bad = [], dict.fromkeys(long & {*places}, "too_long")
    pairs = [(place, lines[place]) for place in places if place not in long]
    plain = [pair for pair in pairs if b"\\" not in pair[1]]
    escaped = [pair for pair in pairs if b"\\" in pair[1]]
    for some, frame in chain(_parse_lines(plain, roots), _parse_each(escaped, roots)):
        if frame is None:
            bad |= dict.fromkeys(some, BROKEN)
        else:
            frames.append(frame.with_columns(line=pl.Series(some, dtype=pl.Int64) + block.line))
    schema = {**dict.fromkeys(map(str, range(len(roots))), pl.String), "line": pl.Int64}
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=schema)
    leaves = _leaves(columns, roots, names)
    rejected = [
        Rejected(block.line + place, bad[place], lines[place][:MAX_ROW]) for place in sorted(bad)
    ]
    return RawRows(rows.sort("line").select("line", *leaves), Rejects.of(rejected))


_Line = tuple[int, bytes]  # and its place in the block


def _parse_lines(
    lines: list[_Line], roots: Sequence[str]
) -> Iterator[tuple[list[int], pl.DataFrame | None]]:
    """Yield places of lines and their values as text; None for lines that are no objects."""
    if not lines:
        return
    places = [place for place, _ in lines]
    frame = _parse_fast(b"".join(line + b"\n" for _, line in lines), roots)
    if frame is not None:
        yield places, frame
    elif len(lines) > _LINEWISE:
        half = len(lines) // 2
        yield from _parse_lines(lines[:half], roots)
        yield from _parse_lines(lines[half:], roots)
    else:
        yield from _parse_each(lines, roots)


def _parse_each(
    lines: list[_Line], roots: Sequence[str]
) -> Iterator[tuple[list[int], pl.DataFrame | None]]:
    """Do the same without polars."""
    places = [place for place, _ in lines]
    values = [_parse(line) for _, line in lines]
    objects = [value for value in values if isinstance(value, dict)]
    good = [place for place, value in zip(places, values, strict=True) if value is not None]
    rows = [[_to_text(value.get(root)) for root in roots] for value in objects]
    schema = dict.fromkeys(map(str, range(len(roots))), pl.String)
    yield good, pl.DataFrame(rows, schema, orient="row")
    yield sorted({*places} - {*good}), None


def _parse_fast(lines: bytes, roots: Sequence[str]) -> pl.DataFrame | None:
    """Return the values of objects as text; None if any of them is something else."""
    schema = dict.fromkeys(roots, pl.String)
    try:
        frame = pl.read_ndjson(lines, schema=schema)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if frame.height != np.count_nonzero(np.frombuffer(lines, np.uint8) == ord("\n")):
        return None
    return frame.select(
        pl.col(root).fill_null("").alias(str(place)) for place, root in enumerate(roots)
    )


def _may_be_misspelled(rows: pl.DataFrame, content: bytes) -> bool:
    r"""Return whether lists or objects may have lost a `\\`: polars does not escape their texts."""
    if b"\\" not in content:
        return False
    return bool(rows.select(pl.any_horizontal(pl.all().str.contains("^[\\[{]").any())).item())


def _has_controls(content: bytes) -> bool:
    """Return whether a string of JSON may have a control character, which is spelled."""
    if b"\\" not in content:
        return False
    characters = np.frombuffer(content, np.uint8)
    behind = characters[np.flatnonzero(characters[:-1] == ord("\\")) + 1]
    return bool(np.isin(behind, np.frombuffer(b"nrtbfu", np.uint8)).any())


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = parse_json(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _to_text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return without_surrogates(text)


def _root(name: str, names: Collection[str]) -> str:
    """Return the key of an object that a column is in: `score.total` is in `score`."""
    return name if name in names else name.partition(".")[0]


def _leaves(columns: Sequence[str], roots: Sequence[str], names: Collection[str]) -> list[pl.Expr]:
    return [_leaf(name, roots, names).alias(str(place)) for place, name in enumerate(columns)]


def _leaf(name: str, roots: Sequence[str], names: Collection[str]) -> pl.Expr:
    root = _root(name, names)
    value = pl.col(str(roots.index(root)))
    if root == name:
        return value
    inner = name.partition(".")[2]
    if not inner.replace("_", "").replace(".", "").isalnum():
        return pl.lit("")
    is_object = value.str.starts_with("{")
    return pl.when(is_object).then(value).str.json_path_match(f"$.{inner}").fill_null("")
