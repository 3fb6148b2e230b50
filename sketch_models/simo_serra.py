"""The sketch simplification network of Simo-Serra et al. (2016, 2018).

"Learning to Simplify: Fully Convolutional Networks for Rough Sketch Cleanup" and "Mastering
Sketching: Adversarial Augmentation for Structured Prediction". Written from their description;
the published weights are for non-commercial research only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sketch_models.weights.simo_serra_file import LAYERS, Layer

MULTIPLE = 8
"""The sides of the network's input are multiples of this many pixels."""

Maps = list[NDArray[np.float32]]
"""(H, W) float32 each."""


class Network(nn.Module):
    """23 convolutions: down to an eighth and up again; parameters `0.weight` ... `22.bias`."""

    def __init__(self) -> None:
        super().__init__()
        for index, layer in enumerate(LAYERS):
            self.add_module(str(index), _build_layer(layer))

    def forward(self, x: Tensor) -> Tensor:
        """Simplify sketches.

        Args:
            x: (N, 1, H, W), normalized; sides are multiples of 8.

        Returns:
            (N, 1, H, W) float32, [0, 1], 1 = paper.
        """
        *inner, last = self.children()
        for layer in inner:
            x = layer(x).relu_()
        paper: Tensor = last(x).float().sigmoid_()
        return paper


def _build_layer(layer: Layer) -> nn.Module:
    if layer.upsamples:
        return nn.ConvTranspose2d(layer.in_channels, layer.out_channels, 4, 2, padding=1)
    return nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel, layer.stride, padding=layer.kernel // 2
    )


def build_network(state: Mapping[str, Tensor]) -> Network:
    """Build the network with the weights that `simo_serra_file.read` returned."""
    with torch.device("meta"):
        network = Network()
    parameters = {name: value for name, value in state.items() if name not in ("mean", "std")}
    network.load_state_dict(parameters, assign=True)
    return network


class SimoSerra:
    """The network as a line model, with padding and normalization.

    Args:
        run: a function that runs the network on (H, W) float32 maps, in order; it must be
            thread-safe.
        mean: of the sketches that the network was trained on, in [0, 1].
        std: their standard deviation.
        batch_size: default number of pictures, of three sketches each, per call.
    """

    threads = 2  # one computes while one prepares the next sketches

    def __init__(
        self,
        run: Callable[[Sequence[NDArray[np.float32]]], Maps],
        mean: float,
        std: float,
        *,
        batch_size: int = 1,
    ) -> None:
        self.batch_size = batch_size
        self._run = run
        self._mean = np.float32(mean)
        self._std = np.float32(std)

    def simplify(self, sketches: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        """Return line art, aligned to the sketches to the pixel.

        Args:
            sketches: (H, W) uint8, 0 = ink, 255 = paper, of any sizes.

        Returns:
            (H, W) uint8 of the same shapes and meaning.
        """
        maps = self._run([self._normalize(sketch) for sketch in sketches])
        return [
            _to_uint8(paper[: sketch.shape[0], : sketch.shape[1]])
            for paper, sketch in zip(maps, sketches, strict=True)
        ]

    def _normalize(self, sketch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Normalize a sketch; repeat its last row and column until it can be halved three times."""
        bottom, right = (-side % MULTIPLE for side in sketch.shape)
        padded = np.pad(sketch, ((0, bottom), (0, right)), mode="edge").astype(np.float32)
        return np.asarray((padded / 255 - self._mean) / self._std, np.float32)


def _to_uint8(paper: NDArray[np.float32]) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.rint(255 * paper).astype(np.uint8)
    return pixels
