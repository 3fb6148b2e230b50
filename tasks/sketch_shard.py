"""Three styles of sketch from every picture of a shard."""

from __future__ import annotations

from pathlib import Path

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

    def upstream(self) -> list[Stage]:
        """The pictures."""
        return [DownloadShard(shard=self.shard)]

    def settings(self) -> dict[str, object]:
        """The model with its own options, and the working size."""
        return config.result_options(SketchOptions) | config.model_settings(self._model)

    @property
    def _model(self) -> str:
        return config.options(SketchOptions).model

    def process_resources(self) -> dict[str, int]:
        """Networks take turns on the GPU."""
        return {"gpu": 1} if registry.uses_gpu(self._model_options) else {}

    @property
    def _model_options(self) -> registry.SketchOptions:
        return config.model_options(self._model)

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
