"""Digests of files, remembered: a large file is read once, not at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sketch_models.atomic import locked, replacing
from sketch_models.errors import SengaError

_BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True, kw_only=True)
class Digests:
    """Of one file, in lower-case hex digits."""

    md5: str
    sha256: str


def read_digests(file: Path) -> Digests:
    """Reads a whole file.

    Raises:
        OSError: where it cannot be read.
    """
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            md5.update(block)
            sha256.update(block)
    return Digests(md5=md5.hexdigest(), sha256=sha256.hexdigest())


class DigestBook:
    """`digests.json`: the digests of files as they were last seen, and those first seen of names.

    A file counts as the one that was seen while its path, size and time of change are the same.
    Where the folder cannot be written, nothing is remembered and everything else works.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "digests.json"

    def of(self, file: Path) -> Digests:
        """The digests of a file.

        Raises:
            OSError: where the file cannot be read.
            SengaError: where the book is damaged.
        """
        file = file.absolute()
        stat = file.stat()
        state = [stat.st_size, stat.st_mtime_ns]
        match self._read()["files"].get(str(file)):
            case [size, time, str(md5), str(sha256)] if [size, time] == state:
                return Digests(md5=md5, sha256=sha256)
        digests = read_digests(file)
        self._write("files", str(file), [*state, digests.md5, digests.sha256])
        return digests

    def first(self, name: str) -> str:
        """The sha256 under which a name was first seen; empty where it was not.

        Raises:
            SengaError: where the book is damaged.
        """
        return str(self._read()["first"].get(name, ""))

    def record_first(self, name: str, sha256: str) -> None:
        """Notes the sha256 under which a name is first seen."""
        self._write("first", name, sha256)

    def _write(self, section: str, key: str, value: object) -> None:
        with contextlib.suppress(OSError), locked(self.path):
            book = self._read()
            book[section][key] = value
            gone = [file for file in book["files"] if not Path(file).exists()]
            for file in gone:
                del book["files"][file]
            with replacing(self.path) as temporary:
                temporary.write_text(json.dumps(book, indent=1, sort_keys=True), encoding="utf-8")

    def _read(self) -> dict[str, dict[str, Any]]:
        damaged = (
            f"{self.path} is not what Senga wrote: delete it, and the digests of the weight files "
            "are taken anew."
        )
        try:
            book = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {"first": {}, "files": {}}
        except OSError as error:
            raise SengaError(
                f"{self.path} cannot be read ({error.strerror}): make it readable, or set "
                "SENGA_WEIGHTS to another folder."
            ) from error
        except ValueError as error:
            raise SengaError(damaged) from error
        sections = [book.get(name) for name in ("first", "files")] if isinstance(book, dict) else []
        if not sections or not all(isinstance(section, dict) for section in sections):
            raise SengaError(damaged)
        return {"first": book["first"], "files": book["files"]}
