"""The moving average of weights: fast at first, statistics of batches included."""

import torch
from torch import nn

from pipeline.training.ema import make_ema, update_ema


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))


def test_average_is_a_frozen_copy_in_evaluation_mode() -> None:
    trained = network()
    ema = make_ema(trained)
    assert not ema.training
    assert not any(weight.requires_grad for weight in ema.parameters())
    assert all(map(torch.equal, ema.parameters(), trained.parameters()))
    with torch.no_grad():
        trained[0].weight.add_(1)
    assert not torch.equal(ema[0].weight, trained[0].weight)


def test_average_moves_by_what_its_decay_leaves() -> None:
    torch.manual_seed(0)
    trained = network()
    ema = make_ema(trained)
    start = ema[0].weight.clone()
    with torch.no_grad():
        trained[0].weight.add_(1)
    trained(torch.randn(8, 2))
    update_ema(ema, trained, decay=0.9, step=1)
    torch.testing.assert_close(ema[0].weight, start + 1 - 2 / 11)
    torch.testing.assert_close(ema[1].running_mean, trained[1].running_mean * (1 - 2 / 11))
    before = ema[0].weight.clone()
    update_ema(ema, trained, decay=0.9, step=10_000)
    torch.testing.assert_close(ema[0].weight, before.lerp(trained[0].weight, 0.1))
    assert ema[1].num_batches_tracked == 1
