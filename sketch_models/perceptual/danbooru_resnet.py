"""ResNets trained on drawings: feature maps for the perceptual loss.

The networks: He et al., "Deep Residual Learning for Image Recognition" (2015), with the names and
the strides of torchvision; the weights: danbooru-pretrained, trained to predict the tags of a
booru.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sketch_models.errors import WeightsError
from sketch_models.weights import tensor_file
from sketch_models.weights.tensor_file import Tensors, check_tensor, check_variances

DOWNLOAD_URL = (
    "https://github.com/RF5/danbooru-pretrained/releases/download/v0.1/resnet18-3f77756f.pth"
)
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""Number of blocks of layer1 ... layer4, by depth."""

_SMALL = ((0.5422, 0.5035, 0.4964), (0.4032, 0.3934, 0.3892))
_NORMALISATION = {18: _SMALL, 34: _SMALL, 50: ((0.7137, 0.6628, 0.6519), (0.2970, 0.3017, 0.2979))}
"""Mean and standard deviation of RGB, 0 to 1, by depth; 34 was trained with those of 18."""

_CHILDREN = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
"""Names of the children of the published body, a Sequential, that have weights."""


class DanbooruResNet(nn.Module):
    """The body of a ResNet: frozen, and always in eval mode.

    Args:
        depth: 18, 34 or 50.
        pooled_stem: return the first features behind the max pool instead of before it.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, depth: int, *, pooled_stem: bool = False) -> None:
        super().__init__()
        self._pooled_stem = pooled_stem
        block = _Bottleneck if depth == 50 else _BasicBlock
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in _NORMALISATION[depth])
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, 1)
        in_channels = 64
        for number, count in enumerate(BLOCKS[depth]):
            width, stride = 64 << number, 1 if number == 0 else 2
            first = block(in_channels, width, stride)
            in_channels = width * block.EXPANSION
            others = [block(in_channels, width, 1) for _ in range(count - 1)]
            self.add_module(f"layer{number + 1}", nn.Sequential(first, *others))
        self.requires_grad_(False)
        self.train()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return five feature maps; gradients reach the images.

        Args:
            images: (N, 3, H, W) floats, RGB in [0, 1]; they are normalized here.

        Returns:
            The stem (conv1, bn1 and ReLU) at half the size of the images, or behind the max pool
            at a 4th, then layer1 to layer4 at a 4th, 8th, 16th and 32nd.
        """
        assert images.ndim == 4, images.shape
        assert images.shape[1] == 3, images.shape
        stem = torch.relu(self.bn1(self.conv1((images - self.mean) / self.std)))
        x = self.pool(stem)
        maps = [x if self._pooled_stem else stem]
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            maps.append(x)
        return maps

    def train(self, mode: bool = True) -> DanbooruResNet:
        """Stay in eval mode, whatever the mode of the model that this is a part of."""
        del mode
        return super().train(False)


class _BasicBlock(nn.Module):
    """Two convolutions of 3 × 3."""

    EXPANSION = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + self.downsample(x))


class _Bottleneck(nn.Module):
    """1 × 1 to fewer channels, 3 × 3 with the stride, 1 × 1 to four times as many."""

    EXPANSION = 4

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        out_channels = width * self.EXPANSION
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return torch.relu(y + self.downsample(x))


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


def load(path: Path, *, pooled_stem: bool = False) -> DanbooruResNet:
    """Build the network of a weight file, with its weights.

    Args:
        path: of the file.
        pooled_stem: see `DanbooruResNet`.

    Raises:
        WeightsError: If the file is not a whole, usable file of such a network.
    """
    tensors = {name: torch.from_numpy(values) for name, values in read(path).items()}
    body = DanbooruResNet(_depth(tensors), pooled_stem=pooled_stem)
    body.load_state_dict(body.state_dict() | tensors)
    return body


def read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read weights from a published state dict, or from a safetensors file of Senga.

    Args:
        path: of the file; its format and the depth of the network are detected by its content.

    Returns:
        The body with torchvision's names: `conv1.weight`, `bn1.weight`, `bn1.running_mean`,
        `layer1.0.conv1.weight` ...

    Raises:
        WeightsError: If the file is not a whole, usable file of such a network.
    """
    with tensor_file.add_download_hint(DOWNLOAD_URL):
        tensors = _body_tensors(tensor_file.read(path))
        expected = _shapes(_depth(tensors))
        for name in tensors:
            if name not in expected:
                raise WeightsError(
                    f"{path}: weights of another network: unexpected tensor {name[:60]!r}; "
                    "expected ResNet 18, 34 or 50."
                )
        state = {
            name: check_tensor(path, name, tensors.get(name), shape)
            for name, shape in expected.items()
        }
        check_variances(path, state)
        return state


def _body_tensors(tensors: Tensors) -> Tensors:
    """Return the tensors of the body, with torchvision's names.

    Published files hold a `Sequential(body, head)`; files that Senga wrote have these names.
    """
    if "conv1.weight" in tensors:
        return tensors
    body = {}
    for name, tensor in tensors.items():
        match = re.fullmatch(r"0\.(\d)\.(.+)", name, re.DOTALL)
        if match and not name.endswith("num_batches_tracked"):
            body[f"{_CHILDREN.get(match[1], match[1])}.{match[2]}"] = tensor
    return body


def _depth(names: Mapping[str, Any]) -> int:
    """Guess the depth of the network from the names of its tensors."""
    if "layer1.0.conv3.weight" in names:
        return 50
    return 34 if "layer1.2.conv1.weight" in names else 18


def _shapes(depth: int) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        state = DanbooruResNet(depth).state_dict()
    return {
        name: tuple(tensor.shape)
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
