"""The U-Net of `tracer` and `inker`: small, for any picture, and the same at every place of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SHUFFLE = 2
"""Side of the squares of pixels whose values become channels first, and pixels again at last."""

_REACH = 2  # of a context block's convolution to each side, in steps of its dilation


class Unet(nn.Module):
    """A U-Net at half the picture's resolution and below.

    Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation" (2015);
    squares of 2 x 2 pixels are channels of the first layer (Shi et al., "Real-time single image and
    video super-resolution using an efficient sub-pixel convolutional neural network", 2016), since
    convolutions at full resolution would take most of the time.

    Args:
        in_channels: of the picture.
        widths: channels at each scale, from half the resolution down; each is half the one before.
        context: number of `ContextBlock`s at the deepest scale, with dilations of 1, 2 and so on:
            stripes and other patterns cannot be told from edges without seeing some repeats.
        normalize: batch normalization after each convolution, for training; a network that is used
            has it folded into the weights.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        context: int = 0,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.first = _layer(in_channels * SHUFFLE**2, widths[0], normalize=normalize)
        self.down = nn.ModuleList()
        self.shrink = nn.ModuleList()
        self.up = nn.ModuleList()
        for index, (wide, deep) in enumerate(pairwise(widths)):
            self.down.append(
                nn.Sequential(
                    _layer(wide, deep, stride=2, normalize=normalize),
                    _layer(deep, deep, normalize=normalize),
                )
            )
            self.shrink.append(nn.Conv2d(deep, wide, 1))
            layers = [_layer(2 * wide, wide, normalize=normalize)]
            if index:  # at half resolution a second one would cost a quarter of the time
                layers.append(_layer(wide, wide, normalize=normalize))
            self.up.append(nn.Sequential(*layers))
        blocks = (ContextBlock(widths[-1], dilation=1 + index) for index in range(context))
        self.context = nn.Sequential(*blocks)
        self.last = nn.Conv2d(widths[0], SHUFFLE**2, 3, padding=1)

    @property
    def multiple(self) -> int:
        """The number that the sides of a picture must be multiples of."""
        return int(SHUFFLE * 2 ** (len(self.widths) - 1))

    @property
    def margin(self) -> int:
        """The distance in pixels beyond which no input pixel changes an output pixel."""
        scales: list[int] = [SHUFFLE * 2**level for level in range(len(self.widths))]
        context = _REACH * sum(range(1, 1 + len(self.context)))
        return 2 * SHUFFLE + 4 * sum(scales) + context * scales[-1]

    def forward(self, picture: Tensor) -> Tensor:
        """Return one logit per pixel.

        Args:
            picture: (N, C, H, W), with H and W multiples of `multiple`.

        Returns:
            (N, 1, H, W).
        """
        x = self.first(functional.pixel_unshuffle(picture, SHUFFLE))
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = self.context(x)
        for shrink, up in zip(reversed(self.shrink), reversed(self.up), strict=True):
            x = functional.interpolate(shrink(x), scale_factor=2.0, mode="nearest")
            x = up(torch.cat((skips.pop(), x), dim=1))
        return functional.pixel_shuffle(self.last(x), SHUFFLE)


class ContextBlock(nn.Module):
    """Adds what is farther away: a dilated convolution of each channel, then a mix of channels.

    It changes nothing at first, so that weights without it can be trained further with it.

    Args:
        channels: of the features.
        dilation: steps between the values that the convolution of 5 x 5 sees.
    """

    def __init__(self, channels: int, *, dilation: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(
            channels,
            channels,
            2 * _REACH + 1,
            padding=_REACH * dilation,
            dilation=dilation,
            groups=channels,
        )
        self.mix = nn.Conv2d(channels, channels, 1)
        for weight in self.mix.parameters():
            nn.init.zeros_(weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features with their context: (N, C, H, W) -> (N, C, H, W)."""
        mixed: Tensor = self.mix(functional.relu(self.look(features)))
        return features + mixed


def _layer(
    in_channels: int, out_channels: int, *, stride: int = 1, normalize: bool
) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=not normalize)
    norm = [nn.BatchNorm2d(out_channels)] if normalize else []
    return nn.Sequential(convolution, *norm, nn.ReLU(inplace=True))


def build_network(state: Mapping[str, Tensor], *, context: int = 0) -> Unet:
    """Return the network with the weights that `folded_state` returned, as float32.

    Args:
        state: the weights.
        context: the least number of context blocks; those that have no weights change nothing.
    """
    first = state["first.0.weight"]
    widths = [first.shape[0]]
    while f"down.{len(widths) - 1}.0.0.weight" in state:
        widths.append(state[f"down.{len(widths) - 1}.0.0.weight"].shape[0])
    known = 0
    while f"context.{known}.mix.weight" in state:
        known += 1
    channels = first.shape[1] // SHUFFLE**2
    with torch.device("meta"):
        network = Unet(channels, widths, context=known)
    floats = {name: value.float() for name, value in state.items()}
    network.load_state_dict(floats, assign=True)
    for index in range(known, context):
        network.context.append(ContextBlock(widths[-1], dilation=1 + index))
    return network


def folded_state(network: Unet) -> dict[str, Tensor]:
    """Return the weights of a trained network, with its batch normalization folded into them."""
    state = {}
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        weight, bias = module.weight.detach(), module.bias
        parent = network.get_submodule(name.rpartition(".")[0])
        norm = parent[1] if isinstance(parent, nn.Sequential) and name.endswith(".0") else None
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
            weight = weight * scale[:, None, None, None]
            shift = norm.bias.detach() - norm.running_mean * scale
        else:
            assert bias is not None
            shift = bias.detach()
        state[f"{name}.weight"], state[f"{name}.bias"] = weight.clone(), shift.clone()
    return state
