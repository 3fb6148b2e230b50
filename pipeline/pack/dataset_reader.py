"""Random access to the pictures of `train.h5` and `test.h5`, from any process.

Layout: `pipeline.pack.dataset_file`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from pipeline.pack.bounds import check_bounds
from pipeline.pack.dataset_file import SCHEMA, picture_shape
from pipeline.pack.isolated import read_isolated
from sketch_models.errors import DatasetError

_OTHER_STORAGE = "hdf5"  # any other chunks or filters, if a user has repacked the file


class DatasetReader:
    """A packed file; may be pickled, forked and read from several processes.

    Every process opens the file itself, when it first reads a picture: an HDF5 file that is open
    while its process forks cannot be read by the child.

    Attributes:
        path: the file.
        attributes: attributes of the file, such as `dataset`, `split` and `size`.
        size: side of the pictures, in pixels.
        line_names: names of its line art: a style with the suffix of a variant each.
        sketch_names: names of its sketches, likewise; empty unless they were packed too.
        ids: post ids, (N,) int64, ascending.
        boxes: content boxes: left, top, right, bottom, half-open; (N, 4) int64, pixels.

    Raises:
        DatasetError: if the file is missing, is no HDF5 file or has another layout.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DatasetError(f"{self.path} is missing. Build it first.")
        read_isolated("layout", self.path)
        try:
            with h5py.File(self.path, "r") as file:
                self._read_layout(file)
        except (DatasetError, MemoryError):
            raise
        except Exception as error:  # whatever h5py raises, and values of any type and shape
            raise DatasetError(
                f"{self.path} is not a complete HDF5 file of Senga. Build it again."
            ) from error
        self._datasets: dict[str, h5py.Dataset] = {}
        self._pid = 0  # of the process that opened `_datasets`

    def _read_layout(self, file: h5py.File) -> None:
        self.attributes: dict[str, Any] = dict(file.attrs)
        schema = self.attributes.get("schema", "missing")
        if schema != SCHEMA:
            raise DatasetError(
                f"{self.path}: its schema is {schema}, expected {SCHEMA}. Build it again."
            )
        check_bounds(self.path, file)
        self.size = int(self.attributes["size"])
        self.line_names = tuple(sorted(file["line"]))
        self.sketch_names = tuple(sorted(file["sketch"])) if "sketch" in file else ()
        self.ids: NDArray[np.int64] = file["id"][:]
        self.boxes: NDArray[np.int64] = file["box"][:].astype(np.int64)
        names = ["color", *(f"line/{name}" for name in self.line_names)]
        names += [f"sketch/{name}" for name in self.sketch_names]
        for name in names:
            self._check_shape(name, file[name], (len(self.ids), *picture_shape(name, self.size)))
        self._check_shape("box", file["box"], (len(self.ids), 4))
        self._storage = {name: _storage(file[name]) for name in names}

    def _check_shape(self, name: str, dataset: h5py.Dataset, shape: tuple[int, ...]) -> None:
        if dataset.shape != shape or dataset.dtype.kind not in "ui":
            raise DatasetError(
                f"{self.path}: {name} is {dataset.dtype} {dataset.shape}, expected integers "
                f"{shape}. Build it again."
            )

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_datasets": {}, "_pid": 0}

    def picture(self, name: str, row: int) -> NDArray[np.uint8]:
        """Read one picture.

        Args:
            name: `color`, `line/` and one of `line_names`, or `sketch/` and one of `sketch_names`.
            row: index of the picture, from 0.

        Returns:
            (size, size, 3) or (size, size) uint8, writable.

        Raises:
            DatasetError: if the file is damaged or was deleted.
        """
        try:
            return self._read(self._dataset(name), self._storage[name], row)
        except (OSError, RuntimeError, ValueError, isal_zlib.error) as error:  # type: ignore[misc]
            raise DatasetError(
                f"{self.path}: {name} of post {self.ids[row]} cannot be read ({error}). "
                "Build it again."
            ) from error

    def _read(self, dataset: h5py.Dataset, storage: str | None, row: int) -> NDArray[np.uint8]:
        shape = dataset.shape[1:]
        if storage == _OTHER_STORAGE:
            return np.asarray(dataset[row], np.uint8)
        # This takes half the time of HDF5's own zlib.
        _, content = dataset.id.read_direct_chunk((row,) + (0,) * len(shape))
        if storage == "gzip":
            size = int(np.prod(shape))
            content = isal_zlib.decompressobj().decompress(content, size + 1)  # no zip bomb
        pixels = np.frombuffer(bytearray(content), np.uint8)
        return cast("NDArray[np.uint8]", pixels.reshape(shape))

    def _dataset(self, name: str) -> h5py.Dataset:
        if self._pid != os.getpid():
            for dataset in self._datasets.values():
                dataset.file.close()  # the parent's, in this process alone
                break
            file = h5py.File(self.path, "r")
            self._datasets = {name: file[name] for name in self._storage}
            self._pid = os.getpid()
        return self._datasets[name]


def _storage(dataset: h5py.Dataset) -> str | None:
    """Return how pictures are stored: `gzip`, None for uncompressed, or `_OTHER_STORAGE`."""
    one_per_chunk = dataset.chunks == (1, *dataset.shape[1:])
    if (
        not one_per_chunk
        or dataset.shuffle
        or dataset.fletcher32
        or dataset.compression not in (None, "gzip")
    ):
        return _OTHER_STORAGE
    compression: str | None = dataset.compression
    return compression
