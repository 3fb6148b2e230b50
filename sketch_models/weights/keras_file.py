"""Reads sketchKeras's weights, `mod.h5`, as Keras wrote them: arrays alone, nothing is executed.

Layers are found by the order of the attribute `layer_names` and by their shapes, since the nesting
of the groups and the endings of the names differ between versions of Keras.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sketch_models.errors import SengaError
from sketch_models.weights import hdf5_text

ADDRESS = "https://github.com/lllyasviel/sketchKeras/releases/download/0.1/mod.h5"
EPSILON = 1e-3
"""Of the BatchNorm layers; Keras's own default."""

_MOST_BYTES = 256 << 20  # of a file; the published one has 75 MB
_MOST_LAYERS = 500  # the network has about 75 with its activations
_MOST_ITEMS = 32  # arrays and groups in a layer; Keras makes at most 5
_STORED_WHOLE = (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"Lambda"')  # in the JSON that Keras keeps beside weights
_KINDS = {
    b"<": "is a web page",
    b"\x80": "is a pickle, which may hold code",
    b"PK": "is a zip archive, such as PyTorch's files",
}

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """Shape of one convolution."""

    kernel: int  # pixels, square
    stride: int
    inputs: int
    outputs: int

    @property
    def up(self) -> bool:
        """Whether its input is first repeated to twice the size."""
        return (self.kernel, self.stride) == (4, 1)


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


SketchKerasLayers = tuple[Layer, ...]
"""One layer for each of `CONVOLUTIONS`."""


class _UnexpectedError(Exception):
    """What is wrong with a file: the sentence from its verb on."""


def read_layers(path: Path) -> SketchKerasLayers:
    """The 18 convolutions and the normalisations behind them, from the file that Keras wrote.

    Raises:
        SengaError: where the file is anything else.
    """
    with _one_sentence(path):
        return _from_hdf5(_content(path))


def read(path: Path) -> dict[str, Array]:
    """The 18 convolutions as PyTorch has them, each with the BatchNorm behind it folded in.

    `w' = w g / sqrt(v + eps)` and `b' = (b - m) g / sqrt(v + eps) + beta`, in float64.

    Args:
        path: Keras's file, or a safetensors file of what this function returns.

    Returns:
        `0.weight` (O, I, H, W), `0.bias` (O,) ... `17.bias`, float32.

    Raises:
        SengaError: where the file is neither.
    """
    with _one_sentence(path):
        content = _content(path)
        state = _from_safetensors(content) if content[8:9] == b"{" else _fold(_from_hdf5(content))
        if not all(np.isfinite(array).all() for array in state.values()):
            raise _UnexpectedError("has weights that are not finite numbers")
        return state


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # h5py raises whatever its C library meets in broken bytes
        what = str(error) if isinstance(error, _UnexpectedError) else "is damaged or cut short"
        raise SengaError(
            f"{path} {what}: expected sketchKeras's weights, mod.h5; take it from {ADDRESS}."
        ) from error


def _content(path: Path) -> bytes:
    """The whole file, so that HDF5 has no way to another one."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _UnexpectedError(f"cannot be read ({error.strerror})") from error
    if not content:
        raise _UnexpectedError("is empty")
    if len(content) > _MOST_BYTES:
        raise _UnexpectedError(f"has more than {_MOST_BYTES >> 20} MB")
    return content


def _from_safetensors(content: bytes) -> dict[str, Array]:
    from safetensors.numpy import load

    state: dict[str, Array] = load(content)
    expected: dict[str, tuple[int, ...]] = {}
    for place, c in enumerate(CONVOLUTIONS):
        expected[f"{place}.weight"] = (c.outputs, c.inputs, c.kernel, c.kernel)
        expected[f"{place}.bias"] = (c.outputs,)
    shapes = {name: array.shape for name, array in state.items()}
    if shapes != expected or any(array.dtype != np.float32 for array in state.values()):
        raise _UnexpectedError("has another network's weights")
    return state


def _fold(layers: SketchKerasLayers) -> dict[str, Array]:
    state = {}
    for place, layer in enumerate(layers):
        kernel, bias = layer.kernel.astype(np.float64), layer.bias.astype(np.float64)
        if layer.normalisation is not None:
            after = layer.normalisation
            scale = after.gamma / np.sqrt(after.variance.astype(np.float64) + EPSILON)
            kernel, bias = kernel * scale, (bias - after.mean) * scale + after.beta
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        with np.errstate(over="ignore"):  # what is too large for float32 is found to be infinite
            state[f"{place}.weight"] = kernel.astype(np.float32)
            state[f"{place}.bias"] = bias.astype(np.float32)
    return state


def _from_hdf5(content: bytes) -> SketchKerasLayers:
    if not content.startswith(b"\x89HDF\r\n\x1a\n"):
        kinds = (kind for head, kind in _KINDS.items() if content[:512].lstrip().startswith(head))
        raise _UnexpectedError(next(kinds, "is no HDF5 file"))
    if _LAMBDA.search(content):
        raise _UnexpectedError("has a Lambda layer, which holds code")
    if not hdf5_text.is_sound(content):
        raise _UnexpectedError("is damaged or cut short")
    with h5py.File(io.BytesIO(content), "r") as file:
        top = _member(file, "model_weights") if "model_weights" in file else file
        names = hdf5_text.read(top, "layer_names")
        if not 0 < len(names) <= _MOST_LAYERS:
            raise _UnexpectedError(f"lists {len(names)} layers")
        return _layers([_weights(_member(top, name)) for name in names])


def _member(group: h5py.Group, path: str) -> h5py.Group | h5py.Dataset:
    """What lies there, reached without a link to another place or file."""
    for name in path.split("/"):
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _UnexpectedError("has a layer that is missing, or a link to elsewhere")
        group = group[name]
    return group


@dataclass(frozen=True)
class _Weights:
    """The arrays of one layer.

    Attributes:
        by_path: arrays by their paths below the layer's group.
        order: these paths in Keras's order; empty where the file does not tell.
    """

    by_path: dict[str, h5py.Dataset]
    order: list[str]

    @property
    def convolves(self) -> bool:
        return any(array.ndim == 4 for array in self.by_path.values())


def _weights(layer: h5py.Group) -> _Weights:
    """Finds a layer's arrays, whatever groups they lie in."""
    by_path: dict[str, h5py.Dataset] = {}
    groups = [("", layer)]
    seen = 0
    while groups:
        above, group = groups.pop()
        seen += len(group)
        if seen > _MOST_ITEMS:
            raise _UnexpectedError("has a layer of too many parts")
        for name in group:
            item = _member(group, name)
            if isinstance(item, h5py.Group):
                groups.append((f"{above}{name}/", item))
            else:
                by_path[above + name] = item
    return _Weights(by_path, hdf5_text.read(layer, "weight_names"))


def _layers(found: Sequence[_Weights]) -> SketchKerasLayers:
    convolutions = [weights for weights in found if weights.convolves]
    others = [weights for weights in found if weights.by_path and not weights.convolves]
    expected = len(CONVOLUTIONS), len(CONVOLUTIONS) - 1
    if (len(convolutions), len(others)) != expected:
        raise _UnexpectedError(
            f"has {len(convolutions)} convolutions and {len(others)} other layers with weights, "
            f"not {expected[0]} and {expected[1]}"
        )
    followed = [*others, None]
    return tuple(
        _layer(place, weights, after)
        for place, (weights, after) in enumerate(zip(convolutions, followed, strict=True))
    )


def _layer(place: int, weights: _Weights, after: _Weights | None) -> Layer:
    shape = CONVOLUTIONS[place]
    channels = (shape.outputs,)
    kernel_shape = (shape.kernel, shape.kernel, shape.inputs, shape.outputs)
    where = f"convolution {place + 1}"
    kernel, bias = _arrays(where, weights, {"kernel": kernel_shape, "bias": channels})
    if after is None:
        return Layer(kernel, bias, None)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    where = f"normalisation {place + 1}"
    gamma, beta, mean, variance = _arrays(where, after, dict.fromkeys(names, channels))
    if variance.min() < 0:
        raise _UnexpectedError(f"has a negative variance in {where}")
    return Layer(kernel, bias, Normalisation(gamma, beta, mean, variance))


def _arrays(where: str, weights: _Weights, shapes: dict[str, tuple[int, ...]]) -> list[Array]:
    """A layer's arrays by their names, or in the file's order where they have other names."""
    by_path = weights.by_path
    by_name = {path.rsplit("/", 1)[-1].partition(":")[0]: by_path[path] for path in by_path}
    if by_name.keys() == shapes.keys():
        arrays = [by_name[name] for name in shapes]
    elif len(weights.order) == len(shapes) and set(weights.order) == by_path.keys():
        arrays = [by_path[path] for path in weights.order]
    else:
        raise _UnexpectedError(f"has other arrays than {', '.join(shapes)} in {where}")
    return [
        _array(f"{where}, {name}", array, shape)
        for array, (name, shape) in zip(arrays, shapes.items(), strict=True)
    ]


def _array(where: str, array: h5py.Dataset, shape: tuple[int, ...]) -> Array:
    """Reads an array once its shape and its place in the file are what they should be."""
    if array.shape != shape or array.dtype.kind != "f" or array.dtype.itemsize != 4:
        found = f"{array.shape} {array.dtype}, not {shape} float32"
        raise _UnexpectedError(f"has another network's shapes ({where}: {found})")
    whole = array.id.get_create_plist().get_layout() in _STORED_WHOLE and not array.external
    if not whole or array.id.get_storage_size() != array.nbytes:
        raise _UnexpectedError(f"does not hold its arrays as Keras stores them ({where})")
    values: Array = array[()].astype(np.float32)
    if not np.isfinite(values).all():
        raise _UnexpectedError(f"has weights that are not finite numbers ({where})")
    return values
