"""Three styles of sketch from every picture of a shard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import luigi

from pipeline import store
from pipeline.download import kept_ids
from pipeline.outcome import OK, count, write_outcomes
from pipeline.progress import Advance
from pipeline.sketch import SketchOptions, sketch_shard
from sketch_models import registry
from sketch_models.networks import GpuOptions
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.shards import ShardStage
from tasks.stage import Made, Stage


class SketchShard(ShardStage):
    """Draws `original`, `enhanced` and `pured` from the sketch model's line map."""

    stage = "sketch"
    priority = 20

    model = luigi.Parameter(description="the sketch model, one of [sketch] models")

    @classmethod
    def variants(cls, shard: int) -> Mapping[str, SketchShard]:
        """One per sketch model; where there are several, `_<model>` is the suffix."""
        models = config.options(SketchOptions).models
        several = len(models) > 1
        return {f"_{model}" if several else "": cls(shard=shard, model=model) for model in models}

    def upstream(self) -> list[Stage]:
        """The pictures."""
        return [DownloadShard(shard=self.shard)]

    def settings(self) -> dict[str, object]:
        """The model with its own options, and the working size."""
        shared = config.result_options(SketchOptions)
        del shared["models"]  # the others do not change what this one makes
        return {**shared, "model": self.model, **config.model_settings(self.model)}

    def process_resources(self) -> dict[str, int]:
        """Networks take turns on the GPU."""
        return {"gpu": 1} if registry.uses_gpu(self._model_options) else {}

    @property
    def _model_options(self) -> registry.SketchOptions:
        return config.model_options(self.model)

    def needs(self) -> list[str]:
        """The sentence for weights that are not where the configuration says."""
        return registry.needs(self._model_options)

    def has_weights(self) -> bool:
        """Whether the model can be loaded without a network."""
        return registry.has_weights(self._model_options)

    def fetch_weights(self) -> None:
        """Fetches the model's weights."""
        registry.fetch_weights(self._model_options)

    def artefact(self) -> Path:
        """Tar of `<id>.<style>.png`."""
        return self.dataset.sketch(self.recipe(), self.shard)

    def make(self, advance: Advance) -> Made:
        """Draws and publishes the tar and its outcomes."""
        download = DownloadShard(shard=self.shard)
        ids = kept_ids(FilterPosts().shard_posts(self.shard), download.outcomes)
        options = config.options(SketchOptions)
        gpu = config.options(GpuOptions)
        model = registry.sketch_model(self._model_options, gpu, options.runtime)
        with (
            store.publish(self.artefact()) as tar,
            store.publish(store.outcomes_of(self.artefact())) as table,
        ):
            outcomes = sketch_shard(download.artefact(), ids, tar, model, options, advance)
            write_outcomes(outcomes, table)
        codes = count(outcomes)
        return Made(kept=codes.pop(OK, 0), dropped=codes)
