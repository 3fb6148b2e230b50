"""Digests of files, cached: a large file is read once, not at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sketch_models.atomic import locked, replacing
from sketch_models.errors import WeightsError

_BLOCK_SIZE = 1 << 20  # bytes read at once


@dataclass(frozen=True, kw_only=True)
class Digests:
    """The digests of one file, in lower-case hex digits."""

    md5: str
    sha256: str


def read_digests(file: Path) -> Digests:
    """Read a whole file and return its digests.

    Raises:
        OSError: If it cannot be read.
    """
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK_SIZE):
            md5.update(block)
            sha256.update(block)
    return Digests(md5=md5.hexdigest(), sha256=sha256.hexdigest())


class DigestCache:
    """A cache, `digests.json`, of the digests of files and of the first sha256 of each name.

    A cached digest is valid as long as the path, size and modification time of the file are the
    same. If the folder cannot be written, nothing is cached and everything else works.

    Args:
        folder: of `digests.json`.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "digests.json"

    def digests_of(self, file: Path) -> Digests:
        """Return the digests of a file.

        Raises:
            OSError: If the file cannot be read.
            WeightsError: If `digests.json` is damaged.
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

    def first_seen(self, name: str) -> str:
        """Return the sha256 of the first file of a name; empty if there was none.

        Raises:
            WeightsError: If `digests.json` is damaged.
        """
        return str(self._read()["first"].get(name, ""))

    def record_first_seen(self, name: str, sha256: str) -> None:
        """Record the sha256 of the first file of a name."""
        self._write("first", name, sha256)

    def _write(self, section: str, key: str, value: object) -> None:
        with contextlib.suppress(OSError), locked(self.path):
            sections = self._read()
            sections[section][key] = value
            deleted = [file for file in sections["files"] if not Path(file).exists()]
            for file in deleted:
                del sections["files"][file]
            with replacing(self.path) as temporary:
                text = json.dumps(sections, indent=1, sort_keys=True)
                temporary.write_text(text, encoding="utf-8")

    def _read(self) -> dict[str, dict[str, Any]]:
        damaged = (
            f"{self.path}: not a file that Senga wrote. Delete it; the digests of the weight files "
            "are then computed again."
        )
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {"first": {}, "files": {}}
        except OSError as error:
            raise WeightsError(
                f"{self.path}: cannot be read ({error.strerror}). Make it readable, or set "
                "SENGA_WEIGHTS to another folder."
            ) from error
        except ValueError as error:
            raise WeightsError(damaged) from error
        match content:
            case {"first": dict(first), "files": dict(files)}:
                return {"first": first, "files": files}
        raise WeightsError(damaged)
