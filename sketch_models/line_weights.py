"""The weight files of `tracer` and `inker`, which come with the package.

This module loads no PyTorch until it reads or writes weights.

A file is safetensors in half precision. Its metadata: `format`; `network`, tracer or inker;
`gamma`, of a tracer; and where the weights come from, such as the command that trained them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketch_models.atomic import replacing
from sketch_models.errors import WeightsError
from sketch_models.weights.cache import expand_path, explain_read_errors, is_file
from sketch_models.weights.tensor_file import Format, detect_format

if TYPE_CHECKING:
    from torch import Tensor

    from sketch_models.unet import Unet

FORMAT = "senga-lines-1"
CHANNELS = {"tracer": 4, "inker": 2}
"""Channels of each network's input: those of its pictures, and the deviation of `normalize`."""

SHIPPED = "shipped"
"""The name of the weights that come with the package."""

SHIPPED_FOLDER = Path(__file__).parent / "shipped"


def find(weights: str, network: str) -> Path:
    """Return the path of a network's weights.

    Args:
        weights: `SHIPPED`, or the path of a file.
        network: tracer or inker.

    Raises:
        WeightsError: If there is no such file.
    """
    path = expand_path(weights)
    if weights == SHIPPED:
        path = SHIPPED_FOLDER / f"{network}.safetensors"
    if not is_file(path):
        where = f" ({path})" if weights == SHIPPED else ""
        raise WeightsError(
            f"weights of {network} = {weights}: there is no such file{where}. Use {SHIPPED}, which "
            "comes with the package, or the path of a file that TrainLines wrote."
        )
    return path


def identity(weights: str, network: str) -> str:
    """Return the string that stands for weights in a fingerprint: the digest of their file.

    Args:
        weights: `SHIPPED`, or the path of a file.
        network: tracer or inker.

    Raises:
        WeightsError: If there is no such file, or its header is not that of this network's weights.
    """
    path = find(weights, network)
    _read_metadata(path, network)
    with explain_read_errors(path):
        return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def write(path: Path, network: Unet, metadata: Mapping[str, str]) -> None:
    """Write a trained network, its batch normalization folded into the weights.

    Equal weights and metadata give equal files.

    Args:
        path: of the file.
        network: the network, in any mode.
        metadata: `network`, tracer or inker; `gamma`, of a tracer; and what else should be known
            about the weights, such as `command` and `pictures`.

    Raises:
        WeightsError: If a weight is NaN or infinite in half precision.
        OSError: If the file cannot be written.
    """
    import torch
    from safetensors.torch import save

    from sketch_models.unet import folded_state

    _check_metadata(path, {"format": FORMAT, **metadata}, metadata["network"])
    state = {name: tensor.half().cpu() for name, tensor in folded_state(network).items()}
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{path}: not written, since {name} has NaN or infinite weights.")
    content = save(state, metadata={"format": FORMAT, **metadata})
    with replacing(path) as temporary:
        temporary.write_bytes(_sort_header(content))


def _sort_header(content: bytes) -> bytes:
    """Return a safetensors file with the keys of its header in order; the library has none."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:start]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)  # tensors begin at a multiple of eight bytes
    return len(header).to_bytes(8, "little") + header + content[start:]


def read(path: Path, network: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the weights of a network.

    Args:
        path: of the file.
        network: tracer or inker.

    Returns:
        The weights for `unet.build_network`, as float32, and the metadata.

    Raises:
        WeightsError: If there is no such file, or it is not a whole, usable file of this network.
    """
    import torch
    from safetensors.torch import load_file

    metadata = _read_metadata(path, network)
    with explain_read_errors(path):
        stored = load_file(path)
    _check_tensors(path, stored, network)
    state = {name: tensor.float() for name, tensor in stored.items()}
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{path}: NaN or infinity in {name}. {_advice(network)}")
    return state, metadata


def read_gamma(metadata: Mapping[str, str]) -> float:
    """Return the exponent that turns a tracer's probabilities into ink."""
    return float(metadata["gamma"])


def _check_tensors(path: Path, state: Mapping[str, Tensor], network: str) -> None:
    """Raise WeightsError unless a U-Net for this network's input has these tensors."""
    from sketch_models.unet import SHUFFLE, build_network

    foreign = f"{path}: not the tensors of a network that Senga trained. {_advice(network)}"
    if not all(tensor.is_floating_point() and tensor.numel() for tensor in state.values()):
        raise WeightsError(foreign)
    try:
        unet = build_network(state)
    except (KeyError, IndexError, RuntimeError, ValueError) as error:
        raise WeightsError(foreign) from error
    if unet.first[0].in_channels != CHANNELS[network] * SHUFFLE**2:
        raise WeightsError(foreign)


def _read_metadata(path: Path, network: str) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        if detect_format(path) is not Format.SAFETENSORS:
            raise WeightsError(f"{path}: not a safetensors file.")
    except WeightsError as error:
        raise WeightsError(f"{error} {_advice(network)}") from error
    try:
        with explain_read_errors(path), safe_open(path, framework="numpy") as file:
            metadata: dict[str, Any] = file.metadata() or {}
    except SafetensorError as error:
        raise WeightsError(f"{path}: damaged or cut short. {_advice(network)}") from error
    _check_metadata(path, metadata, network)
    return metadata


def _check_metadata(path: Path, metadata: Mapping[str, str], network: str) -> None:
    if metadata.get("format") != FORMAT:
        problem = f"{path}: weights of another program or version, not {FORMAT}."
    elif metadata.get("network") != network:
        problem = f"{path}: weights of {metadata.get('network')}, not of {network}."
    elif network == "tracer" and not _is_gamma(metadata.get("gamma", "")):
        problem = f"{path}: its gamma is {metadata.get('gamma')}, expected a number above 0."
    else:
        return
    raise WeightsError(f"{problem} {_advice(network)}")


def _is_gamma(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


def _advice(network: str) -> str:
    return f"Set [{network}] weights to {SHIPPED}, or to a file that TrainLines wrote."
