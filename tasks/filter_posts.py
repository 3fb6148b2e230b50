"""The posts that match the recipe, in shards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pipeline import store
from pipeline.posts.filter import FilterOptions, filter_posts
from pipeline.progress import Advance, Progress
from sketch_models.errors import SengaError
from tasks import config
from tasks.import_metadata import ImportMetadata
from tasks.stage import Stage, StageResult


class FilterPosts(Stage):
    """Keeps the posts whose tags, rating, score and size fit; counts what each rule drops."""

    stage = "filter"
    unit = "posts"

    def upstream(self) -> list[Stage]:
        """All posts."""
        return [ImportMetadata()]

    def settings(self) -> dict[str, object]:
        """The rules, and how wide a shard is."""
        return {
            **config.result_options(FilterOptions),
            "shard_width": config.options(config.BuildOptions).shard_width,
        }

    def artefact(self) -> Path:
        """Folder of `shard-NNNNN.parquet`."""
        return self.dataset.posts(self.recipe())

    def shard_posts(self, shard: int) -> Path:
        """The posts of one shard."""
        return self.artefact() / f"{store.shard_name(shard)}.parquet"

    def shards(self) -> dict[int, dict[str, object]]:
        """Rows and digest of each shard that has posts; raises NotReadyError."""
        shards = self.manifest().facts["shards"]
        assert isinstance(shards, dict)
        return {int(number): facts for number, facts in shards.items()}

    def progress(self) -> Progress:
        """Every post is looked at."""
        return Progress(total=ImportMetadata().manifest().kept)

    def make(self, advance: Advance) -> StageResult:
        """Filters; refuses to go on with nothing."""
        options = config.options(FilterOptions)
        width = config.options(config.BuildOptions).shard_width
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            result = filter_posts(ImportMetadata().posts, folder, options, width, advance)
        if not result.kept:
            rules = ", ".join(f"{rule} dropped {dropped:,}" for rule, dropped in result.funnel)
            raise SengaError(f"No post matches [filter] ({rules}): loosen one of these rules.")
        return StageResult(
            kept=result.kept,
            dropped={rule: dropped for rule, dropped in result.funnel if dropped},
            facts={
                "funnel": [list(row) for row in result.funnel],
                "shards": {str(number): asdict(facts) for number, facts in result.shards.items()},
            },
        )
