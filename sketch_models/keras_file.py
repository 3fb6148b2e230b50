"""Reads sketchKeras's weights, `mod.h5`, as Keras 2 wrote them: arrays alone, nothing is executed.

Layers are found by the order of the attribute `layer_names` and by their shapes, since the nesting
of the groups and the endings of the names differ between versions of Keras.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sketch_models.errors import SengaError

ADDRESS = "https://github.com/lllyasviel/sketchKeras/releases/download/0.1/mod.h5"
EPSILON = 1e-3
"""Of the BatchNorm layers; Keras's own default."""

_LARGEST = 512 << 20  # bytes; the published file has 75 MB
_MOST_LAYERS = 1000

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """Shape of one convolution."""

    kernel: int  # pixels, square
    stride: int
    inputs: int
    outputs: int


CONVOLUTIONS = (
    Convolution(3, 1, 1, 32),
    Convolution(4, 2, 32, 64),
    Convolution(3, 1, 64, 64),
    Convolution(4, 2, 64, 128),
    Convolution(3, 1, 128, 128),
    Convolution(4, 2, 128, 256),
    Convolution(3, 1, 256, 256),
    Convolution(4, 2, 256, 512),
    Convolution(3, 1, 512, 512),
    Convolution(4, 1, 1024, 512),
    Convolution(3, 1, 512, 256),
    Convolution(4, 1, 512, 256),
    Convolution(3, 1, 256, 128),
    Convolution(4, 1, 256, 128),
    Convolution(3, 1, 128, 64),
    Convolution(4, 1, 128, 64),
    Convolution(3, 1, 64, 32),
    Convolution(3, 1, 64, 1),
)
"""From the picture down, and up again; all but the last are followed by BatchNorm and ReLU."""


@dataclass(frozen=True)
class Normalisation:
    """One BatchNorm; four arrays (C,) float32."""

    gamma: Array
    beta: Array
    mean: Array
    variance: Array


@dataclass(frozen=True)
class Layer:
    """One convolution as it is in the file.

    Attributes:
        kernel: (H, W, I, O) float32.
        bias: (O,) float32.
        normalisation: what follows it; None after the last.
    """

    kernel: Array
    bias: Array
    normalisation: Normalisation | None


class _UnexpectedError(Exception):
    """What is wrong with a file, as the middle of a sentence."""


def read_layers(path: Path) -> list[Layer]:
    """The 18 convolutions and their normalisations, in order.

    Raises:
        SengaError: where the file is anything but such weights.
    """
    try:
        content = _content(path)
        with h5py.File(io.BytesIO(content), "r") as file:
            return _layers(file)
    except _UnexpectedError as error:
        raise _refusal(path, str(error)) from error
    except OSError as error:
        reason = error.strerror or "it is damaged or cut short"
        raise _refusal(path, reason) from error
    except Exception as error:  # h5py raises whatever its C library meets in broken bytes
        raise _refusal(path, f"it is damaged: {error}".splitlines()[0]) from error


def read(path: Path) -> dict[str, Array]:
    """The 18 convolutions as PyTorch has them, each with the BatchNorm behind it folded in.

    `w' = w g / sqrt(v + eps)` and `b' = (b - m) g / sqrt(v + eps) + beta`, in float64.

    Returns:
        `0.weight` (O, I, H, W), `0.bias` (O,) ... `17.bias`, float32.

    Raises:
        SengaError: where the file is anything but such weights.
    """
    state = {}
    for place, layer in enumerate(read_layers(path)):
        kernel, bias = layer.kernel.astype(np.float64), layer.bias.astype(np.float64)
        if layer.normalisation is not None:
            after = layer.normalisation
            scale = after.gamma / np.sqrt(after.variance.astype(np.float64) + EPSILON)
            kernel, bias = kernel * scale, (bias - after.mean) * scale + after.beta
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        state[f"{place}.weight"] = kernel.astype(np.float32)
        state[f"{place}.bias"] = bias.astype(np.float32)
    return state


def _refusal(path: Path, what: str) -> SengaError:
    return SengaError(
        f"{path}: {what}; expected sketchKeras's weights as Keras wrote them: take mod.h5 from "
        f"{ADDRESS}."
    )


