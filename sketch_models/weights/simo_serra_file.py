"""The reader of the sketch simplification network's weights, in all formats in circulation.

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

from sketch_models.errors import WeightsError
from sketch_models.weights import tensor_file, torch7
from sketch_models.weights.tensor_file import Format, Tensors, check_tensor
from sketch_models.weights.torch7 import Torch7Object

DOWNLOAD_URL = "https://esslab.jp/~ess/data/sketch_gan.t7"


@dataclass(frozen=True)
class Layer:
    """One convolution, with a bias; ReLU follows, and Sigmoid the last one.

    Attributes:
        kernel: side, in pixels.
        stride: in pixels; of a transposed convolution, how many times larger its output is.
        in_channels: of its input.
        out_channels: of its output.
        upsamples: whether it is a transposed convolution.
    """

    kernel: int
    stride: int
    in_channels: int
    out_channels: int
    upsamples: bool = False

    @property
    def padding(self) -> int:
        """Pixels that are added on each side of the input, or cropped if it is transposed."""
        return (self.kernel - 1) // 2

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the weight: (O, I, k, k), or (I, O, k, k) of a transposed convolution."""
        channels = (
            (self.in_channels, self.out_channels)
            if self.upsamples
            else (self.out_channels, self.in_channels)
        )
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
    Layer(4, 2, 256, 256, upsamples=True),
    Layer(3, 1, 256, 256),
    Layer(3, 1, 256, 128),
    Layer(4, 2, 128, 128, upsamples=True),
    Layer(3, 1, 128, 128),
    Layer(3, 1, 128, 48),
    Layer(4, 2, 48, 48, upsamples=True),
    Layer(3, 1, 48, 24),
    Layer(3, 1, 24, 1),
)
"""The convolutions of the network, in order; pictures have one channel."""


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of the grey values, 0 to 1, that weights were trained on."""

    mean: float
    std: float


STATISTICS = {
    "gan": Statistics(0.9664114577640158, 0.0858381272736797),
    "mse": Statistics(0.9664423107454593, 0.08583666033640507),
    "pencil1": Statistics(0.9817833515894078, 0.0925009022585048),
    "pencil2": Statistics(0.9851298627337799, 0.07418377454883571),
}
"""By the names of the published weights; state dicts of PyTorch do not contain them."""

_CONVOLUTION, _TRANSPOSED, _RELU, _SIGMOID = (
    "convolution",
    "transposed convolution",
    "ReLU",
    "Sigmoid",
)
_MODULE_TYPES = {
    "nn.SpatialConvolution": _CONVOLUTION,
    "nn.SpatialConvolutionMM": _CONVOLUTION,
    "cudnn.SpatialConvolution": _CONVOLUTION,
    "nn.SpatialFullConvolution": _TRANSPOSED,
    "cudnn.SpatialFullConvolution": _TRANSPOSED,
    "nn.ReLU": _RELU,
    "cudnn.ReLU": _RELU,
    "nn.Sigmoid": _SIGMOID,
    "cudnn.Sigmoid": _SIGMOID,
}
_EXPECTED_TYPES = [
    module_type
    for layer in LAYERS
    for module_type in (
        _TRANSPOSED if layer.upsamples else _CONVOLUTION,
        _SIGMOID if layer is LAYERS[-1] else _RELU,
    )
]
_MAX_MODULES = 200  # the published files have 46; a Sequential may hold itself
_KEY = re.compile(r"(?:layer([1-7])\.)?([0-9]{1,2})\.(weight|bias)")

_Parsed: TypeAlias = tuple[Sequence[Tensors], object, object]
"""`weight` and `bias` of every convolution in order, as they are in the file; mean; std."""


def read(path: Path, statistics: str) -> dict[str, NDArray[np.float32]]:
    """Read weights from a Torch 7 file, a state dict of PyTorch, or a safetensors file of Senga.

    Args:
        path: of the file; its format is detected by its content.
        statistics: one of `STATISTICS`, used if the file has no mean and standard deviation.

    Returns:
        `0.weight`, `0.bias` ... `22.weight`, `22.bias` with the shapes of `LAYERS`, and `mean`
        and `std`, (1,).

    Raises:
        WeightsError: If the file is not a whole, usable file of this network.
    """
    if statistics not in STATISTICS:
        names = ", ".join(STATISTICS)
        raise WeightsError(f"[simo_serra] statistics = {statistics}: expected one of {names}.")
    with tensor_file.add_download_hint(DOWNLOAD_URL):
        file_format = tensor_file.detect_format(path)
        if file_format is Format.TORCH7:
            parsed = _parse_torch7(path)
        elif file_format is Format.PYTORCH:
            parsed = _parse_state_dict(path, STATISTICS[statistics])
        else:
            parsed = _parse_safetensors(path)
        return _check(path, *parsed)


def _check(
    path: Path, convolutions: Sequence[Tensors], mean: object, std: object
) -> dict[str, NDArray[np.float32]]:
    state = {}
    for index, (layer, tensors) in enumerate(zip(LAYERS, convolutions, strict=True)):
        for part, shape in (("weight", layer.shape), ("bias", (layer.out_channels,))):
            name = f"{index}.{part}"
            state[name] = check_tensor(path, name, tensors.get(part), shape)
    state["mean"] = check_tensor(path, "mean", mean, (1,))
    state["std"] = check_tensor(path, "std", std, (1,))
    if state["std"][0] <= 0:
        raise WeightsError(f"{path}: std = {state['std'][0]}: expected a number above 0.")
    return state


def _require_layer_count(path: Path, count: int) -> None:
    if count != len(LAYERS):
        raise WeightsError(
            f"{path}: weights of another network: {count} convolutions, expected {len(LAYERS)}."
        )


def _parse_torch7(path: Path) -> _Parsed:
    cache = torch7.read(path)
    model = cache.get("model") if isinstance(cache, dict) else None
    if not isinstance(cache, dict) or not isinstance(model, Torch7Object):
        raise WeightsError(f"{path}: no network in it; expected a table of model, mean and std.")
    modules = _flatten(path, model)
    types = [_MODULE_TYPES[module.name] for module in modules]
    convolutions = [
        module
        for module, module_type in zip(modules, types, strict=True)
        if module_type in (_CONVOLUTION, _TRANSPOSED)
    ]
    _require_layer_count(path, len(convolutions))
    if types != _EXPECTED_TYPES:
        raise WeightsError(
            f"{path}: weights of another network: other modules, or in another order; expected "
            "convolutions with ReLU between them and Sigmoid at the end."
        )
    for index, (layer, module) in enumerate(zip(LAYERS, convolutions, strict=True)):
        _check_geometry(path, index, layer, module)
    tensors = [_tensors(layer, module) for layer, module in zip(LAYERS, convolutions, strict=True)]
    return tensors, np.array([cache.get("mean")]), np.array([cache.get("std")])


def _flatten(path: Path, model: Torch7Object) -> list[Torch7Object]:
    """Return the modules of Sequentials, which may be nested, in the order in which they run."""
    flat: list[Torch7Object] = []
    stack = [model]
    for _ in range(_MAX_MODULES):
        if not stack or len(stack) > _MAX_MODULES:
            break
        module = stack.pop()
        if module.name in _MODULE_TYPES:
            flat.append(module)
        else:
            stack += reversed(_children(path, module))
    if stack:
        expected = len(_EXPECTED_TYPES)
        raise WeightsError(f"{path}: weights of another network; expected {expected} modules.")
    return flat


def _children(path: Path, sequential: Torch7Object) -> list[Torch7Object]:
    table = sequential.fields.get("modules")
    entries = table if isinstance(table, dict) else {}
    values = [entries.get(index) for index in range(1, len(entries) + 1)]  # Lua counts from 1
    children = [value for value in values if isinstance(value, Torch7Object)]
    if not children or len(children) < len(values):
        raise WeightsError(f"{path}: a Sequential without modules; expected a table of modules.")
    return children


def _check_geometry(path: Path, index: int, layer: Layer, module: Torch7Object) -> None:
    """Raise WeightsError if the file gives other strides or padding than the network has."""
    expected = {"dW": layer.stride, "padW": layer.padding, "adjW": 0}
    expected |= {name.replace("W", "H"): value for name, value in expected.items()}
    for name, value in expected.items():
        stored = module.fields.get(name, float(value))
        if not isinstance(stored, float) or stored != value:
            raise WeightsError(
                f"{path}: weights of another network: {name} of convolution {index} is wrong, "
                f"expected {value}."
            )


def _tensors(layer: Layer, module: Torch7Object) -> Tensors:
    """Return weight and bias, if they exist; SpatialConvolutionMM stores its kernels flat."""
    tensors = {
        part: value
        for part in ("weight", "bias")
        if isinstance(value := module.fields.get(part), np.ndarray)
    }
    weight = tensors.get("weight")
    if weight is not None and weight.shape == (layer.out_channels, prod(layer.shape[1:])):
        tensors["weight"] = weight.reshape(layer.shape)
    return tensors


def _parse_state_dict(path: Path, statistics: Statistics) -> _Parsed:
    """Read keys `0.weight`, `2.weight` ... `44.bias`, or `layer1.0.weight` ... `layer7.4.bias`."""
    by_position: dict[tuple[int, int], Tensors] = {}
    for key, tensor in tensor_file.read(path).items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise WeightsError(
                f"{path}: weights of another network: unexpected tensor {key[:60]!r}; expected "
                "only convolutions."
            )
        position = (int(match[1] or 0), int(match[2]))
        by_position.setdefault(position, {})[match[3]] = tensor
    _require_layer_count(path, len(by_position))
    mean, std = np.array([statistics.mean]), np.array([statistics.std])
    return [by_position[position] for position in sorted(by_position)], mean, std


def _parse_safetensors(path: Path) -> _Parsed:
    tensors = tensor_file.read(path)
    expected = {f"{index}.{part}" for index in range(len(LAYERS)) for part in ("weight", "bias")}
    if set(tensors) != expected | {"mean", "std"}:
        raise WeightsError(
            f"{path}: weights of another network; expected 0.weight ... 22.bias, mean and std."
        )
    convolutions = [
        {part: tensors[f"{index}.{part}"] for part in ("weight", "bias")}
        for index in range(len(LAYERS))
    ]
    return convolutions, tensors["mean"], tensors["std"]
