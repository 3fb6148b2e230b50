"""Layers: padding, normalisation, initialisation."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.colorizer.networks.layers import (
    BatchNorm,
    Conv,
    initialise,
    parameters,
    reflect,
    spectral,
)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_reflect_is_reflection_padding_and_so_is_its_gradient(p: int) -> None:
    x = torch.randn(2, 3, 5, 7, dtype=torch.double, requires_grad=True)
    torch.testing.assert_close(reflect(x, p), functional.pad(x, (p, p, p, p), mode="reflect"))
    assert torch.autograd.gradcheck(lambda x: reflect(x, p), x)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_reflect_keeps_channels_last(layout: torch.memory_format) -> None:
    x = torch.randn(2, 3, 8, 8).contiguous(memory_format=layout)
    assert reflect(x, 1).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("kernel", "stride", "side"), [(3, 1, 9), (3, 2, 5), (1, 1, 9), (4, 2, 5)])
def test_a_convolution_keeps_or_halves_the_size(kernel: int, stride: int, side: int) -> None:
    assert Conv(2, 5, kernel, stride)(torch.zeros(1, 2, 9, 9)).shape == (1, 5, side, side)


def test_a_convolution_pads_by_reflection() -> None:
    conv = Conv(1, 1, bias=False)
    nn.init.ones_(conv.weight)
    picture = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    # The corner sees 1 once, its neighbours 2 and 3 twice, and 4 four times.
    assert conv(picture)[0, 0, 0, 0] == 1 + 2 * 2 + 2 * 3 + 4 * 4


def test_a_convolution_can_take_a_padded_input() -> None:
    conv = Conv(2, 3, padded=True)
    assert conv(torch.zeros(1, 2, 8, 8)).shape == (1, 3, 6, 6)


def test_spectral_divides_by_the_largest_singular_value() -> None:
    conv = spectral(Conv(4, 6))
    for _ in range(50):
        conv(torch.zeros(1, 4, 8, 8))
    assert torch.linalg.svdvals(conv.weight.flatten(1))[0].item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_is_pytorchs(affine: bool) -> None:
    ours, theirs = BatchNorm(3, affine=affine), nn.BatchNorm2d(3, affine=affine)
    x = torch.randn(4, 3, 5, 5) * 3 + 2
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_initialise_is_xaviers_with_its_gain() -> None:
    layers = nn.Sequential(Conv(100, 100), spectral(Conv(100, 100)))
    initialise(layers, gain=0.02)
    deviation = 0.02 * (2 / (9 * 200)) ** 0.5
    plain, normed = layers[0].weight, layers[1].parametrizations.weight.original
    assert plain.std().item() == pytest.approx(deviation, rel=0.02)
    assert normed.std().item() == pytest.approx(deviation, rel=0.02)
    assert not layers[0].bias.any()


def test_parameters_counts_what_is_learned() -> None:
    assert parameters(Conv(2, 3)) == 2 * 3 * 9 + 3
    assert parameters(BatchNorm(3, affine=True)) == 6
