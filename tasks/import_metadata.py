"""The task that imports the metadata of posts into one table, whatever their source."""

from __future__ import annotations

from pathlib import Path

from pipeline.manifest import read_manifest
from pipeline.posts.options import MetadataOptions
from pipeline.progress import OnProgress
from tasks import config
from tasks.senga_task import RUN_ID
from tasks.sources.board import BoardSource
from tasks.sources.local import FolderSource, HfSource, WebdatasetSource
from tasks.sources.safebooru import CsvSource, KaggleSource, SampleSource
from tasks.sources.source import Source
from tasks.sources.table import TableSource
from tasks.stage import Stage, StageResult

SOURCES: dict[str, type[Source]] = {
    "sample": SampleSource,
    "csv": CsvSource,
    "kaggle": KaggleSource,
    "api": BoardSource,
    "folder": FolderSource,
    "webdataset": WebdatasetSource,
    "hf": HfSource,
    "table": TableSource,
}
"""The classes of `[metadata] source`."""


class ImportMetadata(Stage):
    """Import posts into `posts.parquet`; rows that cannot be read go to `quarantine.csv`."""

    version = 4
    stage = "metadata"
    unit = "posts"

    @property
    def source(self) -> Source:
        """The source of the posts."""
        return SOURCES[config.options(MetadataOptions).source](self)

    def settings(self) -> dict[str, object]:
        """Return the source, and the options that it depends on."""
        return {"source": config.options(MetadataOptions).source, **self.source.settings()}

    def artefact(self) -> Path:
        """Return the folder of `posts.parquet` and `quarantine.csv`."""
        return self.dataset.metadata(self.settings_hash())

    @property
    def posts(self) -> Path:
        """The table of all posts that could be read."""
        return self.artefact() / "posts.parquet"

    @property
    def quarantine(self) -> Path:
        """The table of the rows that are no posts, each with the reason."""
        return self.artefact() / "quarantine.csv"

    @property
    def has_local_pictures(self) -> bool:
        """Whether the posts' pictures are on this machine; it must have been made."""
        return self.source.has_local_pictures()

    @property
    def pictures_root(self) -> Path:
        """The folder that the addresses of local pictures are relative to."""
        return self.source.pictures_root()

    def unmet_requirements(self) -> list[str]:
        """Return a sentence for a missing file, folder or library."""
        return self.source.unmet_requirements()

    def shared_resources(self) -> dict[str, int]:
        """Return what the source shares with other builds."""
        return self.source.shared_resources()

    def content_from(self) -> list[str]:
        """Return the digests of what the posts are read from."""
        return self.source.content()

    def complete(self) -> bool:
        """Return whether it is imported, and a board was asked for new posts in this run."""
        manifest = read_manifest(self.manifest_path())
        is_current = manifest is not None and manifest.build == RUN_ID
        return super().complete() and (is_current or not self.source.has_new_posts())

    def make(self, on_progress: OnProgress) -> StageResult:
        """Fetch the posts from their source, and import them."""
        return self.source.make(on_progress)
