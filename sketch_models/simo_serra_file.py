"""Reads the weights of sketch simplification, in any of the forms that go around.

The published Torch 7 files, two layouts of state dicts of PyTorch, and Senga's own safetensors; a
file's first bytes say which. Nothing in them is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketch_models import torch7
from sketch_models.errors import SengaError

ADDRESS = "https://esslab.jp/~ess/data/sketch_gan.t7"

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Layer:
    """Shape of one convolution; `up` is a transposed one, which doubles the size."""

    kernel: int  # pixels, square
    stride: int
    inputs: int
    outputs: int
    up: bool = False

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of its weights, as PyTorch has them."""
        sides = (self.inputs, self.outputs) if self.up else (self.outputs, self.inputs)
        return (*sides, self.kernel, self.kernel)


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
"""From the sketch down to an eighth, and up again; all but the last are followed by ReLU."""

STATISTICS = {
    "gan": (0.9664114577640158, 0.0858381272736797),
    "mse": (0.9664423107454593, 0.08583666033640507),
    "pencil1": (0.9817833515894078, 0.0925009022585048),
    "pencil2": (0.9851298627337799, 0.07418377454883571),
}
"""Mean and deviation of the sketches that each published set was trained on, in [0, 1]."""

_QUIET = {"ReLU", "Sigmoid", "Identity"}  # modules without weights
_CONVOLUTIONS = {"SpatialConvolution", "SpatialConvolutionMM"}
_UP_CONVOLUTIONS = {"SpatialFullConvolution"}


class _UnexpectedError(Exception):
    """What is wrong with a file, as the middle of a sentence."""


def read(path: Path, statistics: str) -> Arrays:
    """The 23 convolutions, with mean and deviation of the sketches they were trained on.

    Args:
        path: of the file.
        statistics: key of `STATISTICS`, for a state dict of PyTorch, which holds none.

    Returns:
        `0.weight` (O, I, H, W; of a transposed convolution I, O, H, W), `0.bias` (O,) ...
        `22.bias`, `mean` (1,) and `std` (1,), float32.

    Raises:
        SengaError: where the file is anything but such weights.
    """
    try:
        return _checked(_read(path, statistics))
    except (_UnexpectedError, torch7.Torch7Error) as error:
        what = str(error)
    except OSError as error:
        what = error.strerror or "it cannot be read"
    raise SengaError(
        f"{path}: {what}; expected the weights of sketch simplification as .t7, .pth or "
        f".safetensors: take sketch_gan.t7 from {ADDRESS}."
    )


def _read(path: Path, statistics: str) -> Mapping[str, Any]:
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise _UnexpectedError("it is empty")
    if head.lstrip()[:1] == b"<":
        raise _UnexpectedError("it is a web page")
    if head.startswith((b"PK\x03\x04", b"\x80")):
        return _from_pytorch(path, statistics)
    if head[8:9] == b"{":
        return _from_safetensors(path)
    return _from_torch7(torch7.read(path))


def _checked(arrays: Mapping[str, Any]) -> Arrays:
    shapes: dict[str, tuple[int, ...]] = {"mean": (1,), "std": (1,)}
    for place, layer in enumerate(LAYERS):
        shapes |= {f"{place}.weight": layer.shape, f"{place}.bias": (layer.outputs,)}
    if sorted(arrays) != sorted(shapes):
        count = sum(name.endswith(".weight") for name in arrays)
        raise _UnexpectedError(f"it has {count} layers with weights, not {len(LAYERS)}")
    checked = {}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype.kind != "f":
            raise _UnexpectedError(f"its {name} is {array.shape} {array.dtype}, not {shape}")
        checked[name] = np.ascontiguousarray(array, np.float32)
        if not np.isfinite(checked[name]).all():
            raise _UnexpectedError(f"its {name} is not finite")
    if checked["std"][0] <= 0:
        raise _UnexpectedError("its deviation is not above 0")
    return checked


def _from_safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _UnexpectedError(f"it is damaged ({error})") from error


def _from_pytorch(path: Path, statistics: str) -> Mapping[str, Any]:
    """A state dict with `0.weight`, `2.weight` ... or `layer1.0.weight` ..., in any order."""
    import torch

    if statistics not in STATISTICS:
        raise _UnexpectedError(f"[simo_serra] statistics = {statistics} is none of its sets")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever unpickling hostile bytes meets; nothing is executed
        raise _UnexpectedError("it is damaged, or holds more than tensors") from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise _UnexpectedError("it holds more than tensors by their names")
    modules = sorted({name.rpartition(".")[0] for name in state}, key=_numbers)
    arrays = {}
    for place, module in enumerate(modules):
        for part in ("weight", "bias"):
            value = state.get(f"{module}.{part}")
            if value is not None and value.layout == torch.strided:
                arrays[f"{place}.{part}"] = value.float().numpy()
    mean, std = STATISTICS[statistics]
    return {**arrays, "mean": np.array([mean]), "std": np.array([std])}


def _numbers(name: str) -> list[int]:
    """`layer2.4` -> [2, 4], for the order of layers."""
    return [int(digits[:9]) for digits in re.findall(r"\d+", name)]


def _from_torch7(table: torch7.Value) -> Mapping[str, Any]:
    """A table of model, mean and std; the model is a sequence of modules."""
    if not isinstance(table, dict) or not isinstance(table.get(b"model"), torch7.Module):
        raise _UnexpectedError("it is no table with a model")
    arrays: dict[str, Any] = {}
    for place, (module, up) in enumerate(_convolutions(table[b"model"])):
        weight, bias = module.fields.get(b"weight"), module.fields.get(b"bias")
        if not isinstance(weight, np.ndarray) or not isinstance(bias, np.ndarray):
            raise _UnexpectedError(f"its layer {place + 1} has no weight or no bias")
        if place < len(LAYERS):
            if up != LAYERS[place].up:
                raise _UnexpectedError(f"its layer {place + 1} is a {module.name}")
            if weight.ndim == 2 and weight.size == np.prod(LAYERS[place].shape):
                weight = weight.reshape(LAYERS[place].shape)  # of SpatialConvolutionMM
        arrays |= {f"{place}.weight": weight, f"{place}.bias": bias}
    for name in ("mean", "std"):
        number = table.get(name.encode())
        if not isinstance(number, float):
            raise _UnexpectedError(f"it has no {name}")
        arrays[name] = np.array([number])
    return arrays


def _convolutions(module: torch7.Module, depth: int = 0) -> Iterator[tuple[torch7.Module, bool]]:
    """The modules with weights, in order, and whether they are transposed convolutions."""
    kind = module.name.partition(".")[2]
    if kind == "Sequential" and depth < 10:
        inner = module.fields.get(b"modules")
        steps = inner if isinstance(inner, dict) else {}
        for number in range(1, len(steps) + 1):
            step = steps.get(float(number))
            if not isinstance(step, torch7.Module):
                raise _UnexpectedError("its model has a step that is no module")
            yield from _convolutions(step, depth + 1)
    elif kind in _CONVOLUTIONS | _UP_CONVOLUTIONS:
        yield module, kind in _UP_CONVOLUTIONS
    elif kind not in _QUIET:
        raise _UnexpectedError(f"its model has a {module.name}")
