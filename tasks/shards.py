"""What the tasks that work on one shard share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import luigi

from pipeline import store
from pipeline.outcome import OK, Outcome, count, write_outcomes
from pipeline.progress import Advance, Progress
from sketch_models import registry
from sketch_models.registry import ModelOptions
from tasks.filter_posts import FilterPosts
from tasks.stage import Made, NotReadyError, Stage, say


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
            if task.is_ready():
                done += expected
                seconds += task.manifest().seconds
        return Progress(total=total, done=done, seconds=seconds)

    def say_done(self) -> None:
        """Says the stage's line once its last shard is done."""
        tasks = self.others()
        if all(task.is_ready() for task in tasks):
            say(self.stage, [task.manifest() for task in tasks], self.unit)


class DrawStage(ShardStage):
    """A stage whose shards are drawn by a sketch or line model."""

    @abstractmethod
    def drawn_by(self) -> ModelOptions:
        """The options of the model."""

    @abstractmethod
    def draw(self, tar: Path, advance: Advance) -> list[Outcome]:
        """Draws the shard into a tar of `<id>.<style>.png`."""

    def process_resources(self) -> dict[str, int]:
        """Networks take turns on the GPU."""
        return {"gpu": 1} if registry.is_network(self.drawn_by()) else {}

    def needs(self) -> list[str]:
        """The sentence for weights that are not where the configuration says."""
        return registry.unmet_requirements(self.drawn_by())

    def prepare(self) -> None:
        """Fetches the model's weights and looks whether they are whole."""
        registry.prepare_weights(self.drawn_by())

    def make(self, advance: Advance) -> Made:
        """Draws and publishes the tar and its outcomes."""
        with (
            store.publish(self.artefact()) as tar,
            store.publish(store.outcomes_of(self.artefact())) as table,
        ):
            outcomes = self.draw(tar, advance)
            write_outcomes(outcomes, table)
        codes = count(outcomes)
        return Made(kept=codes.pop(OK, 0), dropped=codes)
