"""The sketch and line models, by their names in the configuration."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.errors import SengaError
from sketch_models.model import LineModel, SketchModel
from sketch_models.network_options import GpuOptions, SimoSerraOptions, SketchKerasOptions
from sketch_models.weights import keras_file, simo_serra_file, tensor_file, weights
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


def is_network(options: ModelOptions) -> bool:
    """Whether a model is a network, with weights, which runs on the GPU where there is one."""
    return type(options) in _NETWORKS


def prepare(options: ModelOptions) -> None:
    """Fetches a network's weights and converts them, so that they are known to be whole.

    Of the files that only PyTorch can read nothing more is known than that they are there: what
    has loaded PyTorch cannot start workers.

    Raises:
        SengaError: where they cannot be had, or are not what they should be.
    """
    if not isinstance(options, SketchKerasOptions | SimoSerraOptions):
        return
    path = weights.located(options.weights, **_source(options))
    if not tensor_file.is_pytorch(path):
        _converted(options)


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
    from sketch_models import sketchkeras
    from sketch_models.runner import Runner

    state = _state(options)
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
    from sketch_models import simo_serra
    from sketch_models.runner import Runner

    state = _state(options)
    runner = Runner(simo_serra.network(state), gpu)
    mean, std = (float(state[name]) for name in ("mean", "std"))
    return simo_serra.SimoSerra(runner.run, mean, std, batch_size=runner.pictures_at_once)


def _state(options: SketchKerasOptions | SimoSerraOptions) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(_converted(options))


def _converted(options: SketchKerasOptions | SimoSerraOptions) -> Path:
    """The weights as safetensors, made once."""
    if isinstance(options, SketchKerasOptions):
        return weights.converted(options.weights, read=keras_file.read, **_source(options))
    return weights.converted(
        options.weights,
        read=partial(simo_serra_file.read, statistics=options.statistics),
        variant=options.statistics,
        **_source(options),
    )


def _source(options: SketchKerasOptions | SimoSerraOptions) -> dict[str, str]:
    """What `weights` is told of where a name or path comes from."""
    network = _NETWORKS[type(options)]
    return {"network": network, "option": f"[{network}] weights"}
