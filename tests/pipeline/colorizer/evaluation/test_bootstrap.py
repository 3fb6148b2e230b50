"""Bootstrap intervals."""

import math

import numpy as np
import pytest

from pipeline.colorizer.evaluation.bootstrap import bootstrap_interval


def test_bounds_are_those_of_the_normal_approximation() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    interval = bootstrap_interval(list(values), seed=0)
    assert interval.mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / 400**0.5
    assert interval.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert interval.n == 400


def test_interval_contains_the_true_mean_as_often_as_its_level() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        values = list(rng.exponential(1.0, 80))
        interval = bootstrap_interval(values, seed=trial, resamples=300, level=0.8)
        hits += interval.low <= 1.0 <= interval.high
    assert 140 <= hits <= 176


def test_nan_is_left_out() -> None:
    nan = float("nan")
    interval = bootstrap_interval([1.0, nan, 3.0], seed=0)
    assert interval.mean == 2
    assert interval.n == 2
    assert math.isnan(bootstrap_interval([nan], seed=0).mean)
    assert bootstrap_interval([], seed=0).n == 0


def test_same_seed_gives_the_same_interval() -> None:
    values = list(np.random.default_rng(0).random(30))
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)
