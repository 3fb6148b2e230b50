"""z: the mean, a draw, and what a user shifts."""

import numpy as np

from pipeline.demo.latent import z_of


def test_without_a_seed_it_is_the_mean() -> None:
    z = z_of(4, None, 0, None)
    assert z.dtype == np.float32
    assert z.tolist() == [0, 0, 0, 0]


def test_a_seed_is_a_draw_of_its_own() -> None:
    z = z_of(10_000, 7, 0, None)
    assert z.dtype == np.float32
    assert np.array_equal(z, z_of(10_000, 7, 0, None))
    assert not np.array_equal(z, z_of(10_000, 8, 0, None))
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05


def test_a_shift_is_of_every_dimension_or_of_one() -> None:
    assert z_of(3, None, -1.5, None).tolist() == [-1.5, -1.5, -1.5]
    assert z_of(3, None, 2, 1).tolist() == [0, 2, 0]
    assert z_of(3, None, 2, 0).tolist() == [2, 0, 0]
    assert np.allclose(z_of(3, 5, 2, 2) - z_of(3, 5, 0, None), [0, 0, 2])
