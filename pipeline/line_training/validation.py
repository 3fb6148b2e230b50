"""A folder of pictures from elsewhere whose lines are known, to choose the best weights by.

Each has two files: `NAME.color.png`, or `NAME.sketch.png` for the inker, and `NAME.lines.png`, of
the same size, 0 = ink and 255 = paper. What comes before the last hyphen of a name is its group:
metrics of `comic-1` and `comic-2` are one row.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sketch_models.errors import ConfigError

SUFFIXES = {"tracer": ".color.png", "inker": ".sketch.png"}
"""End of the name of a network's input."""

_LINES = ".lines.png"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The files of one picture.

    Attributes:
        name: of the picture.
        picture: the network's input.
        lines: its lines.
    """

    name: str
    picture: Path
    lines: Path

    @property
    def group(self) -> str:
        """The name without what follows its last hyphen."""
        return self.name.rpartition("-")[0] or self.name


def find_pairs(folder: Path, network: str) -> list[Pair]:
    """Return the pictures of a folder for one network, by name.

    Raises:
        ConfigError: If there is no such folder, or it has none, or one has no lines.
    """
    option, suffix = f"[lines] validation = {folder}", SUFFIXES[network]
    if not folder.is_dir():
        raise ConfigError(
            f"{option}: there is no such folder. Give the path of one, or leave it empty."
        )
    pairs = []
    for picture in sorted(folder.glob(f"*{suffix}")):
        name = picture.name.removesuffix(suffix)
        lines = folder / f"{name}{_LINES}"
        if not lines.is_file():
            raise ConfigError(f"{option}: {picture.name} has no {lines.name} beside it. Add it.")
        pairs.append(Pair(name=name, picture=picture, lines=lines))
    if not pairs:
        raise ConfigError(
            f"{option}: no picture there is called NAME{suffix}, as the {network}'s must be. Add "
            "some, choose another folder, or leave it empty."
        )
    return pairs


def digest(pairs: list[Pair]) -> str:
    """Return a sha256 of the names and the content of all files, as 64 hex digits.

    Raises:
        ConfigError: If one of them cannot be read.
    """
    sha256 = hashlib.sha256()
    for pair in pairs:
        for path in (pair.picture, pair.lines):
            content = hashlib.sha256(read(path)).hexdigest()
            sha256.update(f"{path.name}\t{content}\n".encode())
    return sha256.hexdigest()


def read(path: Path) -> bytes:
    """Return the content of one of the files.

    Raises:
        ConfigError: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error.strerror) from error


def unreadable(path: Path, problem: object) -> ConfigError:
    """Return the error of a file that cannot be used."""
    return ConfigError(
        f"[lines] validation: {path} cannot be read ({problem}). Repair or remove it."
    )
