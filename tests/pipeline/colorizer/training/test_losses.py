"""Every loss against a value computed by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from pipeline.colorizer.training import losses


def features(*scores: list[float], level: float = 0.0) -> losses.Features:
    """Return two layers of features and the scores, per scale."""
    layer = torch.full((2, 3, 4, 4), level)
    return [[layer, layer, torch.tensor(each).view(-1, 1, 1, 1)] for each in scores]


def test_hinge_discriminator_pushes_real_above_one_and_fake_below_minus_one() -> None:
    fake, real = features([-2.0, 0.5]), features([2.0, 0.5])
    # Of the fake 0 and 1.5 are left, of the real 0 and 0.5.
    assert losses.hinge_discriminator(fake, real).item() == pytest.approx(0.75 + 0.25)


def test_hinge_discriminator_is_a_mean_over_scales() -> None:
    fake, real = features([0.0], [1.0]), features([0.0], [1.0])
    assert losses.hinge_discriminator(fake, real).item() == pytest.approx(((1 + 1) + (2 + 0)) / 2)


def test_hinge_generator_is_minus_the_score() -> None:
    assert losses.hinge_generator(features([3.0, 1.0], [-1.0, 0.0])).item() == pytest.approx(-0.75)


def test_feature_matching_is_l1_over_layers_without_the_scores() -> None:
    fake, real = features([9.0], [9.0], level=0.5), features([0.0], [0.0], level=2.0)
    # two scales of two layers, 1.5 apart each, over the number of scales
    assert losses.feature_matching(fake, real).item() == pytest.approx(3.0)


def test_feature_matching_has_a_gradient_for_the_fake_alone() -> None:
    fake, real = torch.zeros(1, 1, 2, 2, requires_grad=True), torch.ones(1, 1, 2, 2)
    real.requires_grad_()
    losses.feature_matching([[fake, fake]], [[real, real]]).backward()
    assert fake.grad is not None
    assert real.grad is None


def test_kl_divergence_is_a_sum_over_z_and_a_mean_over_pictures() -> None:
    mean = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    log_variance = torch.tensor([[0.0, 0.0], [math.log(2.0), 0.0]])
    # 0.5 * 1^2 for the first, 0.5 * (2 - 1 - ln 2) for the second
    expected = (0.5 + 0.5 * (1 - math.log(2))) / 2
    assert losses.kl_divergence(mean, log_variance).item() == pytest.approx(expected)


def test_kl_divergence_does_not_depend_on_the_batch() -> None:
    mean, log_variance = torch.randn(3, 5), torch.randn(3, 5)
    once = losses.kl_divergence(mean, log_variance)
    twice = losses.kl_divergence(mean.repeat(2, 1), log_variance.repeat(2, 1))
    torch.testing.assert_close(once, twice)


class FakeFeatures(nn.Module):
    """Five layers of features: the picture times 1 to 5."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> list[Tensor]:
        assert not self.training
        return [self.factor * x * number for number in range(1, 6)]


def test_perceptual_is_a_weighted_sum_over_five_layers() -> None:
    loss = losses.Perceptual(FakeFeatures()).train()
    fake, real = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), -0.5)
    # 0.5 apart in [0, 1], times 1 .. 5, times 1/32, 1/16, 1/8, 1/4, 1
    expected = 0.5 * (1 / 32 + 2 / 16 + 3 / 8 + 4 / 4 + 5)
    assert loss(fake, real).item() == pytest.approx(expected)


def test_perceptual_is_frozen() -> None:
    loss = losses.Perceptual(FakeFeatures())
    fake = torch.zeros(1, 3, 2, 2, requires_grad=True)
    loss(fake, torch.ones(1, 3, 2, 2)).backward()
    assert fake.grad is not None
    assert loss.network.factor.grad is None
