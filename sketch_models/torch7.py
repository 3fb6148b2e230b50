"""Reads files of Lua Torch 7, strictly: tables, strings, numbers and tensors, nothing that runs.

Every count is checked against the bytes that are left before anything is made of it, so that a
hostile file costs no more time and memory than its own size.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_DEEPEST = 60  # objects within one another
_MOST_DIMENSIONS = 8
_LARGEST = 1 << 30  # bytes; the published files have 178 MB

_NUMBERS: dict[str, np.dtype[Any]] = {
    "Float": np.dtype("<f4"),
    "Double": np.dtype("<f8"),
    "Half": np.dtype("<f2"),
    "Long": np.dtype("<i8"),
    "Int": np.dtype("<i4"),
    "Short": np.dtype("<i2"),
    "Char": np.dtype("i1"),
    "Byte": np.dtype("u1"),
    "Cuda": np.dtype("<f4"),
    "CudaDouble": np.dtype("<f8"),
    "CudaHalf": np.dtype("<f2"),
    "CudaLong": np.dtype("<i8"),
}
_STORAGES = {f"torch.{name}Storage": dtype for name, dtype in _NUMBERS.items()}
_TENSORS = {f"torch.{name}Tensor": dtype for name, dtype in _NUMBERS.items()}
_MODULES = ("nn.", "cudnn.", "cunn.")

Value: TypeAlias = Any
"""None, bool, float, bytes, dict, NDArray or Module."""


class Torch7Error(Exception):
    """What is wrong with the bytes, as the middle of a sentence."""


@dataclass
class Module:
    """An object of a class of the package nn.

    Attributes:
        name: of its class, such as `nn.SpatialConvolution`.
        fields: by name.
    """

    name: str
    fields: dict[Value, Value] = field(default_factory=dict)


def read(path: Path) -> Value:
    """Reads the one object of a file.

    Returns:
        A number as float, a string as bytes, a table as dict, a tensor as an array of its shape
        and type, an object of the package nn as `Module`.

    Raises:
        Torch7Error: where the file is anything else.
        OSError: as the operating system gave it.
    """
    if path.stat().st_size > _LARGEST:
        raise Torch7Error(f"it has {path.stat().st_size >> 20} MB")
    reader = _Reader(path.read_bytes())
    try:
        return reader.value()
    except RecursionError as error:
        raise Torch7Error("its objects are nested too deeply") from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self._at = 0
        self._depth = 0
        self._seen: dict[int, Value] = {}

    def value(self) -> Value:
        """The object at the current place."""
        kind = self._int()
        if kind == 0:
            return None
        simple: dict[int, Callable[[], Value]] = {
            1: self._double,
            2: self._string,
            5: self._boolean,
        }
        if kind in simple:
            return simple[kind]()
        if kind not in (3, 4):
            what = "a function" if kind in (6, 7, 8) else f"something of the unknown kind {kind}"
            raise Torch7Error(f"it holds {what}")
        index = self._int()
        if index in self._seen:
            return self._seen[index]
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Torch7Error("its objects are nested too deeply")
        made = self._table(index) if kind == 3 else self._object(index)
        self._depth -= 1
        return made

    def _take(self, count: int) -> memoryview:
        if not 0 <= count <= len(self._content) - self._at:
            raise Torch7Error("it is cut short or damaged")
        self._at += count
        return self._content[self._at - count : self._at]

    def _int(self) -> int:
        return int.from_bytes(self._take(4), "little", signed=True)

    def _long(self) -> int:
        return int.from_bytes(self._take(8), "little", signed=True)

    def _double(self) -> float:
        (number,) = struct.unpack("<d", self._take(8))
        return float(number)

    def _boolean(self) -> bool:
        return self._int() != 0

    def _string(self) -> bytes:
        return bytes(self._take(self._int()))

    def _table(self, index: int) -> dict[Value, Value]:
        table: dict[Value, Value] = {}
        self._seen[index] = table  # before its entries, which may name it
        count = self._int()
        if not 0 <= count <= (len(self._content) - self._at) // 8:  # two kinds, 4 bytes each
            raise Torch7Error("it is cut short or damaged")
        for _ in range(count):
            key = self.value()
            if not isinstance(key, float | bytes | bool):
                raise Torch7Error("it has a table with a key that is no name or number")
            table[key] = self.value()
        return table

    def _object(self, index: int) -> Value:
        name = self._string()
        if name.startswith(b"V "):
            name = self._string()
        kind = name[:100].decode("latin-1")
        if kind in _STORAGES:
            self._seen[index] = self._storage(_STORAGES[kind])
        elif kind in _TENSORS:
            self._seen[index] = self._tensor(_TENSORS[kind])
        elif kind.startswith(_MODULES):
            module = Module(kind)
            self._seen[index] = module  # before its fields, which may name it
            fields = self.value()
            if not isinstance(fields, dict):
                raise Torch7Error(f"its {kind} has no fields")
            module.fields = fields
        else:
            raise Torch7Error(f"it holds an object of the class {kind!r}")
        return self._seen[index]

    def _storage(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        count = self._long()
        if count < 0:
            raise Torch7Error("it is cut short or damaged")
        return np.frombuffer(self._take(count * dtype.itemsize), dtype)

    def _tensor(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Tensors may overlap, but never show more numbers than their storage has."""
        dimensions = self._int()
        if not 0 <= dimensions <= _MOST_DIMENSIONS:
            raise Torch7Error(f"it has a tensor of {dimensions} dimensions")
        shape = [self._long() for _ in range(dimensions)]
        strides = [self._long() for _ in range(dimensions)]
        offset = self._long() - 1
        storage = self.value()
        size = math.prod(shape) if shape else 0
        if storage is None and size == 0:
            return np.empty(0, dtype)
        if not isinstance(storage, np.ndarray) or storage.ndim != 1 or storage.dtype != dtype:
            raise Torch7Error("it has a tensor without a storage of its type")
        if size == 0:
            return storage[:0]
        if min(shape) < 1 or min(strides) < 0 or offset < 0 or size > len(storage):
            raise Torch7Error("it has a tensor that does not fit its storage")
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if last >= len(storage):
            raise Torch7Error("it has a tensor that does not fit its storage")
        steps = [step * dtype.itemsize for step in strides]
        return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)
