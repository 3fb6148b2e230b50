"""The learning rate: warmup and cosine."""

import math

import pytest

from pipeline.training.learning_rate import lr_factor


def test_learning_rate_warms_up_linearly_and_falls_along_a_cosine() -> None:
    factors = [lr_factor(step, 100, 0.1) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9] == factors[10] == 1
    assert factors[55] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(0.5 * (1 + math.cos(math.pi * 89 / 90)))
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert lr_factor(0, 1, 0.0) == 1
