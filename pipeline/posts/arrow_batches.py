"""Find the record batches of an Arrow file, so that each can be read alone.

`datasets` writes Arrow's streams, which have no index: what a batch takes stands in the message
before it. Arrow's other format has the same messages, and at its end says where each is.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

_FILE_MARK = b"ARROW1"
_CONTINUATION = b"\xff\xff\xff\xff"
_END = _CONTINUATION + bytes(4)
_MAX_HEADER = 8 << 20  # bytes of the header of a message: it says where each column is
_MAX_FOOTER = 64 << 20
_SCHEMA_OF_FILE, _DICTIONARIES, _BATCHES = 1, 2, 3  # fields of the footer
_BLOCK_BYTES = 24  # of the footer, for each message
_BUFFER_BYTES = 16  # of the header of a batch, for each buffer
_COMPRESSION = 3  # field of the header of a batch
_MAX_UNPACKED = 1 << 30  # bytes of a batch
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3  # types of messages


class ArrowError(Exception):
    """What is wrong with a file, in a few words."""


@dataclass(frozen=True)
class Message:
    """A part of an Arrow file.

    Attributes:
        start: its first byte.
        size: bytes, of its header and its body.
        rows: that it has, if it is a record batch.
    """

    start: int
    size: int
    rows: int = 0


@dataclass
class ArrowIndex:
    """Where everything is in an Arrow file.

    Attributes:
        schema: the message with it, which every batch needs.
        dictionaries: every batch needs them, too.
        batches: the record batches, in their order.
        metadata: of the schema.
    """

    schema: bytes = b""
    dictionaries: list[Message] = field(default_factory=list)
    batches: list[Message] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


def is_arrow(path: Path) -> bool:
    """Return whether a file begins like Arrow; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_FILE_MARK))
    except OSError:
        return False
    return head == _FILE_MARK or head[:4] == _CONTINUATION


