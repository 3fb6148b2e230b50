"""`inker`: a small network that draws clean line art from any sketch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sketch_models import line_weights
from sketch_models.line_network import LineNetwork
from sketch_models.network_options import ComputeOptions
from sketch_models.unet import build_network

_PAPER_BELOW, _INK_ABOVE = 0.1, 0.6
"""Probabilities of ink between which a pixel is grey: a narrow step makes crisp lines, a low one
lines without gaps."""


class Inker:
    """The network as a line model.

    Args:
        network: finds the lines of sketches.
    """

    threads = 2  # one computes while one prepares the next sketches

    def __init__(self, network: LineNetwork) -> None:
        self.batch_size = network.batch_size
        self._network = network

    @classmethod
    def load(cls, path: Path, compute: ComputeOptions) -> Inker:
        """Return the model with the weights of a file.

        Raises:
            WeightsError: If there is no such file, or it is not a whole file of this network.
            ConfigError: If this machine has no such device.
        """
        state, _ = line_weights.read(path, "inker")
        return cls(LineNetwork(build_network(state), compute))

    def simplify(self, sketches: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        """Return line art, aligned to the sketches to the pixel.

        Args:
            sketches: (H, W) uint8, 0 = ink, 255 = paper, of any sizes.

        Returns:
            (H, W) uint8 of the same shapes and meaning.
        """
        return [_to_paper(ink) for ink in self._network.ink_probabilities(sketches)]


def _to_paper(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    paper = (_INK_ABOVE - probability) / (_INK_ABOVE - _PAPER_BELOW)
    pixels: NDArray[np.uint8] = np.rint(255 * paper.clip(0, 1)).astype(np.uint8)
    return pixels
