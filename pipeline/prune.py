"""What a dataset's folder holds of settings that are no longer used."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline import store
from pipeline.store import Dataset
from sketch_models.atomic import delete

# Of a settings hash; with that of the pictures if the training on them was set aside.
_NAME = re.compile(r"[0-9a-f]{12}(-[0-9a-f]{12})?")


@dataclass(frozen=True, kw_only=True)
class Unused:
    """The artefacts of a stage that were made with other settings.

    Attributes:
        path: their folder, `data/<dataset>/<stage>/<settings hash>`.
        bytes: size of all files in it.
        changed: day on which the folder last changed.
    """

    path: Path
    bytes: int
    changed: date


def find_unused(dataset: Dataset, hashes: Collection[str], stages: Collection[str]) -> list[Unused]:
    """Return what neither the given settings nor a link needs, by stage and age.

    Downloaded pictures and posts are in no such folder, and never unused.

    Args:
        dataset: its folder.
        hashes: settings hashes of everything that is needed.
        stages: names of the folders to look through, such as `sketch`.
    """
    needed = {settings_hash[: store.HASH_LENGTH] for settings_hash in hashes}
    linked = _linked(dataset)
    folders = [
        folder
        for stage in sorted(stages)
        for folder in (dataset.root / stage).glob("*/")
        if _NAME.fullmatch(folder.name)
        and not folder.is_symlink()
        and folder.name not in needed
        and folder.resolve() not in linked
    ]
    unused = [
        Unused(
            path=folder,
            bytes=store.size_of(folder),
            changed=date.fromtimestamp(folder.stat().st_mtime),
        )
        for folder in folders
    ]
    return sorted(unused, key=lambda each: (each.path.parent.name, each.changed, each.path.name))


def stages_of(dataset: Dataset) -> list[str]:
    """Return the names of the folders in a dataset's folder, a stage each."""
    return sorted(folder.name for folder in dataset.root.glob("*/") if not folder.is_symlink())


def delete_unused(unused: Collection[Unused]) -> None:
    """Delete the folders.

    Raises:
        SengaError: If one cannot be deleted.
    """
    for each in unused:
        with store.explain_write_errors(each.path):
            delete(each.path)


def _linked(dataset: Dataset) -> set[Path]:
    """Return the folders that links in the dataset's folder point at, or into."""
    links = [*dataset.root.glob("*"), *dataset.root.glob(f"*/{store.LATEST}")]
    links += dataset.root.glob("export/*")  # by format
    targets = [link.resolve() for link in links if link.is_symlink()]
    return {*targets, *(target.parent for target in targets)}
