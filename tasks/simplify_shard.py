"""The task that simplifies the sketches of a shard to line art."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import luigi

from pipeline.draw.simplify import SimplifyOptions, simplify_shard
from pipeline.outcome import DrawnOutcome
from pipeline.progress import OnProgress
from sketch_models import registry
from sketch_models.network_options import ComputeOptions
from tasks import config
from tasks.shards import DrawStage
from tasks.sketch_shard import SketchShard
from tasks.stage import Stage


class SimplifyShard(DrawStage):
    """Turn the three sketches of every picture into line art, aligned to the pixel."""

    version = 2
    stage = "simplify"
    priority = 10

    model = luigi.Parameter(description="the sketch model whose sketches these are")
    size = luigi.IntParameter(default=0, description="long side in pixels; 0: as the sketches")

    @classmethod
    def variants(cls, shard: int) -> Mapping[str, SimplifyShard]:
        """Return a task per sketch model and size; several sizes end their suffix in `_<size>`."""
        sizes = config.options(SimplifyOptions).sizes or (0,)
        return {
            f"{suffix}_{size}" if len(sizes) > 1 else suffix: cls(
                shard=shard, model=sketch.model, size=size
            )
            for suffix, sketch in SketchShard.variants(shard).items()
            for size in sizes
        }

    @property
    def _sketches(self) -> SketchShard:
        return SketchShard(shard=self.shard, model=self.model)

    def upstream(self) -> list[Stage]:
        """Return the sketches."""
        return [self._sketches]

    def settings(self) -> dict[str, object]:
        """Return the line model with its own options, and the size."""
        shared = config.result_options(SimplifyOptions)
        del shared["sizes"]  # the other sizes do not change what this one draws
        return {**shared, "size": self.size, **config.model_settings(self._line_model)}

    @property
    def _line_model(self) -> str:
        return config.options(SimplifyOptions).model

    def model_options(self) -> registry.LineOptions:
        """Return the options of the line model."""
        return config.model_options(self._line_model)

    def artefact(self) -> Path:
        """Return the path of the tar of `<id>.<style>.png`."""
        return self.dataset.line(self.settings_hash(), self.shard)

    def draw(self, tar: Path, on_progress: OnProgress) -> list[DrawnOutcome]:
        """Simplify every sketch."""
        options = config.options(SimplifyOptions)
        model = registry.line_model(self.model_options(), config.options(ComputeOptions))
        sketches = self._sketches.artefact()
        return simplify_shard(
            sketches, tar, model, options, size=self.size, on_progress=on_progress
        )
