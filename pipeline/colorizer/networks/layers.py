"""The layers that the networks share."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

SLOPE = 0.2  # of every LeakyReLU


class _ReflectionPad(torch.autograd.Function):
    """Reflection padding that keeps channels last; PyTorch's own copies to channels first and back.

    (N, C, H, W) -> (N, C, H + 2 p, W + 2 p); H and W above p.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: int) -> Tensor:  # noqa: ANN401 - PyTorch's
        ctx.p = p
        n, c, h, w = x.shape
        shape = (n, c, h + 2 * p, w + 2 * p)
        padded = torch.empty(
            shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last
        )
        padded[:, :, p:-p, p:-p] = x
        for i in range(p):
            padded[:, :, i, p:-p] = x[:, :, p - i]
            padded[:, :, -1 - i, p:-p] = x[:, :, -1 - (p - i)]
        for i in range(p):
            padded[..., i] = padded[..., 2 * p - i]
            padded[..., -1 - i] = padded[..., -1 - (2 * p - i)]
        return padded

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        p: int = ctx.p
        folded = _fold_columns(gradient[:, :, p:-p], p)
        for i in range(p):
            folded[:, :, p - i] += _fold_columns(gradient[:, :, i], p)
            folded[:, :, -1 - (p - i)] += _fold_columns(gradient[:, :, -1 - i], p)
        return folded, None


def _fold_columns(gradient: Tensor, p: int) -> Tensor:
    """Add the gradient of padded columns to that of the columns that they reflect."""
    folded = gradient[..., p:-p].clone()
    for i in range(p):
        folded[..., p - i] += gradient[..., i]
        folded[..., -1 - (p - i)] += gradient[..., -1 - i]
    return folded


def reflection_pad(x: Tensor, p: int) -> Tensor:
    """Pad by reflection: (N, C, H, W) -> (N, C, H + 2 p, W + 2 p), channels last."""
    if torch.compiler.is_compiling():  # the compiler chooses layouts itself
        return functional.pad(x, (p, p, p, p), mode="reflect")
    padded: Tensor = _ReflectionPad.apply(x, p)  # type: ignore[no-untyped-call]
    return padded


class Conv(nn.Conv2d):
    """A convolution with reflection padding of half its kernel.

    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)) for kernels of
    1 and 3.

    Args:
        in_channels: number of input channels.
        out_channels: number of output channels.
        kernel_size: side of the kernel, in pixels.
        stride: 1, or 2 to halve the size.
        bias: add a learned constant.
        padded: expect an input that is padded already.
        parts: number of convolutions that this one stands for: equal parts of the output channels,
            each of which is initialised by itself.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        *,
        bias: bool = True,
        padded: bool = False,
        parts: int = 1,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, bias=bias)
        self.parts = parts
        self.reflection = 0 if padded else kernel_size // 2

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve."""
        return super().forward(reflection_pad(x, self.reflection) if self.reflection else x)


def spectral_norm(layer: Conv) -> Conv:
    """Divide the weight of a convolution by its largest singular value, in place.

    Miyato et al. 2018, one power iteration per forward pass in training.
    """
    parametrizations.spectral_norm(layer)
    return layer


class _AllReduceSum(torch.autograd.Function):
    """The sum of a tensor over all processes, and of its gradient."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:  # noqa: ANN401 - PyTorch's
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


class BatchNorm(nn.Module):
    """Batch normalisation over all processes of a distributed run; any device, any backend.

    (N, C, H, W) -> the same shape. PyTorch's own SyncBatchNorm works on GPUs alone.

    On a CPU PyTorch adds up channels-last tensors in float32, one after another: the variance of
    32 x 256 x 256 values is off by 5e-4 of itself, and the output by 2e-4. That is kept: exact sums
    (`torch.var_mean`, or a copy in the other layout) take six to eight times as long, and bfloat16
    rounds more.

    Args:
        channels: C.
        affine: learn a scale and a shift.
    """

    running_mean: Tensor  # (C,) float32
    running_var: Tensor  # (C,) float32, unbiased

    def __init__(self, channels: int, *, affine: bool) -> None:
        super().__init__()
        self.momentum = 0.1
        self.epsilon = 1e-5
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the statistics of the batch in training, by the running ones otherwise."""
        if self.training and distributed.is_initialized() and distributed.get_world_size() > 1:
            return self._over_all_processes(x)
        return functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            self.epsilon,
        )

    def _over_all_processes(self, x: Tensor) -> Tensor:
        full = x.float()
        mean, variance = _all_mean_and_variance(full)
        count = x.numel() / x.shape[1] * distributed.get_world_size()
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = torch.rsqrt(variance + self.epsilon)
        if self.weight is not None:
            scale = scale * self.weight
        out = (full - mean[:, None, None]) * scale[:, None, None]
        if self.bias is not None:
            out = out + self.bias[:, None, None]
        return out.to(x.dtype)


def _all_mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of every channel over all processes, whose batches have one size.

    The variance is the mean of the variances, and the variance of the means. E[x^2] - E[x]^2 would
    lose it in rounding where the mean is large: it gives NaN at a mean of 100 and a deviation of
    0.01.

    Args:
        x: (N, C, H, W) float32.

    Returns:
        (C,) float32 each; the variance is biased.
    """
    own = torch.stack(torch.var_mean(x, (0, 2, 3), correction=0))
    each = own.new_zeros(distributed.get_world_size(), *own.shape)
    each[distributed.get_rank()] = own
    gathered: Tensor = _AllReduceSum.apply(each)  # type: ignore[no-untyped-call]
    variances, means = gathered.unbind(1)
    mean = means.mean(0)
    return mean, variances.mean(0) + (means - mean).square().mean(0)


class GroupNorm(nn.Module):
    """Group normalisation (Wu and He 2018): of each picture by itself, whatever is in the batch.

    (N, C, H, W) -> the same shape; groups of 8 channels, or of 4, 2 or 1 if 8 do not divide C.

    Args:
        channels: C.
        affine: learn a scale and a shift.
    """

    def __init__(self, channels: int, *, affine: bool) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(channels // math.gcd(channels, 8), channels, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every group of channels by its own mean and variance."""
        out: Tensor = self.norm(x)
        return out


def make_norm(kind: str, channels: int, *, affine: bool) -> nn.Module:
    """Return a normalisation of a kind of `[colorizer] norm`: `batch` or `group`."""
    return (BatchNorm if kind == "batch" else GroupNorm)(channels, affine=affine)


def init_weights(network: nn.Module, gain: float) -> None:
    """Initialise every convolution and linear layer by Xavier's normal distribution; biases by 0.

    Spectral normalisation hides the norm of a weight from the forward pass, but not from training:
    one step of Adam turns a weight by about the learning rate over its norm. A gain of 0.02 makes
    the norms so small that for thousands of steps each step undoes most of the ones before.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            original = getattr(layer, "parametrizations", None)
            weight = layer.weight if original is None else original.weight.original
            for part in weight.chunk(getattr(layer, "parts", 1)):
                nn.init.xavier_normal_(part, gain=gain)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights of a network."""
    return sum(weight.numel() for weight in network.parameters())
