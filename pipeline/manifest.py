"""Manifests: how an artefact was made, from what, and which files of which sizes it has.

Like `store`, this imports no more than the standard library.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path

from pipeline.store import fingerprint, publish


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The record of how an artefact was made; written last, it proves that it is complete.

    Attributes:
        fingerprint: the fingerprint of `inputs`.
        inputs: stage, version, options and the upstream content that the artefact was made from.
        content: digest of what the artefact holds, for stages downstream.
        kept: number of pictures (or posts) that the stage kept.
        dropped: number of pictures (or posts) that it dropped, by reason.
        facts: further numbers of the stage, such as the rows of the filter's funnel.
        unfinished: number of pictures that a later run should try again.
        build: identifier of the run that made it.
        bytes: size of the artefact.
        files: sizes in bytes of the files that were made, by their paths from the folder of the
            manifest; empty in manifests of earlier versions.
        seconds: wall-clock time of the stage.
        created: UTC, ISO 8601.
        host: name of the machine.
        versions: Senga's commit, and the versions of the libraries.
    """

    fingerprint: str
    inputs: dict[str, object]
    content: str
    kept: int
    dropped: dict[str, int] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    unfinished: int = 0
    build: str = ""
    bytes: int = 0
    files: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    created: str = ""
    host: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Publish the manifest as JSON, with the fingerprint of its values."""
        values = json.loads(json.dumps(asdict(self)))
        text = json.dumps({**values, _SEAL: fingerprint(values)}, indent=1) + "\n"
        with publish(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    @classmethod
    def parse(cls, text: str) -> Manifest:
        """Return the manifest in a JSON text.

        Raises:
            ValueError, TypeError, RecursionError: If it is none, or was changed since.
        """
        values = json.loads(text)
        seal = values.pop(_SEAL, None)  # None in manifests of earlier versions
        if seal is not None and seal != fingerprint(values):
            raise ValueError("it was changed")
        manifest = cls(**values)
        for each in fields(cls):
            expected = _TYPES[str(each.type).partition("[")[0]]
            if not isinstance(getattr(manifest, each.name), expected):
                raise TypeError(each.name)
        return manifest


_SEAL = "sha256"
"""The key of the fingerprint of a manifest's other values."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "dict": dict,
}


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return modification time (ns) and inode, which change if a file is replaced.

    None if there is no such file.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def read_manifest(path: Path) -> Manifest | None:
    """Return the manifest at `path`, or None if there is none or it cannot be read."""
    identity = file_identity(path)
    return None if identity is None else _parse_manifest(path, *identity)


@lru_cache(maxsize=4096)
def _parse_manifest(path: Path, _modified: int, _inode: int) -> Manifest | None:
    try:
        return Manifest.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def file_sizes(files: Iterable[Path], folder: Path) -> dict[str, int]:
    """Return the sizes of files in bytes, by their paths from a folder."""
    return {os.path.relpath(file, folder): file.stat().st_size for file in sorted(files)}


def differing_files(sizes: Mapping[str, int], folder: Path) -> Iterator[str]:
    """Yield the paths of the files that are not there, or of another size; none is read.

    Args:
        sizes: by the paths of the files from the folder; see `file_sizes`.
        folder: that the paths start from.
    """
    for name, size in sizes.items():
        try:
            found = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - thousands of files
        except (OSError, ValueError):
            yield name
            continue
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            yield name


def have_sizes(sizes: Mapping[str, int], folder: Path) -> bool:
    """Return whether all files are there, each with its size; see `differing_files`."""
    return next(differing_files(sizes, folder), None) is None


def write_sizes(files: Iterable[Path], path: Path) -> None:
    """Publish the sizes of files as JSON, which `are_whole` reads."""
    sizes = file_sizes(files, path.parent)
    with publish(path) as temporary:
        temporary.write_text(json.dumps(sizes, indent=1) + "\n", encoding="utf-8")


def are_whole(path: Path) -> bool:
    """Return whether the files of a record of `write_sizes` are there, each with its size."""
    identity = file_identity(path)
    sizes = None if identity is None else _parse_sizes(path, *identity)
    return sizes is not None and have_sizes(sizes, path.parent)


@lru_cache(maxsize=4096)
def _parse_sizes(path: Path, _modified: int, _inode: int) -> dict[str, int] | None:
    try:
        sizes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return sizes if isinstance(sizes, dict) and sizes else None
