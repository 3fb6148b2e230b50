"""Clean line art from every sketch of a shard."""

from __future__ import annotations

from pathlib import Path

from pipeline import store
from pipeline.outcome import OK, count, write_outcomes
from pipeline.progress import Advance
from pipeline.simplify import SimplifyOptions, simplify_shard
from sketch_models import registry
from sketch_models.networks import GpuOptions
from tasks import config
from tasks.shards import ShardStage
from tasks.sketch_shard import SketchShard
from tasks.stage import Made, Stage


class SimplifyShard(ShardStage):
    """Turns the three sketches of every picture into line art, aligned to the pixel."""

    stage = "simplify"
    priority = 10

    def upstream(self) -> list[Stage]:
        """The sketches."""
        return [SketchShard(shard=self.shard)]

    def settings(self) -> dict[str, object]:
        """The model with its own options."""
        return config.result_options(SimplifyOptions) | config.model_settings(self._model)

    @property
    def _model(self) -> str:
        return config.options(SimplifyOptions).model

    def process_resources(self) -> dict[str, int]:
        """Networks take turns on the GPU."""
        return {"gpu": 1} if registry.uses_gpu(self._model_options) else {}

    @property
    def _model_options(self) -> registry.LineOptions:
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
        return self.dataset.line(self.recipe(), self.shard)

    def make(self, advance: Advance) -> Made:
        """Simplifies and publishes the tar and its outcomes."""
        sketches = SketchShard(shard=self.shard).artefact()
        options = config.options(SimplifyOptions)
        model = registry.line_model(self._model_options, config.options(GpuOptions))
        with (
            store.publish(self.artefact()) as tar,
            store.publish(store.outcomes_of(self.artefact())) as table,
        ):
            outcomes = simplify_shard(sketches, tar, model, options, advance)
            write_outcomes(outcomes, table)
        codes = count(outcomes)
        return Made(kept=codes.pop(OK, 0), dropped=codes)
