"""Layers: padding, normalisation, initialisation."""

from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing, nn
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


def _normalize_in_process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    address = f"file://{folder}/processes"
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    results = []
    for whole, gradient in torch.load(f"{folder}/batches.pt"):
        x = whole[3 * rank : 3 * rank + 3].float().requires_grad_()
        norm = BatchNorm(4, affine=True)
        out = norm(x)
        out.backward(gradient[3 * rank : 3 * rank + 3].float())
        results.append((out.detach(), x.grad, norm.running_mean, norm.running_var))
    torch.save(results, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


def test_batch_norm_over_processes_is_exact_where_the_mean_is_large(tmp_path: Path) -> None:
    """Two processes, in float32, as one in float64; their halves have other means, too."""
    torch.manual_seed(0)
    cases = [(0.0, 1.0), (30.0, 0.01), (100.0, 0.01), (-1000.0, 0.1)]
    batches = []
    for mean, deviation in cases:
        x = torch.randn(6, 4, 8, 8, dtype=torch.double) * deviation + mean
        x[3:] += deviation
        x = x.float().double()  # what float32 can hold
        batches.append((x, torch.randn_like(x)))
    torch.save(batches, tmp_path / "batches.pt")
    multiprocessing.spawn(_normalize_in_process, (str(tmp_path),), nprocs=2)
    both = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for (x, gradient), *parts in zip(batches, *both, strict=True):
        reference = nn.BatchNorm2d(4).double()
        x.requires_grad_()
        expected = reference(x)
        expected.backward(gradient)
        out, grad = (torch.cat([part[index] for part in parts]) for index in (0, 1))
        scale = x.grad.abs().max()
        torch.testing.assert_close(out.double(), expected.detach(), rtol=0, atol=2e-3)
        torch.testing.assert_close(grad.double() / scale, x.grad / scale, rtol=0, atol=2e-3)
        for _, _, mean, variance in parts:
            torch.testing.assert_close(mean.double(), reference.running_mean)
            torch.testing.assert_close(variance.double(), reference.running_var, rtol=1e-3, atol=0)


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
