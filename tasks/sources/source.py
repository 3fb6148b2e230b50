"""`Source`, the base class of the sources of posts."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from pipeline import store
from pipeline.manifest import Manifest, read_manifest
from pipeline.posts.options import HOW_TO_GET_IT, MetadataOptions
from pipeline.progress import OnProgress
from sketch_models.errors import SengaError
from sketch_models.weights.cache import expand_path
from tasks import config
from tasks.stage import StageResult

ImportInto = Callable[[Path, Path], dict[str, int]]
"""Imports into `posts.parquet` and `quarantine.csv`; returns the counts of `import_posts`."""


class Importer(Protocol):
    """What a source uses of the task that imports it, `ImportMetadata`."""

    @property
    def task_family(self) -> str:
        """The name of the task."""
        ...

    @property
    def dataset(self) -> store.Dataset:
        """The folder of the dataset."""
        ...

    @property
    def posts(self) -> Path:
        """The table of all posts that could be read."""
        ...

    @property
    def quarantine(self) -> Path:
        """The table of the rows that are no posts."""
        ...

    def artefact(self) -> Path:
        """Return the folder of both."""
        ...

    def settings(self) -> dict[str, object]:
        """Return the source, and the options that it depends on."""
        ...

    def manifest_path(self) -> Path:
        """Return the path of the manifest."""
        ...

    def manifest(self) -> Manifest:
        """Return the manifest; raise NotReadyError until the posts are imported."""
        ...

    def complete(self) -> bool:
        """Return whether the posts are imported."""
        ...


class Source(ABC):
    """A source of posts, for the task that imports them.

    Args:
        task: that asks.
    """

    def __init__(self, task: Importer) -> None:
        self.task = task

    @property
    def options(self) -> MetadataOptions:
        """The section `[metadata]`."""
        return config.options(MetadataOptions)

    def settings(self) -> dict[str, object]:
        """Return the options that the posts depend on."""
        return {}

    def content(self) -> list[str]:
        """Return digests of what the posts are read from.

        Raises:
            SengaError: if it is not there.
        """
        return []

    def unmet_requirements(self) -> list[str]:
        """Return what a person must provide before this can be imported, a message each."""
        try:
            self.content()
        except SengaError as error:
            return [str(error)]
        return []

    def has_new_posts(self) -> bool:
        """Return whether there may be posts that no digest tells of."""
        return False

    def shared_resources(self) -> dict[str, int]:
        """Return how much it needs of what builds share."""
        return {}

    def has_local_pictures(self) -> bool:
        """Return whether the pictures are on this machine; the posts must be imported."""
        return False

    def pictures_root(self) -> Path:
        """Return the folder that the addresses of local pictures are relative to."""
        return self.options.pictures_folder

    @abstractmethod
    def make(self, on_progress: OnProgress) -> StageResult:
        """Import the posts."""

    def publish(
        self, import_into: ImportInto, *, facts: dict[str, object] | None = None, content: str = ""
    ) -> StageResult:
        """Import the posts into the artefact of the task.

        Args:
            import_into: imports them.
            facts: for the manifest.
            content: digest of the posts; empty: that of what they are made from.
        """
        with store.publish(self.task.artefact()) as folder:
            folder.mkdir()
            posts, quarantine = self.task.posts.name, self.task.quarantine.name
            counts = import_into(folder / posts, folder / quarantine)
        kept = counts.pop("posts")
        return StageResult(kept=kept, dropped=counts, facts=facts or {}, content=content)

    def digest_of_file(self, path: Path) -> str:
        """Return the sha256 of a file that an option names; if it is gone, that of its import.

        Raises:
            SengaError: if it cannot be read.
        """
        manifest = read_manifest(self.task.manifest_path())
        facts = manifest.facts if manifest else {}
        if facts and not path.exists():
            return str(facts["sha256"])
        if facts and [facts["size"], facts["modified"]] == stamp(path, self.options.source):
            return str(facts["sha256"])
        return sha256_of(path, self.options.source)

    def facts_of_file(self, path: Path) -> dict[str, object]:
        """Return what `digest_of_file` compares on the next run."""
        size, modified = stamp(path, self.options.source)
        return {"size": size, "modified": modified, "sha256": self.digest_of_file(path)}


def data_folder() -> Path:
    """Return the folder of all datasets, which may lie in that of a person's pictures."""
    return expand_path(config.options(config.BuildOptions).data).resolve()


def stamp(path: Path, option: str) -> list[int]:
    """Return size and modification time (ns), which stay the same while a file does.

    Raises:
        SengaError: if it cannot be read.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable(path, error, option) from error
    return [stat.st_size, stat.st_mtime_ns]


def sha256_of(path: Path, option: str) -> str:
    """Return the sha256 of a file; raise SengaError if it cannot be read."""
    return _sha256(path, *stamp(path, option), option)


@lru_cache(maxsize=4)
def _sha256(path: Path, _size: int, _modified: int, option: str) -> str:
    """Return the sha256 of a file; size and modification time are keys of the cache."""
    state = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                state.update(block)
    except OSError as error:
        raise _unreadable(path, error, option) from error
    return state.hexdigest()


def _unreadable(path: Path, error: OSError, option: str) -> SengaError:
    remedy = HOW_TO_GET_IT if option == "csv" else "check the path and its permissions"
    return SengaError(f"[metadata] {option} = {path} cannot be read ({error.strerror}): {remedy}.")
