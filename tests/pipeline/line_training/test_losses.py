"""The losses: their values by hand, and pixels that do not count."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pipeline.line_training import losses

INK = torch.tensor([[[[1.0, 0.0, 1.0]]]])
LOGITS = torch.tensor([[[[0.0, 0.0, 50.0]]]])  # probabilities 0.5, 0.5, 1
ALL = torch.ones_like(INK)


def test_cross_entropy_is_a_weighted_mean() -> None:
    assert losses.cross_entropy(LOGITS, INK, ALL).item() == pytest.approx(2 / 3 * math.log(2))
    weight = torch.tensor([[[[0.0, 2.0, 2.0]]]])
    assert losses.cross_entropy(LOGITS, INK, weight).item() == pytest.approx(0.5 * math.log(2))
    assert losses.cross_entropy(LOGITS, INK, 0 * ALL).item() == 0


def test_dice_compares_what_is_common_with_what_is_there() -> None:
    both, either = 0.5 + 1, (0.5 + 0.5 + 1) + 2
    expected = 1 - (2 * both + 1) / (either + 1)
    assert losses.dice(LOGITS, INK, ALL).item() == pytest.approx(expected)
    assert losses.dice(100 * (INK - 0.5), INK, ALL).item() == pytest.approx(0, abs=1e-6)
    assert losses.dice(LOGITS, INK, 0 * ALL).item() == 0


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.dice])
def test_nothing_is_learned_where_the_weight_is_0(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> None:
    logits = LOGITS.clone().requires_grad_()
    loss(logits, INK, torch.tensor([[[[1.0, 0.0, 1.0]]]])).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0, 0, 1] == 0
    assert logits.grad[0, 0, 0, 0] < 0
