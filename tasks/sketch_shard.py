"""Three styles of sketch from every picture of a shard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import luigi

from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import Outcome
from pipeline.progress import Advance
from pipeline.screen.screen import read_kept_ids
from sketch_models import registry
from sketch_models.network_options import GpuOptions
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.screen_shard import ScreenShard
from tasks.shards import DrawStage
from tasks.stage import Stage


class SketchShard(DrawStage):
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
        return [ScreenShard(shard=self.shard)]

    def settings(self) -> dict[str, object]:
        """The model with its own options, and the working size."""
        shared = config.result_options(SketchOptions)
        del shared["models"]  # the others do not change what this one makes
        return {**shared, "model": self.model, **config.model_settings(self.model)}

    def drawn_by(self) -> registry.SketchOptions:
        """The options of the sketch model."""
        return config.model_options(self.model)

    def artefact(self) -> Path:
        """Tar of `<id>.<style>.png`."""
        return self.dataset.sketch(self.recipe(), self.shard)

    def draw(self, tar: Path, advance: Advance) -> list[Outcome]:
        """Draws every picture that was kept."""
        color = DownloadShard(shard=self.shard).artefact()
        ids = read_kept_ids(ScreenShard(shard=self.shard).artefact())
        options = config.options(SketchOptions)
        gpu = config.options(GpuOptions)
        model = registry.sketch_model(self.drawn_by(), gpu, options.runtime)
        return sketch_shard(color, ids, tar, model, options, advance)
