"""`tracer`: a small network that finds the lines of colour pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sketch_models import line_weights
from sketch_models.line_network import LineNetwork
from sketch_models.network_options import ComputeOptions
from sketch_models.unet import build_network


class Tracer:
    """The network as a sketch model.

    Args:
        network: finds the lines of colour pictures.
        gamma: exponent that turns the probability of a line into ink, so that the thresholds of
            the three styles part likely lines from doubtful ones: with 1 they are probabilities,
            with 2.5, a probability of 0.5 is ink of 0.18.
    """

    threads = 2  # one computes while one prepares the next pictures

    def __init__(self, network: LineNetwork, gamma: float) -> None:
        self.batch_size = network.batch_size
        self._network = network
        self._gamma = np.float32(gamma)

    @classmethod
    def load(cls, path: Path, compute: ComputeOptions) -> Tracer:
        """Return the model with the weights of a file.

        Raises:
            WeightsError: If there is no such file, or it is not a whole file of this network.
            ConfigError: If this machine has no such device.
        """
        state, metadata = line_weights.read(path, "tracer")
        network = LineNetwork(build_network(state), compute)
        return cls(network, line_weights.read_gamma(metadata))

    def lines(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return ink maps: the probability of a line, to the power of gamma.

        Args:
            pictures: (H, W, 3) uint8 RGB, of any sizes.

        Returns:
            (H, W) float32 in [0, 1], 1 = ink, one per picture.
        """
        probabilities = self._network.ink_probabilities(pictures)
        return [probability**self._gamma for probability in probabilities]
