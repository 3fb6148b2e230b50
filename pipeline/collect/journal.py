"""The pictures fetched so far, in a file that survives a kill of the process."""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import store
from pipeline.collect.outcome import DownloadOutcome
from pipeline.outcome import OK
from sketch_models.atomic import replacing
from sketch_models.closing import Closing

_MAX_HEADER_BYTES = 64 * 1024  # far more than a row takes
_MAX_CACHED_BYTES = 32_000_000  # of pictures that stay in memory until they are read
_KEY = "key"  # the name of the field
_KEY_BYTES = 16
_HEADER = re.compile(rb"senga journal ([0-9a-f]{%d})\n" % (2 * _KEY_BYTES))


class Journal(Closing):
    """Rows and pictures in the order in which they came, each written at once.

    A record is a line of JSON, the row and the extension of its picture, then the bytes of the
    picture and a line end. A kill leaves some records half-written; they are skipped when the
    file is opened again. A later record of a post replaces an earlier one. `add` may be called
    from any thread.

    The line of a record begins with the key of the journal, which is random and stands in the
    first line of the file. So a picture that holds records is not taken for some, even if the
    record around it is half-written: who made the picture cannot know the key. A journal that an
    earlier version began has no key, and stays so until the download of its shard ends.

    Args:
        path: of the file, made if it does not exist.

    Attributes:
        rows: the last row of every post in it.

    Raises:
        SengaError: if the file cannot be written, or is a symbolic link.
    """

    def __init__(self, path: Path) -> None:
        self.rows: dict[int, DownloadOutcome] = {}
        self._entries: dict[int, tuple[str, int, int]] = {}  # extension, offset, size
        self._cache: dict[int, bytes] = {}  # pictures that were not read yet
        self._cached_bytes = 0
        self._lock = threading.Lock()
        with store.explain_write_errors(path):
            self._file = _open(path)
        self._key = _read_key(self._file)
        for row, extension, offset in _records(self._file, self._key):
            self._index(row, extension, offset)
        self._end = os.fstat(self._file).st_size

    def _index(self, row: DownloadOutcome, extension: str, offset: int) -> None:
        self.rows[row.id] = row
        if row.code == OK:
            self._entries[row.id] = (extension, offset, row.bytes)

    def add(self, row: DownloadOutcome, extension: str = "", content: bytes = b"") -> None:
        """Write a row, and the picture of a row that is `ok`.

        Raises:
            OSError: if it cannot be written, or the journal is closed.
        """
        header = f"\n{json.dumps({**self._key, **vars(row), 'part': extension})}\n".encode()
        with self._lock:  # for the offset alone: threads write side by side
            offset = self._end
            self._end += len(header) + len(content)
        self._write(header, content, offset)
        with self._lock:
            self._index(row, extension, offset + len(header))
            self._cached_bytes -= len(self._cache.pop(row.id, b""))  # of an earlier record
            if row.code == OK and self._cached_bytes + len(content) <= _MAX_CACHED_BYTES:
                self._cached_bytes += len(content)
                self._cache[row.id] = content

    def _write(self, header: bytes, content: bytes, offset: int) -> None:
        """Write a record at an offset, however many calls of the system that takes."""
        written = os.pwritev(self._file, [header, content], offset)
        size = len(header) + len(content)
        rest = memoryview(header + content)[written:] if written < size else b""
        while rest:  # a disk that fills up takes a part, and refuses the next
            offset += written
            written = os.pwrite(self._file, rest, offset)
            rest = rest[written:]

    def pictures(self) -> list[int]:
        """Return the posts whose picture is in the journal."""
        with self._lock:
            return list(self._entries)

    def extension(self, post_id: int) -> str:
        """Return the extension of a picture, such as `jpg`; raise KeyError if there is none."""
        with self._lock:
            return self._entries[post_id][0]

    def read(self, post_id: int) -> bytes:
        """Return the bytes of a picture; raise KeyError if there is none."""
        with self._lock:
            _, offset, size = self._entries[post_id]
            content = self._cache.pop(post_id, None)
            if content is not None:
                self._cached_bytes -= len(content)
                return content
        return os.pread(self._file, size, offset)

    def close(self) -> None:
        """Close its file; every record is in it."""
        with self._lock:
            os.close(self._file)
            self._file = -1  # a late thread must not write into another file


def _open(path: Path) -> int:
    """Open a journal; make one with a key of its own in one step if there is none."""
    if not path.is_symlink() and not (path.exists() and path.stat().st_size):
        with replacing(path) as temporary:
            temporary.write_bytes(b"senga journal %s\n" % secrets.token_hex(_KEY_BYTES).encode())
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW)


def _read_key(file: int) -> dict[str, str]:
    """Return the first field of every record of a journal; none if an earlier version began it."""
    header = _HEADER.match(os.pread(file, 100, 0))
    return {_KEY: header[1].decode()} if header else {}


def _records(file: int, key: dict[str, str]) -> Iterator[tuple[DownloadOutcome, str, int]]:
    """Yield every complete record: its row, the extension of its picture, and its offset."""
    size = os.fstat(file).st_size
    if not size:
        return
    with mmap.mmap(file, size, prot=mmap.PROT_READ) as content:
        record_start = b"\n" + json.dumps({**key, "id": 0}).encode().removesuffix(b"0}")
        offset = content.find(record_start)
        while offset >= 0:
            start = content.find(b"\n", offset + 1, offset + _MAX_HEADER_BYTES) + 1
            with contextlib.suppress(ValueError, TypeError, KeyError):
                fields: dict[str, Any] = json.loads(content[offset + 1 : start])
                extension = fields.pop("part")
                fields.pop(_KEY, None)
                row = DownloadOutcome(**fields)
                end = start + (row.bytes if row.code == OK else 0)
                if start and end <= size and _is_complete(row, content[start:end]):
                    yield row, extension, start
                    offset = end - 1
            offset = content.find(record_start, offset + 1)


def _is_complete(row: DownloadOutcome, content: bytes) -> bool:
    return row.code != OK or hashlib.sha256(content).hexdigest() == row.sha256
