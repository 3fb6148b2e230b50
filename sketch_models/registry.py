"""The sketch and line models, by their names in the configuration."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sketch_models import line_weights
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.errors import WeightsError
from sketch_models.model import LineModel, SketchModel
from sketch_models.network_options import (
    ComputeOptions,
    InkerOptions,
    SimoSerraOptions,
    SketchKerasOptions,
    TracerOptions,
)
from sketch_models.weights import keras_file, simo_serra_file, tensor_file, weights
from sketch_models.weights.cache import expand_path
from sketch_models.xdog import Xdog, XdogOptions

if TYPE_CHECKING:
    from torch import Tensor

    from sketch_models.sketchkeras import SketchKeras

SketchOptions: TypeAlias = TracerOptions | XdogOptions | SketchKerasOptions
LineOptions: TypeAlias = InkerOptions | CenterlineOptions | SimoSerraOptions
ModelOptions: TypeAlias = SketchOptions | LineOptions

SKETCH_OPTIONS: dict[str, type[SketchOptions]] = {
    "tracer": TracerOptions,
    "xdog": XdogOptions,
    "sketchkeras": SketchKerasOptions,
}
"""The options class of each sketch model."""

LINE_OPTIONS: dict[str, type[LineOptions]] = {
    "inker": InkerOptions,
    "centerline": CenterlineOptions,
    "simo_serra": SimoSerraOptions,
}
"""The options class of each line model."""

SKETCH_MODELS, LINE_MODELS = tuple(SKETCH_OPTIONS), tuple(LINE_OPTIONS)

_PublishedOptions: TypeAlias = SketchKerasOptions | SimoSerraOptions
"""Networks whose weights are fetched and converted; those of the others come with the package."""

_NETWORKS: dict[type, str] = {
    TracerOptions: "tracer",
    InkerOptions: "inker",
    SketchKerasOptions: "sketchkeras",
    SimoSerraOptions: "simo_serra",
}


def settings(options: ModelOptions, compute: ComputeOptions) -> dict[str, object]:
    """Return the settings of a model besides its options: a network's weights and precision.

    Raises:
        WeightsError: If there is no such weight file.
    """
    if isinstance(options, TracerOptions | InkerOptions):
        identity = line_weights.identity(options.weights, _NETWORKS[type(options)])
    elif isinstance(options, _PublishedOptions):
        identity = weights.identity(options.weights, **_weights_arguments(options))
    else:
        return {}
    return {"weights": identity, "precision": compute.precision}


def unmet_requirements(options: ModelOptions) -> list[str]:
    """Return a message for everything that a person must provide before a model can run."""
    try:
        settings(options, ComputeOptions())
    except WeightsError as error:
        return [str(error)]
    return []


def is_network(options: ModelOptions) -> bool:
    """Return whether a model is a network, with weights, rather than a filter."""
    return type(options) in _NETWORKS


def is_small(options: ModelOptions) -> bool:
    """Return whether several processes may run a model on one CPU: they have memory enough."""
    return not isinstance(options, _PublishedOptions)


def prepare_weights(options: ModelOptions) -> None:
    """Download, verify and convert the published weights of a network; else do nothing.

    Files that only PyTorch can read are not converted yet: a process that has loaded PyTorch
    cannot start workers.

    Raises:
        WeightsError: If they cannot be downloaded, or are not weights of this network.
    """
    if not isinstance(options, _PublishedOptions):
        return
    path = weights.ensure_local(options.weights, **_weights_arguments(options))
    if not tensor_file.is_pytorch(path):
        _ensure_safetensors(options)


def weights_are_prepared(options: ModelOptions) -> bool:
    """Return whether `prepare_weights` has nothing left to do.

    Raises:
        WeightsError: If there is no such weight file.
    """
    if not isinstance(options, _PublishedOptions):
        return True
    if not weights.is_available(options.weights):
        return False
    is_published = options.weights in weights.FILES
    if not is_published and tensor_file.is_pytorch(expand_path(options.weights)):
        return True  # converted later, see `prepare_weights`
    variant = options.statistics if isinstance(options, SimoSerraOptions) else ""
    arguments = _weights_arguments(options)
    return weights.is_converted(options.weights, variant=variant, **arguments)


@lru_cache(maxsize=4)
def sketch_model(options: SketchOptions, compute: ComputeOptions, backend: str) -> SketchModel:
    """Return the sketch model for these options; a network is loaded once per process.

    Args:
        options: of the model.
        compute: device and precision of a network.
        backend: torch or tensorflow; for sketchKeras only.

    Raises:
        WeightsError: If its weights cannot be downloaded, or are not weights of this network.
        ConfigError: If this machine has no such device, or the backend is not installed.
    """
    if isinstance(options, XdogOptions):
        return Xdog(options)
    if isinstance(options, TracerOptions):
        from sketch_models.tracer import Tracer

        return Tracer.load(line_weights.find(options.weights, "tracer"), compute)
    if backend == "tensorflow":
        return _sketchkeras_in_tensorflow(options)
    return _sketchkeras_in_torch(options, compute)


def _sketchkeras_in_torch(options: SketchKerasOptions, compute: ComputeOptions) -> SketchKeras:
    from sketch_models import sketchkeras
    from sketch_models.runner import Runner

    state = _load_state_dict(options)
    runner = Runner(sketchkeras.build_network(state, options.padding), compute)
    return sketchkeras.SketchKeras(
        runner.run, square=options.canvas == "square", batch_size=runner.batch_size
    )


def _sketchkeras_in_tensorflow(options: SketchKerasOptions) -> SketchKeras:
    from sketch_models.sketchkeras import SketchKeras
    from sketch_models.sketchkeras_tensorflow import TensorflowNetwork

    path = weights.ensure_local(options.weights, **_weights_arguments(options))
    network = TensorflowNetwork(path, options.padding)
    return SketchKeras(network.run, square=options.canvas == "square")


@lru_cache(maxsize=4)
def line_model(options: LineOptions, compute: ComputeOptions) -> LineModel:
    """Return the line model for these options; arguments and errors as for `sketch_model`."""
    if isinstance(options, CenterlineOptions):
        return Centerline(options)
    if isinstance(options, InkerOptions):
        from sketch_models.inker import Inker

        return Inker.load(line_weights.find(options.weights, "inker"), compute)
    from sketch_models import simo_serra
    from sketch_models.runner import Runner

    state = _load_state_dict(options)
    runner = Runner(simo_serra.build_network(state), compute)
    mean, std = (float(state[name]) for name in ("mean", "std"))
    return simo_serra.SimoSerra(runner.run, mean, std, batch_size=runner.batch_size)


def _load_state_dict(options: _PublishedOptions) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(_ensure_safetensors(options))


def _ensure_safetensors(options: _PublishedOptions) -> Path:
    """Return the path of the weights as safetensors, converted once."""
    arguments = _weights_arguments(options)
    if isinstance(options, SketchKerasOptions):
        return weights.ensure_safetensors(options.weights, read=keras_file.read, **arguments)
    return weights.ensure_safetensors(
        options.weights,
        read=partial(simo_serra_file.read, statistics=options.statistics),
        variant=options.statistics,
        **arguments,
    )


def _weights_arguments(options: _PublishedOptions) -> dict[str, str]:
    """Return the arguments `network` and `option` for the functions of `weights`."""
    network = _NETWORKS[type(options)]
    return {"network": network, "option": f"[{network}] weights"}
