"""The reader of sketchKeras's weights, `mod.h5`, as written by Keras; it executes nothing.

Layers are identified by the order of the attribute `layer_names` and by their shapes, since the
nesting of the groups and the endings of the names differ between versions of Keras.
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

from sketch_models.errors import WeightsError
from sketch_models.weights import hdf5_text

DOWNLOAD_URL = "https://github.com/lllyasviel/sketchKeras/releases/download/0.1/mod.h5"
EPSILON = 1e-3
"""Of the BatchNorm layers; Keras's own default."""

_MAX_BYTES = 256 << 20  # of a file; the published one has 75 MB
_MAX_LAYERS = 500  # the network has about 75 with its activations
_MAX_ITEMS = 32  # arrays and groups in a layer; Keras makes at most 5
_ALLOWED_LAYOUTS = (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"Lambda"')  # in the JSON that Keras keeps beside weights
_OTHER_FORMATS = {
    b"<": "is a web page",
    b"\x80": "is a pickle, which may hold code",
    b"PK": "is a zip archive, such as PyTorch's files",
}

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """The shape of one convolution."""

    kernel: int  # pixels, square
    stride: int
    in_channels: int
    out_channels: int

    @property
    def upsamples(self) -> bool:
        """Whether the input is upsampled to twice its size first."""
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
"""The encoder, then the decoder; all but the last are followed by BatchNorm and ReLU."""


@dataclass(frozen=True)
class BatchNorm:
    """The parameters of one BatchNorm: four arrays, (C,) float32."""

    gamma: Array
    beta: Array
    mean: Array
    variance: Array


@dataclass(frozen=True)
class Layer:
    """One convolution and the BatchNorm that follows it, as they are in the file.

    Attributes:
        kernel: (H, W, I, O) float32.
        bias: (O,) float32.
        batch_norm: None after the last convolution.
    """

    kernel: Array
    bias: Array
    batch_norm: BatchNorm | None


SketchKerasLayers = tuple[Layer, ...]
"""One layer for each of `CONVOLUTIONS`."""


class _FormatError(Exception):
    """The error of a file that is not sketchKeras's; the message goes on after "the file"."""


def read_layers(path: Path) -> SketchKerasLayers:
    """Return the 18 convolutions and their BatchNorms, from the file that Keras wrote.

    Raises:
        WeightsError: If the file is anything else.
    """
    with _explain_errors(path):
        return _parse_hdf5(_read_content(path))


def read(path: Path) -> dict[str, Array]:
    """Return the 18 convolutions in PyTorch's layout, each with its BatchNorm folded in.

    `w' = w g / sqrt(v + eps)` and `b' = (b - m) g / sqrt(v + eps) + beta`, in float64.

    Args:
        path: of Keras's file, or of a safetensors file with the tensors that this function returns.

    Returns:
        `0.weight` (O, I, H, W), `0.bias` (O,) ... `17.bias`, float32.

    Raises:
        WeightsError: If the file is neither.
    """
    with _explain_errors(path):
        content = _read_content(path)
        is_safetensors = content[8:9] == b"{"
        state = _parse_safetensors(content) if is_safetensors else _fold(_parse_hdf5(content))
        if not all(np.isfinite(array).all() for array in state.values()):
            raise _FormatError("has weights that are not finite numbers")
        return state


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    """Turn any error that occurs while the file is read into a WeightsError."""
    try:
        yield
    except Exception as error:  # h5py raises all kinds of errors for broken bytes
        problem = str(error) if isinstance(error, _FormatError) else "is damaged or cut short"
        raise WeightsError(
            f"{path}: the file {problem}. Download sketchKeras's weights from {DOWNLOAD_URL}."
        ) from error


def _read_content(path: Path) -> bytes:
    """Read the whole file, so that HDF5 cannot open another one."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _FormatError(f"cannot be read ({error.strerror})") from error
    if not content:
        raise _FormatError("is empty")
    if len(content) > _MAX_BYTES:
        raise _FormatError(f"has more than {_MAX_BYTES >> 20} MB")
    return content


def _parse_safetensors(content: bytes) -> dict[str, Array]:
    from safetensors.numpy import load

    state: dict[str, Array] = load(content)
    expected: dict[str, tuple[int, ...]] = {}
    for index, c in enumerate(CONVOLUTIONS):
        expected[f"{index}.weight"] = (c.out_channels, c.in_channels, c.kernel, c.kernel)
        expected[f"{index}.bias"] = (c.out_channels,)
    shapes = {name: array.shape for name, array in state.items()}
    if shapes != expected or any(array.dtype != np.float32 for array in state.values()):
        raise _FormatError("has another network's weights")
    return state


def _fold(layers: SketchKerasLayers) -> dict[str, Array]:
    state = {}
    for index, layer in enumerate(layers):
        kernel, bias = layer.kernel.astype(np.float64), layer.bias.astype(np.float64)
        if layer.batch_norm is not None:
            norm = layer.batch_norm
            scale = norm.gamma / np.sqrt(norm.variance.astype(np.float64) + EPSILON)
            kernel, bias = kernel * scale, (bias - norm.mean) * scale + norm.beta
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
            state[f"{index}.weight"] = kernel.astype(np.float32)
            state[f"{index}.bias"] = bias.astype(np.float32)
    return state


def _parse_hdf5(content: bytes) -> SketchKerasLayers:
    if not content.startswith(b"\x89HDF\r\n\x1a\n"):
        start = content[:512].lstrip()
        formats = (text for magic, text in _OTHER_FORMATS.items() if start.startswith(magic))
        raise _FormatError(next(formats, "is not an HDF5 file"))
    if _LAMBDA.search(content):
        raise _FormatError("has a Lambda layer, which holds code")
    if not hdf5_text.has_valid_strings(content):
        raise _FormatError("is damaged or cut short")
    with h5py.File(io.BytesIO(content), "r") as file:
        top = _member(file, "model_weights") if "model_weights" in file else file
        names = hdf5_text.read(top, "layer_names")
        if not 0 < len(names) <= _MAX_LAYERS:
            raise _FormatError(f"lists {len(names)} layers")
        return _parse_layers([_find_arrays(_member(top, name)) for name in names])


def _member(group: h5py.Group, path: str) -> h5py.Group | h5py.Dataset:
    """Return the group or dataset at a path; links to other places or files are refused."""
    for name in path.split("/"):
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _FormatError("lacks a layer, or links to another place")
        group = group[name]
    return group


@dataclass(frozen=True)
class _LayerArrays:
    """The arrays of one layer.

    Attributes:
        by_path: arrays by their paths below the layer's group.
        order: these paths in Keras's order; empty if the file does not list them.
    """

    by_path: dict[str, h5py.Dataset]
    order: list[str]

    @property
    def is_convolution(self) -> bool:
        return any(array.ndim == 4 for array in self.by_path.values())


def _find_arrays(layer: h5py.Group) -> _LayerArrays:
    """Find a layer's arrays, in all of its groups."""
    by_path: dict[str, h5py.Dataset] = {}
    groups = [("", layer)]
    item_count = 0
    while groups:
        prefix, group = groups.pop()
        item_count += len(group)
        if item_count > _MAX_ITEMS:
            raise _FormatError("has a layer of too many parts")
        for name in group:
            item = _member(group, name)
            if isinstance(item, h5py.Group):
                groups.append((f"{prefix}{name}/", item))
            else:
                by_path[prefix + name] = item
    return _LayerArrays(by_path, hdf5_text.read(layer, "weight_names"))


def _parse_layers(layers: Sequence[_LayerArrays]) -> SketchKerasLayers:
    convolutions = [layer for layer in layers if layer.is_convolution]
    norms = [layer for layer in layers if layer.by_path and not layer.is_convolution]
    expected = len(CONVOLUTIONS), len(CONVOLUTIONS) - 1
    if (len(convolutions), len(norms)) != expected:
        raise _FormatError(
            f"has {len(convolutions)} convolutions and {len(norms)} other layers with weights, "
            f"not {expected[0]} and {expected[1]}"
        )
    return tuple(
        _parse_layer(index, convolution, norm)
        for index, (convolution, norm) in enumerate(zip(convolutions, [*norms, None], strict=True))
    )


def _parse_layer(index: int, convolution: _LayerArrays, norm: _LayerArrays | None) -> Layer:
    shape = CONVOLUTIONS[index]
    channels = (shape.out_channels,)
    kernel_shape = (shape.kernel, shape.kernel, shape.in_channels, shape.out_channels)
    name = f"convolution {index + 1}"
    kernel, bias = _read_arrays(name, convolution, {"kernel": kernel_shape, "bias": channels})
    if norm is None:
        return Layer(kernel, bias, None)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    name = f"BatchNorm {index + 1}"
    gamma, beta, mean, variance = _read_arrays(name, norm, dict.fromkeys(names, channels))
    if variance.min() < 0:
        raise _FormatError(f"has a negative variance in {name}")
    return Layer(kernel, bias, BatchNorm(gamma, beta, mean, variance))


def _read_arrays(
    layer: str, arrays: _LayerArrays, shapes: dict[str, tuple[int, ...]]
) -> list[Array]:
    """Read a layer's arrays by their names, or in the file's order if they have other names."""
    by_path = arrays.by_path
    by_name = {path.rsplit("/", 1)[-1].partition(":")[0]: by_path[path] for path in by_path}
    if by_name.keys() == shapes.keys():
        datasets = [by_name[name] for name in shapes]
    elif len(arrays.order) == len(shapes) and set(arrays.order) == by_path.keys():
        datasets = [by_path[path] for path in arrays.order]
    else:
        raise _FormatError(f"has other arrays than {', '.join(shapes)} in {layer}")
    return [
        _read_array(f"{layer}, {name}", dataset, shape)
        for dataset, (name, shape) in zip(datasets, shapes.items(), strict=True)
    ]


def _read_array(name: str, dataset: h5py.Dataset, shape: tuple[int, ...]) -> Array:
    """Read an array after a check of its shape, its dtype and how it is stored."""
    if dataset.shape != shape or dataset.dtype.kind != "f" or dataset.dtype.itemsize != 4:
        mismatch = f"{dataset.shape} {dataset.dtype}, not {shape} float32"
        raise _FormatError(f"has another network's shapes ({name}: {mismatch})")
    layout = dataset.id.get_create_plist().get_layout()
    whole = layout in _ALLOWED_LAYOUTS and not dataset.external
    if not whole or dataset.id.get_storage_size() != dataset.nbytes:
        raise _FormatError(f"does not store its arrays as Keras does ({name})")
    values: Array = dataset[()].astype(np.float32)
    if not np.isfinite(values).all():
        raise _FormatError(f"has weights that are not finite numbers ({name})")
    return values
