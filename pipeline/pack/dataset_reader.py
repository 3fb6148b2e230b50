"""Random access to the pictures of `train.h5` and `test.h5`, from any process.

Layout: `pipeline.pack.dataset_file`.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from pipeline.pack.bounds import check_bounds
from pipeline.pack.dataset_file import SCHEMA, column_shape, picture_shape, picture_type
from pipeline.pack.extras import extra_pictures, find_extras
from pipeline.pack.isolated import read_isolated
from pipeline.pack.parts import Part, read_parts
from sketch_models.errors import DatasetError

_MAX_OPEN = 256  # parts; a process may have some 1,000 files open
_OTHER_STORAGE = "hdf5"  # any other chunks or filters, if a user has repacked the file


class DatasetReader:
    """A packed file, or the index of one in parts; may be pickled, forked and read by processes.

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
        extras: those of `pipeline.pack.extras.EXTRAS` that were packed too.

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
        self._readers: dict[int, DatasetReader] = {}  # of parts, by their place in `_parts`

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
        self.extras = find_extras(_names(file))
        names += extra_pictures(self.extras)
        for name in names:
            self._check_shape(name, file[name], (len(self.ids), *picture_shape(name, self.size)))
        self._check_shape("box", file["box"], (len(self.ids), *column_shape("box")))
        self._storage = {name: _storage(file[name]) for name in names}
        self._parts = read_parts(self.path, file["color"]) if file["color"].is_virtual else []

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
            name: `color`, `line/` and one of `line_names`, or `sketch/` and one of `sketch_names`;
                with these extras `mask` or `flat_colors`.
            row: index of the picture, from 0.

        Returns:
            (size, size, 3) or (size, size) uint8, writable; of `flat_colors` (MAX_COLORS, 3).

        Raises:
            DatasetError: if the file is damaged or was deleted.
        """
        return self._row(name, row)

    def flat(self, row: int) -> NDArray[np.uint16]:
        """Read the numbers of the areas of one picture, whose colours are its `flat_colors`.

        Args:
            row: index of the picture, from 0.

        Returns:
            (size, size) uint16, writable.

        Raises:
            DatasetError: as `picture` raises it.
        """
        return self._row("flat", row)

    def _row(self, name: str, row: int) -> NDArray[Any]:
        if self._parts:
            number = bisect_right(self._parts, row, key=lambda part: part.start) - 1
            return self._reader(number)._row(name, row - self._parts[number].start)
        try:
            return self._read(name, self._dataset(name), row)
        except (OSError, RuntimeError, ValueError, isal_zlib.error) as error:  # type: ignore[misc]
            raise DatasetError(
                f"{self.path}: {name} of post {self.ids[row]} cannot be read ({error}). "
                "Build it again."
            ) from error

    def _reader(self, number: int) -> DatasetReader:
        """Return the reader of a part; those that were used last stay open."""
        reader = self._readers.pop(number, None) or self._read_part(self._parts[number])
        self._readers[number] = reader  # behind the others
        if len(self._readers) > _MAX_OPEN:
            next(islice(self._readers.values(), len(self._readers) - _MAX_OPEN - 1, None)).close()
        return reader

    def _read_part(self, part: Part) -> DatasetReader:
        reader = DatasetReader(part.path)
        expected = self.ids[part.start : part.stop]
        if reader.size != self.size or not np.array_equal(reader.ids, expected):
            raise DatasetError(
                f"{part.path} has other pictures than its index {self.path} says. Build it again."
            )
        return reader

    def close(self) -> None:
        """Close the file in this process; it is opened again when a picture is read."""
        for reader in self._readers.values():
            reader.close()
        for dataset in self._datasets.values():
            dataset.file.close()
            break
        self._datasets, self._pid = {}, 0

    def _read(self, name: str, dataset: h5py.Dataset, row: int) -> NDArray[Any]:
        shape, dtype, storage = dataset.shape[1:], picture_type(name), self._storage[name]
        if storage == _OTHER_STORAGE:
            return np.asarray(dataset[row], dtype)
        # This takes half the time of HDF5's own zlib.
        _, content = dataset.id.read_direct_chunk((row,) + (0,) * len(shape))
        if storage == "gzip":
            size = int(np.prod(shape)) * dtype.itemsize
            content = isal_zlib.decompressobj().decompress(content, size + 1)  # no zip bomb
        pixels: NDArray[Any] = np.frombuffer(bytearray(content), dtype).reshape(shape)
        return pixels

    def _dataset(self, name: str) -> h5py.Dataset:
        if self._pid != os.getpid():
            self.close()  # of the parent, in this process alone
            file = h5py.File(self.path, "r")
            self._datasets = {name: file[name] for name in self._storage}
            self._pid = os.getpid()
        return self._datasets[name]


def _names(file: h5py.File) -> list[str]:
    """Return the names of everything in a file, such as `color` and `line/pured`."""
    names: list[str] = []
    file.visit(names.append)
    return names


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
