"""The best weights so far: which are kept, and that they are a copy."""

import torch
from torch import nn

from pipeline.line_training.best import Best


def network(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    return layer


def test_higher_f1_is_kept_with_its_weights() -> None:
    best = Best()
    assert best.weights is None
    kept = network(2)
    for f1, images, offered in ((0.5, 10, network(1)), (0.7, 20, kept), (0.6, 30, network(3))):
        best.offer(f1, images, offered)
    nn.init.constant_(kept.weight, 9)
    assert (best.f1, best.images) == (0.7, 20)
    assert best.weights is not None
    assert best.weights["weight"].item() == 2


def test_latest_of_equally_good_weights_are_kept() -> None:
    best = Best()
    for f1, images in ((0.9, 10), (0.8925, 20), (0.8902, 30), (0.8899, 40)):
        best.offer(f1, images, network(images))
    assert (best.highest_f1, best.f1, best.images) == (0.9, 0.8902, 30)
    best.offer(0.91, 50, network(50))
    best.offer(0.8999, 60, network(60))
    assert (best.highest_f1, best.images) == (0.91, 50)


def test_first_f1_is_better_than_none_even_if_it_is_0() -> None:
    best = Best()
    best.offer(0.0, 10, network(1))
    assert best.images == 10


def test_state_is_restored() -> None:
    best, other = Best(), Best()
    best.offer(0.5, 10, network(1))
    best.offer(0.495, 15, network(1))
    other.load_state(best.state())
    other.offer(0.4899, 20, network(2))
    assert (other.highest_f1, other.f1, other.images) == (0.5, 0.495, 15)
    assert other.weights is not None
    assert torch.equal(other.weights["weight"], torch.ones(1, 1))
