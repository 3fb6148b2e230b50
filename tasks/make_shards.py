"""The task that makes a part of the shards of one stage: for the jobs of a cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping

import luigi

from pipeline import lock
from sketch_models.errors import ConfigError, SengaError
from tasks.download_shard import DownloadShard
from tasks.fetch_weights import FetchWeights
from tasks.filter_posts import FilterPosts
from tasks.import_metadata import ImportMetadata
from tasks.screen_shard import ScreenShard
from tasks.senga_task import SengaTask
from tasks.shards import ShardStage
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.stage import logger

_STAGES: Mapping[str, type[ShardStage]] = {
    "download": DownloadShard,
    "screen": ScreenShard,
    "sketch": SketchShard,
    "simplify": SimplifyShard,
}
_PART = re.compile(r"([0-9]+)/([0-9]+)")


class MakeShards(SengaTask):
    """Make a part of the shards of a stage, and end; other processes make the other parts.

    What the shards are made from is made first, but for posts and downloads, which all parts need.
    """

    stage = luigi.Parameter(description="download, screen, sketch or simplify")
    part = luigi.Parameter("1/1", description="which part of how many: 3/16 is the third of 16")

    def __init__(self, *args: object, **values: object) -> None:
        """Check the parameters."""
        super().__init__(*args, **values)
        if self.stage not in _STAGES:
            raise ConfigError(f"--stage {self.stage}: expected one of {', '.join(_STAGES)}.")
        match = _PART.fullmatch(self.part)
        self._number, self._parts = map(int, match.groups()) if match else (0, 0)
        if not 1 <= self._number <= self._parts:
            raise ConfigError(
                f"--part {self.part}: expected a part and the number of parts, such as 3/16."
            )

    def shards(self) -> list[ShardStage]:
        """Return the tasks of this part, which take turns with those of the others."""
        numbers = sorted(FilterPosts().shards())[self._number - 1 :: self._parts]
        made = _STAGES[self.stage]
        return [task for number in numbers for task in made.variants(number).values()]

    def requires(self) -> list[luigi.Task]:
        """Return the shards, and the weights of the networks that draw them."""
        if self._is_missing():
            return []
        draws = self.stage in ("sketch", "simplify")
        return [*(FetchWeights.of_configured_models() if draws else []), *self.shards()]

    def process_resources(self) -> dict[str, int]:
        """Lock the dataset together with the other parts, before anything runs.

        Raises:
            SengaError: if something that all parts need is not made, or a build has the dataset.
        """
        if missing := self._is_missing():
            raise SengaError(missing)
        lock.lock_dataset(FilterPosts().dataset.root, shared=True)
        return {}

    def complete(self) -> bool:
        """Return whether every shard of this part is made."""
        return not self._is_missing() and all(task.complete() for task in self.shards())

    def run(self) -> None:
        """Say what this part has."""
        self.log_done()

    def log_done(self) -> None:
        """Log a line: the shards of this part, and how many pictures they have."""
        shards = self.shards()
        kept = sum(task.manifest().kept for task in shards)
        logger.info(
            "%-9s part %s: %s pictures in %s shards",
            self.stage,
            self.part,
            f"{kept:,}",
            f"{len(shards):,}",
        )

    def _is_missing(self) -> str:
        """Return what must be made before the parts of this stage can be; empty if nothing."""
        if ImportMetadata().source.has_new_posts():
            return (
                "Parts need the same posts, and a board may have new ones for each. Set [metadata] "
                "new_posts = false for the parts, once FilterPosts has collected the posts."
            )
        if not FilterPosts().complete():
            return (
                "The posts of the dataset are not filtered yet, which all parts need. Run senga "
                "FilterPosts first, once."
            )
        numbers = [] if self.stage == "download" else sorted(FilterPosts().shards())
        mine = [DownloadShard(shard=number) for number in numbers[self._number - 1 :: self._parts]]
        missing = sum(not task.complete() for task in mine)
        if missing and mine[0].shared_resources():
            return (
                f"{missing:,} of the {len(mine):,} shards of this part are not downloaded yet. Run "
                "senga MakeShards --stage download first, once: the hosts are asked by one process "
                "at a time."
            )
        return ""


@MakeShards.event_handler(luigi.Event.DEPENDENCY_PRESENT)
def _log_done(task: MakeShards) -> None:
    task.log_done()
