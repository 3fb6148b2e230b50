"""Strings are read, and files on which the HDF5 library hangs or takes 4 GB are found out."""

import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from sketch_models.weights import hdf5_text

NAMES = ["conv2d_1", "ü", "a" * 300]


def saved(path: Path, value: object, libver: str = "earliest") -> bytes:
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["layer_names"] = value
        assert hdf5_text.read(file, "weight_names") == []
    return path.read_bytes()


def first_length(content: bytes) -> int:
    """Where the attribute says how long its first string is; its heap's place follows."""
    heap = struct.pack("<Q", content.index(b"GCOL"))
    return content.index(heap, content.index(b"layer_names\0")) - 4


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize(
    "value",
    [NAMES, [name.encode() for name in NAMES], np.array([n.encode() for n in NAMES])],
    ids=["free", "free bytes", "one length"],
)
def test_strings_of_every_kind_are_read(tmp_path: Path, libver: str, value: object) -> None:
    assert hdf5_text.is_sound(saved(tmp_path / "file.h5", value, libver))
    with h5py.File(tmp_path / "file.h5") as file:
        assert hdf5_text.read(file, "layer_names") == NAMES


@pytest.mark.parametrize("value", [[], np.zeros((0, 3))])
def test_empty_lists_are_no_names(tmp_path: Path, value: object) -> None:
    saved(tmp_path / "file.h5", value)
    with h5py.File(tmp_path / "file.h5") as file:
        assert hdf5_text.read(file, "layer_names") == []


@pytest.mark.parametrize("value", [[1, 2], ["a"] * 20_000], ids=["numbers", "too many"])
def test_other_attributes_are_refused(tmp_path: Path, value: object) -> None:
    saved(tmp_path / "file.h5", value, "latest")
    with (
        h5py.File(tmp_path / "file.h5") as file,
        pytest.raises(ValueError, match="layer_names: expected up to"),
    ):
        hdf5_text.read(file, "layer_names")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("place", [b"", b"\xff" * 8], ids=["in its heap", "nowhere"])
def test_absurd_lengths_are_found_out(tmp_path: Path, libver: str, place: bytes) -> None:
    content = bytearray(saved(tmp_path / "file.h5", NAMES, libver))
    at = first_length(content)
    absurd = b"\xff" * 4 + place
    content[at : at + len(absurd)] = absurd
    assert not hdf5_text.is_sound(bytes(content))


@pytest.mark.parametrize(
    "piece",
    [
        struct.pack("<HHIQ", 0, 0, 0, 0),  # the library would meet it again and again
        struct.pack("<HHIQ", 1, 1, 0, 1 << 40),
        struct.pack("<HHIQ", 1, 1, 0, (1 << 64) - 1),
    ],
)
def test_heaps_that_do_not_end_are_found_out(tmp_path: Path, piece: bytes) -> None:
    content = bytearray(saved(tmp_path / "file.h5", NAMES))
    at = content.index(b"GCOL") + 16
    content[at : at + 16] = piece
    assert not hdf5_text.is_sound(bytes(content))


def test_nothing_is_read_behind_the_end() -> None:
    for length in range(40):
        hdf5_text.is_sound((b"\x01\x00" * 4 + b"layer_names\0\0\0\0\0\x19" + bytes(20))[:length])
        hdf5_text.is_sound((b"GCOL" + b"\x01" * 36)[:length])
