"""`ShardStage` and `DrawStage`, the base classes of the tasks that work on one shard."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import luigi
from luigi.interface import core

from pipeline import cores, lock, store
from pipeline.outcome import OK, DrawnOutcome, count_codes, write_drawn_outcomes
from pipeline.progress import OnProgress, Progress
from sketch_models import registry
from sketch_models.network_options import ComputeOptions
from sketch_models.registry import ModelOptions
from tasks import config
from tasks.filter_posts import FilterPosts
from tasks.stage import NotReadyError, Stage, StageResult, log_summary


class ShardStage(Stage):
    """A stage that has one task per shard, which is a range of post ids."""

    shard = luigi.IntParameter(description="number of the shard: posts [shard, shard + 1) x width")

    @classmethod
    def variants(cls, shard: int) -> Mapping[str, ShardStage]:
        """Return the tasks of this stage for one shard, by the suffix of their HDF5 datasets."""
        return {"": cls(shard=shard)}

    @property
    def outcomes(self) -> Path:
        """The table of outcomes: what became of every picture of the shard."""
        return store.outcomes_path(self.artefact())

    def settings_hash(self) -> str:
        """Return that of the first shard: settings do not depend on the number."""
        return super().settings_hash() if self.shard == 0 else self.clone(shard=0).settings_hash()

    def all_tasks(self) -> list[ShardStage]:
        """Return the tasks of this stage for all shards, this one included."""
        shards = FilterPosts().shards()
        return [task for number in shards for task in self.variants(number).values()]

    def input_count(self) -> int:
        """Return how many pictures this shard starts with; raise NotReadyError until it can."""
        return sum(task.manifest().kept for task in self.upstream())

    def progress(self) -> Progress:
        """Return the progress over all shards, of which some are done."""
        total, done, seconds = 0, 0, 0.0
        for task in self.all_tasks():
            try:
                pictures = task.input_count()
            except NotReadyError:
                continue
            total += pictures
            if task.is_ready():
                done += pictures
                seconds += task.manifest().seconds
        return Progress(total=total, done=done, seconds=seconds)

    def make_and_record(self) -> None:
        """Make the shard, unless another job that shares the dataset makes it meanwhile."""
        with lock.lock_artefact(self.dataset.root, self.manifest_path()):
            super().make_and_record()

    def log_done(self) -> None:
        """Log the line of the stage once its last shard is done."""
        tasks = self.all_tasks()
        if all(task.is_ready() for task in tasks):
            log_summary(self.stage, [task.manifest() for task in tasks], self.unit)


class DrawStage(ShardStage):
    """A stage whose shards are drawn by a sketch or line model."""

    @abstractmethod
    def model_options(self) -> ModelOptions:
        """Return the options of the model."""

    @abstractmethod
    def draw(self, tar: Path, on_progress: OnProgress) -> list[DrawnOutcome]:
        """Draw the shard into a tar of `<id>.<style>.png`."""

    def shared_resources(self) -> dict[str, int]:
        """Let one network at a time use the GPU; a large one has the CPU for itself, too."""
        model = self.model_options()
        if not registry.is_network(model):
            return {}
        on_cpu = config.options(ComputeOptions).device == "cpu" or not cores.may_have_gpu()
        return {} if on_cpu and registry.is_small(model) else {"gpu": 1}

    def unmet_requirements(self) -> list[str]:
        """Return a message if the configured weights do not exist."""
        return registry.unmet_requirements(self.model_options())

    def made_files(self) -> list[Path]:
        """Return the tar and its table."""
        return [self.artefact(), self.outcomes]

    def make(self, on_progress: OnProgress) -> StageResult:
        """Draw and publish the tar and its outcomes."""
        cores.share_cores(1 if self.shared_resources() else core().workers)
        with (
            store.publish(self.artefact()) as tar,
            store.publish(self.outcomes) as table,
        ):
            outcomes = self.draw(tar, on_progress)
            write_drawn_outcomes(outcomes, table)
        codes = count_codes(outcomes)
        return StageResult(kept=codes.pop(OK, 0), dropped=codes)
