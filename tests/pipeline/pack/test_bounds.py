"""Packed files that claim more than they hold."""

import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.pack.bounds import check_bounds
from pipeline.pack.dataset_file import picture_shape
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.isolated import trust
from pipeline.pack.verify_files import verify
from sketch_models.errors import DatasetError
from sketch_models.styles import STYLES
from tests.pipeline.pack.test_dataset_reader import SIZE, write
from tests.pipeline.pack.test_verify import write as write_valid

HUGE = 400_000_000


def replace(file: h5py.File, name: str, shape: tuple[int, ...], **storage: object) -> None:
    dtype = file[name].dtype
    del file[name]
    file.create_dataset(name, shape, dtype, **storage)


def external(file: h5py.File) -> None:
    del file["id"]
    file.create_dataset("id", (3,), "<i8", external=[("/etc/passwd", 0, 24)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "<i8")
    layout[:] = h5py.VirtualSource("other.h5", "id", (3,))
    del file["id"]
    file.create_virtual_dataset("id", layout)


def null(file: h5py.File) -> None:
    del file["id"]
    file["id"] = h5py.Empty("<i8")


HOSTILE: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "ids without data": (lambda file: replace(file, "id", (HUGE,), chunks=(256,)), "claims 400,"),
    "boxes without data": (lambda file: replace(file, "box", (HUGE, 4), chunks=(9, 4)), "claims"),
    "a row of 4 GB": (lambda file: replace(file, "box", (3, 1 << 31), chunks=(1, 9)), "256 MiB"),
    "a huge picture": (
        lambda file: replace(file, "color", (3, 30_000, 30_000, 3), chunks=(1, 9, 9, 3)),
        "256 MiB",
    ),
    "another file": (external, "stored in other files"),
    "another dataset": (virtual, "stored in other files"),
    "no rows": (null, "has no rows"),
    "a size that is no number": (lambda file: file.attrs.create("size", "wide"), "not a complete"),
    "an empty size": (lambda file: file.attrs.create("size", h5py.Empty("i8")), "not a complete"),
    "several sizes": (lambda file: file.attrs.create("size", [16, 16]), "not a complete"),
    "another size": (lambda file: file.attrs.create("size", np.uint64(1 << 40)), r"color is uint8"),
    "a negative size": (lambda file: file.attrs.create("size", -16), r"expected integers \(3, -16"),
    "fewer boxes": (lambda file: replace(file, "box", (2, 4)), r"box is int16 \(2, 4\), expected"),
    "real pictures": (
        lambda file: (file.pop("color"), file.create_dataset("color", (3, SIZE, SIZE, 3), "f4")),
        "color is float32",
    ),
    "a dataset in place of a group": (
        lambda file: (file.pop("line"), file.create_dataset("line", (3,))),
        "not a complete",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_in_little_memory(tmp_path: Path, name: str) -> None:
    change, said = HOSTILE[name]
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    trust(path)  # or a child would read it, whose memory is not traced
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=said):
            DatasetReader(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("name", HOSTILE)
def test_verify_refuses_it_in_little_memory(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        HOSTILE[name][0](file)
    trust(path)  # or a child would read it, whose memory is not traced
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=r"t\.h5"):
            verify([path])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def test_large_pictures_are_verified_in_little_memory(tmp_path: Path) -> None:
    """They are not there, so that the library makes them up: 64 would take 2.4 GB."""
    side, rows = 3600, 70
    path = write_valid(tmp_path / "t.h5", list(range(rows)))
    with h5py.File(path, "r+") as file:
        file.attrs["size"] = side
        for name in ("color", *(f"line/{style}" for style in STYLES)):
            shape = picture_shape(name, side)
            checksum = file[name].attrs["sha256"]
            replace(file, name, (rows, *shape), chunks=(1, *shape), compression="gzip")
            file[name].attrs["sha256"] = checksum
    trust(path)  # or a child would read it, whose memory is not traced
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match="color of row 0 is not paper"):
            verify([path])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 150_000_000


def test_chunk_of_more_than_256_mib_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        replace(file, "box", (3, 4), chunks=(1 << 25, 4), maxshape=(None, 4))  # of 2 bytes
    DatasetReader(path)
    with h5py.File(path, "r+") as file:
        replace(file, "box", (3, 4), chunks=((1 << 25) + 1, 4), maxshape=(None, 4))
    with pytest.raises(DatasetError, match="a row or chunk of box takes more than 256 MiB"):
        DatasetReader(path)


def test_picture_that_unpacks_to_more_than_its_size_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        bomb = zlib.compress(bytes(500_000_000))
        file["color"].id.write_direct_chunk((1, 0, 0, 0), bomb)
    reader = DatasetReader(path)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match="color of post 7 cannot be read"):
            reader.picture("color", 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def test_bounds_count_the_bytes_of_a_row_and_not_of_all(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    with h5py.File(path, "w") as file:
        file["box"] = np.zeros((20_000, 4), np.int16)
        file["id"] = np.arange(20_000)
        file.create_dataset("color", (2, 1 << 14, 1 << 14), "u1", chunks=(1, 1 << 14, 1 << 14))
    with h5py.File(path, "r+") as file:
        check_bounds(path, file)  # a picture of 256 MiB exactly
        file.create_dataset("line", (2, 1 << 14, (1 << 14) + 1), "u1", chunks=(1, 9, 9))
        with pytest.raises(DatasetError, match="a row or chunk of line takes more than 256 MiB"):
            check_bounds(path, file)
