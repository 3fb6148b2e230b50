"""Draws have the range, the shape and the spread that they promise."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.chance import chance, integer, log_uniform, smooth_noise


def test_chances_come_true_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    assert not any(chance(rng, 0.0) for _ in range(100))
    assert all(chance(rng, 1.0) for _ in range(100))
    assert np.mean([chance(rng, 0.3) for _ in range(4000)]) == pytest.approx(0.3, abs=0.03)


def test_both_ends_of_whole_numbers_are_drawn() -> None:
    rng = np.random.default_rng(0)
    assert {integer(rng, 2, 5) for _ in range(200)} == {2, 3, 4, 5}


def test_every_factor_is_as_likely() -> None:
    rng = np.random.default_rng(0)
    values = np.array([log_uniform(rng, 1, 100) for _ in range(2000)])
    assert 1 <= values.min() < values.max() <= 100
    assert (values < 10).mean() == pytest.approx(0.5, abs=0.04)


@settings(max_examples=60)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    scale=st.floats(0.7, 200),
    seed=st.integers(0, 99),
)
def test_noise_has_any_size(height: int, width: int, scale: float, seed: int) -> None:
    first, second = (
        smooth_noise(np.random.default_rng(seed), height, width, scale) for _ in range(2)
    )
    assert first.shape == (height, width)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("scale", [1.5, 2.0, 4.0, 10.0])
def test_noise_has_one_deviation_and_bumps_of_its_scale(scale: float) -> None:
    noise = smooth_noise(np.random.default_rng(1), 300, 300, scale)
    assert noise.mean() == pytest.approx(0, abs=0.1)
    assert noise.std() == pytest.approx(1.2, abs=0.1)
    enlarged = cv2.resize(noise, None, fx=8, fy=8)  # so that a tenth of a bump is a pixel
    near, far = round(8 * scale / 5), round(8 * scale * 3)
    assert np.corrcoef(enlarged[:, near:].ravel(), enlarged[:, :-near].ravel())[0, 1] > 0.8
    assert abs(np.corrcoef(enlarged[:, far:].ravel(), enlarged[:, :-far].ravel())[0, 1]) < 0.15


@pytest.mark.parametrize("scale", [33.0, 50.0, 150.0])
def test_coarse_noise_is_as_smooth_and_as_strong(scale: float) -> None:
    many = [smooth_noise(np.random.default_rng(seed), 160, 160, scale) for seed in range(60)]
    assert np.std(many) == pytest.approx(1.2, abs=0.12)
    steps = np.abs(np.diff(np.stack(many), axis=1))
    assert steps.max() < 12 / scale  # no edges
    bends = np.abs(np.diff(np.stack(many), n=2, axis=1))
    assert bends.max() < 2.5 / scale
