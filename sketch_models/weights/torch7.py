"""Reads Torch 7 files: what `torch.save` of Lua Torch writes, in binary, with 64-bit longs.

Such a file is one value: a type tag, then what belongs to it. Tables and objects carry an index,
and a value that was written before is its index alone. Nothing is executed, whatever is in the
file; functions and classes that Senga has no use for are refused.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from sketch_models.errors import SengaError

_NIL, _NUMBER, _STRING, _TABLE, _OBJECT, _BOOLEAN = range(6)
_FUNCTIONS = (6, 7, 8)
_DTYPES = {"Float": "<f4", "Double": "<f8", "Long": "<i8", "Int": "<i4", "Byte": "u1"}
_TORCH_CLASS = re.compile(rf"torch\.(Cuda)?({'|'.join(_DTYPES)})?(Tensor|Storage)")

MODULES = frozenset(
    {
        "nn.Sequential",
        "nn.SpatialConvolution",
        "nn.SpatialConvolutionMM",
        "cudnn.SpatialConvolution",
        "nn.SpatialFullConvolution",
        "cudnn.SpatialFullConvolution",
        "nn.ReLU",
        "cudnn.ReLU",
        "nn.Sigmoid",
        "cudnn.Sigmoid",
    }
)
"""The classes whose objects are read, as tables of their fields."""

_DEEPEST = 60  # values within values; the published files have about 10
_MOST_VALUES = 100_000  # the published files have about 2,000
_MOST_DIMENSIONS = 8

Fields: TypeAlias = dict[int | str, object]


@dataclass(frozen=True, eq=False)
class Torch7Object:
    """An object of a Lua class: its name and its fields."""

    name: str
    fields: Fields


class _MalformedError(Exception):
    """The end of a sentence that begins with the file: what is wrong with it."""


def read(path: Path) -> object:
    """Reads the value that a file holds.

    Nil, numbers, strings, booleans and tables are None, float, str, bool and dict (keys: int or
    str); objects of `MODULES` are `Torch7Object`; tensors and storages are numpy arrays, views of
    the file that cannot be written and that need not be aligned. Values may contain themselves.

    Raises:
        SengaError: where the file cannot be read, is cut short or holds anything else.
    """
    try:
        if not path.is_file():
            raise SengaError(f"{path} is missing: expected a Torch 7 file.")
        data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
        return _Reader(data).value()
    except OSError as error:
        raise SengaError(f"{path} cannot be read ({error.strerror}): make it readable.") from error
    except _MalformedError as error:
        raise SengaError(f"{path} is no usable Torch 7 file ({error}): fetch it again.") from error


class _Reader:
    """A place in a file that moves on with every value that is read."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data.data
        self._at = 0
        self._values = 0
        self._seen: dict[int, object] = {}  # by index, storages that tensors brought included
        self._storages: dict[int, NDArray[Any]] = {}

    def value(self, depth: int = 0) -> object:
        """The value at this place; `depth` is the number of values around it."""
        self._values += 1
        if depth > _DEEPEST or self._values > _MOST_VALUES:
            raise _MalformedError("its values are too many or too deep for a network's weights")
        tag = self._int()
        if tag == _NIL:
            return None
        if tag == _NUMBER:
            return self._number()
        if tag == _STRING:
            return self._text()
        if tag == _BOOLEAN:
            return self._int() != 0
        if tag == _TABLE:
            return self._table(depth)
        if tag == _OBJECT:
            return self._object(depth)
        if tag in _FUNCTIONS:
            raise _MalformedError("it holds a function, which may not be in a file of weights")
        raise _MalformedError(f"byte {self._at - 4} is no type of Torch 7")

    def _table(self, depth: int) -> object:
        index = self._int()
        if index not in self._seen:
            made: Fields = {}
            self._seen[index] = made
            self._entries(made, depth)
        return self._seen[index]

    def _entries(self, table: Fields, depth: int) -> None:
        for _ in range(self._count(self._int(), unit=12)):  # an empty string and nil: 12 bytes
            key = self.value(depth + 1)
            if isinstance(key, float) and key.is_integer():
                key = int(key)
            if not isinstance(key, (int, str)) or isinstance(key, bool):
                raise _MalformedError("a table has a key that is neither a string nor an integer")
            table[key] = self.value(depth + 1)

    def _object(self, depth: int) -> object:
        index = self._int()
        if index in self._seen:
            return self._seen[index]
        name = self._class()
        if name in MODULES:
            return self._module(index, name, depth)
        kind = _TORCH_CLASS.fullmatch(name)
        if kind is None or not (kind[1] or kind[2]):
            raise _MalformedError(f"it holds an object of the class {name[:60]!r}")
        scalar = kind[2] or "Float"
        if kind[3] == "Storage":
            return self._storage(index, scalar)
        tensor = self._tensor(name.replace("Tensor", "Storage"), scalar)
        self._seen[index] = tensor
        return tensor

    def _class(self) -> str:
        version = self._text()
        if not re.fullmatch(r"V \d+", version):
            raise _MalformedError(f"an object has the version {version[:20]!r} instead of 'V 1'")
        return self._text()

    def _module(self, index: int, name: str, depth: int) -> Torch7Object:
        made = Torch7Object(name, {})
        self._seen[index] = made
        tag, fields = self._int(), self._int()
        if tag != _TABLE or fields in self._seen:  # Torch makes a table for every object
            raise _MalformedError(f"an object of the class {name} has no fields of its own")
        self._seen[fields] = made.fields
        self._entries(made.fields, depth)
        return made

    def _tensor(self, storage_class: str, scalar: str) -> NDArray[Any]:
        dimensions = self._int()
        if not 0 <= dimensions <= _MOST_DIMENSIONS:
            raise _MalformedError(f"a tensor has {dimensions} dimensions")
        sizes, strides = self._longs(dimensions), self._longs(dimensions)
        first = self._long() - 1
        storage = self._storage_of_tensor(storage_class, scalar)
        if not dimensions:
            return storage[:0]
        if min(sizes) < 1 or min(strides) < 0 or first < 0 or prod(sizes) > storage.size:
            raise _MalformedError("a tensor does not fit into its storage")
        # The stride of a single row is never used, and may be any number.
        steps = [step if n > 1 else 0 for n, step in zip(sizes, strides, strict=True)]
        last = first + sum((n - 1) * step for n, step in zip(sizes, steps, strict=True))
        if last >= storage.size:
            raise _MalformedError("a tensor reaches beyond its storage")
        steps = [step * storage.itemsize for step in steps]
        return as_strided(storage[first:], sizes, steps, writeable=False)

    def _storage_of_tensor(self, expected: str, scalar: str) -> NDArray[Any]:
        tag = self._int()
        if tag == _NIL:
            return np.empty(0, _DTYPES[scalar])
        index = self._int() if tag == _OBJECT else 0
        if tag == _OBJECT and index not in self._seen and self._class() == expected:
            self._storage(index, scalar)
        found = self._storages.get(index)
        if found is None or found.dtype != _DTYPES[scalar]:
            raise _MalformedError(f"a tensor has no {expected}")
        return found

    def _storage(self, index: int, scalar: str) -> NDArray[Any]:
        dtype = np.dtype(_DTYPES[scalar])
        count = self._count(self._long(), unit=dtype.itemsize)
        made = np.frombuffer(self._bytes(count * dtype.itemsize), dtype)
        self._seen[index] = self._storages[index] = made
        return made

    def _count(self, count: int, unit: int) -> int:
        """A count as it was read, where as many things of `unit` bytes or more can follow."""
        if not 0 <= count <= (len(self._data) - self._at) // unit:
            raise _MalformedError(f"byte {self._at} announces {count} things, and it ends before")
        return count

    def _bytes(self, count: int) -> memoryview:
        if count > len(self._data) - self._at:
            raise _MalformedError(f"it ends at byte {len(self._data)}, in the middle of a value")
        self._at += count
        return self._data[self._at - count : self._at]

    def _int(self) -> int:
        return int.from_bytes(self._bytes(4), "little", signed=True)

    def _long(self) -> int:
        return int.from_bytes(self._bytes(8), "little", signed=True)

    def _longs(self, count: int) -> list[int]:
        return [self._long() for _ in range(count)]

    def _number(self) -> float:
        (number,) = struct.unpack("<d", self._bytes(8))
        return float(number)

    def _text(self) -> str:
        count = self._count(self._int(), unit=1)
        return bytes(self._bytes(count)).decode("utf-8", "backslashreplace")
