"""The error of a file that is not as it was made."""

from __future__ import annotations

from pathlib import Path

from sketch_models.errors import DatasetError


class DamagedFileError(DatasetError):
    """The error of a file of a dataset that is not as it was made: a build makes it again.

    Attributes:
        path: the file.
        fault: what is wrong, without the path.
    """

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path} is damaged: {fault}. Delete it and build again.")
        self.path = path
        self.fault = fault

    def __reduce__(self) -> tuple[type[DamagedFileError], tuple[Path, str]]:
        return type(self), (self.path, self.fault)
