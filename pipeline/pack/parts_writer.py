"""Write a packed file in parts, as `pipeline.pack.parts` says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from pipeline.pack.dataset_file import DatasetWriter, Row, picture_shape, picture_type
from pipeline.pack.parts import part_path


class PartsWriter(DatasetWriter):
    """A writer of an index, and of its parts beside it.

    Args:
        path: of the index; the parts are named after it.
        max_rows: as for `DatasetWriter`, as are those below.
        rows_per_file: rows of every part but the last, 1 or more.
        size: as above.
        names: as above.
        compression: as above.
        attributes: as above; every part has them, too.
        extra_columns: as above; every part has them, but not those of `add_column`.
    """

    def __init__(
        self,
        path: Path,
        max_rows: int,
        *,
        rows_per_file: int,
        size: int,
        names: Sequence[str],
        compression: str,
        attributes: Mapping[str, str],
        extra_columns: Mapping[str, np.dtype[Any]] | None = None,
    ) -> None:
        shared: dict[str, Any] = {
            "size": size,
            "compression": compression,
            "attributes": attributes,
            "extra_columns": extra_columns,
        }
        super().__init__(path, max_rows, names=(), **shared)
        self._digests |= {name: hashlib.sha256() for name in names}
        self._rows_per_file, self._names, self._shared = rows_per_file, names, shared
        self._part: DatasetWriter | None = None
        self._parts = 0  # begun so far

    def _write_pictures(self, index: int, row: Row) -> None:
        if index % self._rows_per_file == 0:
            self._end_part()
            self._part = self._open_part()
        assert self._part is not None
        self._part.append(row)
        for name in self._names:
            self._digests[name].update(row.pictures[name].digest)

    def _open_part(self) -> DatasetWriter:
        path = part_path(self._path, self._parts)
        self._parts += 1
        return DatasetWriter(path, self._rows_per_file, names=self._names, **self._shared)

    def _end_part(self, *error: Any) -> None:  # noqa: ANN401 - what `__exit__` takes
        part, self._part = self._part, None
        if part is not None:
            part.__exit__(*(error or (None, None, None)))

    def _finish(self) -> None:
        super()._finish()
        for name in self._names:
            shape, dtype = picture_shape(name, self._shared["size"]), picture_type(name)
            layout = h5py.VirtualLayout((self._written, *shape), dtype)
            for number in range(self._parts):
                start = number * self._rows_per_file
                stop = min(start + self._rows_per_file, self._written)
                file = part_path(self._path, number).name
                layout[start:stop] = h5py.VirtualSource(file, name, (stop - start, *shape), dtype)
            pictures = self._file.create_virtual_dataset(name, layout)
            pictures.attrs["sha256"] = self._digests[name].hexdigest()

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._end_part(exception_type, error, traceback)
        except OSError as part_error:  # of a full disk
            super().__exit__(OSError, part_error, part_error.__traceback__)
            raise
        super().__exit__(exception_type, error, traceback)
