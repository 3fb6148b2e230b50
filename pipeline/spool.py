"""Pictures that have come before their turn."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from types import TracebackType

_MOST_HELD = 64_000_000  # bytes in memory


class Spool:
    """Holds pictures until they are taken: 64 MB of them in memory, the rest in a file.

    The file has no name and vanishes with the process. `add` may be called from any thread.

    Args:
        folder: where the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._lock = threading.Lock()
        self._held: dict[int, tuple[str, bytes]] = {}
        self._bytes_held = 0
        self._filed: dict[int, tuple[str, int, int]] = {}

    def add(self, post_id: int, part: str, content: bytes) -> None:
        """Puts a picture of type `part` here.

        Raises:
            OSError: where it cannot be written.
            ValueError: where the spool is closed.
        """
        with self._lock:
            if self._bytes_held + len(content) <= _MOST_HELD:
                self._held[post_id] = (part, content)
                self._bytes_held += len(content)
            else:
                self._filed[post_id] = (part, self._file.tell(), len(content))
                self._file.write(content)
                self._file.flush()

    def take(self, post_id: int) -> tuple[str, bytes]:
        """The type and the bytes of a picture, once.

        Raises:
            KeyError: where it is not here.
        """
        with self._lock:
            if post_id in self._held:
                part, content = self._held.pop(post_id)
                self._bytes_held -= len(content)
                return part, content
            part, offset, size = self._filed.pop(post_id)
            return part, os.pread(self._file.fileno(), size, offset)

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._file.close()
