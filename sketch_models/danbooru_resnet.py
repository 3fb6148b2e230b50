"""ResNets that were trained to tag Danbooru's pictures: features for a perceptual loss.

"Deep Residual Learning for Image Recognition" (He et al. 2015); the weights are published as
danbooru-pretrained by RF5, with torchvision's names behind a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sketch_models.errors import SengaError

ADDRESS = "https://github.com/RF5/danbooru-pretrained/releases/tag/v0.1"

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""Residual blocks of each of the four layers, by depth."""

_LIKE_18 = ((0.5422, 0.5035, 0.4964), (0.4032, 0.3934, 0.3892))
STATISTICS = {18: _LIKE_18, 34: _LIKE_18, 50: ((0.7137, 0.6628, 0.6519), (0.2970, 0.3017, 0.2979))}
"""Mean and deviation of the pictures each was trained on, by channel; 34 was trained as 18 was."""

_CHILDREN = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")


class _UnexpectedError(Exception):
    """What is wrong with a file, as the middle of a sentence."""


class BasicBlock(nn.Module):
    """Two convolutions of 3 x 3, added to what came in."""

    wider = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """From (N, inputs, H, W) to (N, width, H / stride, W / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.downsample(x))


class Bottleneck(nn.Module):
    """A convolution of 3 x 3 between two of 1 x 1, added to what came in."""

    wider = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.wider
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """From (N, inputs, H, W) to (N, 4 width, H / stride, W / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return functional.relu(y + self.downsample(x))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class DanbooruResNet(nn.Module):
    """The body of the network, frozen: it stays in eval mode, and its weights learn nothing.

    Args:
        depth: 18, 34 or 50.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, depth: int) -> None:
        super().__init__()
        block = Bottleneck if depth == 50 else BasicBlock
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for place, count in enumerate(BLOCKS[depth]):
            width = 64 << place
            blocks: list[nn.Module] = []
            for number in range(count):
                blocks.append(block(inputs, width, 2 if place and not number else 1))
                inputs = width * block.wider
            self.add_module(f"layer{place + 1}", nn.Sequential(*blocks))
        mean, std = STATISTICS[depth]
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)
        self.eval()

    def train(self, _mode: bool = True) -> DanbooruResNet:
        """Stays in eval mode whatever the network around it does."""
        return super().train(False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Finds features.

        Args:
            pictures: (N, 3, H, W) RGB in [0, 1]; gradients flow through to them.

        Returns:
            Five maps: the stem (first convolution, BatchNorm and ReLU; half the size), then the
            four layers (a quarter, after max pooling, to a thirty-second of the size).
        """
        x = (pictures - self.mean) / self.std
        features = [functional.relu(self.bn1(self.conv1(x)))]
        x = functional.max_pool2d(features[0], 3, 2, 1)
        for place in range(1, 5):
            x = self.get_submodule(f"layer{place}")(x)
            features.append(x)
        return features


def load(path: Path) -> DanbooruResNet:
    """The network of a published file; its head is left out.

    Raises:
        SengaError: where the file is anything but such weights.
    """
    return body({name: torch.from_numpy(array) for name, array in read(path).items()})


def body(state: Mapping[str, Tensor]) -> DanbooruResNet:
    """The network with its weights, which are those of `read`."""
    network = DanbooruResNet(_depth(state))
    network.load_state_dict({**network.state_dict(), **state})
    return network


def read(path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of the body of a published file, or of Senga's own, with torchvision's names.

    Returns:
        `conv1.weight`, `bn1.weight`, `bn1.running_mean`, `layer1.0.conv1.weight` ..., float32.

    Raises:
        SengaError: where the file is anything but such weights.
    """
    try:
        return _checked(_renamed(_tensors(path)))
    except _UnexpectedError as error:
        what = str(error)
    except OSError as error:
        what = error.strerror or "it cannot be read"
    raise SengaError(
        f"{path}: {what}; expected the weights of a Danbooru ResNet of 18, 34 or 50 layers: take "
        f"one from {ADDRESS}."
    )


def _tensors(path: Path) -> Mapping[str, Tensor]:
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise _UnexpectedError("it is empty")
    if head.lstrip()[:1] == b"<":
        raise _UnexpectedError("it is a web page")
    try:
        if head[8:9] == b"{":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever hostile bytes meet; nothing is executed
        raise _UnexpectedError("it is damaged, or holds more than tensors") from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise _UnexpectedError("it holds more than tensors by their names")
    return state


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`0.4.1.conv2.weight` -> `layer1.1.conv2.weight`; the head, `1.`, is left out."""
    if "conv1.weight" in state:
        return dict(state)
    renamed = {}
    for name, value in state.items():
        found = re.fullmatch(r"0\.([0-7])\.(.+)", name)
        if found:
            renamed[f"{_CHILDREN[int(found[1])]}.{found[2]}"] = value
    return renamed


def _checked(state: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    with torch.device("meta"):
        wanted = DanbooruResNet(_depth(state)).state_dict()
    checked = {}
    for name, meant in wanted.items():
        if name.endswith("num_batches_tracked"):  # of no use outside training
            continue
        if name not in state:
            raise _UnexpectedError(f"it has no {name}")
        value = state[name]
        if value.shape != meant.shape or not value.is_floating_point():
            raise _UnexpectedError(
                f"its {name} is {tuple(value.shape)} {value.dtype}, not {tuple(meant.shape)}"
            )
        checked[name] = value.float().numpy()
        if not np.isfinite(checked[name]).all():
            raise _UnexpectedError(f"its {name} is not finite")
    return checked


def _depth(state: Mapping[str, Tensor]) -> int:
    """By the blocks that there are."""
    blocks = {name.split(".")[1] for name in state if name.startswith("layer3.")}
    if any(name.endswith("conv3.weight") for name in state):
        return 50
    if len(blocks) not in (2, 6):
        raise _UnexpectedError("it is no ResNet of 18, 34 or 50 layers")
    return 18 if len(blocks) == 2 else 34
