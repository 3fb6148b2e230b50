"""The generators: SPADE (Park et al. 2019) and netL-SPADE, the paper's own.

Both generate from z, from small to large, guided at every scale by a map of the line art and the
hints. SPADE is guided by that map itself, resized; netL-SPADE by the features that a small encoder
computes of it for each scale, so that thin lines and small hints reach the small scales too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.colorizer.networks.layers import (
    SLOPE,
    Conv,
    init_weights,
    make_norm,
    reflection_pad,
    spectral_norm,
)
from pipeline.colorizer.options import NetworkOptions

_INK = 192 / 127.5 - 1  # what is darker is a line, as where areas are found


@dataclass(frozen=True)
class _Stage:
    channels: int  # of its block's output, in multiples of the width
    scale: int  # side of the picture over side of the features


_STAGES = {
    "head_0": _Stage(16, 32),
    "middle_0": _Stage(16, 16),
    "middle_1": _Stage(16, 16),
    "up_0": _Stage(8, 8),
    "up_1": _Stage(4, 4),
    "up_2": _Stage(2, 2),
    "up_3": _Stage(1, 1),
}


class _ScaleAndShift(torch.autograd.Function):
    """x * (1 + gamma) + beta, with one gradient tensor for gamma and beta together."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma_beta: Tensor) -> Tensor:  # noqa: ANN401 - PyTorch's
        gamma, beta = gamma_beta.chunk(2, 1)
        ctx.save_for_backward(x, gamma_beta)
        return torch.addcmul(beta, x, gamma).add_(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        x, gamma_beta = ctx.saved_tensors
        gamma_beta_gradient = torch.empty_like(gamma_beta)
        gamma_gradient, beta_gradient = gamma_beta_gradient.chunk(2, 1)
        torch.mul(gradient, x, out=gamma_gradient)
        beta_gradient.copy_(gradient)
        x_gradient = torch.addcmul(gradient, gradient, gamma_beta.chunk(2, 1)[0])
        return x_gradient, gamma_beta_gradient


class Modulation(nn.Module):
    """A layer that scales and shifts normalised features by a map, pixel by pixel: SPADE's core.

    gamma and beta come out of one convolution, which starts like the two of SPADE.
    """

    def __init__(self, channels: int, hidden: int, map_channels: int) -> None:
        super().__init__()
        self.read_map = Conv(map_channels, hidden, padded=True)
        self.gamma_beta = Conv(hidden, 2 * channels, parts=2)

    def forward(self, normalised: Tensor, guide: Tensor) -> Tensor:
        """Return normalised * (1 + gamma) + beta.

        Args:
            normalised: (N, C, H, W).
            guide: (N, map channels, H + 2, W + 2), padded.

        Returns:
            (N, C, H, W).
        """
        gamma_beta = self.gamma_beta(functional.relu(self.read_map(guide), inplace=True))
        x = normalised.to(gamma_beta.dtype)
        if torch.compiler.is_compiling():  # it fuses this by itself
            gamma, beta = gamma_beta.chunk(2, 1)
            return torch.addcmul(beta, x, 1 + gamma)
        modulated: Tensor = _ScaleAndShift.apply(x, gamma_beta)  # type: ignore[no-untyped-call]
        return modulated


class Block(nn.Module):
    """SPADE's residual block.

    x -> SPADE -> LeakyReLU -> conv, twice, plus x, which goes through SPADE -> conv 1 x 1 if
    the number of channels changes. The first SPADE and the shortcut's normalise the same x, and
    all of them read the same padded map: both are computed once.
    """

    def __init__(
        self, in_channels: int, out_channels: int, options: NetworkOptions, map_channels: int
    ) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_in = make_norm(options.norm, in_channels, affine=False)
        self.norm_middle = make_norm(options.norm, middle, affine=False)
        self.modulate_in = Modulation(in_channels, options.hidden, map_channels)
        self.modulate_middle = Modulation(middle, options.hidden, map_channels)
        self.conv_in = spectral_norm(Conv(in_channels, middle))
        self.conv_out = spectral_norm(Conv(middle, out_channels))
        self.shortcut = in_channels != out_channels
        if self.shortcut:
            self.modulate_shortcut = Modulation(in_channels, options.hidden, map_channels)
            self.conv_shortcut = spectral_norm(Conv(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """Compute (N, in_channels, H, W), (N, map channels, H, W) -> (N, out_channels, H, W)."""
        guide = reflection_pad(guide, 1)
        normalised = self.norm_in(x)
        modulated = self.modulate_in(normalised, guide)
        residual = self.conv_in(functional.leaky_relu(modulated, SLOPE, inplace=True))
        modulated = self.modulate_middle(self.norm_middle(residual), guide)
        residual = self.conv_out(functional.leaky_relu(modulated, SLOPE, inplace=True))
        if self.shortcut:
            x = self.conv_shortcut(self.modulate_shortcut(normalised, guide))
        out: Tensor = x + residual
        return out


class MapResizer(nn.Module):
    """SPADE's guide: the map itself, resized to each scale by nearest neighbour."""

    def forward(self, maps: Tensor) -> dict[str, Tensor]:
        """Return a guide for each block by its name.

        (N, C, S, S) -> (N, C, S / scale, S / scale).
        """
        size = maps.shape[-1]
        return {
            name: functional.interpolate(maps, size=size // stage.scale)
            for name, stage in _STAGES.items()
        }


class _NormConv(nn.Sequential):
    """Normalisation of the input -> convolution -> LeakyReLU."""

    def __init__(self, norm: nn.Module, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__(
            norm,
            Conv(in_channels, out_channels, stride=stride, bias=False),
            nn.LeakyReLU(SLOPE),
        )


class MapEncoder(nn.Module):
    """netL: a small encoder of the map; each of its layers guides one block, the last one first."""

    def __init__(self, map_channels: int, channels: int, norm: str = "batch") -> None:
        super().__init__()
        # Of a single picture, normalisation would take away what colour its only hint has.
        first = nn.Identity() if norm == "group" else make_norm(norm, map_channels, affine=True)
        self.base = _NormConv(first, map_channels, channels, 1)
        units, scale = {}, 1
        for name, stage in reversed(_STAGES.items()):
            units[name] = _NormConv(
                make_norm(norm, channels, affine=True), channels, channels, stage.scale // scale
            )
            scale = stage.scale
        self.units = nn.ModuleDict(units)

    def forward(self, maps: Tensor) -> dict[str, Tensor]:
        """Return a guide for each block by its name.

        (N, map channels, S, S) -> (N, channels, S / scale, S / scale).
        """
        features, guides = self.base(maps), {}
        for name, unit in self.units.items():
            features = guides[name] = unit(features)
        return guides


class Generator(nn.Module):
    """The network that colorizes line art: netL-SPADE or SPADE, by the options.

    Args:
        options: which generator, and how wide.
        size: side of the pictures, a multiple of 32.
    """

    def __init__(self, options: NetworkOptions, size: int) -> None:
        super().__init__()
        netl = options.generator == "netl_spade"
        in_map = options.map_channels
        self.guide: nn.Module = (
            MapEncoder(in_map, options.map_width, options.norm) if netl else MapResizer()
        )
        first = _STAGES["head_0"]
        self.start_shape = first.channels * options.width, size // first.scale
        self.from_latent = nn.Linear(
            options.latent_dim, self.start_shape[0] * self.start_shape[1] ** 2
        )
        map_channels = options.map_width if netl else in_map
        names = _STAGES if options.z_everywhere else ()
        self.z_to_guide = nn.ModuleDict(
            {name: nn.Linear(options.latent_dim, map_channels) for name in names}
        )
        blocks, in_channels = {}, self.start_shape[0]
        for name, stage in _STAGES.items():
            out_channels = stage.channels * options.width
            blocks[name] = Block(in_channels, out_channels, options, map_channels)
            in_channels = out_channels
        self.blocks = nn.ModuleDict(blocks)
        self.copies_hints = options.copy_hints
        self.copies_beyond_lines = options.copy_beyond_lines
        self.to_color = Conv(in_channels, 4 if options.copy_hints else 3)
        init_weights(self, options.init_gain)

    def forward(self, maps: Tensor, z: Tensor) -> Tensor:
        """Generate pictures.

        Args:
            maps: (N, 5 or 9, S, S): line and hint in [-1, 1], hint mask in {0, 1}, and spread
                hints if the options have them; see `join_map`.
            z: (N, latent_dim), from a standard normal distribution.

        Returns:
            (N, 3, S, S) RGB in [-1, 1].
        """
        guides = self.guide(maps)
        channels, side = self.start_shape
        x = self.from_latent(z).view(-1, channels, side, side)
        x = x.contiguous(memory_format=torch.channels_last)
        for name, block in self.blocks.items():
            guide = guides[name]
            if name in self.z_to_guide:
                guide = guide + self.z_to_guide[name](z)[:, :, None, None]
            if guide.shape[-1] > x.shape[-1]:
                x = functional.interpolate(x, scale_factor=2.0)
            x = block(x, guide)
        x = self.to_color(functional.leaky_relu(x, SLOPE))
        color = torch.tanh(x[:, :3])
        if not self.copies_hints:
            return color
        where = _has_hints(maps) if self.copies_beyond_lines else _may_copy(maps)
        share = torch.sigmoid(x[:, 3:]) * where
        return torch.lerp(color, maps[:, 5:8].to(color.dtype), share.to(color.dtype))


def _has_hints(maps: Tensor) -> Tensor:
    """Return 1 for a picture with hints, else 0: (N, 1, 1, 1)."""
    return maps[:, 4:5].amax((2, 3), keepdim=True)


def _may_copy(maps: Tensor) -> Tensor:
    """Return 1 in areas with a hint, and on lines of pictures that have hints, (N, 1, S, S)."""
    line, nearness = maps[:, :1], maps[:, 8:9]
    return torch.where(line < _INK, _has_hints(maps), (nearness > 0).to(maps.dtype))


def join_map(line: Tensor, hint: Tensor, mask: Tensor, spread: Tensor | None = None) -> Tensor:
    """Concatenate line art and hints to the channels that the networks see.

    Args:
        line: (N, 1, S, S) in [-1, 1], 1 paper.
        hint: (N, 3, S, S) RGB in [-1, 1], 0 where there is no hint.
        mask: (N, 1, S, S), 1 where there is a hint.
        spread: (N, 4, S, S), spread hints: RGB in [-1, 1], 0 without any hint, and how near they
            are, in [0, 1], 0 in areas without one; None for networks that do not see them.

    Returns:
        (N, 5 or 9, S, S), channels last in memory.
    """
    parts = [line, hint, mask] if spread is None else [line, hint, mask, spread]
    return torch.cat(parts, 1).contiguous(memory_format=torch.channels_last)
