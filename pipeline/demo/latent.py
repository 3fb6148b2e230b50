"""The latent code z of a colorization, from a seed and a shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def make_z(
    latent_dim: int, seed: int | None, shift: float, dimension: int | None
) -> NDArray[np.float32]:
    """Return the z of one colorization.

    Args:
        latent_dim: number of dimensions.
        seed: 0 or more, for a sample of the standard normal distribution; None for its mean, 0,
            which gives the same colorization each time.
        shift: added to z.
        dimension: the one, from 0, that the shift is added to; None for all of them.

    Returns:
        (latent_dim,) float32.
    """
    if seed is None:
        z = np.zeros(latent_dim, np.float32)
    else:
        z = np.random.default_rng(seed).standard_normal(latent_dim, np.float32)
    z[slice(None) if dimension is None else dimension] += np.float32(shift)
    return z
