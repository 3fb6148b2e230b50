"""Limits of what a packed file may claim, checked before anything of it is read.

The header of an HDF5 file can claim rows and chunks that it has no bytes for, and whoever reads
them gets as much memory filled with zeros.
"""

from __future__ import annotations

import math
from pathlib import Path

import h5py

from pipeline.damage import DamagedFileError
from pipeline.pack.parts import check_parts, read_parts

_MAX_CHUNK_BYTES = 256 << 20
_MIN_ROW_BYTES = 16  # a picture is a chunk of its own, and its entry in an index takes more


def check_bounds(path: Path, file: h5py.File) -> None:
    """Check how much memory it takes to read the columns, and single pictures.

    Args:
        path: of the file, for the message.
        file: opened to read.

    Raises:
        DamagedFileError: if an HDF5 dataset has more rows than the file has room for, a row or a
            chunk takes more than 256 MiB, or it is stored in other files than parts of this one.
    """
    max_rows = path.stat().st_size // _MIN_ROW_BYTES
    faults: list[str] = []

    def check(name: str, item: h5py.HLObject) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.external:
            faults.append(f"{name} is stored in other files")
        elif not item.shape:  # a single value, or none
            faults.append(f"{name} has no rows")
        elif len(item) > max_rows:
            faults.append(f"{name} claims {len(item):,} rows, more than the file has room for")
        elif max(item.size // max(len(item), 1), _chunk_values(item)) > _max_values(item):
            faults.append(f"a row or chunk of {name} takes more than 256 MiB")
        elif item.is_virtual:
            check_parts(path, read_parts(path, item))

    file.visititems(check)
    if faults:
        raise DamagedFileError(path, faults[0])


def _chunk_values(dataset: h5py.Dataset) -> int:
    """Return the number of values of a chunk; 0 for a dataset in one piece."""
    return math.prod(dataset.chunks) if dataset.chunks else 0


def _max_values(dataset: h5py.Dataset) -> int:
    return _MAX_CHUNK_BYTES // max(1, int(dataset.dtype.itemsize))
