"""Posts of pictures on this machine: in a folder, in tars, in tables with pictures."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

from pipeline import store
from pipeline.posts import hf_hub
from pipeline.posts.folder_scan import digest_of_folder
from pipeline.posts.hf_files import TableFiles, find_tables
from pipeline.posts.metadata import import_folder, import_tables, import_webdataset
from pipeline.posts.options import MetadataOptions
from pipeline.progress import OnProgress
from sketch_models.weights.cache import expand_path
from tasks.sources.source import Source, data_folder, stamp
from tasks.stage import StageResult


class LocalSource(Source):
    """Pictures on this machine."""

    def has_local_pictures(self) -> bool:
        """Return True."""
        return True

    def content(self) -> list[str]:
        """Return the digest of names, sizes and times of all files."""
        return [_digest_of_folder(self.options, data_folder())]


class FolderSource(LocalSource):
    """A folder of pictures."""

    def settings(self) -> dict[str, object]:
        """Return its path, and how it is read."""
        options = self.options
        return {
            "folder": options.folder,
            "folder_tags": options.folder_tags,
            "follow_links": options.follow_links,
        }

    def make(self, on_progress: OnProgress) -> StageResult:
        """Import the pictures."""
        return self.publish(
            partial(
                import_folder,
                expand_path(self.options.folder),
                on_progress=on_progress,
                previous=self.task.posts,
                folder_tags=self.options.folder_tags,
                follow_links=self.options.follow_links,
                leave_out=[data_folder()],
            )
        )


class WebdatasetSource(LocalSource):
    """Tars of pictures."""

    def settings(self) -> dict[str, object]:
        """Return their path, and whether links are followed."""
        return {"webdataset": self.options.webdataset, "follow_links": self.options.follow_links}

    def make(self, on_progress: OnProgress) -> StageResult:
        """Import the pictures."""
        return self.publish(
            partial(
                import_webdataset,
                expand_path(self.options.webdataset),
                on_progress=on_progress,
                follow_links=self.options.follow_links,
                leave_out=[data_folder()],
            )
        )


class HfSource(LocalSource):
    """Tables with pictures, on this machine or from the Hugging Face hub."""

    @property
    def _is_on_hub(self) -> bool:
        return hf_hub.is_name(self.options.hf)

    def settings(self) -> dict[str, object]:
        """Return their path, and the column of pictures."""
        return {"hf": self.options.hf, "image_column": self.options.image_column}

    def content(self) -> list[str]:
        """Return the digest of the files; nothing of the hub tells whether it has changed."""
        return [] if self._is_on_hub else [_find_tables(self.options, data_folder()).digest()]

    def unmet_requirements(self) -> list[str]:
        """Return a message if the files or the library that fetches them are missing."""
        if self._is_on_hub and not self.task.complete():
            return hf_hub.missing_requirements(self.options.hf)
        return super().unmet_requirements()

    def pictures_root(self) -> Path:
        """Return the folder of the tables; those of the hub are in a cache."""
        if self._is_on_hub:
            return Path(str(self.task.manifest().facts["root"]))
        return super().pictures_root()

    def make(self, on_progress: OnProgress) -> StageResult:
        """Fetch the tables if they are on the hub, and import them."""
        name = self.options.hf
        found = hf_hub.fetch(name) if self._is_on_hub else _find_tables(self.options, data_folder())
        return self.publish(
            partial(
                import_tables,
                found,
                on_progress=on_progress,
                previous=self.task.posts,
                image_column=self.options.image_column,
            ),
            facts={"root": str(found.root)},
        )


@lru_cache(maxsize=4)
def _digest_of_folder(options: MetadataOptions, leave_out: Path) -> str:
    """Return the digest of the pictures, as they were when this process first asked."""
    place = expand_path(options.place)
    if place.is_file():
        return store.fingerprint([place.name, *stamp(place, options.source)])
    return digest_of_folder(
        place,
        follow_links=options.follow_links,
        leave_out=[leave_out],
        option=options.source,
    )


@lru_cache(maxsize=4)
def _find_tables(options: MetadataOptions, leave_out: Path) -> TableFiles:
    """Return the tables as they were when this process first asked."""
    path, follow_links = expand_path(options.hf), options.follow_links
    return find_tables(path, follow_links=follow_links, leave_out=[leave_out])
