"""Layers: padding, normalisation, initialisation."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.colorizer.networks.layers import (
    BatchNorm,
    Conv,
    count_parameters,
    init_weights,
    make_norm,
    reflection_pad,
    spectral_norm,
)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_reflection_pad_and_its_gradient_match_pytorch(p: int) -> None:
    x = torch.randn(2, 3, 5, 7, dtype=torch.double, requires_grad=True)
    torch.testing.assert_close(
        reflection_pad(x, p), functional.pad(x, (p, p, p, p), mode="reflect")
    )
    assert torch.autograd.gradcheck(lambda x: reflection_pad(x, p), x)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_reflection_pad_keeps_channels_last(layout: torch.memory_format) -> None:
    x = torch.randn(2, 3, 8, 8).contiguous(memory_format=layout)
    assert reflection_pad(x, 1).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "side"), [(3, 1, 9), (3, 2, 5), (1, 1, 9), (4, 2, 5)]
)
def test_convolution_keeps_or_halves_the_size(kernel_size: int, stride: int, side: int) -> None:
    assert Conv(2, 5, kernel_size, stride)(torch.zeros(1, 2, 9, 9)).shape == (1, 5, side, side)


def test_convolution_pads_by_reflection() -> None:
    conv = Conv(1, 1, bias=False)
    nn.init.ones_(conv.weight)
    picture = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    # The corner sees 1 once, its neighbours 2 and 3 twice, and 4 four times.
    assert conv(picture)[0, 0, 0, 0] == 1 + 2 * 2 + 2 * 3 + 4 * 4


def test_convolution_takes_a_padded_input() -> None:
    conv = Conv(2, 3, padded=True)
    assert conv(torch.zeros(1, 2, 8, 8)).shape == (1, 3, 6, 6)


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    torch.manual_seed(0)
    conv = spectral_norm(Conv(4, 6))
    for _ in range(50):
        conv(torch.zeros(1, 4, 8, 8))
    assert torch.linalg.svdvals(conv.weight.flatten(1))[0].item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_matches_pytorch(affine: bool) -> None:
    ours, theirs = BatchNorm(3, affine=affine), nn.BatchNorm2d(3, affine=affine)
    x = torch.randn(4, 3, 5, 5) * 3 + 2
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


@pytest.mark.parametrize(("channels", "groups"), [(8, 1), (16, 2), (12, 3), (5, 5), (2, 1)])
def test_group_norm_has_groups_of_at_most_eight_channels(channels: int, groups: int) -> None:
    x = torch.randn(2, channels, 6, 6) * 3 + 1
    out = make_norm("group", channels, affine=False)(x)
    torch.testing.assert_close(out, nn.functional.group_norm(x, groups))
    assert isinstance(make_norm("batch", channels, affine=True), BatchNorm)


def test_init_weights_is_xavier_normal_with_the_gain() -> None:
    layers = nn.Sequential(Conv(100, 100), spectral_norm(Conv(100, 100)))
    init_weights(layers, gain=0.02)
    deviation = 0.02 * (2 / (9 * 200)) ** 0.5
    plain, normed = layers[0].weight, layers[1].parametrizations.weight.original
    assert plain.std().item() == pytest.approx(deviation, rel=0.02)
    assert normed.std().item() == pytest.approx(deviation, rel=0.02)
    assert not layers[0].bias.any()


def test_count_parameters() -> None:
    assert count_parameters(Conv(2, 3)) == 2 * 3 * 9 + 3
    assert count_parameters(BatchNorm(3, affine=True)) == 6
