"""What has come so far, in a file that outlives a kill."""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.collect.outcome import DownloadOutcome
from pipeline.outcome import OK
from sketch_models.closing import Closing

_LONGEST_HEAD = 64 * 1024  # bytes of a row, far more than one has
_MOST_HELD = 32_000_000  # bytes of pictures that stay in memory until they are read
_MARK = b'\n{"id": '  # how a record begins; where a picture holds it, no row follows


class Journal(Closing):
    """Rows and pictures in the order in which they came, each written at once.

    A record is a line of JSON, the row and the type of its picture, then the bytes of the picture
    and a line end. A kill leaves some records half-written; whoever opens the file next skips
    them. A later record of a post replaces an earlier one. `add` may be called from any thread.

    Args:
        path: of the file, made where there is none.

    Attributes:
        rows: the last row of every post here.

    Raises:
        OSError: where the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.rows: dict[int, DownloadOutcome] = {}
        self._places: dict[int, tuple[str, int, int]] = {}  # part, offset, size
        self._held: dict[int, bytes] = {}  # pictures that nobody has read yet
        self._held_bytes = 0
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        for row, part, offset in _records(self._file):
            self._note(row, part, offset)
        self._end = os.fstat(self._file).st_size

    def _note(self, row: DownloadOutcome, part: str, offset: int) -> None:
        self.rows[row.id] = row
        if row.code == OK:
            self._places[row.id] = (part, offset, row.bytes)

    def add(self, row: DownloadOutcome, part: str = "", content: bytes = b"") -> None:
        """Writes a row, and the picture of a row that is `ok`.

        Raises:
            OSError: where it cannot be written, or the journal is closed.
        """
        head = f"\n{json.dumps(vars(row) | {'part': part})}\n".encode()
        with self._lock:  # for the place alone: threads write side by side
            at = self._end
            self._end += len(head) + len(content)
        self._write(head, content, at)
        with self._lock:
            self._note(row, part, at + len(head))
            if row.code == OK and self._held_bytes + len(content) <= _MOST_HELD:
                self._held_bytes += len(content) - len(self._held.get(row.id, b""))
                self._held[row.id] = content

    def _write(self, head: bytes, content: bytes, at: int) -> None:
        written = os.pwritev(self._file, [head, content], at)
        rest = memoryview(head + content)[written:] if written < len(head) + len(content) else b""
        while rest:  # a disk that fills up takes a part, and refuses the next
            at += written
            written = os.pwrite(self._file, rest, at)
            rest = rest[written:]

    def pictures(self) -> list[int]:
        """The posts whose picture is here."""
        with self._lock:
            return list(self._places)

    def part(self, post_id: int) -> str:
        """The type of a picture, such as `jpg`; KeyError where it is not here."""
        with self._lock:
            return self._places[post_id][0]

    def read(self, post_id: int) -> bytes:
        """The bytes of a picture; KeyError where it is not here."""
        with self._lock:
            _, offset, size = self._places[post_id]
            held = self._held.pop(post_id, None)
            if held is not None:
                self._held_bytes -= len(held)
                return held
        return os.pread(self._file, size, offset)

    def close(self) -> None:
        """Close its file; every record is in it."""
        with self._lock:
            os.close(self._file)
            self._file = -1  # a thread that is late must not write into another file


def _records(file: int) -> Iterator[tuple[DownloadOutcome, str, int]]:
    """Every whole record: its row, the type of its picture, and where that begins."""
    size = os.fstat(file).st_size
    if not size:
        return
    with mmap.mmap(file, size, prot=mmap.PROT_READ) as content:
        at = content.find(_MARK)
        while at >= 0:
            start = content.find(b"\n", at + 1, at + _LONGEST_HEAD) + 1
            with contextlib.suppress(ValueError, TypeError, KeyError):
                fields: dict[str, Any] = json.loads(content[at + 1 : start])
                part = fields.pop("part")
                row = DownloadOutcome(**fields)
                end = start + (row.bytes if row.code == OK else 0)
                if start and end <= size and _is_whole(row, content[start:end]):
                    yield row, part, start
                    at = end - 1
            at = content.find(_MARK, at + 1)


def _is_whole(row: DownloadOutcome, content: bytes) -> bool:
    return row.code != OK or hashlib.sha256(content).hexdigest() == row.sha256
