"""The encoder and the generator of a colorizer: together, a conditional variational autoencoder."""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.colorizer.networks.encoder import Encoder, reparameterize
from pipeline.colorizer.networks.generator import Generator
from pipeline.colorizer.options import NetworkOptions


class Vae(nn.Module):
    """A variational autoencoder of pictures, conditioned on their line art and hints.

    Args:
        options: which generator, and how wide both networks are.
        size: side of the pictures, a multiple of 32.
    """

    def __init__(self, options: NetworkOptions, size: int) -> None:
        super().__init__()
        self.encoder = Encoder(options, size)
        self.generator = Generator(options, size)

    def forward(
        self, maps: Tensor, color: Tensor, noise: Tensor, encoded: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruct a picture from its line art, its hints, and the z that encodes it.

        Args:
            maps: (N, 5, S, S), see `join_map`.
            color: (N, 3, S, S) in [-1, 1], the ground truth.
            noise: (N, latent_dim), from a standard normal distribution.
            encoded: (N, 1), 1 for pictures with the z that encodes them, 0 for those with z = 0.

        Returns:
            (N, 3, S, S) in [-1, 1]; mean and log variance of z, each (N, latent_dim).
        """
        mean, log_variance = self.encoder(color)
        z = reparameterize(mean, log_variance, noise) * encoded
        return self.generator(maps, z), mean, log_variance
