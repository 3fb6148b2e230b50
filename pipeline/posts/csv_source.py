"""Read posts from a CSV with the columns of Kaggle's, whichever program wrote it."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from bisect import bisect_left
from collections.abc import Collection, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl

from pipeline.posts.clean_text import clean_lines, decode
from pipeline.posts.kaggle_csv import (
    COLUMNS,
    NEEDED,
    Block,
    CsvLayout,
    read_blocks,
    split_line,
)
from pipeline.posts.marks import Marks
from pipeline.posts.options import HOW_TO_GET_IT
from pipeline.posts.rows import Rejected, Rejects, read_block
from pipeline.thread_map import thread_map
from sketch_models.errors import SengaError

_SEPARATORS = (",", ";", "\t", "|")  # of Excel in English, elsewhere, and as text; of databases
_EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?')  # a line that Excel may write before the header
_DANBOORU = ("tag_string", "file_url")  # columns that a file of Danbooru's posts has


class CsvSource:
    """A CSV with a header, plain or gzipped, in any order of columns and with further ones.

    Reading raises a `SengaError` if the file is damaged or has other columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        """Read posts, in the order of the file, with the columns of `POSTS`; and the other rows."""
        layout, blocks = self._data_blocks()
        return thread_map(partial(read_block, layout=layout), blocks)

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        """Read rows again for the quarantine, by their lines in ascending order."""
        for block in self._data_blocks()[1]:
            texts = block.content.split(b"\n")[:-1]
            first = bisect_left(lines, block.line)
            for line in lines[first : bisect_left(lines, block.line + len(texts))]:
                text = texts[line - block.line].removesuffix(b"\r")
                yield Rejected(line, reason, text)

    def _data_blocks(self) -> tuple[CsvLayout, Iterator[Block]]:
        """Return the layout, and the blocks after the header; the first block is read for it."""
        blocks = self._blocks()
        first = next(blocks, None)
        if first is None:
            raise self._no_posts()
        layout, data = _split_header(self._path, first)
        if not data.content and (second := next(blocks, None)):
            data = second
        if not data.content:
            raise self._no_posts()
        return layout, _chain(data, blocks)

    def _blocks(self) -> Iterator[Block]:
        try:
            with closing(_open(self._path)) as stream:
                yield from read_blocks(stream)
        except FileNotFoundError as error:
            raise SengaError(f"{self._path} is missing: {HOW_TO_GET_IT}.") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SengaError(
                f"{self._path} is a damaged gzip file ({error}). Download it again."
            ) from error
        except OSError as error:
            raise SengaError(
                f"{self._path} cannot be read ({error.strerror}). Check the path and its "
                "permissions."
            ) from error

    def _no_posts(self) -> SengaError:
        return SengaError(
            f"{self._path} holds no posts: it is empty, or has a header alone. Write it again."
        )


def _chain(first: Block, others: Iterator[Block]) -> Iterator[Block]:
    yield first
    yield from others


def _open(csv: Path) -> IO[bytes] | gzip.GzipFile:
    stream = csv.open("rb")
    magic = stream.read(2)
    stream.seek(0)
    if magic == b"\x1f\x8b":
        stream.close()
        return gzip.open(csv)
    return stream


def _split_header(csv: Path, first: Block) -> tuple[CsvLayout, Block]:
    """Return the layout that the first block's header gives, and the block without it."""
    header, _, content = first.content.partition(b"\n")
    line, text = first.line + 1, _header_text(header)
    separators: tuple[str, ...] = _SEPARATORS
    if excel := _EXCEL_SEPARATOR.fullmatch(text):
        separators = (excel[1],)
        header, _, content = content.partition(b"\n")
        line, text = line + 1, _header_text(header)
    rows = [(_column_names(text, separator), separator) for separator in separators]
    names, separator = max(rows, key=lambda row: len({*row[0]} & {*COLUMNS}))
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise SengaError(
            f"{csv} starts with {text[:80]!r}, expected the header {','.join(COLUMNS)}: it lacks "
            f"{', '.join(missing)}. {_remedy(text)}."
        )
    if text.startswith('"') and _has_row_names(names, separator, content.partition(b"\n")[0]):
        names = ["", *names]
    return CsvLayout(tuple(names), separator), Block(line, content, first.cut)


def _header_text(header: bytes) -> str:
    return decode(header.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n"))


def _column_names(header: str, separator: str) -> list[str]:
    """Return the names in a header; a second column of a name gets none."""
    names = [name.strip().lower() for name in split_line(header, separator) or []]
    return [name if name not in names[:place] else "" for place, name in enumerate(names)]


def _has_row_names(names: list[str], separator: str, row: bytes) -> bool:
    """Return whether rows begin with a name that the header lacks, as `write.table` of R writes.

    Only a first row that begins with a quoted field, and whose URL is one column further to the
    right, says so: other rows with a field too many are damaged.
    """
    fields = split_line(decode(clean_lines(Marks(row), separator).content), separator) or []
    place = names.index("sample_url")
    if len(fields) != len(names) + 1 or not row.startswith(b'"'):
        return False
    is_after_preview = place > 0 and names[place - 1] == "preview_url"  # which has a // itself
    return "//" in fields[place + 1] and (is_after_preview or "//" not in fields[place])


def _remedy(header: str) -> str:
    """Return what to do about a file that begins with another header."""
    if header.startswith("PK"):
        return "Unpack it; if it is an Excel workbook, save it as CSV UTF-8"
    if "\0" in header:
        return "If it is text in UTF-16, save it as CSV UTF-8"
    if remedy := danbooru_remedy(header):
        return remedy
    if header.lstrip().startswith(("{", "[")):
        return "It is JSON: write its posts as a CSV with these columns"
    return "Use the file all_data.csv of Kaggle, or name your columns like its"


def danbooru_remedy(header: str | Collection[str]) -> str:
    """Return what to do about a file whose columns are those of Danbooru; empty for others."""
    if not all(name in header for name in _DANBOORU):
        return ""
    return (
        "These are posts of Danbooru, with other names: write them with file_url as sample_url, "
        "tag_string as tags, image_width as sample_width and image_height as sample_height, and "
        "set [download] hosts = donmai.us"
    )
