"""The pictures of a shard's posts."""

from __future__ import annotations

from pathlib import Path

from pipeline import store
from pipeline.collect.download import DownloadOptions, check_share, download_shard
from pipeline.progress import Advance
from tasks import config
from tasks.filter_posts import FilterPosts
from tasks.guest import going_out
from tasks.shards import ShardStage
from tasks.stage import Stage, StageResult


class DownloadShard(ShardStage):
    """Fetches what is not here yet; what cannot be had is a row with its reason."""

    stage = "download"
    priority = 30  # stage by stage, so that there is one progress line at a time

    def upstream(self) -> list[Stage]:
        """The posts."""
        return [FilterPosts()]

    def settings(self) -> dict[str, object]:
        """The limits on what is accepted."""
        return config.result_options(DownloadOptions)

    def content_from(self) -> list[str]:
        """This shard's posts alone, so that posts elsewhere change nothing here."""
        return [str(FilterPosts().shards()[self.shard]["digest"])]

    def input_count(self) -> int:
        """Posts in this shard."""
        return int(str(FilterPosts().shards()[self.shard]["rows"]))

    def artefact(self) -> Path:
        """Tar of the original bytes; shared by all recipes, so that nothing is fetched twice."""
        return self.dataset.color(self.shard)

    def manifest_path(self) -> Path:
        """One per recipe: it says that the tar holds what this recipe asks for."""
        return self.dataset.color_manifest(self.recipe(), self.shard)

    @property
    def outcomes(self) -> Path:
        """What became of every URL."""
        return self.dataset.color_outcomes(self.shard)

    def process_resources(self) -> dict[str, int]:
        """One shard after the other, however many workers there are: hosts are shared."""
        return {"download": 1}

    def make(self, advance: Advance) -> StageResult:
        """Fetches and publishes the tar and its outcomes."""
        journal = self.dataset.color_journal(self.shard)
        with (
            going_out() as guest,
            store.publish(self.artefact()) as tar,
            store.publish(self.outcomes) as outcomes,
        ):
            result = download_shard(
                FilterPosts().shard_posts(self.shard),
                tar,
                outcomes,
                guest,
                journal=journal,
                have=self.artefact(),
                known=self.outcomes,
                advance=advance,
            )
        journal.unlink()
        check_share(result, config.options(DownloadOptions))
        return StageResult(
            kept=result.kept,
            dropped=result.dropped,
            unfinished=result.transient,
            content=result.digest,
        )
