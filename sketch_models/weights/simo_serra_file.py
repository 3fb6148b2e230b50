"""Weights of the sketch simplification network, from every kind of file they are found in.

The network: Simo-Serra et al., "Mastering Sketching: Adversarial Augmentation for Structured
Prediction" (2018).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sketch_models.errors import SengaError
from sketch_models.weights import tensor_file, torch7
from sketch_models.weights.tensor_file import Kind, Tensors, checked
from sketch_models.weights.torch7 import Torch7Object

GOOD_FILE = "https://esslab.jp/~ess/data/sketch_gan.t7"


@dataclass(frozen=True)
class Layer:
    """One convolution, with a bias; ReLU follows, and Sigmoid the last one.

    Attributes:
        kernel: side, in pixels.
        stride: in pixels; of a layer that goes up, how many times larger its output is.
        inputs: channels.
        outputs: channels.
        up: whether it is a transposed convolution.
    """

    kernel: int
    stride: int
    inputs: int
    outputs: int
    up: bool = False

    @property
    def padding(self) -> int:
        """Zeros on each side of the input, in pixels, or in a transposed one cut off the output."""
        return (self.kernel - 1) // 2

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the weight: (O, I, k, k); of a transposed convolution, (I, O, k, k)."""
        channels = (self.inputs, self.outputs) if self.up else (self.outputs, self.inputs)
        return (*channels, self.kernel, self.kernel)


LAYERS = (
    Layer(5, 2, 1, 48),
    Layer(3, 1, 48, 128),
    Layer(3, 1, 128, 128),
    Layer(3, 2, 128, 128),
    Layer(3, 1, 128, 256),
    Layer(3, 1, 256, 256),
    Layer(3, 2, 256, 256),
    Layer(3, 1, 256, 512),
    Layer(3, 1, 512, 1024),
    Layer(3, 1, 1024, 1024),
    Layer(3, 1, 1024, 1024),
    Layer(3, 1, 1024, 1024),
    Layer(3, 1, 1024, 512),
    Layer(3, 1, 512, 256),
    Layer(4, 2, 256, 256, up=True),
    Layer(3, 1, 256, 256),
    Layer(3, 1, 256, 128),
    Layer(4, 2, 128, 128, up=True),
    Layer(3, 1, 128, 128),
    Layer(3, 1, 128, 48),
    Layer(4, 2, 48, 48, up=True),
    Layer(3, 1, 48, 24),
    Layer(3, 1, 24, 1),
)
"""The network; all its pictures have one channel."""


@dataclass(frozen=True)
class Statistics:
    """Of the grey values, 0 to 1, that a set of weights was trained on."""

    mean: float
    std: float


STATISTICS = {
    "gan": Statistics(0.9664114577640158, 0.0858381272736797),
    "mse": Statistics(0.9664423107454593, 0.08583666033640507),
    "pencil1": Statistics(0.9817833515894078, 0.0925009022585048),
    "pencil2": Statistics(0.9851298627337799, 0.07418377454883571),
}
"""By the names of the published sets; state dicts of PyTorch come without."""

_CONVOLUTION, _UP, _RELU, _SIGMOID = "convolution", "transposed convolution", "ReLU", "Sigmoid"
_PARTS = {
    "nn.SpatialConvolution": _CONVOLUTION,
    "nn.SpatialConvolutionMM": _CONVOLUTION,
    "cudnn.SpatialConvolution": _CONVOLUTION,
    "nn.SpatialFullConvolution": _UP,
    "cudnn.SpatialFullConvolution": _UP,
    "nn.ReLU": _RELU,
    "cudnn.ReLU": _RELU,
    "nn.Sigmoid": _SIGMOID,
    "cudnn.Sigmoid": _SIGMOID,
}
_ORDER = [
    part
    for layer in LAYERS
    for part in (
        _UP if layer.up else _CONVOLUTION,
        _SIGMOID if layer is LAYERS[-1] else _RELU,
    )
]
_MOST_MODULES = 200  # the published files have 46; a Sequential may hold itself
_KEY = re.compile(r"(?:layer([1-7])\.)?([0-9]{1,2})\.(weight|bias)")

_Found: TypeAlias = tuple[Sequence[Tensors], object, object]
"""`weight` and `bias` of every convolution in order, as they are in the file; mean; std."""


def read(path: Path, statistics: str) -> dict[str, NDArray[np.float32]]:
    """Reads weights from a Torch 7 file, a state dict of PyTorch, or our own safetensors.

    Args:
        path: of the file; its kind is told by its content.
        statistics: one of `STATISTICS`, used where the file has no mean and deviation.

    Returns:
        `0.weight`, `0.bias` ... `22.weight`, `22.bias` with the shapes of `LAYERS`, and `mean`
        and `std`, (1,).

    Raises:
        SengaError: where the file is not a whole, usable file of this network.
    """
    if statistics not in STATISTICS:
        names = ", ".join(STATISTICS)
        raise SengaError(f"[simo_serra] statistics = {statistics}: expected one of {names}.")
    with tensor_file.and_where(GOOD_FILE):
        kind = tensor_file.kind(path)
        if kind is Kind.TORCH7:
            found = _from_torch7(path)
        elif kind is Kind.PYTORCH:
            found = _from_state_dict(path, STATISTICS[statistics])
        else:
            found = _from_safetensors(path)
        return _checked(path, *found)


