"""Writes files as Lua Torch 7 does, for tests."""

import struct
from pathlib import Path

import numpy as np

from sketch_models.simo_serra_file import LAYERS
from sketch_models.torch7 import Module

_CLASSES = {"<f4": "Float", "<f8": "Double", "<i8": "Long", "|u1": "Byte"}


class Writer:
    """Collects the bytes of one file."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._index = 0

    def write(self, value: object) -> None:
        """Adds an object of any kind that `torch7.read` gives."""
        if value is None:
            self._int(0)
        elif isinstance(value, bool):
            self._int(5, int(value))
        elif isinstance(value, float):
            self.parts.append(struct.pack("<id", 1, value))
        elif isinstance(value, bytes):
            self._int(2)
            self._text(value)
        elif isinstance(value, dict):
            self._int(3, self._next(), len(value))
            for key, entry in value.items():
                self.write(key)
                self.write(entry)
        elif isinstance(value, Module):
            self._head(value.name)
            self.write(value.fields)
        else:
            self._tensor(np.asarray(value))

    def _tensor(self, array: np.ndarray) -> None:
        array = np.ascontiguousarray(array)
        name = _CLASSES[array.dtype.str]
        self._head(f"torch.{name}Tensor")
        strides = [step // array.itemsize for step in array.strides]
        self._int(array.ndim)
        self._long(*array.shape, *strides, 1)
        self._head(f"torch.{name}Storage")
        self._long(array.size)
        self.parts.append(array.tobytes())

    def _head(self, name: str) -> None:
        self._int(4, self._next())
        self._text(b"V 1")
        self._text(name.encode())

    def _text(self, text: bytes) -> None:
        self._int(len(text))
        self.parts.append(text)

    def _next(self) -> int:
        self._index += 1
        return self._index

    def _int(self, *values: int) -> None:
        self.parts.append(struct.pack(f"<{len(values)}i", *values))

    def _long(self, *values: int) -> None:
        self.parts.append(struct.pack(f"<{len(values)}q", *values))


def write(path: Path, value: object) -> None:
    """Writes one object."""
    writer = Writer()
    writer.write(value)
    path.write_bytes(b"".join(writer.parts))


def model(arrays: dict[str, np.ndarray], *, flat: bool = False) -> dict[bytes, object]:
    """The table of sketch simplification; `flat`: kernels as SpatialConvolutionMM has them."""
    steps: list[Module] = []
    for place, layer in enumerate(LAYERS):
        weight = arrays[f"{place}.weight"]
        kind = "nn.SpatialFullConvolution" if layer.up else "nn.SpatialConvolution"
        if flat and not layer.up:
            weight, kind = weight.reshape(len(weight), -1), "nn.SpatialConvolutionMM"
        steps.append(Module(kind, {b"weight": weight, b"bias": arrays[f"{place}.bias"]}))
        last = place == len(LAYERS) - 1
        steps.append(Module("nn.Sigmoid" if last else "nn.ReLU", {b"inplace": True}))
    modules = {float(number): step for number, step in enumerate(steps, 1)}
    return {
        b"model": Module("nn.Sequential", {b"modules": modules, b"train": False}),
        b"mean": float(arrays["mean"][0]),
        b"std": float(arrays["std"][0]),
    }


def write_simo_serra(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Weights as they are published."""
    write(path, model(arrays))