def _content(path: Path) -> bytes:
    """The file in memory, so that HDF5 cannot reach for another one."""
    size = path.stat().st_size
    if not size:
        raise _UnexpectedError("it is empty")
    if size > _LARGEST:
        raise _UnexpectedError(f"it has {size >> 20} MB")
    content = path.read_bytes()
    if content[:512].lstrip()[:1] == b"<":
        raise _UnexpectedError("it is a web page")
    if not content.startswith(b"\x89HDF\r\n\x1a\n"):
        raise _UnexpectedError("it is no HDF5 file")
    return content


def _layers(file: h5py.File) -> list[Layer]:
    if b"Lambda" in _bytes(file.attrs.get("model_config", b"")):
        raise _UnexpectedError("its model has a Lambda layer, which holds code")
    top = _group(file, "model_weights") if "model_weights" in file else file
    names = [_bytes(name).decode() for name in top.attrs.get("layer_names", [])]
    if not 0 < len(names) <= _MOST_LAYERS:
        raise _UnexpectedError("it does not list its layers")
    found = [arrays for name in names if (arrays := list(_arrays(_group(top, name))))]
    kernels = [layer for layer in found if any(array.ndim == 4 for array in layer)]
    others = [layer for layer in found if not any(array.ndim == 4 for array in layer)]
    if (len(kernels), len(others)) != (len(CONVOLUTIONS), len(CONVOLUTIONS) - 1):
        raise _UnexpectedError(
            f"it has {len(kernels)} convolutions and {len(others)} other layers, not "
            f"{len(CONVOLUTIONS)} and {len(CONVOLUTIONS) - 1}"
        )
    followed = [*others, None]
    return [
        _layer(place, arrays, after)
        for place, (arrays, after) in enumerate(zip(kernels, followed, strict=True))
    ]


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
        raise _UnexpectedError(f"its layer {name} is missing or lies elsewhere")
    group = parent[name]
    if not isinstance(group, h5py.Group):
        raise _UnexpectedError(f"its layer {name} is no group")
    return group


def _arrays(group: h5py.Group, depth: int = 0) -> Iterator[h5py.Dataset]:
    """The arrays of a layer, whatever groups they lie in."""
    if depth > 4 or len(group) > _MOST_LAYERS:
        raise _UnexpectedError("its groups are nested too deeply")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _UnexpectedError(f"its array {name} lies elsewhere")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _arrays(item, depth + 1)
        else:
            yield item


def _layer(place: int, arrays: list[h5py.Dataset], after: list[h5py.Dataset] | None) -> Layer:
    shape = CONVOLUTIONS[place]
    side, channels = shape.kernel, (shape.outputs,)
    kernel_shape = (side, side, shape.inputs, shape.outputs)
    kernel, bias = _named(place, arrays, ("kernel", "bias"), (kernel_shape, channels))
    if after is None:
        return Layer(kernel, bias, None)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = _named(place, after, names, (channels,) * 4)
    if variance.min() < 0:
        raise _UnexpectedError(f"layer {place + 1} has a negative variance")
    return Layer(kernel, bias, Normalisation(gamma, beta, mean, variance))


def _named(
    place: int,
    arrays: list[h5py.Dataset],
    names: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
) -> list[Array]:
    """The arrays of a layer by their names, whose shapes are checked before they are read."""
    by_name = {array.name.rsplit("/", 1)[-1].partition(":")[0]: array for array in arrays}
    if sorted(by_name) != sorted(names):
        raise _UnexpectedError(f"layer {place + 1} has {', '.join(sorted(by_name)) or 'nothing'}")
    values = []
    for name, shape in zip(names, shapes, strict=True):
        array = by_name[name]
        if array.shape != shape or array.dtype.kind != "f" or array.external or array.is_virtual:
            raise _UnexpectedError(
                f"layer {place + 1} has a {name} of {array.shape} {array.dtype}, not {shape}"
            )
        value = array[()].astype(np.float32)
        if not np.isfinite(value).all():
            raise _UnexpectedError(f"layer {place + 1} has a {name} that is not finite")
        values.append(value)
    return values
