"""The learning rate of a training: a linear warmup, then half a cosine."""

from __future__ import annotations

import math


def lr_factor(step: int, steps: int, warmup: float) -> float:
    """Return the learning rate of a step as a share of its peak.

    It rises linearly over the first `warmup` share of the steps and falls along half a cosine to 0
    (Loshchilov and Hutter 2017).
    """
    warmup_steps = round(warmup * steps)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * progress))
