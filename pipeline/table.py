"""Parquet tables with a seal: the digest of their own bytes, compared before they are parsed.

Polars aborts the process, or waits forever, on some tables with a single flipped bit, so that
no exception could be caught. The seal is an entry of the file's own key-value metadata, which
other readers of Parquet ignore.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import polars as pl

from pipeline.damage import DamagedFileError

_KEY = "senga:sha256"
_BLANK = "0" * 64
_MARK = _KEY.encode() + b"\x18\x40"  # Thrift's, of a string of 64 bytes
_WITNESS = b"senga\x18\x06sealed"  # a second entry: it is there though the mark is damaged
_MAGIC = b"PAR1"
_BLOCK = 1 << 20  # bytes

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
        file.seek(0)
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
            file.seek(0)
            if sealed and _digest(file, position) != sealed:
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


def _find_seal(file: BinaryIO) -> tuple[int, str]:
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


def _digest(file: BinaryIO, seal_position: int) -> str:
    """Return the sha256 of a file as if its seal were blank, 64 hex digits."""
    sha256 = hashlib.sha256()
    left = seal_position
    while left and (block := file.read(min(left, _BLOCK))):
        sha256.update(block)
        left -= len(block)
    sha256.update(_BLANK.encode())
    file.seek(seal_position + len(_BLANK))
    while block := file.read(_BLOCK):
        sha256.update(block)
    return sha256.hexdigest()
