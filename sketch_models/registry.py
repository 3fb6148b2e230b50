"""The sketch and line models, by their names in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sketch_models import weights
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.errors import SengaError
from sketch_models.model import LineModel, SketchModel
from sketch_models.networks import GpuOptions, SimoSerraOptions, SketchKerasOptions
from sketch_models.xdog import Xdog, XdogOptions

if TYPE_CHECKING:
    from torch import Tensor

    from sketch_models.sketchkeras import SketchKeras

SKETCH_MODELS = ("xdog", "sketchkeras")
LINE_MODELS = ("centerline", "simo_serra")

SketchOptions: TypeAlias = XdogOptions | SketchKerasOptions
LineOptions: TypeAlias = CenterlineOptions | SimoSerraOptions
ModelOptions: TypeAlias = SketchOptions | LineOptions

_NETWORKS: dict[type, str] = {SketchKerasOptions: "sketchkeras", SimoSerraOptions: "simo_serra"}


def settings(options: ModelOptions, gpu: GpuOptions) -> dict[str, object]:
    """What else a model's result depends on: of a network, its weights and the precision.

    Raises:
        SengaError: where there is no such weight file.
    """
    if not isinstance(options, SketchKerasOptions | SimoSerraOptions):
        return {}
    identity = weights.identity(options.weights, **_source(options))
    return {"weights": identity, "precision": gpu.precision}


def needs(options: ModelOptions) -> list[str]:
    """What a person must provide before a model can run, a sentence each."""
    try:
        settings(options, GpuOptions())
    except SengaError as error:
        return [str(error)]
    return []


def has_weights(options: ModelOptions) -> bool:
    """Whether a model's weights, if it has any, are on this machine."""
    networks = SketchKerasOptions | SimoSerraOptions
    return not isinstance(options, networks) or weights.is_ready(options.weights)


def fetch_weights(options: ModelOptions) -> None:
    """Fetches a network's weights, unless they are here.

    Raises:
        SengaError: where they cannot be had.
    """
    if isinstance(options, SketchKerasOptions | SimoSerraOptions):
        weights.located(options.weights, **_source(options))


def uses_gpu(options: ModelOptions) -> bool:
    """Whether a model runs on the GPU, where there is one."""
    return type(options) in _NETWORKS


@lru_cache(maxsize=4)
def sketch_model(options: SketchOptions, gpu: GpuOptions, runtime: str) -> SketchModel:
    """The sketch model that takes such options; a network is loaded once per process.

    Args:
        options: of the model.
        gpu: where and how a network runs.
        runtime: torch or tensorflow; of sketchKeras only.

    Raises:
        SengaError: where its weights cannot be had, or are not what they should be.
    """
    if isinstance(options, XdogOptions):
        return Xdog(options)
    return _through_tensorflow(options) if runtime == "tensorflow" else _through_torch(options, gpu)


def _through_torch(options: SketchKerasOptions, gpu: GpuOptions) -> SketchKeras:
    from sketch_models import keras_file, sketchkeras
    from sketch_models.runner import Runner

    state = _state(options, keras_file.read)
    runner = Runner(sketchkeras.network(state, options.padding), gpu)
    return sketchkeras.SketchKeras(
        runner.run, square=options.canvas == "square", batch_size=runner.pictures_at_once
    )


def _through_tensorflow(options: SketchKerasOptions) -> SketchKeras:
    from sketch_models.sketchkeras import SketchKeras
    from sketch_models.sketchkeras_tensorflow import TensorflowNetwork

    path = weights.located(options.weights, **_source(options))
    network = TensorflowNetwork(path, options.padding)
    return SketchKeras(network.run, square=options.canvas == "square")


@lru_cache(maxsize=4)
def line_model(options: LineOptions, gpu: GpuOptions) -> LineModel:
    """The line model that takes such options; arguments and errors as those of `sketch_model`."""
    if isinstance(options, CenterlineOptions):
        return Centerline(options)
    from sketch_models import simo_serra, simo_serra_file
    from sketch_models.runner import Runner

    def read(path: Path) -> dict[str, NDArray[np.float32]]:
        return simo_serra_file.read(path, options.statistics)

    state = _state(options, read, options.statistics)
    runner = Runner(simo_serra.network(state), gpu)
    mean, std = (float(state[name]) for name in ("mean", "std"))
    return simo_serra.SimoSerra(runner.run, mean, std, batch_size=runner.pictures_at_once)


def _state(
    options: SketchKerasOptions | SimoSerraOptions,
    read: Callable[[Path], Mapping[str, NDArray[np.float32]]],
    variant: str = "",
) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    path = weights.converted(options.weights, read=read, variant=variant, **_source(options))
    return load_file(path)


def _source(options: SketchKerasOptions | SimoSerraOptions) -> dict[str, str]:
    """What `weights` is told of where a name or path comes from."""
    network = _NETWORKS[type(options)]
    return {"network": network, "option": f"[{network}] weights"}
