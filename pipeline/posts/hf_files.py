"""Find the tables of pictures: one file, or all of a folder, such as a repository of the hub."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pipeline.posts.folder_scan import walk
from sketch_models.errors import SengaError

SUFFIXES = (".parquet", ".arrow", ".feather", ".ipc")
"""Ends of the names of tables."""

_CACHE = "cache-"  # `datasets` puts what it has computed beside the tables of a dataset


@dataclass(frozen=True)
class TableFile:
    """A file with a table, and what tells whether it has changed.

    Attributes:
        path: relative to the root, `/` between the parts.
        size: in bytes.
        modified: time of the last change, in ns since 1970.
    """

    path: str
    size: int
    modified: int


@dataclass(frozen=True)
class TableFiles:
    """The tables of a dataset.

    Attributes:
        root: the folder that their paths are relative to.
        files: the tables, in an order that no file system changes.
        skipped: paths that may have been tables, each with a code of `metadata.REASONS`.
    """

    root: Path
    files: tuple[TableFile, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def digest(self) -> str:
        """Return a sha256 of names, sizes and times; no file is opened."""
        state = hashlib.sha256()
        for file in self.files:
            path = os.fsencode(file.path)
            state.update(b"%d %b\0%d %d\n" % (len(path), path, file.size, file.modified))
        for name, code in self.skipped:
            path = os.fsencode(name)
            state.update(b"%d %b\0%b\n" % (len(path), path, code.encode()))
        return state.hexdigest()


def find_tables(
    path: Path, *, follow_links: bool = False, leave_out: Collection[Path] = ()
) -> TableFiles:
    """Return the tables that a path names.

    Args:
        path: of a file, or of a folder with tables at any depth.
        follow_links: whether symbolic links in a folder are followed, as in the cache of the hub.
        leave_out: resolved paths of folders to leave out.

    Raises:
        SengaError: if there is no such file or folder, or no table in it.
    """
    if not path.is_dir():
        return stat_tables(path.parent, [path.name])
    files, skipped = [], []
    for folder in walk(path, follow_links=follow_links, leave_out=leave_out, option="hf"):
        skipped += [pair for pair in folder.skipped if pair[1] != "symbolic_link" or _may_be(pair)]
        files += [
            TableFile(folder.path_of(file.name), file.size, file.modified)
            for file in folder.files
            if file.name.lower().endswith(SUFFIXES) and not file.name.startswith(_CACHE)
        ]
    if not files:
        links = [code for _, code in skipped].count("symbolic_link")
        remedy = (
            f" {links} are symbolic links: set [metadata] follow_links = true." if links else ""
        )
        raise SengaError(
            f"[metadata] hf = {path}: no file ending in {' or '.join(SUFFIXES[:2])} is in it or "
            f"below.{remedy}"
        )
    return TableFiles(path, tuple(files), tuple(skipped))


def stat_tables(root: Path, names: Collection[str]) -> TableFiles:
    """Return tables whose names are known.

    Raises:
        SengaError: if one is not there.
    """
    files = []
    for name in names:
        try:
            facts = (root / name).stat()
        except OSError as error:
            raise SengaError(
                f"[metadata] hf = {root / name} cannot be read ({error.strerror}). Check the path."
            ) from error
        files.append(TableFile(name, facts.st_size, facts.st_mtime_ns))
    return TableFiles(root, tuple(files))


def _may_be(skipped: tuple[str, str]) -> bool:
    """Return whether a link may lead to a table, or to a folder with tables."""
    name = skipped[0].rpartition("/")[2].lower()
    return name.endswith(SUFFIXES) or "." not in name
