"""The losses of the networks of lines. Each is a scalar tensor."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, ink: Tensor, weight: Tensor) -> Tensor:
    """Return the mean binary cross entropy of the pixels, weighted.

    Args:
        logits: (N, 1, H, W) float32.
        ink: (N, 1, H, W) float32 in [0, 1], 1 = ink.
        weight: (N, 1, H, W) float32, 0 where nobody can say.
    """
    total = functional.binary_cross_entropy_with_logits(logits, ink, weight, reduction="sum")
    return total / weight.sum().clamp(min=1)


def dice(logits: Tensor, ink: Tensor, weight: Tensor) -> Tensor:
    """Return 1 minus the Dice coefficient of all pixels of the batch (Milletari et al. 2016).

    It is the same for a few thin lines as for much black, where cross entropy counts pixels;
    arguments as for `cross_entropy`.
    """
    probability = logits.sigmoid()
    both = (weight * probability * ink).sum()
    either = (weight * (probability + ink)).sum()
    return 1 - (2 * both + 1) / (either + 1)
