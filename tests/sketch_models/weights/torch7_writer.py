"""A writer of Torch 7 files, as Lua Torch writes them."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sketch_models.weights import simo_serra_file
from sketch_models.weights.simo_serra_file import Layer
from sketch_models.weights.torch7 import Fields, Torch7Object

ELEMENT_TYPES = {
    "float32": "Float",
    "float64": "Double",
    "int64": "Long",
    "int32": "Int",
    "uint8": "Byte",
}


class Storage:
    """An array that several tensors are views of."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values


class Tensor:
    """A view of a storage, with the numbers that the file stores."""

    def __init__(
        self, storage: Storage | None, sizes: list[int], strides: list[int], first: int = 1
    ) -> None:
        self.storage, self.sizes, self.strides, self.first = storage, sizes, strides, first


def write(path: Path, value: object, *, cuda: bool = False) -> Path:
    """Write a value: None, numbers, str, bool, dict, arrays, `Torch7Object` and the two above."""
    with path.open("wb") as file:
        _Writer(file, cuda).value(value)
    return path


class _Writer:
    def __init__(self, file: BinaryIO, cuda: bool) -> None:
        self._file = file
        self._cuda = cuda
        self._indices: dict[int, int] = {}
        self._alive: list[object] = []  # the id of an object is unique as long as the object exists

    def value(self, value: object) -> None:
        if value is None:
            self._ints(0)
        elif isinstance(value, bool):
            self._ints(5, value)
        elif isinstance(value, (int, float)):
            self._ints(1)
            self._file.write(struct.pack("<d", value))
        elif isinstance(value, str):
            self._ints(2)
            self._text(value)
        else:
            self._ints(3 if isinstance(value, Mapping) else 4)
            if self._write_index(value):
                self._content(value)

    def _content(self, value: object) -> None:
        if isinstance(value, Mapping):
            self._ints(len(value))
            for key, item in value.items():
                self.value(key)
                self.value(item)
        elif isinstance(value, Torch7Object):
            self._class(value.name)
            self.value(dict(value.fields))
        elif isinstance(value, Storage):
            self._class(self._name(value.values, "Storage"))
            self._longs(value.values.size)
            self._file.write(np.ascontiguousarray(value.values).data)
        elif isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, np.ndarray) and not value.size:
            self._tensor(Tensor(None, [], []))
        elif isinstance(value, np.ndarray):
            contiguous = np.ascontiguousarray(value)
            strides = [stride // value.itemsize for stride in contiguous.strides]
            self._tensor(Tensor(Storage(contiguous.reshape(-1)), list(value.shape), strides))
        else:
            raise TypeError(value)

    def _tensor(self, tensor: Tensor) -> None:
        values = np.empty(0, np.float32) if tensor.storage is None else tensor.storage.values
        self._class(self._name(values, "Tensor"))
        self._ints(len(tensor.sizes))
        self._longs(*tensor.sizes, *tensor.strides, tensor.first)
        self.value(tensor.storage)

    def _name(self, values: np.ndarray, suffix: str) -> str:
        element_type = ELEMENT_TYPES[str(values.dtype)]
        if self._cuda:
            element_type = "Cuda" + element_type.replace("Float", "")
        return f"torch.{element_type}{suffix}"

    def _write_index(self, value: object) -> bool:
        """Write the index of an object; return whether the object is new."""
        new = id(value) not in self._indices
        if new:
            self._indices[id(value)] = len(self._indices) + 1
            self._alive.append(value)
        self._ints(self._indices[id(value)])
        return new

    def _class(self, name: str) -> None:
        self._text("V 1")
        self._text(name)

    def _text(self, text: str) -> None:
        encoded = text.encode()
        self._ints(len(encoded))
        self._file.write(encoded)

    def _ints(self, *numbers: int) -> None:
        self._file.write(struct.pack(f"<{len(numbers)}i", *numbers))

    def _longs(self, *numbers: int) -> None:
        self._file.write(struct.pack(f"<{len(numbers)}q", *numbers))


def write_simo_serra(
    path: Path,
    tensors: Mapping[str, np.ndarray],
    *,
    nested: bool = False,
    flat_kernels: bool = False,
    cuda: bool = False,
) -> Path:
    """Write weights in our layout as upstream publishes them.

    Args:
        path: of the file to write.
        tensors: `0.weight` ... `22.bias`, `mean`, `std`.
        nested: whether the modules are in two Sequentials within one.
        flat_kernels: whether plain convolutions are SpatialConvolutionMM with flat kernels.
        cuda: whether modules and tensors are those of a GPU.
    """
    modules = []
    for index, layer in enumerate(simo_serra_file.LAYERS):
        module_class = "SpatialFullConvolution" if layer.upsamples else "SpatialConvolution"
        weight = tensors[f"{index}.weight"]
        if flat_kernels and not layer.upsamples:
            module_class, weight = "SpatialConvolutionMM", weight.reshape(len(weight), -1)
        modules.append(
            Torch7Object(
                _package(cuda) + module_class,
                _fields(layer) | {"weight": weight, "bias": tensors[f"{index}.bias"]},
            )
        )
        activation = "Sigmoid" if layer is simo_serra_file.LAYERS[-1] else "ReLU"
        modules.append(Torch7Object(_package(cuda) + activation, {"train": False, "inplace": True}))
    if nested:
        modules = [_sequential(modules[:10]), _sequential(modules[10:])]
    mean, std = (float(tensors[name][0]) for name in ("mean", "std"))
    return write(path, {"model": _sequential(modules), "mean": mean, "std": std}, cuda=cuda)


def _package(cuda: bool) -> str:
    return "cudnn." if cuda else "nn."


def _sequential(modules: list[Torch7Object]) -> Torch7Object:
    return Torch7Object("nn.Sequential", {"modules": dict(enumerate(modules, 1)), "train": False})


def _fields(layer: Layer) -> Fields:
    return {
        "nInputPlane": layer.in_channels,
        "nOutputPlane": layer.out_channels,
        "output": Tensor(None, [], []),
        "_type": "torch.FloatTensor",
        "train": False,
        **{
            f"{name}{axis}": value
            for axis in "WH"
            for name, value in (("k", layer.kernel), ("d", layer.stride), ("pad", layer.padding))
        },
    }
