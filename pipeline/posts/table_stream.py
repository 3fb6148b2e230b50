"""Open a file of text that may be packed by gzip or zstd."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, cast

import polars as pl
from isal import igzip
from isal.igzip_lib import IsalError

from sketch_models.errors import SengaError

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BROKEN_GZIP: tuple[type[Exception], ...] = (
    EOFError,
    zlib.error,
    cast("type[Exception]", IsalError),
    gzip.BadGzipFile,
)
_LINES = 50_000  # that are unpacked at once
_HEAD = 64  # bytes


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked.

    Raises:
        SengaError: if it cannot be read.
    """
    with open_text(path) as stream:
        return stream.read(_HEAD)


def packing_of(path: Path) -> str:
    """Return `gzip`, `zstd`, or an empty string for a file that is not packed."""
    with _explain(path), path.open("rb") as file:
        magic = file.read(4)
    return "gzip" if magic.startswith(_GZIP) else "zstd" if magic == _ZSTD else ""


@contextmanager
def open_text(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked; what goes wrong within is a SengaError.

    Raises:
        SengaError: if the file is missing, damaged or cannot be read.
    """
    packing = packing_of(path)
    with _explain(path, packing), closing(_open(path, packing)) as stream:
        yield stream


def _open(path: Path, packing: str) -> IO[bytes]:
    if packing == "gzip":
        return cast("IO[bytes]", igzip.IGzipFile(path))  # type: ignore[no-untyped-call]
    if packing == "zstd":
        return io.BufferedReader(_ZstdLines(path), 1 << 20)
    return path.open("rb")


@contextmanager
def _explain(path: Path, packing: str = "") -> Iterator[None]:
    """Turn the errors of reading a file into one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise SengaError(f"[metadata] table = {path} is missing. Check the path.") from error
    except _BROKEN_GZIP as error:
        raise SengaError(f"{path} is a damaged gzip file ({error}). Download it again.") from error
    except pl.exceptions.ComputeError as error:
        raise SengaError(
            f"{path} holds bytes that are no UTF-8, or is damaged ({error}). Unpack it with "
            "`zstd -d`, and set [metadata] table to the result."
        ) from error
    except OSError as error:
        if packing == "zstd":
            raise SengaError(
                f"{path} is a damaged zstd file ({error}). Download it again."
            ) from error
        raise SengaError(
            f"[metadata] table = {path} cannot be read ({error.strerror}). Check the path and its "
            "permissions."
        ) from error


class _ZstdLines(io.RawIOBase):
    """The lines of a zstd file as bytes; Python unpacks zstd itself from 3.14 on only."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        lines = pl.scan_lines(path, glob=False)
        self._batches = lines.collect_batches(chunk_size=_LINES, maintain_order=True)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            batch = next(iter(self._batches), None)
            if batch is None:
                return 0
            lines = batch.to_series().str.join("\n").item() if batch.height else ""
            self._rest = memoryview(f"{lines}\n".encode() if batch.height else b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
