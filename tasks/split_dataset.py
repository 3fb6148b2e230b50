"""The task that splits the pictures into a training set and a test set."""

from __future__ import annotations

from pathlib import Path

from pipeline import store
from pipeline.manifest import read_manifest
from pipeline.outcome import read_ok_ids
from pipeline.pack.ledger import read_ledger, record, write_ledger
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
from tasks.senga_task import RUN_ID
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.stage import Stage, StageResult


class SplitDataset(Stage):
    """Group duplicates, and split the groups; a ledger keeps old pictures on their side."""

    version = 3
    stage = "split"

    def requires(self) -> list[Stage]:
        """Return the filtered posts; the shards are known only when they are made."""
        return [FilterPosts()]

    def made_from(self) -> list[SimplifyShard]:
        """Return the line art, which `run` waits for."""
        return self.lines()

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

    @property
    def groups(self) -> Path:
        """The path of the table of duplicates, with the columns id and first."""
        return self.artefact() / "groups.parquet"

    @property
    def ledger(self) -> Path:
        """The path of the ledger, which splits of all settings share."""
        return self.dataset.split_ledger(config.options(config.BuildOptions).seed)

    def complete(self) -> bool:
        """Return whether it is split, and in this run if the ledger is to be set aside."""
        manifest = read_manifest(self.manifest_path())
        is_current = manifest is not None and manifest.build == RUN_ID
        return super().complete() and (is_current or not config.options(SplitOptions).fresh)

    def make(self, on_progress: OnProgress) -> StageResult:
        """Group the pictures, split them, and publish the tables."""
        shards = list(FilterPosts().shards())
        downloaded = sum(ScreenShard(shard=number).manifest().kept for number in shards)
        options = config.options(SplitOptions)
        complete = [post_id for number in shards for post_id in _complete_ids(number)]
        screens = [ScreenShard(shard=number).artefact() for number in shards]
        posts = [FilterPosts().shard_posts(number) for number in shards]
        features = read_features(screens, posts, complete)
        groups = group_duplicates(features, mirrored=options.mirrored)
        one_each = config.options(FilterOptions).duplicates == "first"
        pictures = len(set(groups.first.values())) if one_each else len(complete)
        seed = config.options(config.BuildOptions).seed
        ledger = {} if options.fresh else read_ledger(self.ledger)
        recorded = record(ledger, groups.first)
        try:
            split = split_ids(complete, options, seed, groups.first, recorded, one_each=one_each)
        except SengaError as error:
            raise _too_few(pictures, error) from error
        write_ledger(recorded, self.ledger, keep_old=options.fresh)
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = write_split(split, folder / "split.parquet")
            write_groups(groups, folder)
        on_progress(len(split))
        dropped = {
            "part_missing": downloaded - len(complete),
            "duplicate": len(complete) - pictures,
            "beside_the_test": pictures - len(split),
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
