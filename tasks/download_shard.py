"""The pictures of a shard's posts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline import store
from pipeline.download import DownloadOptions, check_share, download_shard
from pipeline.metadata import MetadataOptions
from pipeline.progress import Advance
from tasks import config
from tasks.filter_posts import FilterPosts
from tasks.shards import ShardStage
from tasks.stage import Made, Stage


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

    def expected(self) -> int:
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

    def make(self, advance: Advance) -> Made:
        """Fetches and publishes the tar and its outcomes."""
        with (
            _sample_booru() as connect_to,
            store.publish(self.artefact()) as tar,
            store.publish(self.outcomes) as outcomes,
        ):
            result = download_shard(
                FilterPosts().shard_posts(self.shard),
                tar,
                outcomes,
                config.options(DownloadOptions),
                have=self.artefact(),
                known=self.outcomes,
                connect_to=connect_to,
                advance=advance,
            )
        check_share(result, config.options(DownloadOptions))
        return Made(
            kept=result.kept,
            dropped=result.dropped,
            unfinished=result.transient,
            content=result.digest,
        )


@contextlib.contextmanager
def _sample_booru() -> Iterator[Mapping[str, str]]:
    """Serves the sample booru on the loopback where it is the source of the posts."""
    metadata = config.options(MetadataOptions)
    if metadata.source != "sample":
        yield {}
        return
    from pipeline.sample_booru import HOST, serve  # draws, which no other source needs

    seed = config.options(config.BuildOptions).seed
    with serve(posts=metadata.sample_posts, seed=seed) as address:
        yield {HOST: address}
