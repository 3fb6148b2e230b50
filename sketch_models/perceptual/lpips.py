"""LPIPS, the perceptual distance of two pictures (Zhang et al. 2018), with AlexNet.

Two weight files: AlexNet's of torchvision, and the five linear layers that were fitted to human
judgements, version 0.1.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from sketch_models.errors import WeightsError
from sketch_models.weights import tensor_file
from sketch_models.weights.tensor_file import check_tensor

ALEXNET_URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
LINEAR_URL = (
    "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1/alex.pth"
)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB in [0, 1]
_CHANNELS = (64, 192, 384, 256, 256)
_CONV_INDICES = (0, 3, 6, 8, 10)  # in torchvision's `features`
_POOLED_BEFORE = (1, 2)  # convolutions, counted from 0


class Lpips(nn.Module):
    """The LPIPS distance; frozen."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        channels = (3, *_CHANNELS)
        kernels = ((11, 4, 2), (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1))
        self.layers = nn.ModuleList(
            nn.Conv2d(channels[number], channels[number + 1], kernel, stride, padding)
            for number, (kernel, stride, padding) in enumerate(kernels)
        )
        self.weights = nn.ParameterList(torch.zeros(1, count, 1, 1) for count in _CHANNELS)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the distances of pairs of pictures.

        Args:
            first: (N, 3, H, W) floats, RGB in [0, 1]; 64 pixels or more.
            second: the same.

        Returns:
            (N,), 0 for equal pictures.
        """
        total = torch.zeros(len(first), device=first.device)
        pairs = zip(self._features(first), self._features(second), strict=True)
        for (a, b), weights in zip(pairs, self.weights, strict=True):
            total += ((a - b).square() * weights).sum(1).mean((1, 2))
        return total

    def _features(self, images: Tensor) -> list[Tensor]:
        """Return the features of every layer, normalized to unit length at every pixel."""
        x, features = (images - self.mean) / self.std, []
        for number, layer in enumerate(self.layers):
            if number in _POOLED_BEFORE:
                x = functional.max_pool2d(x, 3, 2)
            x = functional.relu(layer(x))
            features.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return features


def load(alexnet: Path, linear: Path) -> Lpips:
    """Build the distance from its two files.

    Raises:
        WeightsError: If a file is not a whole, usable file of these weights.
    """
    network = Lpips()
    with tensor_file.add_download_hint(ALEXNET_URL):
        tensors = tensor_file.read(alexnet)
        for layer, index in zip(network.layers, _CONV_INDICES, strict=True):
            for name, parameter in layer.named_parameters():
                _copy(parameter, alexnet, f"features.{index}.{name}", tensors)
    with tensor_file.add_download_hint(LINEAR_URL):
        tensors = tensor_file.read(linear)
        for number, parameter in enumerate(network.weights):
            _copy(parameter, linear, f"lin{number}.model.1.weight", tensors)
            if parameter.min() < 0:
                raise WeightsError(f"{linear}: negative weights in lin{number}; expected none.")
    return network


def _copy(parameter: Tensor, path: Path, name: str, tensors: tensor_file.Tensors) -> None:
    values = check_tensor(path, name, tensors.get(name), tuple(parameter.shape))
    parameter.copy_(torch.from_numpy(values))
