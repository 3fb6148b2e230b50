"""Files of named tensors that Senga did not write: detection, reading and checks.

Every error begins with the path of the file; the readers of a network's weights add the
address of a good file (`add_download_hint`).
"""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sketch_models.errors import WeightsError

Tensors: TypeAlias = dict[str, NDArray[Any]]

_PYTORCH = (b"PK\3\4", b"\x80\2")  # since and before PyTorch 1.6


class Format(Enum):
    """The formats of weight files."""

    TORCH7 = "Torch 7"
    PYTORCH = "PyTorch"
    SAFETENSORS = "safetensors"


def is_pytorch(path: Path) -> bool:
    """Return whether a file has PyTorch's format; False if it cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(_PYTORCH)
    except OSError:
        return False


def detect_format(path: Path) -> Format:
    """Return the format of a file by its first bytes, not by its name.

    Raises:
        WeightsError: If the file is missing, empty, an HTML page or of another format.
    """
    try:
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file.")
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WeightsError(f"{path}: cannot be read ({reason}).") from error
    if not head:
        raise WeightsError(f"{path}: the file is empty.")
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
        raise WeightsError(f"{path}: an HTML page, not weights.")
    if head.startswith(b"\3\0\0\0"):  # a table
        return Format.TORCH7
    if head.startswith(_PYTORCH):
        return Format.PYTORCH
    if head[8:9] == b"{":  # after the length of its header
        return Format.SAFETENSORS
    formats = ", ".join(each.value for each in Format)
    raise WeightsError(f"{path}: not a weight file; expected one of these formats: {formats}.")


def read(path: Path) -> Tensors:
    """Read a state dict of PyTorch or a safetensors file; no pickled code runs.

    Raises:
        WeightsError: If it is of another format, damaged, or holds more than tensors.
    """
    file_format = detect_format(path)
    if file_format is Format.PYTORCH:
        return _read_state_dict(path)
    if file_format is Format.SAFETENSORS:
        return _read_safetensors(path)
    raise WeightsError(f"{path}: a {file_format.value} file, expected PyTorch or safetensors.")


def _read_state_dict(path: Path) -> Tensors:
    import torch  # takes seconds, and most runs find their weights converted

    try:
        _refuse_compressed(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        # A sparse or meta tensor, or one of a dtype that NumPy lacks, has no `numpy`.
        return {_require_str(name): tensor.detach().numpy() for name, tensor in state.items()}
    except Exception as error:  # whatever PyTorch raises on hostile bytes
        raise WeightsError(
            f"{path}: damaged or cut short, or with pickled objects that are not tensors; "
            "expected a whole state dict of PyTorch."
        ) from error


def _refuse_compressed(path: Path) -> None:
    """Raise ValueError for a zip bomb: PyTorch stores its records without compression."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(record.file_size for record in archive.infolist())
        if unpacked > path.stat().st_size:
            raise ValueError(f"its records unpack to {unpacked} bytes")


def _read_safetensors(path: Path) -> Tensors:
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except Exception as error:  # a dtype that NumPy lacks is a KeyError there, and so on
        raise WeightsError(f"{path}: damaged or cut short safetensors file.") from error


def _require_str(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a tensor is named {name!r}")
    return name


def check_tensor(
    path: Path, name: str, tensor: object, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Check a tensor and return it as a contiguous float32 copy.

    Args:
        path: of the file, for the error.
        name: of the tensor, for the error.
        tensor: what the file holds under that name; None if nothing.
        shape: the shape that it must have.

    Raises:
        WeightsError: If it is not an array of floats of that shape, or holds NaN or infinity.
    """
    if not isinstance(tensor, np.ndarray) or tensor.dtype.kind != "f":
        raise WeightsError(
            f"{path}: no floating-point tensor {name}; expected the shape {_format_shape(shape)}."
        )
    if tensor.shape != shape:
        raise WeightsError(
            f"{path}: weights of another network: {name} has the shape "
            f"{_format_shape(tensor.shape)}, expected {_format_shape(shape)}."
        )
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
        values = np.array(tensor, np.float32, order="C")
    if not np.isfinite(values).all():
        raise WeightsError(f"{path}: NaN or infinity in {name}.")
    return values


def check_variances(path: Path, state: Mapping[str, NDArray[np.float32]]) -> None:
    """Raise WeightsError if a running variance of a BatchNorm is negative."""
    for name, values in state.items():
        if name.endswith("running_var") and values.min() < 0:
            raise WeightsError(f"{path}: negative variance in {name}.")


def _format_shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"


@contextmanager
def add_download_hint(url: str) -> Iterator[None]:
    """Add the address of a good file to a WeightsError of the block."""
    try:
        yield
    except WeightsError as error:
        raise WeightsError(f"{error} Download a good file from {url}.") from error
