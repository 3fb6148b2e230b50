"""Posts of the pictures in WebDataset tars: of img2dataset, of DeepGHS, of Senga itself."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl

from pipeline.picture_error import PictureError
from pipeline.picture_header import picture_size
from pipeline.posts import sidecar
from pipeline.posts.batches import in_batches
from pipeline.posts.folder_scan import FoundFile, walk
from pipeline.posts.local_file import LocalFile, TarMember, hashed_id
from pipeline.posts.rows import FIELDS, Rejected, Rejects, read_local_rows
from pipeline.posts.sidecar import (
    MAX_SIDECAR_BYTES,
    TOO_LONG,
    Record,
    SidecarError,
    merge_what_fits,
)
from pipeline.posts.tar_samples import DamagedTarError, Sample, read_bytes, read_samples
from pipeline.thread_map import thread_map
from sketch_models.errors import SengaError

_BATCH = 500  # samples that one thread reads
_HEADER_BYTES = 1 << 16  # of a picture, in which its size is looked for
_MAX_ID = 2**63 - 1
_MAX_DIGITS = 20  # of a key that is an id, with the zeros before it
_MAX_PADDED = 1 << 40  # of keys with zeros before them, such as img2dataset's
_PACKED = (".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class _Found:
    """A sample with a picture.

    Attributes:
        line: its place in the walk, from 1 on.
        tar: the file that it is in.
        picture: its picture in the tar.
        sample: all its files.
        post_id: of the post.
    """

    line: int
    tar: LocalFile
    picture: TarMember
    sample: Sample
    post_id: int


class WebdatasetSource:
    """The pictures in a tar, or in the tars of a folder, a post each.

    A post's id is the key of its sample, if it is a whole number and keys name one sample each;
    else a hash of the tar's path and the key. Its line is its place in the walk, from 1 on.

    Args:
        root: the folder, or one tar.
        follow_links: whether symbolic links are followed.
        leave_out: resolved paths of folders to leave out.
    """

    def __init__(
        self, root: Path, *, follow_links: bool = False, leave_out: Collection[Path] = ()
    ) -> None:
        self._root = root
        self._follow_links = follow_links
        self._leave_out = leave_out
        self._folder = folder_of_tars(root)

    def read(self) -> Iterator[tuple[pl.DataFrame, Rejects]]:
        """Read the posts in the order of the tars; and what is none."""
        yield from thread_map(self._read_batch, in_batches(self._found(), _BATCH))

    def reject(self, lines: list[int], reason: str) -> Iterator[Rejected]:
        """Find samples again for the quarantine, by their lines in ascending order."""
        wanted = set(lines)
        for each in self._found():
            if isinstance(each, _Found) and each.line in wanted:
                yield Rejected(each.line, reason, _shown(each.tar.path, each.picture.name))

    def _found(self) -> Iterator[_Found | Rejected]:
        """Yield samples and what is none, each with its place in the walk."""
        tars, odd = self._tars()
        line = 0
        for path, code in odd:
            line += 1
            yield Rejected(line, code, os.fsencode(path))
        are_ids = not self._keys_restart(tars)
        for tar in tars:
            for sample in self._samples(tar):
                line += 1
                if sample is None:
                    yield Rejected(line, "damaged_tar", os.fsencode(tar.path))
                else:
                    yield _to_post(line, tar, sample, key_is_id=are_ids)

    def _tars(self) -> tuple[list[LocalFile], list[tuple[str, str]]]:
        """Return the tars; and paths that are odd, with a code."""
        tars: list[LocalFile] = []
        odd: list[tuple[str, str]] = []
        for path, file in tar_files(self._root, self._follow_links, self._leave_out, odd):
            if path.lower().endswith(_PACKED):
                odd.append((path, "compressed_tar"))
            elif path.lower().endswith(".tar"):
                tars.append(LocalFile(path=path, size=file.size, modified=file.modified))
        return tars, odd

    def _keys_restart(self, tars: list[LocalFile]) -> bool:
        """Return whether the second tar has keys of the first: then keys name no sample of all."""
        if len(tars) < 2:
            return False
        first, second = ({each.key for each in self._samples(tar) if each} for tar in tars[:2])
        return not first.isdisjoint(second)

    def _samples(self, tar: LocalFile) -> Iterator[Sample | None]:
        """Yield the samples of a tar; and None at the end if it is damaged."""
        try:
            yield from read_samples(self._folder / tar.path)
        except (DamagedTarError, OSError):
            yield None

    def _read_batch(self, batch: list[_Found | Rejected]) -> tuple[pl.DataFrame, Rejects]:
        rows: list[dict[str, object]] = []
        rejected: list[Rejected] = []
        for each in batch:
            if isinstance(each, Rejected):
                rejected.append(each)
                continue
            try:
                rows.append(self._row(each, rejected))
            except (PictureError, OSError) as error:
                code = error.code if isinstance(error, PictureError) else "unreadable"
                rejected.append(Rejected(each.line, code, _shown(each.tar.path, each.picture.name)))
        return read_local_rows(rows, rejected)

    def _row(self, found: _Found, rejected: list[Rejected]) -> dict[str, object]:
        """Return the fields of a sample; metadata that cannot be read are rejected alone."""
        path = self._folder / found.tar.path
        head = read_bytes(path, found.picture, _HEADER_BYTES)
        width, height = picture_size(BytesIO(head)) or ("", "")
        address = LocalFile(
            path=found.tar.path,
            size=found.tar.size,
            modified=found.tar.modified,
            member=str(found.picture),
        )
        url = address.to_url()
        return {
            **dict.fromkeys(FIELDS, ""),
            **self._record(found, url, rejected),
            "line": found.line,
            "id": str(found.post_id),
            "sample_url": url,
            "sample_width": str(width),
            "sample_height": str(height),
        }

    def _record(self, found: _Found, url: str, rejected: list[Rejected]) -> Record:
        """Return what the sidecars say; each that cannot be used is rejected."""
        records: list[tuple[str, Record]] = []
        faults: list[str] = []
        for part, read in (("json", sidecar.read_json), ("txt", sidecar.read_text)):
            if member := found.sample.parts.get(part):
                try:
                    content = _read_small(self._folder / found.tar.path, member)
                    records.append((member.name, read(content)))
                except SidecarError as error:
                    faults.append(f"{member.name}: {error}")
        record, left_out = merge_what_fits(records, len(url))
        faults += [f"{name}: {TOO_LONG}" for name in left_out]
        shown = [_shown(found.tar.path, text) for text in faults]
        rejected += [Rejected(found.line, "bad_sidecar", text) for text in shown]
        return record


def folder_of_tars(root: Path) -> Path:
    """Return the folder that addresses of pictures in tars are relative to."""
    return root.parent if root.is_file() else root


def tar_files(
    root: Path,
    follow_links: bool,
    leave_out: Collection[Path],
    odd: list[tuple[str, str]],
) -> Iterator[tuple[str, FoundFile]]:
    """Yield the files that may be tars, with their paths relative to `folder_of_tars`.

    Args:
        root: a folder, or one tar.
        follow_links: whether symbolic links are followed.
        leave_out: resolved paths of folders to leave out.
        odd: takes paths that are neither files nor folders, with a code.

    Raises:
        SengaError: if there is none.
    """
    found = False
    if root.is_file():
        facts = root.stat()
        yield root.name, FoundFile(root.name, facts.st_size, facts.st_mtime_ns)
        return
    if not root.is_dir():
        raise SengaError(
            f"[metadata] webdataset = {root}: there is no such tar or folder. Check the path."
        )
    for folder in walk(root, follow_links=follow_links, leave_out=leave_out, option="webdataset"):
        odd += folder.skipped
        for file in folder.files:
            if file.name.lower().endswith((".tar", *_PACKED)):
                found = True
                yield folder.path_of(file.name), file
    if not found:
        raise SengaError(f"[metadata] webdataset = {root}: no tar is in it or below.")


def _to_post(line: int, tar: LocalFile, sample: Sample, *, key_is_id: bool) -> _Found | Rejected:
    picture = sample.picture()
    if picture is None:
        return Rejected(line, "no_picture", _shown(tar.path, sample.key))
    post_id = _number_of(sample.key) if key_is_id else 0
    post_id = post_id or hashed_id(f"{tar.path}#{sample.key}")
    return _Found(line, tar, picture, sample, post_id)


def _number_of(key: str) -> int:
    """Return the whole number that is a key, or its last part; 0 if it is none that is an id."""
    name = key.rpartition("/")[2]
    if not (name.isascii() and name.isdecimal()) or len(name) > _MAX_DIGITS:
        return 0
    number = int(name)
    limit = _MAX_PADDED - 1 if name.startswith("0") else _MAX_ID
    return number if number <= limit else 0


def _read_small(path: Path, member: TarMember) -> bytes:
    if member.size > MAX_SIDECAR_BYTES:
        raise SidecarError(f"more than {MAX_SIDECAR_BYTES // 1_000_000} MB")
    return read_bytes(path, member, MAX_SIDECAR_BYTES)


def _shown(path: str, name: str) -> bytes:
    return os.fsencode(f"{path}: {name}")
