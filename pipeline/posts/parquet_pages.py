"""Cut a Parquet file into batches of rows that take a bounded number of bytes once unpacked.

A few megabytes of Parquet can unpack to terabytes. What a page takes stands in its header, which
no reader goes beyond; polars reads the pages that a batch touches, and no others.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

_MAX_FOOTER = 8 << 20  # bytes; what is made of it takes up to fifty times as many
_HEADER_BYTES = (1 << 12, 1 << 20)  # that are read for the header of a page: it has statistics
_MAX_DEPTH = 16
_DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2 = range(4)
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12

Fields = dict[int, Any]
"""A struct of Thrift by the numbers of its fields, as parquet.thrift has them."""


class PageError(Exception):
    """What is wrong with a file, in a few words."""


@dataclass
class _Column:
    """The pages of a column in one row group.

    Attributes:
        dictionary: bytes of its dictionary, which every batch needs.
        starts: the first row of each page.
        sizes: bytes of each page.
    """

    dictionary: int = 0
    starts: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sums: list[int] = []

    def cost(self, start: int, end: int) -> int:
        """Return how many bytes of pages the rows of a range touch."""
        if not self._sums:
            self._sums = [0, *accumulate(self.sizes)]
        last, first = bisect_left(self.starts, end), bisect_right(self.starts, start) - 1
        return self.dictionary + self._sums[last] - self._sums[max(0, first)]


@dataclass(frozen=True)
class RowGroup:
    """A part of a file.

    Attributes:
        rows: that it has.
        sizes: bytes that columns take once unpacked, by their names.
    """

    rows: int
    sizes: dict[str, int]


def row_groups(path: Path, columns: Collection[str]) -> list[RowGroup]:
    """Return the row groups of a file, and what some columns of them take once unpacked.

    Args:
        path: of the file.
        columns: without lists in them; of those with fields, each has its share.

    Raises:
        PageError: if the file is damaged.
        OSError: if it cannot be read.
    """
    groups = []
    with path.open("rb") as file:
        try:
            for group in _footer(file.fileno()).get(4, []):
                if not isinstance(group[3], int):
                    raise PageError("its footer or pages are damaged")
                sizes: dict[str, int] = {}
                for chunk in group[1]:
                    name = chunk[3][3][0].decode(errors="replace")
                    if name in columns:
                        pages = _column(file.fileno(), chunk[3], group[3])
                        sizes[name] = sizes.get(name, 0) + pages.dictionary + sum(pages.sizes)
                groups.append(RowGroup(group[3], sizes))
        except (LookupError, TypeError, AttributeError, OverflowError) as error:
            raise PageError("its footer or pages are damaged") from error
    return groups


def read_batches(
    path: Path, columns: Collection[str], *, rows: int, size: int, max_size: int
) -> Iterator[range]:
    """Yield ranges of rows, one behind the other, that together are all rows of a file.

    Args:
        path: of the file.
        columns: that are read; of those of lists and objects, all that is in them.
        rows: of a batch, at most.
        size: bytes of the pages of a batch, unless a few rows take more.
        max_size: of a batch, at most.

    Raises:
        PageError: if some rows take more, or the file is damaged.
        OSError: if it cannot be read.
    """
    first = 0
    with path.open("rb") as file:
        try:
            for group in _footer(file.fileno()).get(4, []):
                chunks = [chunk[3] for chunk in group[1] if _is_read(chunk, columns)]
                pages = [_column(file.fileno(), chunk, group[3]) for chunk in chunks]
                if not pages:
                    raise PageError("a row group lacks columns")
                for start, end in _cut(pages, group[3], size):
                    if sum(page.cost(start, end) for page in pages) > max_size:
                        raise PageError(f"some rows take more than {max_size >> 20} MiB")
                    starts = range(first + start, first + end, rows)
                    yield from (range(low, min(low + rows, first + end)) for low in starts)
                first += group[3]
        except (LookupError, TypeError, AttributeError, OverflowError) as error:
            raise PageError("its footer or pages are damaged") from error


def _is_read(chunk: Fields, columns: Collection[str]) -> bool:
    path = chunk[3][3]
    return path[0].decode(errors="replace") in columns


def _cut(columns: list[_Column], total: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of the rows of a row group, between pages."""
    start = end = 0
    for bound in sorted({*chain.from_iterable(column.starts for column in columns), total} - {0}):
        if end > start and sum(column.cost(start, bound) for column in columns) > size:
            yield start, end
            start = end
        end = bound
    if end > start:
        yield start, end


