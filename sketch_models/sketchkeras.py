"""sketchKeras: a U-Net that finds the lines of a colour picture.

The network and its published weights are lllyasviel's (Apache-2.0); what it computes is written
here from the shapes of the weight file.
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
"""The sides of what goes into the network are multiples of this many pixels."""

_BLUR = 3.0  # pixels
_LEAST = 32  # pixels; a smaller side could not be reflected at the bottom of the U

Maps = list[NDArray[np.float32]]
"""(H, W) float32 each."""


class Network(nn.Module):
    """The 18 convolutions, with their normalisation folded in.

    Going down, convolutions 1, 3, 5, 7 and 9 keep what the way up adds again; there, every second
    one works on twice the size. Parameters are named `0.weight`, `0.bias` ... `17.bias`.

    Args:
        padding: `zero` or `reflect`, around every convolution.
    """

    def __init__(self, padding: str = "zero") -> None:
        super().__init__()
        for place, layer in enumerate(CONVOLUTIONS):
            self.add_module(str(place), _convolution(layer, padding))

    def forward(self, x: Tensor) -> Tensor:
        """Finds lines.

        Args:
            x: (N, 1, H, W), a channel less its blur, divided by the picture's maximum; sides are
                multiples of 16.

        Returns:
            (N, 1, H, W) float32, about [0, 1], high = ink.
        """
        layers = list(self.children())
        x = layers[0](x).relu_()
        down = [x]
        for first, second in ((1, 2), (3, 4), (5, 6)):
            x = layers[second](layers[first](x).relu_()).relu_()
            down.append(x)
        x = layers[7](x).relu_()
        deepest, x = x, layers[8](x).relu_()
        for beside, place in zip((deepest, *reversed(down[1:])), (9, 11, 13, 15), strict=True):
            x = layers[place](torch.cat((beside, x), 1)).relu_()
            x = layers[place + 1](x).relu_()
        lines: Tensor = layers[17](torch.cat((down[0], x), 1)).float()
        return lines


def _convolution(layer: Convolution, padding: str) -> nn.Module:
    if layer.up:
        kind = UpConvolution if padding == "zero" else ReflectedUpConvolution
        return kind(layer.inputs, layer.outputs)
    return nn.Conv2d(
        layer.inputs,
        layer.outputs,
        layer.kernel,
        layer.stride,
        padding=1,
        padding_mode="zeros" if padding == "zero" else "reflect",
    )


class UpConvolution(nn.Module):
    """Twice the size by repetition, then a convolution of 4 x 4, in two fifths of the work.

    Where every pixel is there four times, a kernel of 4 x 4 sees at most 3 x 3 different ones. So
    there is a kernel of 3 x 3 for each of the four places within a repeated pixel, with the sums
    of the weights that meet on one, and the picture stays small until it is through.

    The state that it loads has the kernel of 4 x 4.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4 * outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.empty(4 * outputs))
        self.register_load_state_dict_pre_hook(_gather)  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor) -> Tensor:
        """From (N, inputs, H, W) to (N, outputs, 2 H, 2 W)."""
        return functional.pixel_shuffle(functional.conv2d(x, self.weight, self.bias, padding=1), 2)


class ReflectedUpConvolution(nn.Conv2d):
    """The same where the border is reflected, the plain way: there weights meet in other places."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4)

    def forward(self, x: Tensor) -> Tensor:
        """From (N, inputs, H, W) to (N, outputs, 2 H, 2 W)."""
        twice = functional.interpolate(x, scale_factor=2.0)
        return super().forward(functional.pad(twice, (1, 2, 1, 2), "reflect"))


_MEET = torch.tensor(
    [
        [
            [1, 0, 0, 0],
            [0, 1, 1, 0],
            [0, 0, 0, 1],
        ],  # even places: one pixel before, itself, one after
        [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]],  # odd ones: itself, one after
    ],
    dtype=torch.float64,
)
"""Which of a kernel's four weights meet on which of three pixels."""


def _gather(_: nn.Module, state: dict[str, Any], prefix: str, *_rest: object) -> None:
    kernel = state[prefix + "weight"].double()  # (O, I, 4, 4)
    four = torch.einsum("yau,xbv,oiuv->oyxiab", _MEET, _MEET, kernel)
    state[prefix + "weight"] = four.flatten(0, 2).float()  # pixel_shuffle's order of channels
    state[prefix + "bias"] = state[prefix + "bias"].repeat_interleave(4)


def network(state: Mapping[str, Tensor], padding: str) -> Network:
    """The network with its weights, which are those of `keras_file.read`."""
    with torch.device("meta"):
        made = Network(padding)
    made.load_state_dict(dict(state), assign=True)
    return made


class SketchKeras:
    """The network as a sketch model, with everything around it.

    Args:
        run: puts (H, W) float32 maps through the network, in order; called from several threads.
        square: pad pictures to a square, as upstream does; else only to the next multiple of 16,
            which is a third faster and changes lines near the right or lower edge a little.
        batch_size: pictures that a call should bring.
    """

    threads = 2  # one computes, one gets the next pictures ready

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
        """Draws line maps.

        Every colour channel goes through the network alone; the strongest line counts.

        Args:
            pictures: (H, W, 3) uint8 RGB, of any sizes.

        Returns:
            (H, W) float32 in [0, 1], 1 = ink, one per picture.
        """
        channels = [channel for picture in pictures for channel in self._channels(picture)]
        maps = self._run(channels)
        return [
            _strongest(maps[3 * place : 3 * place + 3], *picture.shape[:2])
            for place, picture in enumerate(pictures)
        ]

    def _channels(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What goes into the network for one picture: (3, S, S) or (3, H', W') float32."""
        high = high_pass(picture)
        height, width = sides = high.shape[1:]
        if self._square:
            sides = (max(sides), max(sides))
        down, right = (_canvas(side) for side in sides)
        return np.pad(high, ((0, 0), (0, down - height), (0, right - width)))


def high_pass(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What is finer than a blur of 3 pixels, by channel.

    `(x - GaussianBlur(x, sigma 3)) / 128`, the blur in whole grey levels, then all three divided
    by their common maximum; a picture of one colour stays 0.

    Args:
        picture: (H, W, 3) uint8.

    Returns:
        (3, H, W) float32, at most 1.
    """
    blurred = cv2.GaussianBlur(picture, (0, 0), _BLUR)
    high = (picture.astype(np.float32) - blurred).transpose(2, 0, 1) / 128
    most = high.max()
    detail: NDArray[np.float32] = high / most if most > 0 else np.zeros_like(high)
    return detail


def _canvas(side: int) -> int:
    return max(-(-side // MULTIPLE) * MULTIPLE, _LEAST)


def _strongest(maps: Sequence[NDArray[np.float32]], height: int, width: int) -> NDArray[np.float32]:
    cropped = np.stack([channel[:height, :width] for channel in maps])
    return np.asarray(cropped.max(0).clip(0, 1), np.float32)
