"""Weights of the networks: what they are, where they are, and how they are loaded fast.

Nothing here imports more than the standard library at its top: a build's fingerprint is made
from `identity` before any stage runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sketch_models.atomic import locked, replacing
from sketch_models.errors import SengaError
from sketch_models.weights.cache import (
    digests_of,
    folder,
    is_file,
    local,
    published,
    reading,
    writing,
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
    "converted",
    "fetch",
    "folder",
    "identity",
    "is_ready",
    "located",
]

_LAYOUT = "1"  # of converted files: raise it when the same source is to give other tensors


def identity(weights: str, *, option: str = "weights", network: str = "") -> str:
    """What stands for weights in a fingerprint; needs no network.

    Args:
        weights: a name of `FILES`, or the path of a file.
        option: section and key that they come from, for the error.
        network: whose weights are expected; empty for any.

    Returns:
        The published digest, `url:<address>` where none is published, or `sha256:<hex>` for a
        file that is not a published one; a name and a copy of its file have the same.

    Raises:
        SengaError: where there are no such weights.
    """
    found = _resolve(weights, option, network)
    if isinstance(found, WeightFile):
        return found.identity
    digests = digests_of(found)
    file = published(digests)
    return file.identity if file else f"sha256:{digests.sha256}"


def is_ready(weights: str) -> bool:
    """Whether the weights are on this machine, as a local path or in the folder."""
    return is_file(folder() / FILES[weights].file if weights in FILES else local(weights))


def located(weights: str, option: str, *, network: str = "") -> Path:
    """The path of the weights, which are fetched where they are published ones.

    Args:
        weights: a name of `FILES`, or the path of a file.
        option: section and key that they come from, for the error.
        network: whose weights are expected; empty for any.

    Raises:
        SengaError: where there are no such weights, or they cannot be fetched.
    """
    found = _resolve(weights, option, network)
    return fetch(found.name) if isinstance(found, WeightFile) else found


def converted(
    weights: str,
    network: str,
    read: Callable[[Path], Mapping[str, NDArray[np.float32]]],
    *,
    option: str,
    variant: str = "",
) -> Path:
    """The path of weights as a safetensors file, which is made once and kept in the folder.

    Args:
        weights: a name of `FILES`, or the path of a file.
        network: whose weights these must be.
        read: gives the tensors of the published file.
        option: section and key that the weights come from, for the error.
        variant: what else the tensors depend on.

    Raises:
        SengaError: where there are no such weights, or the folder cannot be written.
    """
    source = located(weights, option, network=network)
    digests = digests_of(source)
    made_from = {
        "sha256": digests.sha256,
        "network": network,
        "variant": variant,
        "layout": _LAYOUT,
    }
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    path = folder() / "converted" / f"{network}-{key[:16]}.safetensors"
    if not _holds(path, made_from):
        with writing(path.name, source.stat().st_size / 1e6), locked(path):
            if not _holds(path, made_from):  # another process may have made it meanwhile
                _convert(source, digests, read, path, made_from)
    return path


def _resolve(weights: str, option: str, network: str) -> WeightFile | Path:
    """What an option names: a published file, or an existing local one."""
    if weights in FILES:
        file = FILES[weights]
        if network in ("", file.network):
            return file
        fault = f"these are weights of {file.network}"
    else:
        path = local(weights)
        if is_file(path):
            return path
        fault = "there is no such file"
    names = ", ".join(name for name, file in FILES.items() if network in ("", file.network))
    raise SengaError(f"{option} = {weights}: {fault}; expected {names}, or the path of a file.")


def _convert(
    source: Path,
    digests: Digests,
    read: Callable[[Path], Mapping[str, NDArray[np.float32]]],
    path: Path,
    made_from: Mapping[str, str],
) -> None:
    import numpy as np
    from safetensors.numpy import save

    with reading(source):
        tensors = {name: np.ascontiguousarray(value) for name, value in read(source).items()}
    if digests_of(source) != digests:
        raise SengaError(f"{source} changed while it was read: run again.")
    file = published(digests)
    licence = file.licence if file else "unknown"
    with replacing(path) as temporary:
        said = {**made_from, "source": source.name, "licence": licence}
        temporary.write_bytes(save(tensors, said))


def _holds(path: Path, made_from: Mapping[str, str]) -> bool:
    """Whether a converted file is whole, and made from what it should be."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            said = opened.metadata() or {}
    except (OSError, SafetensorError):
        return False
    return all(said.get(key) == value for key, value in made_from.items())
