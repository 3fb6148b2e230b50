"""The reader of Torch 7 files, as Lua Torch's `torch.save` writes them: binary, 64-bit longs.

Such a file is one value: a type tag, then its content. Tables and objects have an index; one that
was written before is repeated as its index only. Nothing in the file is executed; functions, and
classes that Senga does not need, are refused.
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

from sketch_models.errors import WeightsError

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

_MAX_DEPTH = 60  # levels of nested values; the published files have about 10
_MAX_VALUES = 100_000  # the published files have about 2,000
_MAX_DIMENSIONS = 8

Fields: TypeAlias = dict[int | str, object]


@dataclass(frozen=True, eq=False)
class Torch7Object:
    """An object of a Lua class: its name and its fields."""

    name: str
    fields: Fields


class _MalformedError(Exception):
    """The error of a file that is not a valid Torch 7 file; the message is the reason."""


def read(path: Path) -> object:
    """Read the value that a file holds.

    Nil, numbers, strings, booleans and tables are None, float, str, bool and dict (keys: int or
    str); objects of `MODULES` are `Torch7Object`; tensors and storages are numpy arrays, views of
    the file that cannot be written and that need not be aligned. Values may contain themselves.

    Raises:
        WeightsError: If the file cannot be read, is cut short or holds anything else.
    """
    try:
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file.")
        data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
        return _Reader(data).value()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror}).") from error
    except _MalformedError as error:
        raise WeightsError(f"{path}: not a usable Torch 7 file ({error}).") from error


class _Reader:
    """A reader of one value after the other."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data.data
        self._offset = 0  # bytes
        self._value_count = 0
        self._by_index: dict[int, object] = {}  # tables and objects, storages of tensors included
        self._storages: dict[int, NDArray[Any]] = {}

    def value(self, depth: int = 0) -> object:
        """Read the next value; `depth` is the number of values that it is nested in."""
        self._value_count += 1
        if depth > _MAX_DEPTH or self._value_count > _MAX_VALUES:
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
            raise _MalformedError("it holds a function, which weights do not need")
        raise _MalformedError(f"unknown type tag at byte {self._offset - 4}")

    def _table(self, depth: int) -> object:
        index = self._int()
        if index not in self._by_index:
            table: Fields = {}
            self._by_index[index] = table
            self._entries(table, depth)
        return self._by_index[index]

    def _entries(self, table: Fields, depth: int) -> None:
        for _ in range(
            self._check_count(self._int(), item_size=12)
        ):  # an empty string and nil: 12 bytes
            key = self.value(depth + 1)
            if isinstance(key, float) and key.is_integer():
                key = int(key)
            if not isinstance(key, (int, str)) or isinstance(key, bool):
                raise _MalformedError("a table has a key that is neither a string nor an integer")
            table[key] = self.value(depth + 1)

    def _object(self, depth: int) -> object:
        index = self._int()
        if index in self._by_index:
            return self._by_index[index]
        name = self._class()
        if name in MODULES:
            return self._module(index, name, depth)
        match = _TORCH_CLASS.fullmatch(name)
        if match is None or not (match[1] or match[2]):
            raise _MalformedError(f"it holds an object of the class {name[:60]!r}")
        element_type = match[2] or "Float"
        if match[3] == "Storage":
            return self._storage(index, element_type)
        tensor = self._tensor(name.replace("Tensor", "Storage"), element_type)
        self._by_index[index] = tensor
        return tensor

    def _class(self) -> str:
        version = self._text()
        if not re.fullmatch(r"V \d+", version):
            raise _MalformedError(f"an object has the version {version[:20]!r} instead of 'V 1'")
        return self._text()

    def _module(self, index: int, name: str, depth: int) -> Torch7Object:
        module = Torch7Object(name, {})
        self._by_index[index] = module
        tag, fields = self._int(), self._int()
        if tag != _TABLE or fields in self._by_index:  # Torch makes a table for every object
            raise _MalformedError(f"an object of the class {name} has no fields of its own")
        self._by_index[fields] = module.fields
        self._entries(module.fields, depth)
        return module

    def _tensor(self, storage_class: str, element_type: str) -> NDArray[Any]:
        dimensions = self._int()
        if not 0 <= dimensions <= _MAX_DIMENSIONS:
            raise _MalformedError(f"a tensor has {dimensions} dimensions")
        sizes, strides = self._longs(dimensions), self._longs(dimensions)
        first = self._long() - 1
        storage = self._storage_of_tensor(storage_class, element_type)
        if not dimensions:
            return storage[:0]
        if min(sizes) < 1 or min(strides) < 0 or first < 0 or prod(sizes) > storage.size:
            raise _MalformedError("a tensor does not fit into its storage")
        # The stride of a single row is never used, and may be any number.
        used_strides = [stride if n > 1 else 0 for n, stride in zip(sizes, strides, strict=True)]
        last = first + sum((n - 1) * stride for n, stride in zip(sizes, used_strides, strict=True))
        if last >= storage.size:
            raise _MalformedError("a tensor reaches beyond its storage")
        used_strides = [stride * storage.itemsize for stride in used_strides]
        return as_strided(storage[first:], sizes, used_strides, writeable=False)

    def _storage_of_tensor(self, expected: str, element_type: str) -> NDArray[Any]:
        tag = self._int()
        if tag == _NIL:
            return np.empty(0, _DTYPES[element_type])
        index = self._int() if tag == _OBJECT else 0
        if tag == _OBJECT and index not in self._by_index and self._class() == expected:
            self._storage(index, element_type)
        storage = self._storages.get(index)
        if storage is None or storage.dtype != _DTYPES[element_type]:
            raise _MalformedError(f"a tensor has no {expected}")
        return storage

    def _storage(self, index: int, element_type: str) -> NDArray[Any]:
        dtype = np.dtype(_DTYPES[element_type])
        count = self._check_count(self._long(), item_size=dtype.itemsize)
        storage = np.frombuffer(self._bytes(count * dtype.itemsize), dtype)
        self._by_index[index] = self._storages[index] = storage
        return storage

    def _check_count(self, count: int, item_size: int) -> int:
        """Return the count if that many items, of `item_size` bytes or more, can follow."""
        if not 0 <= count <= (len(self._data) - self._offset) // item_size:
            raise _MalformedError(
                f"it ends before the {count} items that byte {self._offset} announces"
            )
        return count

    def _bytes(self, count: int) -> memoryview:
        if count > len(self._data) - self._offset:
            raise _MalformedError(f"it ends at byte {len(self._data)}, in the middle of a value")
        self._offset += count
        return self._data[self._offset - count : self._offset]

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
        count = self._check_count(self._int(), item_size=1)
        return bytes(self._bytes(count)).decode("utf-8", "backslashreplace")
