"""The encoder of the variational autoencoder: from a picture to its z."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.colorizer.networks.layers import SLOPE, Conv, init_weights, make_norm, spectral_norm
from pipeline.colorizer.options import NetworkOptions

_MIN_SIDE = 4  # side of the last features, in pixels


class Encoder(nn.Module):
    """A network from a picture to the distribution of its z: mean and log variance of a normal one.

    Each layer halves the picture, until it is 4 x 4 or less: six layers at 256.

    Args:
        options: width, and dimensions of z.
        size: side of the pictures, in pixels; 5 or more.
    """

    def __init__(self, options: NetworkOptions, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        in_channels, out_channels = 3, options.encoder_width
        while size > _MIN_SIDE:
            layers += [spectral_norm(Conv(in_channels, out_channels, stride=2))]
            layers += [_norm(options.norm, out_channels), nn.LeakyReLU(SLOPE)]
            in_channels = out_channels
            out_channels = min(2 * out_channels, 8 * options.encoder_width)
            size = (size + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.to_mean = nn.Linear(in_channels * size**2, options.latent_dim)
        self.to_log_variance = nn.Linear(in_channels * size**2, options.latent_dim)
        init_weights(self, options.init_gain)

    def forward(self, color: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (N, 3, S, S) RGB in [-1, 1] as mean and log variance: (N, latent_dim) float32."""
        features = self.layers(color).flatten(1)
        return self.to_mean(features).float(), self.to_log_variance(features).float()


def _norm(kind: str, channels: int) -> nn.Module:
    """Return the normalisation after a layer.

    That of single channels takes away how bright and how colourful the whole picture is; that of
    groups keeps what differs between their channels.
    """
    if kind == "group":
        return make_norm(kind, channels, affine=False)
    return nn.InstanceNorm2d(channels)


def reparameterize(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Return a sample of z from its distribution, by noise (Kingma and Welling 2014).

    All tensors are (N, latent_dim).
    """
    return mean + noise * torch.exp(0.5 * log_variance)