def _footer(file: int) -> Fields:
    length = os.fstat(file).st_size
    tail = os.pread(file, 8, max(0, length - 8))
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or size > length - 8:
        raise PageError("its end is missing")
    if size > _MAX_FOOTER:
        raise PageError(f"its footer takes more than {_MAX_FOOTER >> 20} MiB")
    return _Thrift(os.pread(file, size, length - 8 - size)).struct()


def _column(file: int, chunk: Fields, rows: int) -> _Column:
    """Return a column chunk with so many rows, from the headers of its pages."""
    pages = _pages(file, chunk)
    column, row = _Column(), 0
    if len(chunk[3]) > 1:  # lists or objects, whose pages do not say how many rows they have
        return _Column(starts=[0], sizes=[sum(size for _, size, _ in pages)])
    while row < rows and (page := next(pages, None)):
        kind, size, values = page
        if kind == _DICTIONARY_PAGE:
            column.dictionary += size
        elif kind != _INDEX_PAGE:
            column.starts.append(row)
            column.sizes.append(size)
            row += values
    if row != rows:
        raise PageError("some of its pages are missing")
    return column


def _pages(file: int, chunk: Fields) -> Iterator[tuple[int, int, int]]:
    """Yield kind, bytes and number of values of each page of a column chunk."""
    offset = min(chunk[9], chunk.get(11) or chunk[9])
    end = offset + chunk[7]
    while 0 <= offset < end:
        header, length = _page_header(file, offset)
        kind, size = header[1], header[2]
        values = header.get(8 if kind == _DATA_PAGE_V2 else 5, {}).get(1, 0)
        if min(size, header[3], values) < 0:
            raise PageError("a page has a negative size")
        offset += length + header[3]
        yield kind, size, values


def _page_header(file: int, offset: int) -> tuple[Fields, int]:
    """Return a header, and how many bytes it has."""
    for size in _HEADER_BYTES:
        thrift = _Thrift(os.pread(file, size, offset))
        try:
            return thrift.struct(), thrift.place
        except IndexError:
            continue
    raise PageError("the header of a page is damaged")


class _Thrift:
    """A reader of Thrift's compact protocol.

    Attributes:
        place: of the next byte. Reading beyond the last one is an IndexError.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.place = 0

    def struct(self, depth: int = 0) -> Fields:
        fields: Fields = {}
        number = 0
        while header := self._byte():
            number = number + (header >> 4) if header >> 4 else self._integer()
            kind = header & 15
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401 - as the file has it
        if depth > _MAX_DEPTH:
            raise PageError("its footer is nested too deep")
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind in (_LIST, _SET):
            header = self._byte()
            count = self._varint() if header >> 4 == 15 else header >> 4
            return [self._value(header & 15, depth + 1) for _ in range(count)]
        if kind == _MAP:
            return self._map(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_DOUBLE, _BINARY):
            return self._bytes(8 if kind == _DOUBLE else self._varint())
        if not 4 <= kind <= 6:  # integers
            raise PageError("its footer or pages are damaged")
        return self._integer()

    def _map(self, depth: int) -> list[tuple[Any, Any]]:
        count = self._varint()
        kinds = self._byte() if count else 0
        return [
            (self._value(kinds >> 4, depth + 1), self._value(kinds & 15, depth + 1))
            for _ in range(count)
        ]

    def _byte(self) -> int:
        self.place += 1
        return self._content[self.place - 1]

    def _bytes(self, count: int) -> bytes:
        if self.place + count > len(self._content):
            raise IndexError
        self.place += count
        return self._content[self.place - count : self.place]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise PageError("its footer or pages are damaged")
        return value | byte << shift

    def _integer(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
