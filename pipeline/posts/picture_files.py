"""Find the files that a table names in a folder, and notice later that one has changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import polars as pl

from pipeline import store
from pipeline.posts.local_file import LocalFile

EXTENSIONS = ("jpg", "png", "webp", "jpeg", "gif", "avif", "bmp")
"""Of the pictures that are looked for where a table does not say."""

MISSING, OUTSIDE = "missing_file", "outside_folder"
"""Why a file is no picture of a post."""

_SCHEMA = {"path": pl.String, "size": pl.Int64, "modified": pl.Int64}


@dataclass(frozen=True)
class Found:
    """What was found of some files.

    Attributes:
        urls: addresses of the files; empty where there is none.
        paths: of these files, relative to the folder; else empty.
        reasons: `MISSING` or `OUTSIDE` where there is none though one is named; else null.
        seen: path, size and time of each file that was looked at; where one is missing, those of
            the nearest folder.
    """

    urls: pl.Series
    paths: pl.Series
    reasons: pl.Series
    seen: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class PictureFiles:
    """The pictures in a folder.

    Attributes:
        folder: that paths start from.
        by_id: whether the files are named by the ids of posts, as in the dumps of Danbooru: post
            4560123 is `0123/4560123.jpg`.
    """

    folder: Path
    by_id: bool = False

    def find(self, paths: pl.Series) -> Found:
        """Find files by their paths: relative to the folder, or absolute ones in it.

        Args:
            paths: strings; an empty one is a missing file.
        """
        root = os.path.normpath(os.path.abspath(self.folder))  # noqa: PTH100 - a million of them
        return _found([_find(root, path) for path in paths.to_list()])

    def find_by_id(self, ids: pl.Series, extensions: pl.Series) -> Found:
        """Find files by the ids of their posts.

        Args:
            ids: Int64, null for rows that are no posts.
            extensions: such as `jpg`, empty if unknown.
        """
        root = os.path.normpath(os.path.abspath(self.folder))  # noqa: PTH100
        pairs = zip(ids.to_list(), extensions.to_list(), strict=True)
        return _found(
            [_NONE if number is None else _find_by_id(root, number, ext) for number, ext in pairs]
        )


_Seen = tuple[str, int, int]
_One = tuple["_Seen | None", "str | None", "_Seen | None"]  # the file, or a reason; what was seen
_NONE: _One = (None, None, None)
_GONE = (0, 0)  # size and time of what is not there


def _found(files: list[_One]) -> Found:
    seen = dict.fromkeys(seen for _, _, seen in files if seen is not None)
    return Found(
        pl.Series("local", [_url(file) for file, _, _ in files], pl.String),
        pl.Series("path", [file[0] if file else "" for file, _, _ in files], pl.String),
        pl.Series("reason", [reason for _, reason, _ in files], pl.String),
        pl.DataFrame(list(seen), _SCHEMA, orient="row"),
    )


def _url(file: _Seen | None) -> str:
    if file is None:
        return ""
    path, size, modified = file
    return LocalFile(path=path, size=size, modified=modified).to_url()


def _find(root: str, path: str) -> _One:
    if not path:
        return None, MISSING, None
    first, reason = None, OUTSIDE
    for spelled in dict.fromkeys((path, path.replace("\\", "/"))):  # the latter is of Windows
        inner = _inner_path(root, spelled)
        if inner is None:
            continue
        seen = _look(root, inner)
        if seen is not None:
            return seen, None, seen
        first, reason = inner, MISSING
    return None, reason, None if first is None else _nearest_folder(root, first)


def _find_by_id(root: str, number: int, extension: str) -> _One:
    stem = f"{number % 1000:04d}/{number}"
    for each in dict.fromkeys([extension.lower().lstrip("."), *EXTENSIONS]):
        seen = _look(root, f"{stem}.{each}") if each.isalnum() else None
        if seen is not None:
            return seen, None, seen
    return None, MISSING, _nearest_folder(root, stem)


def _inner_path(root: str, path: str) -> str | None:
    """Return a path from the root on, without `.` and `..`; None if it leads out of it."""
    whole = os.path.normpath(os.path.join(root, path))  # noqa: PTH118 - a million of them
    if "\0" in path or not whole.startswith(root.rstrip("/") + "/"):
        return None
    return whole[len(root.rstrip("/")) + 1 :]


def _look(root: str, inner: str) -> _Seen | None:
    """Return path, size and time of a file; None if there is none."""
    try:
        found = os.stat(f"{root}/{inner}")  # noqa: PTH116 - a million of them
    except (OSError, ValueError):
        return None
    return (inner, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _nearest_folder(root: str, inner: str) -> _Seen:
    """Return a folder whose time changes once a file that is missing is there."""
    while inner:
        inner = inner.rpartition("/")[0]
        stamp = _stamp(f"{root}/{inner}")
        if stamp is not None:
            return f"{inner}/", *stamp
    return "/", *_GONE


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return (0 if stat.S_ISDIR(found.st_mode) else found.st_size), found.st_mtime_ns


def write_seen(seen: Iterable[pl.DataFrame], path: Path) -> None:
    """Write which files were seen, unless there are none."""
    with store.explain_write_errors(path), path.open("wb") as file:
        for frame in seen:
            for name, size, modified in frame.iter_rows():
                file.write(b"%d %d %s\0" % (size, modified, os.fsencode(name)))
        empty = not file.tell()
    if empty:
        path.unlink()


def look_again(folder: Path, seen: Path) -> tuple[str, bool]:
    """Look at the files that `write_seen` has listed.

    It uses no Polars, whose threads a build that is about to fork must not have started.

    Returns:
        A digest of what is there now, and whether that is what was seen.
    """
    root, state, same = os.path.abspath(folder), sha256(), True  # noqa: PTH100
    for line in seen.read_bytes().split(b"\0")[:-1]:
        size, modified, name = line.split(b" ", 2)
        stamp = _stamp(f"{root}/{os.fsdecode(name)}") or _GONE
        same = same and stamp == (int(size), int(modified))
        state.update(b"%s\0%s\n" % (name, str(stamp).encode()))
    return state.hexdigest(), same
