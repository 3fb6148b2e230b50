"""Which pictures are for training and which for the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline import store
from pipeline.outcome import ok_ids
from pipeline.progress import Advance
from pipeline.split import SplitOptions, split_ids, write_split
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.simplify_shard import SimplifyShard
from tasks.stage import Made, Stage


class SplitDataset(Stage):
    """Splits the posts that have all their parts, by the hash of their ids."""

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
        """How many go to the test set, and the seed."""
        seed = config.options(config.BuildOptions).seed
        return {**config.result_options(SplitOptions), "seed": seed}

    def artefact(self) -> Path:
        """Folder of `split.parquet`."""
        return self.dataset.split(self.recipe())

    @property
    def table(self) -> Path:
        """Post id and part."""
        return self.artefact() / "split.parquet"

    def run(self) -> Iterator[list[SimplifyShard]]:
        """Asks for the shards, then splits."""
        yield self.lines()
        self.make_and_record()

    def make(self, advance: Advance) -> Made:
        """Splits and publishes the table."""
        ids = [post_id for number in FilterPosts().shards() for post_id in _whole(number)]
        parts = split_ids(
            ids, config.options(SplitOptions), config.options(config.BuildOptions).seed
        )
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            write_split(parts, folder / "split.parquet")
        advance(len(ids))
        downloads = [DownloadShard(shard=number) for number in FilterPosts().shards()]
        missing = sum(task.manifest().kept for task in downloads) - len(ids)
        return Made(
            kept=len(ids),
            dropped={"part_missing": missing} if missing else {},
            facts={part: list(parts.values()).count(part) for part in ("train", "test")},
            content=store.digest(parts),
        )


def _whole(shard: int) -> list[int]:
    """The posts of a shard that have every variant of line art."""
    variants = SimplifyShard.variants(shard).values()
    found = [ok_ids(store.outcomes_of(task.artefact())) for task in variants]
    return sorted(set(found[0]).intersection(*found))
