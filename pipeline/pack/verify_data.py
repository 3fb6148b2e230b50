"""Check everything in the folder of a dataset: records, shards, tables, packed files and links."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.damage import DamagedFileError
from pipeline.manifest import are_whole, differing_files, read_manifest
from pipeline.outcome import read_digests
from pipeline.pack.parts import is_part
from pipeline.pack.verify_files import verify
from pipeline.shard import ShardReader
from pipeline.store import outcomes_path
from pipeline.table import check_table
from sketch_models.errors import DatasetError

_MANIFEST = re.compile(r"\w+/[0-9a-f-]+/(manifest|report|shard-\d+)\.json")
_SIZES = re.compile(r"color/shard-\d+\.json")
_EXPORTED = re.compile(r"export/\w+/\w+/.*")
_PACKED = ("train.h5", "test.h5")  # of one build, which have no picture in common


@dataclass
class DataSummary:
    """What was checked in the folder of a dataset.

    Attributes:
        checked: number of things by kind.
        faults: a sentence each.
        without_digests: shards of earlier versions, whose content could not be compared.
    """

    checked: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    without_digests: list[Path] = field(default_factory=list)


def verify_data(root: Path) -> DataSummary:
    """Read and check everything in the folder of a dataset; nothing is changed.

    Every file that a manifest names must be there with its size, every part of a shard must match
    its digest, every table its seal, every packed file its checksums, and every link must point at
    something. Memory is that of one shard's table and one picture.

    Args:
        root: the folder, such as `data/sample`.

    Raises:
        DatasetError: If there is no such folder.
    """
    if not root.is_dir():
        raise DatasetError(f"{root} is no folder of a dataset. Choose one such as data/sample.")
    summary = DataSummary()
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            summary.checked["links"] += 1
            if not path.exists():
                summary.faults.append(f"{path} points at nothing. Build again.")
        elif _MANIFEST.fullmatch(name) or _SIZES.fullmatch(name):
            summary.checked["manifests"] += 1
            summary.faults += _check_manifest(path, shared=bool(_SIZES.fullmatch(name)))
        elif _EXPORTED.fullmatch(name) or _is_part(path):
            continue  # for other programs: a manifest has the sizes; a part is read with its index
        elif path.suffix == ".tar":
            _check_shard(path, summary)
        elif path.suffix == ".parquet":
            summary.checked["tables"] += 1
            summary.faults += _faults_of(path)
        elif path.suffix == ".h5":
            summary.checked["packed files"] += 1
            summary.faults += _check_packed(path)
    return summary


def _files(root: Path) -> Iterator[Path]:
    """Yield the files of a dataset and links, not those of a build that has not ended."""
    for folder, folders, files in os.walk(root):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted([*links, *files]) if name[0] != ".")


def _check_manifest(path: Path, *, shared: bool) -> list[str]:
    if shared:
        return [] if are_whole(path) else [f"{path}: its files are missing or cut. Build again."]
    manifest = read_manifest(path)
    if manifest is None:
        return [f"{path} is damaged. Build again."]
    return [
        f"{path.parent / name} is missing or cut: its manifest has another size. Build again."
        for name in differing_files(manifest.files, path.parent)
    ]


def _check_shard(path: Path, summary: DataSummary) -> None:
    """Read every part of a shard."""
    summary.checked["shards"] += 1
    try:
        with ShardReader(path) as shard:
            for post_id in shard.ids:
                for part in shard.parts(post_id):
                    summary.checked["pictures in shards"] += 1
                    try:
                        shard.read(post_id, part)
                    except DamagedFileError as error:
                        summary.faults.append(str(error))
        if not read_digests(outcomes_path(path)) and shard.ids:
            summary.without_digests.append(path)
    except DamagedFileError as error:
        summary.faults.append(str(error))


def _faults_of(table: Path) -> list[str]:
    try:
        check_table(table)
    except DamagedFileError as error:
        return [str(error)]
    return []


def _is_part(path: Path) -> bool:
    return any(is_part(path, path.with_name(index)) for index in _PACKED)


def _check_packed(path: Path) -> list[str]:
    both = [path.with_name(name) for name in _PACKED]
    is_pair = path in both and all(each.is_file() for each in both)
    if is_pair and path == both[0]:
        return []  # with the other
    try:
        verify(both if is_pair else [path])
    except DatasetError as error:
        return [str(error)]
    return []
