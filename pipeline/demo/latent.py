"""The latent code of a painting, from what a user chooses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def z_of(latent: int, seed: int | None, shift: float, dimension: int | None) -> NDArray[np.float32]:
    """The z of one painting.

    Args:
        latent: its dimensions.
        seed: 0 or more: of a draw from the standard normal distribution; None for its mean, 0,
            which gives the same painting each time.
        shift: is added to it.
        dimension: that the shift is added to, from 0; every one where None.

    Returns:
        (latent,) float32.
    """
    if seed is None:
        z = np.zeros(latent, np.float32)
    else:
        z = np.random.default_rng(seed).standard_normal(latent, np.float32)
    z[slice(None) if dimension is None else dimension] += np.float32(shift)
    return z
