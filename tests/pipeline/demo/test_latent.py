"""The latent code: the mean, a random sample, and the shift."""

import numpy as np

from pipeline.demo.latent import make_z


def test_z_without_a_seed_is_the_mean() -> None:
    z = make_z(4, None, 0, None)
    assert z.dtype == np.float32
    assert z.tolist() == [0, 0, 0, 0]


def test_each_seed_gives_its_own_normal_sample() -> None:
    z = make_z(10_000, 7, 0, None)
    assert z.dtype == np.float32
    assert np.array_equal(z, make_z(10_000, 7, 0, None))
    assert not np.array_equal(z, make_z(10_000, 8, 0, None))
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05


def test_shift_is_added_to_all_dimensions_or_to_one() -> None:
    assert make_z(3, None, -1.5, None).tolist() == [-1.5, -1.5, -1.5]
    assert make_z(3, None, 2, 1).tolist() == [0, 2, 0]
    assert make_z(3, None, 2, 0).tolist() == [2, 0, 0]
    assert np.allclose(make_z(3, 5, 2, 2) - make_z(3, 5, 0, None), [0, 0, 2])
