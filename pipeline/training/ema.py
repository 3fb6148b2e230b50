"""The exponential moving average of a network's weights (EMA)."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

T = TypeVar("T", bound=nn.Module)


def make_ema(network: T) -> T:
    """Return a frozen copy of a network in evaluation mode, for `update_ema`."""
    return copy.deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_ema(ema: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the network, faster at first: it begins as random weights.

    Args:
        ema: what `make_ema` returned.
        network: the network that is trained.
        decay: share of the average that a step keeps, 0 to 1; less than this at first.
        step: number of steps done, 1 or more.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(ema.parameters()), list(network.parameters()), share)
    for name, buffer in network.named_buffers():
        # Statistics of batches are averaged like weights; vectors of a spectral norm are not.
        mean = ema.get_buffer(name)
        mean.lerp_(buffer, share) if "running" in name else mean.copy_(buffer)