def _checked(
    path: Path, convolutions: Sequence[Tensors], mean: object, std: object
) -> dict[str, NDArray[np.float32]]:
    made = {}
    for number, (layer, tensors) in enumerate(zip(LAYERS, convolutions, strict=True)):
        for kind, shape in (("weight", layer.shape), ("bias", (layer.outputs,))):
            name = f"{number}.{kind}"
            made[name] = checked(path, name, tensors.get(kind), shape)
    made["mean"] = checked(path, "mean", mean, (1,))
    made["std"] = checked(path, "std", std, (1,))
    if made["std"][0] <= 0:
        raise SengaError(f"{path} has the deviation {made['std'][0]}, expected one above 0.")
    return made


def _require_all(path: Path, count: int) -> None:
    if count != len(LAYERS):
        raise SengaError(
            f"{path} is of another network: it has {count} convolutions, expected {len(LAYERS)}."
        )


def _from_torch7(path: Path) -> _Found:
    cache = torch7.read(path)
    model = cache.get("model") if isinstance(cache, dict) else None
    if not isinstance(cache, dict) or not isinstance(model, Torch7Object):
        raise SengaError(f"{path} holds no network, expected a table of model, mean and std.")
    modules = _modules(path, model)
    parts = [_PARTS[module.name] for module in modules]
    convolutions = [module for module in modules if _PARTS[module.name] in (_CONVOLUTION, _UP)]
    _require_all(path, len(convolutions))
    if parts != _ORDER:
        raise SengaError(
            f"{path} is of another network: its modules are other ones or in another order, "
            f"expected convolutions with ReLU between them and Sigmoid at the end."
        )
    for number, (layer, module) in enumerate(zip(LAYERS, convolutions, strict=True)):
        _check_geometry(path, number, layer, module)
    tensors = [_tensors(layer, module) for layer, module in zip(LAYERS, convolutions, strict=True)]
    return tensors, np.array([cache.get("mean")]), np.array([cache.get("std")])


def _modules(path: Path, model: Torch7Object) -> list[Torch7Object]:
    """What runs, in order: the modules within Sequentials, which may hold one another."""
    found: list[Torch7Object] = []
    waiting = [model]
    for _ in range(_MOST_MODULES):
        if not waiting or len(waiting) > _MOST_MODULES:
            break
        module = waiting.pop()
        if module.name in _PARTS:
            found.append(module)
        else:
            waiting += reversed(_parts(path, module))
    if waiting:
        raise SengaError(f"{path} is of another network, expected {len(_ORDER)} modules.")
    return found


def _parts(path: Path, sequential: Torch7Object) -> list[Torch7Object]:
    inner = sequential.fields.get("modules")
    table = inner if isinstance(inner, dict) else {}
    listed = [table.get(number) for number in range(1, len(table) + 1)]
    parts = [part for part in listed if isinstance(part, Torch7Object)]
    if not parts or len(parts) < len(listed):
        raise SengaError(f"{path} has a network without parts, expected modules in a table.")
    return parts


def _check_geometry(path: Path, number: int, layer: Layer, module: Torch7Object) -> None:
    """Where the file tells strides and padding, they are the network's."""
    expected = {"dW": layer.stride, "padW": layer.padding, "adjW": 0}
    expected |= {name.replace("W", "H"): value for name, value in expected.items()}
    for name, value in expected.items():
        told = module.fields.get(name, float(value))
        if not isinstance(told, float) or told != value:
            raise SengaError(
                f"{path} is of another network: {name} of convolution {number} is wrong, "
                f"expected {value}."
            )


def _tensors(layer: Layer, module: Torch7Object) -> Tensors:
    """Weight and bias, as far as there are any; SpatialConvolutionMM keeps its kernels flat."""
    tensors = {
        kind: value
        for kind in ("weight", "bias")
        if isinstance(value := module.fields.get(kind), np.ndarray)
    }
    weight = tensors.get("weight")
    if weight is not None and weight.shape == (layer.outputs, prod(layer.shape[1:])):
        tensors["weight"] = weight.reshape(layer.shape)
    return tensors


def _from_state_dict(path: Path, statistics: Statistics) -> _Found:
    """Keys are `0.weight`, `2.weight` ... `44.bias`, or `layer1.0.weight` ... `layer7.4.bias`."""
    by_place: dict[tuple[int, int], Tensors] = {}
    for key, tensor in tensor_file.read(path).items():
        parts = _KEY.fullmatch(key)
        if parts is None:
            raise SengaError(
                f"{path} is of another network: it holds {key[:60]!r}, expected convolutions alone."
            )
        place = (int(parts[1] or 0), int(parts[2]))
        by_place.setdefault(place, {})[parts[3]] = tensor
    _require_all(path, len(by_place))
    mean, std = np.array([statistics.mean]), np.array([statistics.std])
    return [by_place[place] for place in sorted(by_place)], mean, std


def _from_safetensors(path: Path) -> _Found:
    tensors = tensor_file.read(path)
    expected = {f"{number}.{kind}" for number in range(len(LAYERS)) for kind in ("weight", "bias")}
    if set(tensors) != expected | {"mean", "std"}:
        raise SengaError(f"{path} is of another network, expected 0.weight ... 22.bias, mean, std.")
    convolutions = [
        {kind: tensors[f"{number}.{kind}"] for kind in ("weight", "bias")}
        for number in range(len(LAYERS))
    ]
    return convolutions, tensors["mean"], tensors["std"]
