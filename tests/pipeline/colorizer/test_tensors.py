"""Pictures as the networks see them."""

import numpy as np
import torch

from pipeline.colorizer.hints import Hints
from pipeline.colorizer.tensors import to_maps, to_pixels, to_tensor


def test_maps_are_what_training_sees() -> None:
    line = np.array([[0, 255]], np.uint8)
    hints = Hints.none(1, 2)
    hints.mask[0, 1], hints.color[0, 1] = True, (255, 0, 51)
    maps = to_maps([line], [hints], spread=False)[0, :, 0]
    assert maps[:, 0].tolist() == [-1, 0, 0, 0, 0]
    torch.testing.assert_close(maps[:, 1], torch.tensor([1.0, 1.0, -1.0, -0.6, 1.0]))


def test_pixels_survive_conversion() -> None:
    pictures = np.arange(2 * 8 * 16 * 3, dtype=np.uint8).reshape(2, 8, 16, 3)
    tensor = to_tensor(pictures)
    assert tensor.shape == (2, 3, 8, 16)
    assert tensor.min() >= -1
    assert tensor.max() <= 1
    assert np.array_equal(to_pixels(tensor), pictures)


def test_maps_have_spread_hints_if_the_networks_see_them() -> None:
    line = np.full((32, 32), 255, np.uint8)
    line[:, 16] = 0
    hints = Hints.none(32, 32)
    hints.mask[4:8, 4:8], hints.color[4:8, 4:8] = True, (255, 0, 255)
    plain, spread = (to_maps([line, line], [hints, None], spread=seen) for seen in (False, True))
    assert plain.shape == (2, 5, 32, 32)
    assert spread.shape == (2, 9, 32, 32)
    assert torch.equal(spread[:, :5], plain)
    assert spread[0, 5:8, 30, 10].tolist() == [1, -1, 1]
    assert 0 < spread[0, 8, 30, 10] < spread[0, 8, 5, 5] == 1
    assert spread[0, 5:8, 30, 25].tolist() == [1, -1, 1]  # the nearest there is
    assert not spread[0, 8, :, 17:].any()  # but of another area
    assert not spread[1, 5:].any()