def read_index(path: Path) -> ArrowIndex:
    """Read the headers of all messages of a file.

    Raises:
        ArrowError: if it is damaged.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        number, length = file.fileno(), os.fstat(file.fileno()).st_size
        is_stream = os.pread(number, len(_FILE_MARK), 0) != _FILE_MARK
        try:
            return _of_stream(number, length) if is_stream else _of_file(number, length)
        except (IndexError, UnicodeDecodeError) as error:
            raise ArrowError("the header of a batch is damaged") from error


def _of_stream(file: int, length: int) -> ArrowIndex:
    index, place = ArrowIndex(), 0
    while place < length and (header := _header(file, place)):
        place = _add(file, index, header, place, length)
    if not index.schema:
        raise ArrowError("it has no schema")
    return index


def _of_file(file: int, length: int) -> ArrowIndex:
    """Return the index of the format that has one at its end."""
    tail = os.pread(file, 10, max(0, length - 10))
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] != _FILE_MARK or size > min(length - 10, _MAX_FOOTER):
        raise ArrowError("its end is missing")
    index = ArrowIndex()
    content = os.pread(file, size, length - 10 - size)
    footer = _Table.root(content)
    schema = footer.table(_SCHEMA_OF_FILE)
    if schema is None:
        raise ArrowError("it has no schema")
    index.schema = _schema_message(content, schema, footer.integer(0, 2))
    index.metadata.update((pair.text(0), pair.text(1)) for pair in schema.tables(2))
    for blocks in (_DICTIONARIES, _BATCHES):
        for block in footer.structs(blocks, _BLOCK_BYTES):
            place = _integer(block, 0, 8)
            _add(file, index, _header(file, place), place, length)
    return index


def read_stream(path: Path, index: ArrowIndex, batch: int | None = None) -> bytes:
    """Return a whole stream of one record batch, or of none, which shows the columns.

    Raises:
        ArrowError: if the file has become shorter.
        OSError: if it cannot be read.
    """
    messages = [*index.dictionaries, *([] if batch is None else [index.batches[batch]])]
    with path.open("rb") as file:
        parts = [os.pread(file.fileno(), message.size, message.start) for message in messages]
    if any(len(part) < message.size for part, message in zip(parts, messages, strict=True)):
        raise ArrowError("its end is missing")
    return b"".join([index.schema, *parts, _END])


def _header(file: int, place: int) -> bytes:
    """Return the header of the message at a place; nothing behind the last one."""
    start = os.pread(file, 8, max(0, place))
    if start == _END:
        return b""
    size = int.from_bytes(start[4:], "little")
    if start[:4] != _CONTINUATION or not 0 < size <= _MAX_HEADER:
        raise ArrowError("the header of a batch is damaged")
    header = os.pread(file, size, place + 8)
    if len(header) < size:
        raise ArrowError("its end is missing")
    return header


def _add(file: int, index: ArrowIndex, header: bytes, place: int, length: int) -> int:
    """Add a message to the index; return where the next one begins."""
    message = _Table.root(header)
    body = message.integer(3, 8)
    size = 8 + len(header) + body
    if body < 0 or place + size > length:
        raise ArrowError("its end is missing")
    kind, inner = message.integer(1, 1), message.table(2)
    if inner is None or (kind != _SCHEMA and not index.schema):
        raise ArrowError("it has no schema")
    if kind == _BATCH:
        rows = inner.integer(0, 8)
        if not 0 <= rows <= size:  # bytes take at least four of them to say where they are
            raise ArrowError("the header of a batch is damaged")
        _check_buffers(file, inner, place + 8 + len(header), body)
        index.batches.append(Message(place, size, rows))
    elif kind == _DICTIONARY:
        index.dictionaries.append(Message(place, size))
    elif kind == _SCHEMA and not index.schema:
        index.schema = _encapsulated(header)
        index.metadata.update((pair.text(0), pair.text(1)) for pair in inner.tables(2))
    return place + size


def _check_buffers(file: int, batch: _Table, start: int, body: int) -> None:
    """Raise ArrowError if a buffer of a record batch is not within its body, or unpacks to a lot.

    Polars makes room for as many bytes as a buffer says that it has, and if there is no such room
    it ends the process.

    Args:
        file: that the batch is in.
        batch: its header.
        start: of its body in the file.
        body: bytes of its body.
    """
    is_packed = batch.table(_COMPRESSION) is not None
    unpacked = 0
    for buffer in batch.structs(2, _BUFFER_BYTES):
        offset, size = struct.unpack("<qq", buffer)
        if offset < 0 or not 0 <= size <= body - offset:
            raise ArrowError("the header of a batch is damaged")
        if is_packed and size:
            unpacked += max(0, _integer(os.pread(file, 8, start + offset), 0, 8))
    if unpacked > _MAX_UNPACKED:
        raise ArrowError(f"a batch takes more than {_MAX_UNPACKED >> 20:,} MiB unpacked")


def _schema_message(footer: bytes, schema: _Table, version: int) -> bytes:
    """Return a message with the schema in a footer.

    Files have such a message at their beginning, but that of polars is empty. All places in
    FlatBuffers are relative, so that a root before the whole footer makes a message of it.
    """
    table = struct.pack("<iIqhBx4x", 12, 20 + schema.place, 0, version, _SCHEMA)
    # Its size, that of the table, and where there version, type, header and length are.
    fields = struct.pack("<6H", 12, len(table), 16, 18, 4, 8)
    return _encapsulated(struct.pack("<I", 16) + fields + table + footer)


def _encapsulated(header: bytes) -> bytes:
    padded = header + bytes(-len(header) % 8)
    return _CONTINUATION + struct.pack("<I", len(padded)) + padded


class _Table:
    """A table of FlatBuffers. Reading beyond the last byte is an IndexError."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content = content
        self.place = place

    @classmethod
    def root(cls, content: bytes) -> _Table:
        return cls(content, _integer(content, 0, 4))

    def integer(self, number: int, size: int) -> int:
        """Return a field of so many bytes; 0 if it is left out."""
        place = self._field(number)
        return _integer(self._content, place, size) if place else 0

    def table(self, number: int) -> _Table | None:
        place = self._field(number)
        return _Table(self._content, self._target(place)) if place else None

    def tables(self, number: int) -> list[_Table]:
        place = self._field(number)
        if not place:
            return []
        start = self._target(place)
        places = range(start + 4, start + 4 + 4 * _integer(self._content, start, 4), 4)
        return [_Table(self._content, self._target(each)) for each in places]

    def structs(self, number: int, size: int) -> list[bytes]:
        """Return the items of a field, which have so many bytes each."""
        place = self._field(number)
        if not place:
            return []
        start = self._target(place)
        count = _integer(self._content, start, 4)
        items = _slice(self._content, start + 4, count * size)
        return [items[first : first + size] for first in range(0, len(items), size)]

    def text(self, number: int) -> str:
        place = self._field(number)
        if not place:
            return ""
        start = self._target(place)
        size = _integer(self._content, start, 4)
        return _slice(self._content, start + 4, size).decode()

    def _field(self, number: int) -> int:
        """Return where a field is; 0 if it is left out."""
        offsets = self.place - _integer(self._content, self.place, 4)
        entry = 4 + 2 * number
        if entry >= _integer(self._content, offsets, 2):
            return 0
        offset = _integer(self._content, offsets + entry, 2)
        return self.place + offset if offset else 0

    def _target(self, place: int) -> int:
        return place + _integer(self._content, place, 4)


def _integer(content: bytes, place: int, size: int) -> int:
    return int.from_bytes(_slice(content, place, size), "little", signed=size >= 4)


def _slice(content: bytes, place: int, size: int) -> bytes:
    if place < 0 or size < 0 or place + size > len(content):
        raise IndexError
    return content[place : place + size]
