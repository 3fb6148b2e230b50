"""The task that splits the pictures into a training set and a test set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline import store
from pipeline.outcome import read_ok_ids
from pipeline.pack.split import SplitOptions, split_ids, write_split
from pipeline.posts.filter import FilterOptions
from pipeline.progress import OnProgress
from pipeline.screen.duplicates import group_duplicates, read_features, write_groups
from sketch_models.errors import SengaError
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.losses import Loss, biggest_loss, losses_of
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.stage import Stage, StageResult


class SplitDataset(Stage):
    """Group duplicates, and split the groups by the hash of their first id."""

    version = 2
    stage = "split"

    def requires(self) -> list[Stage]:
        """Return the filtered posts; the shards are known only when they are made."""
        return [FilterPosts()]

    def lines(self) -> list[SimplifyShard]:
        """Return the tasks of the line art of all shards and variants; raise NotReadyError."""
        shards = FilterPosts().shards()
        return [task for number in shards for task in SimplifyShard.variants(number).values()]

    def settings_from(self) -> list[Stage]:
        """Return the tasks of one shard, since their settings do not depend on its number."""
        return list(SimplifyShard.variants(0).values())

    def content_from(self) -> list[str]:
        """Return the digests of the line art of every shard."""
        return [task.manifest().content for task in self.lines()]

    def settings(self) -> dict[str, object]:
        """Return the options of the split, the seed, and whether duplicates are kept."""
        return {
            **config.result_options(SplitOptions),
            "seed": config.options(config.BuildOptions).seed,
            "duplicates": config.options(FilterOptions).duplicates,
        }

    def artefact(self) -> Path:
        """Return the folder of `split.parquet`, `groups.parquet` and `joins.parquet`."""
        return self.dataset.split(self.settings_hash())

    @property
    def table(self) -> Path:
        """The path of the table with the columns id and part."""
        return self.artefact() / "split.parquet"

    def run(self) -> Iterator[list[SimplifyShard]]:
        """Require the shards, then split."""
        yield self.lines()
        self.make_and_record()

    def make(self, on_progress: OnProgress) -> StageResult:
        """Group the pictures, split them, and publish the tables."""
        shards = list(FilterPosts().shards())
        downloaded = sum(ScreenShard(shard=number).manifest().kept for number in shards)
        complete = [post_id for number in shards for post_id in _complete_ids(number)]
        screens = [ScreenShard(shard=number).artefact() for number in shards]
        posts = [FilterPosts().shard_posts(number) for number in shards]
        options = config.options(SplitOptions)
        features = read_features(screens, posts, complete)
        groups = group_duplicates(features, mirrored=options.mirrored)
        ids = complete
        if config.options(FilterOptions).duplicates == "first":
            ids = [post_id for post_id in complete if groups.first[post_id] == post_id]
        seed = config.options(config.BuildOptions).seed
        try:
            split = split_ids(ids, options, seed, groups.first)
        except SengaError as error:
            raise _too_few(len(ids), error) from error
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = write_split(split, folder / "split.parquet")
            write_groups(groups, folder)
        on_progress(len(split))
        dropped = {
            "part_missing": downloaded - len(complete),
            "duplicate": len(complete) - len(ids),
            "beside_the_test": len(ids) - len(split),
        }
        return StageResult(
            kept=len(split),
            dropped={reason: number for reason, number in dropped.items() if number},
            facts={**counts, "joins": groups.counts},
            content=store.digest(split),
        )


def _too_few(pictures: int, error: SengaError) -> SengaError:
    """Return the error of a split of too few pictures, with the biggest loss before it."""
    losses: list[Loss] = []
    for stage in (DownloadShard, ScreenShard, SketchShard, SimplifyShard):
        tasks = [
            task for number in FilterPosts().shards() for task in stage.variants(number).values()
        ]
        parts = [(task.manifest(), task.outcomes) for task in tasks]
        losses += losses_of(stage.stage, stage.unit, parts)
    loss = biggest_loss(losses)
    if not loss:
        return error
    return SengaError(f"{error} {loss}" if pictures else f"No picture is left. {loss}")


def _complete_ids(shard: int) -> list[int]:
    """Return the ids of the posts of a shard that have every variant of line art."""
    variants = SimplifyShard.variants(shard).values()
    first, *others = (read_ok_ids(store.outcomes_path(task.artefact())) for task in variants)
    return sorted(set(first).intersection(*others))
