"""What the tasks that work on one shard share."""

from __future__ import annotations

from collections.abc import Mapping

import luigi

from pipeline.progress import Progress
from tasks.filter_posts import FilterPosts
from tasks.stage import NotReadyError, Stage, say


class ShardStage(Stage):
    """A stage that is one task per closed range of post ids."""

    shard = luigi.IntParameter(description="number of the shard: posts [shard, shard + 1) x width")

    @classmethod
    def variants(cls, shard: int) -> Mapping[str, ShardStage]:
        """The tasks of this stage for one shard, by the suffix of what they make."""
        return {"": cls(shard=shard)}

    def others(self) -> list[ShardStage]:
        """All tasks of this stage, this one included."""
        shards = FilterPosts().shards()
        return [task for number in shards for task in self.variants(number).values()]

    def expected(self) -> int:
        """Pictures that reach this shard; raises NotReadyError."""
        return sum(task.manifest().kept for task in self.upstream())

    def progress(self) -> Progress:
        """Over all shards, of which some are done."""
        total, done, seconds = 0, 0, 0.0
        for task in self.others():
            try:
                expected = task.expected()
            except NotReadyError:
                continue
            total += expected
            if task.complete():
                done += expected
                seconds += task.manifest().seconds
        return Progress(total=total, done=done, seconds=seconds)

    def say_done(self) -> None:
        """Says the stage's line once its last shard is done."""
        tasks = self.others()
        if all(task.complete() for task in tasks):
            say(self.stage, [task.manifest() for task in tasks], self.unit)
