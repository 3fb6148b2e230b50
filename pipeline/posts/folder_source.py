"""Posts of a folder of pictures: nothing is downloaded, and nothing is written there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import polars as pl

from pipeline.picture_error import PictureError
from pipeline.picture_header import picture_size
from pipeline.posts import sidecar
from pipeline.posts.batches import in_batches
from pipeline.posts.folder_scan import FoundFile, FoundFolder, walk
from pipeline.posts.local_file import LocalFile, hashed_id
from pipeline.posts.rows import FIELDS, Rejected, Rejects, read_local_rows
from pipeline.posts.sidecar import (
    MAX_SIDECAR_BYTES,
    TOO_LONG,
    Record,
    SidecarError,
    merge_what_fits,
)
from pipeline.posts.sidecar_table import TABLES, TableRecord, read_table
from pipeline.thread_map import thread_map

_BATCH = 500  # pictures whose headers one thread reads
_IMAGES, _BESIDE = "images", {"raws": ".json", "tags": ".txt"}  # folders of WaifuBoard
_SIDECARS = (".json", ".txt")
_NO_PICTURES = frozenset((".jsonl", ".csv", ".parquet", ".db", ".log", ".md", ".html", ".xmp"))
"""Suffixes of files that nobody takes for pictures, and that are not counted."""

Sizes = Mapping[str, tuple[int | None, int | None]]
"""Width and height by the address of a picture."""


class _TableRow(NamedTuple):
    """What a table says of a picture.

    Attributes:
        table: its path.
        said: a line of it.
    """

    table: str
    said: TableRecord


@dataclass(frozen=True)
class _Tables:
    """What the tables say that the walk has come to.

    Attributes:
        rows: by folder, and by the paths of pictures in it; taken out as the pictures are found.
        drawings: paths of pictures that are no posts, but drawings of some.
    """

    rows: dict[str, dict[str, _TableRow]] = field(default_factory=dict)
    drawings: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Picture:
    """A picture of the folder.

    Attributes:
        line: its place in the walk, from 1 on.
        file: its path, and what tells whether it has changed.
        sidecars: paths of its own sidecars, the best first.
        row: what the table of its folder says; None if nothing.
    """

    line: int
    file: LocalFile
    sidecars: tuple[str, ...]
    row: _TableRow | None


class FolderSource:
    """The pictures below a folder, a post each, with the ids that their paths give them.

    In an export of Senga the ids are those that it tells, and its drawings are no posts.

    A post's line is its place in the walk through the folder, from 1 on.

    Args:
        root: the folder.
        folder_tags: whether the names of the folders that a picture is in are tags of it.
        follow_links: whether symbolic links are followed.
        leave_out: resolved paths of folders to leave out, such as that of the results.
        known_sizes: width and height of pictures that an earlier import has read, by address.
    """

    def __init__(
        self,
        root: Path,
        *,
        folder_tags: bool = False,
        follow_links: bool = False,
        leave_out: Collection[Path] = (),
        known_sizes: Sizes | None = None,
    ) -> None:
        self._root = root
        self._folder_tags = folder_tags
        self._follow_links = follow_links
        self._leave_out = leave_out
        self._known_sizes = known_sizes or {}

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        """Read the posts in the order of the walk; and what is none."""
        batches = in_batches(self._found(), _BATCH)
        yield from thread_map(self._read_batch, batches)

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        """Find pictures again for the quarantine, by their lines in ascending order."""
        wanted = set(lines)
        for each in self._found():
            if isinstance(each, _Picture) and each.line in wanted:
                yield Rejected(each.line, reason, os.fsencode(each.file.path))

    def _found(self) -> Iterator[_Picture | Rejected]:
        """Yield pictures and what is none, each with its place in the walk."""
        line = 0
        tables = _Tables()
        taken: set[str] = set()  # paths of sidecars in other folders than their pictures
        for folder in walk(self._root, follow_links=self._follow_links, leave_out=self._leave_out):
            rejects = [(path, code) for path, code in folder.skipped]
            rejects += self._read_tables(folder, tables)
            pictures, alone = _pair(folder)
            rejects += [(path, "no_picture") for path in alone if path not in taken]
            taken.difference_update(alone)
            beside = self._find_beside(folder)
            for text, code in rejects:
                line += 1
                yield Rejected(line, code, os.fsencode(text))
            for file, sidecars in pictures:
                path = folder.path_of(file.name)
                if path in tables.drawings:
                    continue
                line += 1
                local = LocalFile(path=path, size=file.size, modified=file.modified)
                more = beside.pop(PurePosixPath(file.name).stem, ())
                taken.update(more)
                yield _Picture(line, local, (*sidecars, *more), _row_of(path, tables))
        for inside, rows in tables.rows.items():
            for name in rows:
                line += 1
                yield Rejected(line, "no_picture", os.fsencode(f"{inside}/{name}".lstrip("/")))

    def _find_beside(self, folder: FoundFolder) -> dict[str, tuple[str, ...]]:
        """Return the paths of sidecars in folders beside one of pictures, by the stems of names.

        They lie so in downloads of WaifuBoard: `images/1.jpg`, `raws/1.json` and `tags/1.txt`.
        """
        inside, _, name = folder.path.rpartition("/")
        found: dict[str, tuple[str, ...]] = {}
        for other, ending in _BESIDE.items() if name == _IMAGES else ():
            place = f"{inside}/{other}".lstrip("/")
            for each in self._names_in(place):
                if each.endswith(ending):
                    stem = each.removesuffix(ending)
                    found[stem] = (*found.get(stem, ()), f"{place}/{each}")
        return found

    def _names_in(self, place: str) -> list[str]:
        """Return the names of what is in a folder; none if it is none that is walked through."""
        path = self._root / place
        if path.is_symlink() and not self._follow_links:
            return []
        try:
            return sorted(each.name for each in path.iterdir())
        except OSError:
            return []

    def _read_tables(self, folder: FoundFolder, tables: _Tables) -> list[tuple[str, str]]:
        """Read the metadata of all pictures of a folder, if it has them.

        Returns:
            What is odd, each with a code.
        """
        odd = []
        for name in TABLES:
            if any(file.name == name for file in folder.files):
                path = folder.path_of(name)
                try:
                    table = read_table(self._root / path)
                except SidecarError as error:
                    odd.append(f"{path}: {error}")
                else:
                    odd += [f"{path} line {line}: {cause}" for line, cause in table.faults]
                    rows = {key: _TableRow(path, said) for key, said in table.records.items()}
                    tables.rows.setdefault(folder.path, {}).update(rows)
                    tables.drawings.update(map(folder.path_of, table.drawings))
        return [(text, "bad_sidecar") for text in odd]

    def _read_batch(self, batch: list[_Picture | Rejected]) -> tuple[pl.DataFrame, Rejects]:
        rows: list[dict[str, object]] = []
        rejected: list[Rejected] = []
        for each in batch:
            if isinstance(each, Rejected):
                rejected.append(each)
                continue
            try:
                rows.append(self._row(each, rejected))
            except PictureError as error:
                rejected.append(Rejected(each.line, error.code, os.fsencode(each.file.path)))
        return read_local_rows(rows, rejected)

    def _row(self, picture: _Picture, rejected: list[Rejected]) -> dict[str, object]:
        """Return the fields of a picture; a sidecar that cannot be read is rejected alone.

        Raises:
            PictureError: if it is no picture, or cannot be read.
        """
        url = picture.file.to_url()
        width, height = self._known_sizes.get(url) or self._size(picture.file.path)
        record = self._record(picture, url, rejected)
        return {
            **dict.fromkeys(FIELDS, ""),
            "id": str(hashed_id(picture.file.path)),
            **record,
            "line": picture.line,
            "sample_url": url,
            "sample_width": str(width or ""),
            "sample_height": str(height or ""),
        }

    def _size(self, path: str) -> tuple[int | None, int | None]:
        try:
            with (self._root / path).open("rb", buffering=4096) as file:
                return picture_size(file) or (None, None)
        except OSError as error:
            raise PictureError("unreadable", error.strerror or "") from error

    def _record(self, picture: _Picture, url: str, rejected: list[Rejected]) -> Record:
        records: list[tuple[str, Record]] = []
        faults: list[str] = []
        if picture.row:
            table, said = picture.row
            records.append((f"{table} line {said.line}", said.record))
        for path in picture.sidecars:
            try:
                records.append((path, _read_sidecar(self._root / path)))
            except SidecarError as error:  # noqa: PERF203 - few pictures have more than one
                faults.append(f"{path}: {error}")
        named = _tags_of_folders(picture.file.path) if self._folder_tags else ""
        record, left_out = merge_what_fits(records, len(url) + len(named.encode()) + 1)
        faults += [f"{place}: {TOO_LONG}" for place in left_out]
        rejected += [Rejected(picture.line, "bad_sidecar", os.fsencode(text)) for text in faults]
        if named:
            record["tags"] = f"{record.get('tags', '')} {named}".strip()
        return record


def _tags_of_folders(path: str) -> str:
    folders = PurePosixPath(path).parts[:-1]
    return sidecar.read_text(",".join(folders).encode(errors="replace")).get("tags", "")


def _pair(folder: FoundFolder) -> tuple[list[tuple[FoundFile, tuple[str, ...]]], list[str]]:
    """Return the pictures of a folder with the paths of their sidecars; and sidecars of none."""
    names = {file.name for file in folder.files}
    texts = {name for name in names if Path(name).suffix.lower() in _SIDECARS}
    used: set[str] = set()
    pictures = []
    for file in folder.files:
        name = PurePosixPath(file.name)
        if file.name in texts or name.suffix.lower() in _NO_PICTURES:
            continue
        own = [
            base + ending
            for ending in _SIDECARS
            for base in (file.name, name.stem)
            if base + ending in texts
        ]
        used.update(own)
        pictures.append((file, tuple(map(folder.path_of, dict.fromkeys(own)))))
    return pictures, [folder.path_of(name) for name in sorted(texts - used)]


def _row_of(path: str, tables: _Tables) -> _TableRow | None:
    """Take the row of a picture out of the table of the nearest folder around it that has one."""
    parts = PurePosixPath(path).parts
    for depth in range(len(parts) - 1, -1, -1):
        rows = tables.rows.get("/".join(parts[:depth]))
        row = rows.pop("/".join(parts[depth:]), None) if rows else None
        if row is not None:
            return row
    return None


def _read_sidecar(path: Path) -> Record:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIDECAR_BYTES + 1)
    except OSError as error:
        raise SidecarError(error.strerror or "it cannot be read") from error
    if len(content) > MAX_SIDECAR_BYTES:
        raise SidecarError(f"more than {MAX_SIDECAR_BYTES // 1_000_000} MB")
    read = sidecar.read_json if path.suffix.lower() == ".json" else sidecar.read_text
    return read(content)
