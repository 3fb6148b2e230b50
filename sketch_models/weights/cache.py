"""The folder that weights are kept in, and what is known of the files in it and elsewhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sketch_models.errors import SengaError
from sketch_models.weights.digests import DigestBook, Digests
from sketch_models.weights.table import FILES, WeightFile


def folder() -> Path:
    """Where weights are kept: `SENGA_WEIGHTS`, or the user's cache folder."""
    import pooch

    chosen = os.environ.get("SENGA_WEIGHTS")
    return local(chosen).absolute() if chosen else Path(pooch.os_cache("senga"))


def book() -> DigestBook:
    """What the folder remembers of files."""
    return DigestBook(folder())


def digests_of(path: Path) -> Digests:
    """The digests of any file, which is read once while it does not change.

    Raises:
        SengaError: where it cannot be read.
    """
    with reading(path):
        return book().of(path)


def published(digests: Digests) -> WeightFile | None:
    """Which published file this is, by its digests; None where it is none.

    Where upstream published no digest, it is the one under which the file was first seen.
    """
    seen = book()
    for name, file in FILES.items():
        if file.promises(digests) or (not file.digest and seen.first(name) == digests.sha256):
            return file
    return None


def local(path: str) -> Path:
    """A path as people write it, `~` included."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~somebody who is not there
        return Path(path)


def is_file(path: Path) -> bool:
    """Whether there is such a file; False where that cannot even be asked."""
    try:
        return path.is_file()
    except OSError:  # a folder on the way is closed, or the name is too long
        return False


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the operating system says while a file is read into one clear sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SengaError(f"{path} cannot be read ({reason}): expected a readable file.") from error


@contextlib.contextmanager
def writing(name: str, megabytes: float, option: str = "") -> Iterator[None]:
    """Turns what the operating system says of the folder into one clear sentence.

    Args:
        name: of the file to be written there.
        megabytes: its size.
        option: section and key that take a local copy instead; empty where none does.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        instead = f", or {option} to the path of a copy" if option else ""
        raise SengaError(
            f"{name} could not be written into {folder()} ({reason}): set SENGA_WEIGHTS to a "
            f"folder that can be written and has {megabytes:.0f} MB free{instead}."
        ) from error
