"""Which pictures are for training and which for the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline import store
from pipeline.outcome import ok_ids
from pipeline.pack.split import SplitOptions, split_ids, write_split
from pipeline.posts.filter import FilterOptions
from pipeline.progress import Advance
from pipeline.screen.duplicates import described, group, write_groups
from tasks import config
from tasks.filter_posts import FilterPosts
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.stage import Stage, StageResult


class SplitDataset(Stage):
    """Finds pictures that show the same, and splits them together, by the hash of the first id."""

    stage = "split"

    def requires(self) -> list[Stage]:
        """The posts: only they say which shards there are."""
        return [FilterPosts()]

    def lines(self) -> list[SimplifyShard]:
        """The line art of every shard, in every variant; raises NotReadyError."""
        shards = FilterPosts().shards()
        return [task for number in shards for task in SimplifyShard.variants(number).values()]

    def recipe_from(self) -> list[Stage]:
        """A shard's recipe does not depend on its number."""
        return list(SimplifyShard.variants(0).values())

    def content_from(self) -> list[str]:
        """Every shard's line art."""
        return [task.manifest().content for task in self.lines()]

    def settings(self) -> dict[str, object]:
        """How many go to the test set, the seed, and what becomes of duplicates."""
        return {
            **config.result_options(SplitOptions),
            "seed": config.options(config.BuildOptions).seed,
            "duplicates": config.options(FilterOptions).duplicates,
        }

    def artefact(self) -> Path:
        """Folder of `split.parquet`, `groups.parquet` and `joins.parquet`."""
        return self.dataset.split(self.recipe())

    @property
    def table(self) -> Path:
        """Post id and part."""
        return self.artefact() / "split.parquet"

    def run(self) -> Iterator[list[SimplifyShard]]:
        """Asks for the shards, then splits."""
        yield self.lines()
        self.make_and_record()

    def make(self, advance: Advance) -> StageResult:
        """Groups, splits and publishes the tables."""
        shards = list(FilterPosts().shards())
        downloaded = sum(ScreenShard(shard=number).manifest().kept for number in shards)
        whole = [post_id for number in shards for post_id in _whole(number)]
        screens = [ScreenShard(shard=number).artefact() for number in shards]
        posts = [FilterPosts().shard_posts(number) for number in shards]
        groups = group(described(screens, posts, whole))
        ids = whole
        if config.options(FilterOptions).duplicates == "first":
            ids = [post_id for post_id in whole if groups.first[post_id] == post_id]
        seed = config.options(config.BuildOptions).seed
        parts = split_ids(ids, config.options(SplitOptions), seed, groups.first)
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = write_split(parts, folder / "split.parquet")
            write_groups(groups, folder)
        advance(len(parts))
        dropped = {
            "part_missing": downloaded - len(whole),
            "duplicate": len(whole) - len(ids),
            "beside_the_test": len(ids) - len(parts),
        }
        return StageResult(
            kept=len(parts),
            dropped={reason: number for reason, number in dropped.items() if number},
            facts={**counts, "joins": groups.counts},
            content=store.digest(parts),
        )


def _whole(shard: int) -> list[int]:
    """The posts of a shard that have every variant of line art."""
    variants = SimplifyShard.variants(shard).values()
    found = [ok_ids(store.outcomes_of(task.artefact())) for task in variants]
    return sorted(set(found[0]).intersection(*found))
