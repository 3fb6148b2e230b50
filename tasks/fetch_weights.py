"""The task that provides the weights of a network, before anything else is made."""

from __future__ import annotations

import luigi

from pipeline.draw.simplify import SimplifyOptions
from pipeline.draw.sketch import SketchOptions
from sketch_models import registry
from sketch_models.errors import ConfigError, SengaError
from tasks import config
from tasks.senga_task import SengaTask


class FetchWeights(SengaTask):
    """Download, verify and convert the weights of one network.

    They are outside of the dataset, in the cache folder of the weights, so that there is no
    manifest: the task is complete as long as the converted file exists.
    """

    model = luigi.Parameter(description="the sketch or line model that is a network")

    def __init__(self, *args: object, **values: object) -> None:
        """Check that the model is a network."""
        super().__init__(*args, **values)
        models = (*registry.SKETCH_MODELS, *registry.LINE_MODELS)
        networks = [name for name in models if registry.is_network(config.model_options(name))]
        if self.model not in networks:
            raise ConfigError(f"--model {self.model}: expected one of {', '.join(networks)}.")

    @classmethod
    def of_configured_models(cls) -> list[FetchWeights]:
        """Return a task for each configured sketch or line model that is a network."""
        models = [*config.options(SketchOptions).models, config.options(SimplifyOptions).model]
        return [
            cls(model=model) for model in models if registry.is_network(config.model_options(model))
        ]

    def process_resources(self) -> dict[str, int]:
        """Allow one download at a time, so that there is one progress line."""
        return {"download": 1}

    def complete(self) -> bool:
        """Return whether the weights are on this machine, ready to be loaded."""
        try:
            return registry.weights_are_prepared(config.model_options(self.model))
        except SengaError:  # `run` raises it again
            return False

    def run(self) -> None:
        """Download, verify and convert the weights."""
        registry.prepare_weights(config.model_options(self.model))
