"""Reads pictures of `train.h5` and `test.h5` one at a time, from any process.

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

from pipeline.pack.dataset_file import SCHEMA
from sketch_models.errors import SengaError

_READ_BY_HDF5 = "hdf5"  # whatever a user has repacked the file with


class DatasetReader:
    """A packed file; may be pickled, forked and read from several processes.

    Every process opens the file itself, when it first reads a picture: an HDF5 file that is open
    while its process forks is of no use to the child.

    Attributes:
        path: the file.
        attributes: what the file says about itself, such as `dataset`, `split` and `size`.
        size: side of the pictures, in pixels.
        line_names: names of the line art in it: the styles, with the suffix of their variant.
        sketch_names: names of the sketches in it, likewise; none unless they were packed too.
        ids: post ids, (N,) int64, ascending.
        boxes: content of each picture: left, top, right, bottom, half-open; (N, 4) int64, pixels.

    Raises:
        SengaError: a file that is missing, is no HDF5 or has another layout.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise SengaError(f"{self.path} is missing: build it first.")
        try:
            with h5py.File(self.path, "r") as file:
                self._describe(file)
        except (OSError, RuntimeError, KeyError) as error:  # what h5py makes of HDF5's complaints
            raise SengaError(
                f"{self.path} is not a whole HDF5 file of Senga's: build it again."
            ) from error
        self._opened: dict[str, h5py.Dataset] = {}
        self._process = 0

    def _describe(self, file: h5py.File) -> None:
        self.attributes: dict[str, Any] = dict(file.attrs)
        schema = self.attributes.get("schema", "missing")
        if schema != SCHEMA:
            raise SengaError(
                f"{self.path}: its schema is {schema}, expected {SCHEMA}: build it again."
            )
        self.size = int(self.attributes["size"])
        self.line_names = tuple(sorted(file["line"]))
        self.sketch_names = tuple(sorted(file["sketch"])) if "sketch" in file else ()
        self.ids: NDArray[np.int64] = file["id"][:]
        self.boxes: NDArray[np.int64] = file["box"][:].astype(np.int64)
        names = ["color", *(f"line/{name}" for name in self.line_names)]
        names += [f"sketch/{name}" for name in self.sketch_names]
        self._filters = {name: _filter(file[name]) for name in names}

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": {}, "_process": 0}

    def picture(self, name: str, row: int) -> NDArray[np.uint8]:
        """One picture.

        Args:
            name: `color`, `line/` and one of `line_names`, or `sketch/` and one of `sketch_names`.
            row: which, from 0.

        Returns:
            (size, size, 3) or (size, size) uint8, writable.

        Raises:
            SengaError: the file is damaged or has gone.
        """
        try:
            return self._picture(self._dataset(name), self._filters[name], row)
        except (OSError, RuntimeError, ValueError, isal_zlib.error) as error:  # type: ignore[misc]
            raise SengaError(
                f"{self.path}: {name} of post {self.ids[row]} cannot be read ({error}): "
                "build it again."
            ) from error

    def _picture(self, dataset: h5py.Dataset, kind: str | None, row: int) -> NDArray[np.uint8]:
        shape = dataset.shape[1:]
        if kind == _READ_BY_HDF5:
            return np.asarray(dataset[row], np.uint8)
        # Half of the time that HDF5's own zlib takes.
        _, content = dataset.id.read_direct_chunk((row,) + (0,) * len(shape))
        if kind == "gzip":
            content = isal_zlib.decompress(content, bufsize=int(np.prod(shape)))
        pixels = np.frombuffer(bytearray(content), np.uint8)
        return cast("NDArray[np.uint8]", pixels.reshape(shape))

    def _dataset(self, name: str) -> h5py.Dataset:
        if self._process != os.getpid():
            for dataset in self._opened.values():
                dataset.file.close()  # the parent's, in this process alone
                break
            file = h5py.File(self.path, "r")
            self._opened = {name: file[name] for name in self._filters}
            self._process = os.getpid()
        return self._opened[name]


def _filter(dataset: h5py.Dataset) -> str | None:
    """How a picture is stored: by gzip, as it is (None), or so that HDF5 alone can read it."""
    own = dataset.chunks == (1, *dataset.shape[1:])
    if (
        not own
        or dataset.shuffle
        or dataset.fletcher32
        or dataset.compression not in (None, "gzip")
    ):
        return _READ_BY_HDF5
    compression: str | None = dataset.compression
    return compression
