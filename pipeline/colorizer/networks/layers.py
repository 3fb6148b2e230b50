"""The layers that the networks share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2  # of every LeakyReLU


class _Reflect(torch.autograd.Function):
    """Reflection padding that keeps channels last: PyTorch's own copies to another layout and back.

    (N, C, H, W) -> (N, C, H + 2 p, W + 2 p); H and W above p.
    """

    @staticmethod
    def forward(context: Any, x: Tensor, p: int) -> Tensor:  # noqa: ANN401 - PyTorch's
        context.p = p
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
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        p: int = context.p
        folded = _fold_columns(gradient[:, :, p:-p], p)
        for i in range(p):
            folded[:, :, p - i] += _fold_columns(gradient[:, :, i], p)
            folded[:, :, -1 - (p - i)] += _fold_columns(gradient[:, :, -1 - i], p)
        return folded, None


def _fold_columns(gradient: Tensor, p: int) -> Tensor:
    """Adds the gradient of padded columns to that of the columns that they reflect."""
    folded = gradient[..., p:-p].clone()
    for i in range(p):
        folded[..., p - i] += gradient[..., i]
        folded[..., -1 - (p - i)] += gradient[..., -1 - i]
    return folded


def reflect(x: Tensor, p: int) -> Tensor:
    """Pads by reflection: (N, C, H, W) -> (N, C, H + 2 p, W + 2 p), channels last."""
    if torch.compiler.is_compiling():  # it chooses layouts by itself
        return functional.pad(x, (p, p, p, p), mode="reflect")
    padded: Tensor = _Reflect.apply(x, p)  # type: ignore[no-untyped-call]
    return padded


class Conv(nn.Conv2d):
    """A convolution with reflection padding of half its kernel.

    (N, inner, H, W) -> (N, outer, ceil(H / stride), ceil(W / stride)) for kernels 1 and 3.

    Args:
        inner: channels in.
        outer: channels out.
        kernel: its side.
        stride: 1, or 2 to halve the size.
        bias: whether a constant is added.
        padded: whether the input is padded already.
    """

    def __init__(
        self,
        inner: int,
        outer: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        bias: bool = True,
        padded: bool = False,
    ) -> None:
        super().__init__(inner, outer, kernel, stride, bias=bias)
        self.reflect = 0 if padded else kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """Pads and convolves."""
        return super().forward(reflect(x, self.reflect) if self.reflect else x)


def spectral(layer: Conv) -> Conv:
    """The convolution with its weight divided by the weight's largest singular value.

    Miyato et al. 2018, one power iteration per forward pass in training.
    """
    spectral_norm(layer)
    return layer


class _SumOfAll(torch.autograd.Function):
    """The sum of a tensor over all processes; so is its gradient."""

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

    Args:
        channels: C.
        affine: whether a scale and a shift are learned.
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
        """Normalises by the batch in training, by the running statistics otherwise."""
        if self.training and distributed.is_initialized() and distributed.get_world_size() > 1:
            return self._by_all_processes(x)
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

    def _by_all_processes(self, x: Tensor) -> Tensor:
        wide = x.float()
        count = x.numel() / x.shape[1] * distributed.get_world_size()
        # Every process has a batch of the same size, so sums of sums are enough.
        sums = torch.stack([wide.sum((0, 2, 3)), wide.square().sum((0, 2, 3))])
        total: Tensor = _SumOfAll.apply(sums)  # type: ignore[no-untyped-call]
        mean, square = total / count
        variance = square - mean.square()
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = torch.rsqrt(variance + self.epsilon)
        shift = -mean * scale
        if self.weight is not None and self.bias is not None:
            scale, shift = scale * self.weight, shift * self.weight + self.bias
        out: Tensor = wide * scale[:, None, None] + shift[:, None, None]
        return out.to(x.dtype)


def initialise(network: nn.Module, gain: float) -> None:
    """Xavier's normal initialisation of every convolution and linear layer; biases 0.

    Under spectral normalisation the scale of a weight is without effect, but not its length: one
    step of Adam turns a weight by about the learning rate over its length, and a gain of 0.02
    leaves nothing of the first weights, and little of every later step, for thousands of steps.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            original = getattr(layer, "parametrizations", None)
            weight = layer.weight if original is None else original.weight.original
            nn.init.xavier_normal_(weight, gain=gain)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def parameters(network: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(weight.numel() for weight in network.parameters())
