"""The losses. Each of them is a scalar tensor, a mean over the batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Features = Sequence[Sequence[Tensor]]
"""The discriminator's output: for each of its scales the features of every layer, scores last."""

_FEATURE_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)  # of the perceptual network, stem first


def hinge_discriminator(fake: Features, real: Features) -> Tensor:
    """Return the discriminator's hinge loss (Lim and Ye 2017): 0 if real > 1 and fake < -1."""
    losses = [
        functional.relu(1 - real_scale[-1]).mean() + functional.relu(1 + fake_scale[-1]).mean()
        for fake_scale, real_scale in zip(fake, real, strict=True)
    ]
    return torch.stack(losses).mean()


def hinge_generator(fake: Features) -> Tensor:
    """Return the generator's hinge loss: minus the score of its pictures."""
    return -torch.stack([scale[-1].mean() for scale in fake]).mean()


def feature_matching(fake: Features, real: Features) -> Tensor:
    """Return the L1 distance of all features but the scores (Wang et al. 2018)."""
    losses = [
        functional.l1_loss(fake_layer, real_layer.detach())
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for fake_layer, real_layer in zip(fake_scale[:-1], real_scale[:-1], strict=True)
    ]
    return torch.stack(losses).sum() / len(fake)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the KL divergence of z from a standard normal: summed over z, mean over the batch.

    Kingma and Welling 2014, appendix B. SPADE sums over the batch too, so that its weight of 0.05
    at 8 pictures a GPU is 0.05 x 8 = 0.4 for this loss, whatever the batch.
    """
    per_picture = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)
    return per_picture.mean()


class Perceptual(nn.Module):
    """The distance of pictures in the features of a frozen network (Johnson et al. 2016).

    Args:
        network: from (N, 3, H, W) in [0, 1] to five features, stem first, such as
            `DanbooruResNet` of sketch_models, which normalises its input itself.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def forward(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return the weighted sum of L1 distances of two batches, (N, 3, S, S) in [-1, 1] each."""
        with torch.no_grad():
            real_features = self.network((real + 1) / 2)
        fake_features = self.network((fake + 1) / 2)
        losses = [
            weight * functional.l1_loss(a, b)
            for weight, a, b in zip(_FEATURE_WEIGHTS, fake_features, real_features, strict=True)
        ]
        return torch.stack(losses).sum()

    def train(self, mode: bool = True) -> Perceptual:  # noqa: ARG002 - it is never trained
        """Stay in evaluation mode, whatever the mode of the model that this is a part of."""
        return self
