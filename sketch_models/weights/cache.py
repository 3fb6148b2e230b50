"""The cache folder of the weights, and the digests of files in it and elsewhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sketch_models.errors import WeightsError
from sketch_models.weights.digests import DigestCache, Digests
from sketch_models.weights.table import FILES, WeightFile


def cache_folder() -> Path:
    """Return the folder of downloaded weights: `SENGA_WEIGHTS`, or the user's cache folder."""
    import pooch

    chosen = os.environ.get("SENGA_WEIGHTS")
    return expand_path(chosen).absolute() if chosen else Path(pooch.os_cache("senga"))


def digest_cache() -> DigestCache:
    """Return the cache of digests in the cache folder."""
    return DigestCache(cache_folder())


def digests_of(path: Path) -> Digests:
    """Return the digests of any file, which is read only once unless it changes.

    Raises:
        WeightsError: If it cannot be read.
    """
    with explain_read_errors(path):
        return digest_cache().digests_of(path)


def find_published(digests: Digests) -> WeightFile | None:
    """Return the published file that has these digests, or None.

    If upstream published no digest, the file must have the one that was first seen.
    """
    cache = digest_cache()
    for name, file in FILES.items():
        if file.matches(digests) or (not file.digest and cache.first_seen(name) == digests.sha256):
            return file
    return None


def expand_path(path: str) -> Path:
    """Return the path of a text, with `~` expanded."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~somebody, who does not exist
        return Path(path)


def is_file(path: Path) -> bool:
    """Return whether a file exists; False if the system does not tell."""
    try:
        return path.is_file()
    except OSError:  # no permission for a folder of the path, or a name is too long
        return False


@contextlib.contextmanager
def explain_read_errors(path: Path) -> Iterator[None]:
    """Turn an OSError that occurs while `path` is read into a WeightsError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WeightsError(f"{path}: cannot be read ({reason}). Use a readable file.") from error


@contextlib.contextmanager
def explain_write_errors(name: str, megabytes: float, option: str = "") -> Iterator[None]:
    """Turn an OSError that occurs while the cache folder is written into a WeightsError.

    Args:
        name: of the file to be written there.
        megabytes: size of the file.
        option: section and key that take the path of a local copy instead; empty if none do.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        instead = f", or {option} to the path of a copy" if option else ""
        raise WeightsError(
            f"{cache_folder()}: {name} cannot be written there ({reason}). Set SENGA_WEIGHTS to a "
            f"writable folder with {megabytes:.0f} MB free{instead}."
        ) from error
