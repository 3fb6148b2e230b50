"""The task that downloads the pictures of a shard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline import store
from pipeline.collect.copy import copy_shard
from pipeline.collect.download import (
    DownloadOptions,
    DownloadResult,
    check_failed_share,
    download_shard,
)
from pipeline.collect.local_pictures import LocalPictures
from pipeline.collect.table_pictures import TablePictures
from pipeline.damage import DamagedFileError
from pipeline.manifest import are_whole, write_sizes
from pipeline.posts.options import MetadataOptions
from pipeline.progress import OnProgress
from pipeline.table import check_table
from tasks import config
from tasks.client import open_client
from tasks.filter_posts import FilterPosts
from tasks.import_metadata import ImportMetadata
from tasks.shards import ShardStage
from tasks.stage import Stage, StageResult, logger


class DownloadShard(ShardStage):
    """Download the missing pictures, or copy them; one that fails becomes a row with its reason."""

    version = 2
    stage = "download"
    priority = 30  # stage by stage, so that there is one progress line at a time

    def __init__(self, *args: object, **values: object) -> None:
        """Call the stage by what it does."""
        super().__init__(*args, **values)
        if _is_local():
            self.stage = "copy"

    def upstream(self) -> list[Stage]:
        """Return the filtered posts."""
        return [FilterPosts()]

    def settings(self) -> dict[str, object]:
        """Return the options that decide which pictures are accepted."""
        return config.result_options(DownloadOptions)

    def content_from(self) -> list[str]:
        """Return the digest of the posts of this shard, which posts of others do not change."""
        return [str(FilterPosts().shard(self.shard)["digest"])]

    def input_count(self) -> int:
        """Return the number of posts in this shard."""
        return int(str(FilterPosts().shard(self.shard)["rows"]))

    def artefact(self) -> Path:
        """Return the tar of the original bytes; all filters share it: nothing is fetched twice."""
        return self.dataset.color(self.shard)

    def manifest_path(self) -> Path:
        """Return the manifest, one per filter: the tar holds what this filter keeps."""
        return self.dataset.color_manifest(self.settings_hash(), self.shard)

    @property
    def outcomes(self) -> Path:
        """The table of outcomes: what became of every URL."""
        return self.dataset.color_outcomes(self.shard)

    def made_files(self) -> list[Path]:
        """Return the tar and its table."""
        return [self.artefact(), self.outcomes]

    def is_whole(self) -> bool:
        """Return whether tar and table have the sizes after the last download, of any filter."""
        return are_whole(self.dataset.color_sizes(self.shard))

    def record_sizes(self) -> dict[str, int]:
        """Write the sizes for all filters, since the download of another filter changes them."""
        write_sizes(self.made_files(), self.dataset.color_sizes(self.shard))
        return {}

    def discard(self) -> None:
        """Delete the manifests of all filters: a damaged picture may be of any of them."""
        for path in self.dataset.color_manifests(self.shard):
            path.unlink(missing_ok=True)

    def shared_resources(self) -> dict[str, int]:
        """Allow one shard at a time, however many workers there are: hosts are shared."""
        return {} if _is_local() else {"download": 1}

    def make(self, on_progress: OnProgress) -> StageResult:
        """Download or copy the pictures; publish the tar and its outcomes."""
        result = self._copy(on_progress) if _is_local() else self._download(on_progress)
        return StageResult(
            kept=result.kept,
            dropped=result.dropped,
            unfinished=result.transient,
            content=result.digest,
        )

    def _copy(self, on_progress: OnProgress) -> DownloadResult:
        metadata, root = config.options(MetadataOptions), ImportMetadata().pictures_root
        pictures = LocalPictures(
            root=root,
            options=config.options(DownloadOptions),
            tables=TablePictures(root, metadata.image_column),
        )
        with (
            store.publish(self.artefact()) as tar,
            store.publish(self.outcomes) as outcomes,
        ):
            result = copy_shard(
                FilterPosts().shard_posts(self.shard),
                tar,
                outcomes,
                pictures,
                previous_tar=self.artefact(),
                previous_table=self._previous_table(),
                on_progress=on_progress,
            )
            if result.damaged:
                self._report_damage(result.damaged)
        return result

    def _download(self, on_progress: OnProgress) -> DownloadResult:
        journal = self.dataset.color_journal(self.shard)
        with (
            open_client() as client,
            store.publish(self.artefact()) as tar,
            store.publish(self.outcomes) as outcomes,
        ):
            result = download_shard(
                FilterPosts().shard_posts(self.shard),
                tar,
                outcomes,
                client,
                journal=journal,
                previous_tar=self.artefact(),
                previous_table=self._previous_table(),
                on_progress=on_progress,
            )
            if result.damaged:
                self._report_damage(result.damaged)
        journal.unlink()
        check_failed_share(result, config.options(DownloadOptions))
        return result

    def _previous_table(self) -> Path | None:
        """Return the path of the table of earlier downloads, unless it is damaged."""
        try:
            if self.outcomes.exists():
                check_table(self.outcomes)
        except DamagedFileError as error:
            logger.warning(
                "%s is damaged: %s. It is made again: pictures on disk are kept, what had failed "
                "is tried again.",
                error.path,
                error.fault,
            )
            return None
        return self.outcomes

    def _report_damage(self, post_ids: Sequence[int]) -> None:
        """Say which pictures were damaged; other filters download again those of them they keep."""
        named = ", ".join(map(str, post_ids[:5])) + (" ..." if len(post_ids) > 5 else "")
        logger.warning(
            "%s: %s damaged or missing (%s); those that are needed were fetched again.",
            self.artefact(),
            "1 picture was" if len(post_ids) == 1 else f"{len(post_ids):,} pictures were",
            f"post {named}" if len(post_ids) == 1 else f"posts {named}",
        )
        self.discard()


def _is_local() -> bool:
    """Return whether the pictures are on this machine already."""
    return ImportMetadata().has_local_pictures
