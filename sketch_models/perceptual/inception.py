"""Inception v3 as the Fréchet inception distance (FID) uses it: 2,048 features per picture.

The network: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2015);
the weights: those of 2015-12-05 that the FID was defined with, as a state dict of PyTorch, whose
names these modules have. Borders are pooled in another way than in torchvision's network.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from sketch_models.weights import tensor_file
from sketch_models.weights.tensor_file import check_tensor, check_variances

DOWNLOAD_URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
FEATURES = 2048
_INPUT_SIZE = 299  # pixels; both sides


class _Conv(nn.Module):
    """Convolution, BatchNorm and ReLU; padded so that stride 1 keeps the size."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int | tuple[int, int], stride: int = 1
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        # Layers that halve the size do not pad.
        padding = (height // 2, width // 2) if stride == 1 else (0, 0)
        self.conv = nn.Conv2d(
            in_channels, out_channels, (height, width), stride, padding, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


class _UnpaddedConv(_Conv):
    """A convolution of the stem without padding."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3)
        self.conv.padding = (0, 0)


def _avg_pool(x: Tensor) -> Tensor:
    """Return the mean of 3 x 3 pixels around each; padding does not count."""
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _max_pool(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, 2)


class _InceptionA(nn.Module):
    """Branches of 1 x 1, 5 x 5, and twice 3 x 3."""

    def __init__(self, in_channels: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(in_channels, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = _Conv(in_channels, 48, 1), _Conv(48, 64, 5)
        self.branch3x3dbl_1 = _Conv(in_channels, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = _Conv(64, 96, 3), _Conv(96, 96, 3)
        self.branch_pool = _Conv(in_channels, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pooled = self.branch_pool(_avg_pool(x))
        return torch.cat(
            [self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, pooled], 1
        )


class _InceptionB(nn.Module):
    """Downsampling to half the size; 288 channels to 768."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = _Conv(288, 384, 3, 2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(288, 64, 1), _Conv(64, 96, 3)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, _max_pool(x)], 1)


class _InceptionC(nn.Module):
    """Convolutions of 7 x 7, factorized into 1 x 7 and 7 x 1, once and twice."""

    def __init__(self, middle: int) -> None:
        super().__init__()
        flat, tall = (1, 7), (7, 1)
        self.branch1x1 = _Conv(768, 192, 1)
        self.branch7x7_1 = _Conv(768, middle, 1)
        self.branch7x7_2, self.branch7x7_3 = (
            _Conv(middle, middle, flat),
            _Conv(middle, 192, tall),
        )
        self.branch7x7dbl_1 = _Conv(768, middle, 1)
        self.branch7x7dbl_2 = _Conv(middle, middle, tall)
        self.branch7x7dbl_3 = _Conv(middle, middle, flat)
        self.branch7x7dbl_4 = _Conv(middle, middle, tall)
        self.branch7x7dbl_5 = _Conv(middle, 192, flat)
        self.branch_pool = _Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = x
        for number in range(1, 6):
            double = self.get_submodule(f"branch7x7dbl_{number}")(double)
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(_avg_pool(x))], 1)


class _InceptionD(nn.Module):
    """Downsampling to half the size; 768 channels to 1,280."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = _Conv(768, 192, 1), _Conv(192, 320, 3, 2)
        self.branch7x7x3_1 = _Conv(768, 192, 1)
        self.branch7x7x3_2, self.branch7x7x3_3 = (
            _Conv(192, 192, (1, 7)),
            _Conv(192, 192, (7, 1)),
        )
        self.branch7x7x3_4 = _Conv(192, 192, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.branch7x7x3_2(self.branch7x7x3_1(x))
        wide = self.branch7x7x3_4(self.branch7x7x3_3(wide))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), wide, _max_pool(x)], 1)


class _InceptionE(nn.Module):
    """Branches of 1 x 3 beside 3 x 1, once and twice; the last of the two uses max pooling."""

    def __init__(self, in_channels: int, *, last: bool) -> None:
        super().__init__()
        flat, tall = (1, 3), (3, 1)
        self.last = last
        self.branch1x1 = _Conv(in_channels, 320, 1)
        self.branch3x3_1 = _Conv(in_channels, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = (
            _Conv(384, 384, flat),
            _Conv(384, 384, tall),
        )
        self.branch3x3dbl_1, self.branch3x3dbl_2 = (
            _Conv(in_channels, 448, 1),
            _Conv(448, 384, 3),
        )
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = (
            _Conv(384, 384, flat),
            _Conv(384, 384, tall),
        )
        self.branch_pool = _Conv(in_channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = functional.max_pool2d(x, 3, 1, 1) if self.last else _avg_pool(x)
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(single),
                self.branch3x3_2b(single),
                self.branch3x3dbl_3a(double),
                self.branch3x3dbl_3b(double),
                self.branch_pool(pooled),
            ],
            1,
        )


class Inception(nn.Module):
    """The network up to its last pooling; frozen, and always in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(3, 32, 3, 2)
        self.Conv2d_2a_3x3, self.Conv2d_2b_3x3 = _UnpaddedConv(32, 32), _Conv(32, 64, 3)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = _Conv(64, 80, 1), _UnpaddedConv(80, 192)
        self.Mixed_5b, self.Mixed_5c = _InceptionA(192, 32), _InceptionA(256, 64)
        self.Mixed_5d = _InceptionA(288, 64)
        self.Mixed_6a = _InceptionB()
        self.Mixed_6b, self.Mixed_6c = _InceptionC(128), _InceptionC(160)
        self.Mixed_6d, self.Mixed_6e = _InceptionC(160), _InceptionC(192)
        self.Mixed_7a = _InceptionD()
        self.Mixed_7b, self.Mixed_7c = _InceptionE(1280, last=False), _InceptionE(2048, last=True)
        self.requires_grad_(False)
        self.train(False)

    def forward(self, images: Tensor) -> Tensor:
        """Return features.

        Args:
            images: (N, 3, H, W) floats, RGB in [0, 1]; they are resized to 299 x 299 here.

        Returns:
            (N, 2048), 0 or more.
        """
        x = functional.interpolate(
            images, (_INPUT_SIZE, _INPUT_SIZE), mode="bilinear", align_corners=False
        )
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(2 * x - 1)))
        x = _max_pool(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(_max_pool(x))))
        for name, block in self.named_children():
            if name.startswith("Mixed"):
                x = block(x)
        return x.mean((2, 3))


def load(path: Path) -> Inception:
    """Build the network with the weights of a file.

    Raises:
        WeightsError: If the file is not a whole, usable file of this network.
    """
    with torch.device("meta"):
        network = Inception()
    with tensor_file.add_download_hint(DOWNLOAD_URL):
        tensors = tensor_file.read(path)
        counters = {name for name in network.state_dict() if name.endswith("batches_tracked")}
        arrays = {
            name: check_tensor(path, name, tensors.get(name), tuple(tensor.shape))
            for name, tensor in network.state_dict().items()
            if name not in counters
        }
        check_variances(path, arrays)
    state = {name: torch.from_numpy(values) for name, values in arrays.items()}
    state |= {name: torch.tensor(0) for name in counters}
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False)
