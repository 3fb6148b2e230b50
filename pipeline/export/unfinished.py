"""`Unfinished`: an export that is being written; a run that is killed leaves what is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from pipeline import store
from pipeline.manifest import have_sizes
from sketch_models.atomic import delete, replace_folder

WORK = "unfinished"
"""The name of its folder, beside the finished one."""


@dataclass(frozen=True, kw_only=True)
class PartRecord:
    """What a part of an export became.

    Attributes:
        files: sizes of its files in bytes, by their paths in the export.
        metadata: lines of `metadata.jsonl`.
        credits: rows of `credits.csv`, without the split.
        outcomes: id, code and detail of every picture.
    """

    files: Mapping[str, int] = field(default_factory=dict)
    metadata: Sequence[Mapping[str, object]] = ()
    credits: Sequence[Sequence[str]] = ()
    outcomes: Sequence[tuple[int, str, str]] = ()


class Unfinished:
    """A folder of files, and a record for every part of them that is complete.

    It is moved to its final name as a whole. If what it was made from has changed since an
    earlier run, it begins anew.

    Args:
        target: the folder to make.
        fingerprint: of everything that it is made from.

    Attributes:
        files: the folder to write into.
    """

    def __init__(self, target: Path, fingerprint: str) -> None:
        self._target = target
        self._work = target.with_name(WORK)
        self._records = self._work / "parts"
        self.files = self._work / target.name
        mark = self._work / "fingerprint"
        if not (self.files.is_dir() and _read_text(mark) == fingerprint):
            delete(self._work)
            self._records.mkdir(parents=True)
            self.files.mkdir()
            mark.write_text(fingerprint, encoding="utf-8")

    def record(self, name: str) -> PartRecord | None:
        """Return the record of a part, or None if it is not complete."""
        digest, _, text = _read_text(self._path(name)).partition("\n")
        if digest != _digest(text):
            return None
        record = PartRecord(**json.loads(text))
        return record if have_sizes(record.files, self.files) else None

    def complete(self, name: str, record: PartRecord) -> None:
        """Record that a part is complete."""
        with store.publish(self._path(name)) as temporary:
            text = json.dumps(asdict(record))
            temporary.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")

    def publish(self) -> None:
        """Move the files to the target, in one step."""
        replace_folder(self.files, self._target)
        delete(self._work)

    def _path(self, name: str) -> Path:
        return self._records / f"{name}.json"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
