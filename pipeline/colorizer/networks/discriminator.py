"""The discriminator: scores how real the patches of a coloured drawing look, at two scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.colorizer.networks.layers import SLOPE, Conv, init_weights, spectral_norm
from pipeline.colorizer.options import NetworkOptions

SCALES = 2


class PatchDiscriminator(nn.Module):
    """PatchGAN (Isola et al. 2017) with kernels of 4: every output sees a patch of the input."""

    def __init__(self, map_channels: int, width: int) -> None:
        super().__init__()
        out_channels = [width, 2 * width, 4 * width, 8 * width]
        in_channels = [map_channels + 3, *out_channels]
        activation = nn.LeakyReLU(SLOPE)
        self.layers = nn.ModuleList(
            nn.Sequential(
                Conv(in_channels[0], out_channels[0], 4, 2),
                activation,
            )
            if number == 0
            else nn.Sequential(
                spectral_norm(
                    Conv(in_channels[number], out_channels[number], 4, 1 if number == 3 else 2)
                ),
                nn.InstanceNorm2d(out_channels[number]),
                activation,
            )
            for number in range(4)
        )
        self.layers.append(Conv(out_channels[3], 1, 4))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features of every layer; the last ones, (N, 1, s, s), are the scores.

        Args:
            x: (N, map channels + 3, S, S), map and picture.
        """
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class Discriminator(nn.Module):
    """Two PatchGANs that see map and picture, one at full and one at half resolution."""

    def __init__(self, options: NetworkOptions) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(options.map_channels, options.discriminator_width)
            for _ in range(SCALES)
        )
        init_weights(self, options.init_gain)

    def forward(self, maps: Tensor, color: Tensor) -> list[list[Tensor]]:
        """Return the features of both PatchGANs.

        Args:
            maps: (N, 5, S, S), as the generator sees them.
            color: (N, 3, S, S) in [-1, 1], generated or real.

        Returns:
            For each scale the features of every layer, scores last.
        """
        x = torch.cat([maps, color], 1)
        features = []
        for number, scale in enumerate(self.scales):
            if number:
                x = functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
            features.append(scale(x))
        return features
