"""The encoder of the variational autoencoder: which z a picture comes from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.colorizer.networks.layers import SLOPE, Conv, initialise, spectral
from pipeline.colorizer.options import NetworkOptions

_LAST = 4  # side of the last features, in pixels


class Encoder(nn.Module):
    """From a picture to the normal distribution of its z: mean and logarithm of the variance.

    Halves the picture until it is 4 x 4: six layers at 256.

    Args:
        options: how wide.
        size: side of the pictures: 4 times a power of two, or between such.
    """

    def __init__(self, options: NetworkOptions, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inner, outer = 3, options.encoder_width
        while size > _LAST:
            layers += [spectral(Conv(inner, outer, stride=2)), nn.InstanceNorm2d(outer)]
            layers += [nn.LeakyReLU(SLOPE)]
            inner, outer = outer, min(2 * outer, 8 * options.encoder_width)
            size = (size + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.to_mean = nn.Linear(inner * size**2, options.latent)
        self.to_log_variance = nn.Linear(inner * size**2, options.latent)
        initialise(self, options.init_gain)

    def forward(self, color: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, S, S) RGB in [-1, 1] -> mean and log variance, each (N, latent) float32."""
        features = self.layers(color).flatten(1)
        return self.to_mean(features).float(), self.to_log_variance(features).float()


def sample(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Draws z from its distribution (Kingma and Welling 2014); all are (N, latent)."""
    return mean + noise * torch.exp(0.5 * log_variance)
