"""sketchKeras: a U-Net that finds the lines of a colour picture.

The network and its published weights are lllyasviel's (Apache-2.0); this code is written from the
shapes of the weight file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sketch_models.weights.keras_file import CONVOLUTIONS, Convolution

MULTIPLE = 16
"""The sides of the network's input are multiples of this many pixels."""

_BLUR_SIGMA = 3.0  # pixels
_MIN_SIDE = 32  # pixels; a smaller side could not be reflected at the bottom of the U

Maps = list[NDArray[np.float32]]
"""(H, W) float32 each."""


class Network(nn.Module):
    """The 18 convolutions, with their BatchNorm folded in.

    The results of the convolutions 0, 2, 4, 6 and 7 are the skip connections of the U-Net; in the
    decoder, every second convolution upsamples. Parameters: `0.weight`, `0.bias` ... `17.bias`.

    Args:
        padding: `zero` or `reflect`, around every convolution.
    """

    def __init__(self, padding: str = "zero") -> None:
        super().__init__()
        for index, layer in enumerate(CONVOLUTIONS):
            self.add_module(str(index), _build_layer(layer, padding))

    def forward(self, x: Tensor) -> Tensor:
        """Extract lines.

        Args:
            x: (N, 1, H, W), a channel minus its blur, divided by the picture's maximum; sides
                are multiples of 16.

        Returns:
            (N, 1, H, W) float32, about [0, 1], high = ink.
        """
        layers = list(self.children())
        x = layers[0](x).relu_()
        skips = [x]
        for first, second in ((1, 2), (3, 4), (5, 6)):
            x = layers[second](layers[first](x).relu_()).relu_()
            skips.append(x)
        x = layers[7](x).relu_()
        skips.append(x)
        x = layers[8](x).relu_()
        for skip, index in zip(reversed(skips[1:]), (9, 11, 13, 15), strict=True):
            x = layers[index](torch.cat((skip, x), 1)).relu_()
            x = layers[index + 1](x).relu_()
        ink: Tensor = layers[17](torch.cat((skips[0], x), 1)).float()
        return ink


def _build_layer(layer: Convolution, padding: str) -> nn.Module:
    if layer.upsamples:
        convolution = UpConvolution if padding == "zero" else ReflectedUpConvolution
        return convolution(layer.in_channels, layer.out_channels)
    return nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel,
        layer.stride,
        padding=1,
        padding_mode="zeros" if padding == "zero" else "reflect",
    )


class UpConvolution(nn.Module):
    """Nearest-neighbour upsampling and a convolution of 4 x 4, in two fifths of the operations.

    Upsampling repeats every pixel four times, so that a kernel of 4 x 4 sees at most 3 x 3
    different pixels. This layer therefore has a kernel of 3 x 3 for each of the four positions
    within an upsampled pixel, with the sums of the weights that fall on the same source pixel, and
    upsamples last, by pixel shuffling.

    It loads a state dict with the kernel of 4 x 4.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4 * out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.empty(4 * out_channels))
        self.register_load_state_dict_pre_hook(_sum_kernels)  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor) -> Tensor:
        """Upsample and convolve: (N, in_channels, H, W) -> (N, out_channels, 2 H, 2 W)."""
        return functional.pixel_shuffle(functional.conv2d(x, self.weight, self.bias, padding=1), 2)


class ReflectedUpConvolution(nn.Conv2d):
    """Nearest-neighbour upsampling and a convolution of 4 x 4, with a reflected border.

    It does both in turn: the shortcut of `UpConvolution` would be wrong at that border.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample and convolve: (N, in_channels, H, W) -> (N, out_channels, 2 H, 2 W)."""
        upsampled = functional.interpolate(x, scale_factor=2.0)
        return super().forward(functional.pad(upsampled, (1, 2, 1, 2), "reflect"))


_SAME_PIXEL = torch.tensor(
    [
        [
            [1, 0, 0, 0],
            [0, 1, 1, 0],
            [0, 0, 0, 1],
        ],  # even positions: the pixel before, the pixel itself, the one after
        [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]],  # odd positions: itself, the one after
    ],
    dtype=torch.float64,
)
"""(2, 3, 4): which of a kernel's four weights fall on which of three source pixels."""


def _sum_kernels(_: nn.Module, state: dict[str, Any], prefix: str, *_rest: object) -> None:
    kernel = state[prefix + "weight"].double()  # (O, I, 4, 4)
    kernels = torch.einsum("yau,xbv,oiuv->oyxiab", _SAME_PIXEL, _SAME_PIXEL, kernel)
    state[prefix + "weight"] = kernels.flatten(0, 2).float()  # pixel_shuffle's order of channels
    state[prefix + "bias"] = state[prefix + "bias"].repeat_interleave(4)


def build_network(state: Mapping[str, Tensor], padding: str) -> Network:
    """Build the network with the weights that `keras_file.read` returned."""
    with torch.device("meta"):
        network = Network(padding)
    network.load_state_dict(dict(state), assign=True)
    return network


class SketchKeras:
    """The network as a sketch model, with high pass and padding.

    Args:
        run: a function that runs the network on (H, W) float32 maps, in order; it must be
            thread-safe.
        square: whether to pad pictures to a square, as upstream does; else to the next multiple of
            16, which is a third faster and changes lines near the right or lower edge a little.
        batch_size: default number of pictures per call.
    """

    threads = 2  # one computes while one prepares the next pictures

    def __init__(
        self,
        run: Callable[[Sequence[NDArray[np.float32]]], Maps],
        *,
        square: bool,
        batch_size: int = 1,
    ) -> None:
        self.batch_size = batch_size
        self._run = run
        self._square = square

    def lines(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return ink maps.

        The network runs on every colour channel alone; the result is the maximum of the three.

        Args:
            pictures: (H, W, 3) uint8 RGB, of any sizes.

        Returns:
            (H, W) float32 in [0, 1], 1 = ink, one per picture.
        """
        channels = [channel for picture in pictures for channel in self._network_input(picture)]
        maps = self._run(channels)
        return [
            _merge_channels(maps[3 * index : 3 * index + 3], *picture.shape[:2])
            for index, picture in enumerate(pictures)
        ]

    def _network_input(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the padded high pass of a picture: (3, S, S) or (3, H', W') float32."""
        high = high_pass(picture)
        height, width = sides = high.shape[1:]
        if self._square:
            sides = (max(sides), max(sides))
        padded_height, padded_width = (_padded_side(side) for side in sides)
        return np.pad(high, ((0, 0), (0, padded_height - height), (0, padded_width - width)))


def high_pass(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the details finer than a blur of 3 pixels, by channel.

    `(x - GaussianBlur(x, sigma 3)) / 128`, the blur in whole grey levels, then all three divided
    by their common maximum; a picture of one colour stays 0.

    Args:
        picture: (H, W, 3) uint8.

    Returns:
        (3, H, W) float32, at most 1.
    """
    blurred = cv2.GaussianBlur(picture, (0, 0), _BLUR_SIGMA)
    high = (picture.astype(np.float32) - blurred).transpose(2, 0, 1) / 128
    maximum = high.max()
    detail: NDArray[np.float32] = high / maximum if maximum > 0 else np.zeros_like(high)
    return detail


def _padded_side(side: int) -> int:
    return max(-(-side // MULTIPLE) * MULTIPLE, _MIN_SIDE)


def _merge_channels(
    maps: Sequence[NDArray[np.float32]], height: int, width: int
) -> NDArray[np.float32]:
    cropped = np.stack([channel[:height, :width] for channel in maps])
    return np.asarray(cropped.max(0).clip(0, 1), np.float32)
