"""Random weights of `tracer` and `inker`, small or of full size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from sketch_models.line_weights import CHANNELS, write
from sketch_models.unet import Unet

TINY = (4, 6, 8)
"""Widths of a network for tests."""


def random_unet(network: str, widths: Sequence[int] = TINY, seed: int = 0) -> Unet:
    """Return a network, tracer or inker, whose probabilities are near 0, near 1 and between."""
    torch.manual_seed(seed)
    unet = Unet(CHANNELS[network], widths, context=1)
    for module in (unet.last, *unet.context.modules()):
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight, std=0.5)
    return unet


def write_random(
    path: Path, network: str, widths: Sequence[int] = TINY, seed: int = 0, gamma: float = 2.5
) -> Path:
    """Write random weights of a network, tracer or inker; return their path."""
    metadata = {"network": network, "command": "none: random weights"}
    if network == "tracer":
        metadata["gamma"] = str(gamma)
    write(path, random_unet(network, widths, seed), metadata)
    return path
