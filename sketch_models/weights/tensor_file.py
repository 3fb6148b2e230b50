"""Files of named tensors from elsewhere: what kind they are, what they hold, and whether it fits.

Every error is a sentence about the file that ends with what was expected; the readers of a
network's weights add where a good file is (`and_where`).
"""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sketch_models.errors import SengaError

Tensors: TypeAlias = dict[str, NDArray[Any]]

_PYTORCH = (b"PK\3\4", b"\x80\2")  # since and before PyTorch 1.6


class Kind(Enum):
    """What can hold weights."""

    TORCH7 = "Torch 7"
    PYTORCH = "PyTorch"
    SAFETENSORS = "safetensors"


def is_pytorch(path: Path) -> bool:
    """Whether only PyTorch can read a file; False where it cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(_PYTORCH)
    except OSError:
        return False


def kind(path: Path) -> Kind:
    """Tells the kind of a file by its first bytes, whatever its name is.

    Raises:
        SengaError: where the file is missing, empty, an HTML page or of another kind.
    """
    try:
        if not path.is_file():
            raise SengaError(f"{path} is missing, expected a file of weights.")
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SengaError(
            f"{path} cannot be read ({reason}), expected a file of weights."
        ) from error
    if not head:
        raise SengaError(f"{path} is empty, expected a file of weights.")
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
        raise SengaError(f"{path} is an HTML page, expected a file of weights.")
    if head.startswith(b"\3\0\0\0"):  # a table
        return Kind.TORCH7
    if head.startswith(_PYTORCH):
        return Kind.PYTORCH
    if head[8:9] == b"{":  # behind the length of its header
        return Kind.SAFETENSORS
    kinds = ", ".join(kind.value for kind in Kind)
    raise SengaError(f"{path} is no file of weights, expected one of these kinds: {kinds}.")


def read(path: Path) -> Tensors:
    """Reads a state dict of PyTorch or a safetensors file; no pickled code runs.

    Raises:
        SengaError: where it is of another kind, damaged, or holds more than tensors.
    """
    found = kind(path)
    if found is Kind.PYTORCH:
        return _state_dict(path)
    if found is Kind.SAFETENSORS:
        return _safetensors(path)
    raise SengaError(f"{path} is a {found.value} file, expected one of PyTorch or safetensors.")


def _state_dict(path: Path) -> Tensors:
    import torch  # takes seconds, and most runs find their weights converted

    try:
        _refuse_swollen(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        # A sparse or meta tensor, or one of a type that NumPy lacks, has no `numpy`.
        return {_name(name): tensor.detach().numpy() for name, tensor in loaded.items()}
    except Exception as error:  # whatever PyTorch makes of hostile bytes
        raise SengaError(
            f"{path} is damaged or cut short, or holds pickled objects that are not tensors, "
            f"expected a whole state dict of PyTorch."
        ) from error


def _refuse_swollen(path: Path) -> None:
    """PyTorch stores its records as they are: none may unpack to more than the file's bytes."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(record.file_size for record in archive.infolist())
        if unpacked > path.stat().st_size:
            raise ValueError(f"its records unpack to {unpacked} bytes")


def _safetensors(path: Path) -> Tensors:
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except Exception as error:  # a type that NumPy lacks is a KeyError there, and so on
        raise SengaError(
            f"{path} is damaged or cut short, expected a whole safetensors file."
        ) from error


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a tensor is named {name!r}")
    return name


def checked(path: Path, name: str, tensor: object, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A tensor as contiguous float32 of its own memory.

    Args:
        path: of the file, for the sentence.
        name: of the tensor, for the sentence.
        tensor: what the file holds under that name.
        shape: what it must have.

    Raises:
        SengaError: where it is no array of floats of that shape, or holds NaN or infinity.
    """
    if not isinstance(tensor, np.ndarray) or tensor.dtype.kind != "f":
        raise SengaError(f"{path} has no floats under the name {name}, expected {_times(shape)}.")
    if tensor.shape != shape:
        raise SengaError(
            f"{path} is of another network: {name} has the shape {_times(tensor.shape)}, "
            f"expected {_times(shape)}."
        )
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and refused as such
        values = np.array(tensor, np.float32, order="C")
    if not np.isfinite(values).all():
        raise SengaError(f"{path} holds NaN or infinity in {name}, expected finite numbers.")
    return values


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"


@contextmanager
def and_where(address: str) -> Iterator[None]:
    """Adds to a sentence about a file where a good one is."""
    try:
        yield
    except SengaError as error:
        sentence = str(error).removesuffix(".")
        raise SengaError(f"{sentence}; a good file is {address}.") from error
