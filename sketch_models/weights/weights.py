"""Weights by name or path: their identity, their local file, and its conversion to safetensors.

This module imports nothing heavy at its top: the fingerprint of a build needs `identity` before any
stage runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sketch_models.atomic import locked, replacing
from sketch_models.errors import WeightsError
from sketch_models.weights.cache import (
    cache_folder,
    digests_of,
    expand_path,
    explain_read_errors,
    explain_write_errors,
    find_published,
    is_file,
)
from sketch_models.weights.digests import Digests
from sketch_models.weights.fetch import fetch
from sketch_models.weights.table import FILES, WeightFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "FILES",
    "WeightFile",
    "cache_folder",
    "ensure_local",
    "ensure_safetensors",
    "fetch",
    "identity",
    "is_available",
    "is_converted",
    "missing_weights_message",
]

_LAYOUT = "1"  # version of converted files: raise it if the same source gives other tensors


def identity(weights: str, *, option: str = "weights", network: str = "") -> str:
    """Return the string that stands for weights in a fingerprint; nothing is downloaded.

    Args:
        weights: a name of `FILES`, or the path of a file.
        option: section and key that they come from, for the error.
        network: the network that they must be of; empty for any.

    Returns:
        The published digest, `url:<address>` if none is published, or `sha256:<hex>` for a file
        that is not a published one. A name and a copy of its file have the same identity.

    Raises:
        WeightsError: If there are no such weights.
    """
    source = _resolve(weights, option, network)
    if isinstance(source, WeightFile):
        return source.identity
    digests = digests_of(source)
    file = find_published(digests)
    return file.identity if file else f"sha256:{digests.sha256}"


def is_available(weights: str) -> bool:
    """Return whether weights are on this machine, as a local path or in the cache folder."""
    if weights in FILES:
        return is_file(cache_folder() / FILES[weights].filename)
    return is_file(expand_path(weights))


def missing_weights_message(weights: str, option: str, advice: str = "") -> str:
    """Return the message for published weights that are not on this machine.

    It is for programs that must not download anything; others call `ensure_local`.

    Args:
        weights: a name of `FILES`.
        option: section and key, or command-line option, that the weights come from.
        advice: end of the message, after the command, such as ", or set ...".
    """
    command = f"python -m sketch_models.weights fetch {weights}"
    return f"{option} = {weights}: the weights are not on this machine. Run `{command}`{advice}."


def ensure_local(weights: str, option: str, *, network: str = "") -> Path:
    """Return the local path of the weights; published ones are downloaded if necessary.

    Args:
        weights: a name of `FILES`, or the path of a file.
        option: section and key that they come from, for the error.
        network: the network that they must be of; empty for any.

    Raises:
        WeightsError: If there are no such weights, or they cannot be downloaded.
    """
    source = _resolve(weights, option, network)
    return fetch(source.name) if isinstance(source, WeightFile) else source


def ensure_safetensors(
    weights: str,
    network: str,
    read: Callable[[Path], Mapping[str, NDArray[np.float32]]],
    *,
    option: str,
    variant: str = "",
) -> Path:
    """Return the path of the weights as safetensors, converted once into the cache folder.

    Args:
        weights: a name of `FILES`, or the path of a file.
        network: the network that they must be of.
        read: a function that reads the tensors of the published file.
        option: section and key that the weights come from, for the error.
        variant: another setting that the tensors depend on.

    Raises:
        WeightsError: If there are no such weights, or the folder cannot be written.
    """
    source = ensure_local(weights, option, network=network)
    digests = digests_of(source)
    metadata = _metadata(digests, network, variant)
    path = _converted_path(metadata)
    if not _is_current(path, metadata):
        megabytes = source.stat().st_size / 1e6
        with explain_write_errors(path.name, megabytes), locked(path):
            if not _is_current(path, metadata):  # another process may have written it meanwhile
                _convert(source, digests, read, path, metadata)
    return path


def is_converted(weights: str, network: str, *, option: str, variant: str = "") -> bool:
    """Return whether `ensure_safetensors` has nothing left to do.

    Raises:
        WeightsError: If there are no such weights.
    """
    source = _resolve(weights, option, network)
    path = cache_folder() / source.filename if isinstance(source, WeightFile) else source
    if not is_file(path):
        return False
    metadata = _metadata(digests_of(path), network, variant)
    return _is_current(_converted_path(metadata), metadata)


def _resolve(weights: str, option: str, network: str) -> WeightFile | Path:
    """Return the published file or the existing local file that an option names."""
    if weights in FILES:
        file = FILES[weights]
        if network in ("", file.network):
            return file
        problem = f"these are weights of {file.network}"
    else:
        path = expand_path(weights)
        if is_file(path):
            return path
        problem = "there is no such file"
    names = ", ".join(name for name, file in FILES.items() if network in ("", file.network))
    raise WeightsError(f"{option} = {weights}: {problem}. Use {names} or the path of a file.")


def _metadata(digests: Digests, network: str, variant: str) -> dict[str, str]:
    """Return everything that a converted file depends on, which is stored in the file too."""
    return {"sha256": digests.sha256, "network": network, "variant": variant, "layout": _LAYOUT}


def _converted_path(metadata: Mapping[str, str]) -> Path:
    key = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "converted" / f"{metadata['network']}-{key[:16]}.safetensors"


def _convert(
    source: Path,
    digests: Digests,
    read: Callable[[Path], Mapping[str, NDArray[np.float32]]],
    path: Path,
    metadata: Mapping[str, str],
) -> None:
    import numpy as np
    from safetensors.numpy import save

    with explain_read_errors(source):
        tensors = {name: np.ascontiguousarray(value) for name, value in read(source).items()}
    if digests_of(source) != digests:
        raise WeightsError(f"{source}: changed while it was read. Run again.")
    file = find_published(digests)
    licence = file.licence if file else "unknown"
    with replacing(path) as temporary:
        content = save(tensors, {**metadata, "source": source.name, "licence": licence})
        temporary.write_bytes(content)


def _is_current(path: Path, metadata: Mapping[str, str]) -> bool:
    """Return whether a converted file is whole and has this metadata."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            stored = file.metadata() or {}
    except (OSError, SafetensorError):
        return False
    return all(stored.get(key) == value for key, value in metadata.items())
