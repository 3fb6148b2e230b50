"""The discriminator: which patches of a painted line drawing look real, at two scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.colorizer.networks.generator import MAP_CHANNELS
from pipeline.colorizer.networks.layers import SLOPE, Conv, initialise, spectral
from pipeline.colorizer.options import NetworkOptions

SCALES = 2


class PatchDiscriminator(nn.Module):
    """PatchGAN (Isola et al. 2017) with kernels of 4: every output sees a patch of the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        outer = [width, 2 * width, 4 * width, 8 * width]
        inner = [MAP_CHANNELS + 3, *outer]
        activation = nn.LeakyReLU(SLOPE)
        self.layers = nn.ModuleList(
            nn.Sequential(
                Conv(inner[0], outer[0], 4, 2),
                activation,
            )
            if number == 0
            else nn.Sequential(
                spectral(Conv(inner[number], outer[number], 4, 1 if number == 3 else 2)),
                nn.InstanceNorm2d(outer[number]),
                activation,
            )
            for number in range(4)
        )
        self.layers.append(Conv(outer[3], 1, 4))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 8, S, S) -> the features of every layer; the last, (N, 1, s, s), are the scores."""
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class Discriminator(nn.Module):
    """Judges map and picture together, at full size and at half of it."""

    def __init__(self, options: NetworkOptions) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(options.discriminator_width) for _ in range(SCALES)
        )
        initialise(self, options.init_gain)

    def forward(self, maps: Tensor, color: Tensor) -> list[list[Tensor]]:
        """Judges.

        Args:
            maps: (N, 5, S, S), as the generator sees them.
            color: (N, 3, S, S) in [-1, 1], painted or true.

        Returns:
            For each scale the features of every layer, scores last.
        """
        x = torch.cat([maps, color], 1)
        found = []
        for number, scale in enumerate(self.scales):
            if number:
                x = functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
            found.append(scale(x))
        return found
