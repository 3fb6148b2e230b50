"""Strings are read; files that make the HDF5 library hang or allocate 4 GB are detected."""

import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from sketch_models.weights import hdf5_text

NAMES = ["conv2d_1", "ü", "a" * 300]


def save_attribute(path: Path, value: object, libver: str = "earliest") -> bytes:
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["layer_names"] = value
        assert hdf5_text.read(file, "weight_names") == []
    return path.read_bytes()


def first_length_offset(content: bytes) -> int:
    """Offset of the length of the attribute's first string; the address of its heap follows."""
    heap = struct.pack("<Q", content.index(b"GCOL"))
    return content.index(heap, content.index(b"layer_names\0")) - 4


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize(
    "value",
    [NAMES, [name.encode() for name in NAMES], np.array([n.encode() for n in NAMES])],
    ids=["variable length", "variable length bytes", "fixed length"],
)
def test_variable_and_fixed_length_strings_are_read(
    tmp_path: Path, libver: str, value: object
) -> None:
    assert hdf5_text.has_valid_strings(save_attribute(tmp_path / "file.h5", value, libver))
    with h5py.File(tmp_path / "file.h5") as file:
        assert hdf5_text.read(file, "layer_names") == NAMES


@pytest.mark.parametrize("value", [[], np.zeros((0, 3))])
def test_empty_attribute_gives_no_names(tmp_path: Path, value: object) -> None:
    save_attribute(tmp_path / "file.h5", value)
    with h5py.File(tmp_path / "file.h5") as file:
        assert hdf5_text.read(file, "layer_names") == []


@pytest.mark.parametrize("value", [[1, 2], ["a"] * 20_000], ids=["numbers", "too many"])
def test_numbers_and_too_many_strings_are_refused(tmp_path: Path, value: object) -> None:
    save_attribute(tmp_path / "file.h5", value, "latest")
    with (
        h5py.File(tmp_path / "file.h5") as file,
        pytest.raises(ValueError, match="layer_names: expected up to"),
    ):
        hdf5_text.read(file, "layer_names")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("address", [b"", b"\xff" * 8], ids=["in its heap", "nowhere"])
def test_absurd_string_length_is_detected(tmp_path: Path, libver: str, address: bytes) -> None:
    content = bytearray(save_attribute(tmp_path / "file.h5", NAMES, libver))
    offset = first_length_offset(content)
    absurd = b"\xff" * 4 + address
    content[offset : offset + len(absurd)] = absurd
    assert not hdf5_text.has_valid_strings(bytes(content))


@pytest.mark.parametrize(
    "heap_object",
    [
        struct.pack("<HHIQ", 0, 0, 0, 0),  # the library would read it again and again
        struct.pack("<HHIQ", 1, 1, 0, 1 << 40),
        struct.pack("<HHIQ", 1, 1, 0, (1 << 64) - 1),
    ],
)
def test_heap_with_wrong_object_sizes_is_detected(tmp_path: Path, heap_object: bytes) -> None:
    content = bytearray(save_attribute(tmp_path / "file.h5", NAMES))
    offset = content.index(b"GCOL") + 16
    content[offset : offset + 16] = heap_object
    assert not hdf5_text.has_valid_strings(bytes(content))


def test_truncated_content_is_not_read_beyond_its_end() -> None:
    for length in range(40):
        hdf5_text.has_valid_strings(
            (b"\x01\x00" * 4 + b"layer_names\0\0\0\0\0\x19" + bytes(20))[:length]
        )
        hdf5_text.has_valid_strings((b"GCOL" + b"\x01" * 36)[:length])
