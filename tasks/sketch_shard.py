"""The task that draws the sketches of the pictures of a shard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import luigi

from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import DrawnOutcome, read_ok_ids
from pipeline.progress import OnProgress
from sketch_models import registry
from sketch_models.network_options import ComputeOptions
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.screen_shard import ScreenShard
from tasks.shards import DrawStage
from tasks.stage import Stage


class SketchShard(DrawStage):
    """Draw `original`, `enhanced` and `pured` from the sketch model's line map."""

    version = 3
    stage = "sketch"
    priority = 20

    model = luigi.Parameter(description="the sketch model, one of [sketch] models")

    @classmethod
    def variants(cls, shard: int) -> Mapping[str, SketchShard]:
        """Return a task per sketch model; with several models the suffix is `_<model>`."""
        models = config.options(SketchOptions).models
        if len(models) == 1:
            return {"": cls(shard=shard, model=models[0])}
        return {f"_{model}": cls(shard=shard, model=model) for model in models}

    def upstream(self) -> list[Stage]:
        """Return the screening, which decides which pictures are drawn."""
        return [ScreenShard(shard=self.shard)]

    def settings(self) -> dict[str, object]:
        """Return the sketch model with its own options, and the size of the sketches."""
        shared = config.result_options(SketchOptions)
        del shared["models"]  # the other models do not change what this one draws
        return {**shared, "model": self.model, **config.model_settings(self.model)}

    def model_options(self) -> registry.SketchOptions:
        """Return the options of the sketch model."""
        return config.model_options(self.model)

    def artefact(self) -> Path:
        """Return the path of the tar of `<id>.<style>.png`."""
        return self.dataset.sketch(self.settings_hash(), self.shard)

    def draw(self, tar: Path, on_progress: OnProgress) -> list[DrawnOutcome]:
        """Draw every picture that the screening kept."""
        color = DownloadShard(shard=self.shard).artefact()
        ids = read_ok_ids(ScreenShard(shard=self.shard).artefact())
        options = config.options(SketchOptions)
        compute = config.options(ComputeOptions)
        model = registry.sketch_model(self.model_options(), compute, options.backend)
        return sketch_shard(color, ids, tar, model, options, on_progress)
