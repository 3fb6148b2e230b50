"""Parquet tables with a seal: a digest of their own bytes, compared before they are parsed.

Polars aborts the process, or waits forever, on some tables with a single flipped bit, so that
no exception could be caught. The seal is an entry of the file's own key-value metadata, which
other readers of Parquet ignore.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from pipeline.damage import DamagedFileError
from pipeline.thread_map import thread_map

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_KEY = "senga:sha256"
_BLANK = "0" * 64
_MARK = _KEY.encode() + b"\x18\x40"  # Thrift's, of a string of 64 bytes
_WITNESS = b"senga\x18\x06sealed"  # a second entry: it is there though the mark is damaged
_MAGIC = b"PAR1"
_PIECE = 4 << 20  # bytes

BLANK_SEAL = {"senga": "sealed", _KEY: _BLANK}
"""Metadata to write a table with, before `seal`."""


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a sealed Parquet table."""
    frame.write_parquet(path, metadata=BLANK_SEAL)
    seal(path)


def seal(path: Path) -> None:
    """Seal a table that was written with `BLANK_SEAL`."""
    with path.open("r+b") as file:
        position, _ = _find_seal(file)
        digest = _digest(file, position)
        file.seek(position)
        file.write(digest.encode())


def check_table(path: Path) -> None:
    """Compare a table with its seal.

    A table of an earlier version has none; then only its ends are checked.

    Raises:
        DamagedFileError: if it is missing, cut or changed.
    """
    try:
        with path.open("rb") as file:
            position, sealed = _find_seal(file)
            if sealed and not _fits(file, position, sealed):
                raise DamagedFileError(path, "its content does not match its seal")
    except OSError as error:
        raise DamagedFileError(path, error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise DamagedFileError(path, str(error)) from error


def read_table(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a table, or some of its columns in the given order.

    Raises:
        DamagedFileError: if it is missing, damaged or of other columns.
    """
    check_table(path)
    try:
        table = pl.read_parquet(path, columns=columns, glob=False)
        return table if columns is None else table.select(columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DamagedFileError(path, _first_line(error)) from error


def scan_table(path: Path) -> pl.LazyFrame:
    """Return a lazy frame of a table, which was compared with its seal.

    Raises:
        DamagedFileError: if it is missing or damaged.
    """
    check_table(path)
    return pl.scan_parquet(path, glob=False)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(". ")


def _find_seal(file: BufferedIOBase) -> tuple[int, str]:
    """Return position and text of the seal, which is empty in a table of an earlier version.

    Raises:
        ValueError: if the file has not the ends of a Parquet file, or a broken seal.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    end = file.read(8)
    length = int.from_bytes(end[:4], "little")
    if not end.endswith(_MAGIC) or length > size - 12:
        raise ValueError("it is not a complete Parquet file")
    start = size - 8 - length
    file.seek(start)
    footer = file.read(length)
    position = footer.rfind(_MARK)  # the metadata comes behind all that depends on the rows
    if position < 0 and _WITNESS in footer:
        raise ValueError("its seal is broken")
    if position < 0:
        return 0, ""
    position += len(_MARK)
    return start + position, footer[position : position + len(_BLANK)].decode("latin-1")


def _fits(file: BufferedIOBase, position: int, sealed: str) -> bool:
    return _digest(file, position) == sealed or _earlier_digest(file, position) == sealed


def _digest(file: BufferedIOBase, seal_position: int) -> str:
    """Return the seal of a file as if it were blank, 64 hex digits.

    It is the sha256 of a file of one piece, and else that of the digests of its pieces, which
    several threads make.
    """
    is_small = os.fstat(file.fileno()).st_size <= _PIECE
    digests = list((map if is_small else thread_map)(_sha256, _pieces(file, seal_position)))
    return digests[0].hex() if len(digests) == 1 else _sha256(b"".join(digests)).hex()


def _sha256(content: ReadableBuffer) -> bytes:
    return hashlib.sha256(content).digest()


def _earlier_digest(file: BufferedIOBase, seal_position: int) -> str:
    """Return the seal that an earlier version gave a file: the sha256 of the whole."""
    sha256 = hashlib.sha256()
    for piece in _pieces(file, seal_position):
        sha256.update(piece)
    return sha256.hexdigest()


def _pieces(file: BufferedIOBase, seal_position: int) -> Iterator[bytearray]:
    """Read a file with a blank seal piece by piece."""
    file.seek(0)
    start, piece = 0, bytearray(min(_PIECE, os.fstat(file.fileno()).st_size + 1))
    while size := file.readinto(piece):
        del piece[size:]
        first = max(0, seal_position - start)
        last = min(len(piece), seal_position - start + len(_BLANK))
        if first < last:
            piece[first:last] = _BLANK[: last - first].encode()
        yield piece
        start, piece = start + size, bytearray(_PIECE)
