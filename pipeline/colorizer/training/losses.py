"""What the networks are trained by. Every loss is a mean over the batch, a scalar tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Judged = Sequence[Sequence[Tensor]]
"""What the discriminator says: for each of its scales the features of every layer, scores last."""

_SLICE_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)  # of the perceptual network's features


def hinge_discriminator(fake: Judged, real: Judged) -> Tensor:
    """The hinge loss of the discriminator (Lim and Ye 2017): real above 1, fake below -1."""
    losses = [
        functional.relu(1 - of_real[-1]).mean() + functional.relu(1 + of_fake[-1]).mean()
        for of_fake, of_real in zip(fake, real, strict=True)
    ]
    return torch.stack(losses).mean()


def hinge_generator(fake: Judged) -> Tensor:
    """The hinge loss of the generator: minus the score of what it painted."""
    return -torch.stack([scale[-1].mean() for scale in fake]).mean()


def feature_matching(fake: Judged, real: Judged) -> Tensor:
    """The distance of the discriminator's features (Wang et al. 2018), all layers but scores."""
    losses = [
        functional.l1_loss(of_fake, of_real.detach())
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for of_fake, of_real in zip(fake_scale[:-1], real_scale[:-1], strict=True)
    ]
    return torch.stack(losses).sum() / len(fake)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """How far z's distribution is from a standard normal one: summed over z, mean over the batch.

    Kingma and Welling 2014, appendix B. SPADE sums over the batch too, so that its weight of 0.05
    at 8 pictures a GPU is a weight of 0.05 x 8 = 0.4 here, whatever the batch.
    """
    per_picture = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)
    return per_picture.mean()


class Perceptual(nn.Module):
    """The distance of two pictures in the features of a frozen network (Johnson et al. 2016).

    Args:
        network: from (N, 3, H, W) in [0, 1] to five features, stem first, such as
            `DanbooruResNet` of sketch_models, which normalises its input itself.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def forward(self, fake: Tensor, real: Tensor) -> Tensor:
        """Both (N, 3, S, S) in [-1, 1] -> the weighted sum of L1 distances."""
        with torch.no_grad():
            of_real = self.network((real + 1) / 2)
        of_fake = self.network((fake + 1) / 2)
        losses = [
            weight * functional.l1_loss(a, b)
            for weight, a, b in zip(_SLICE_WEIGHTS, of_fake, of_real, strict=True)
        ]
        return torch.stack(losses).sum()

    def train(self, mode: bool = True) -> Perceptual:  # noqa: ARG002 - it is never trained
        """Stays as it is."""
        return self
