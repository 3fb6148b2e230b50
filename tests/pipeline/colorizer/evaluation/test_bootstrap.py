"""Bootstrap intervals."""

import math

import numpy as np
import pytest

from pipeline.colorizer.evaluation.bootstrap import interval


def test_it_covers_the_mean_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = interval(list(values), seed=0)
    assert found.mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / 400**0.5
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert found.n == 400


def test_it_holds_the_true_mean_as_often_as_its_level() -> None:
    random = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        found = interval(list(random.exponential(1.0, 80)), seed=trial, resamples=300, level=0.8)
        held += found.low <= 1.0 <= found.high
    assert 140 <= held <= 176


def test_values_that_are_missing_are_left_out() -> None:
    nan = float("nan")
    found = interval([1.0, nan, 3.0], seed=0)
    assert found.mean == 2
    assert found.n == 2
    assert math.isnan(interval([nan], seed=0).mean)
    assert interval([], seed=0).n == 0


def test_the_same_seed_gives_the_same_interval() -> None:
    values = list(np.random.default_rng(0).random(30))
    assert interval(values, seed=3) == interval(values, seed=3)
    assert interval(values, seed=3) != interval(values, seed=4)
