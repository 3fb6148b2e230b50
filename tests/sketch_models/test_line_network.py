"""Tiles give what the whole picture gives, whatever its size and whatever is beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.harness.line_networks import random_unet
from sketch_models.line_network import LineNetwork
from sketch_models.network_options import ComputeOptions

CPU = ComputeOptions(device="cpu", precision="fp32")
WHOLE = LineNetwork(random_unet("tracer"), CPU)
TILED = LineNetwork(random_unet("tracer"), CPU, max_tile_side=160)
SKETCHES = LineNetwork(random_unet("inker"), CPU)


def noise(height: int, width: int, *channels: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(height * 1000 + width)
    return rng.integers(0, 256, (height, width, *channels), np.uint8)


def drawing(height: int, width: int) -> NDArray[np.uint8]:
    """Flat areas of black, white and a colour with noise between them."""
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[height // 3 :, : width // 2] = 0
    picture[height // 2 :, width // 3 :] = (200, 30, 90)
    picture[height // 4 : height // 3] = noise(height // 3 - height // 4, width, 3)
    return picture


@pytest.mark.parametrize("size", [(300, 500), (161, 159), (500, 30), (33, 700), (168, 168)])
def test_tiles_are_the_whole_picture(size: tuple[int, int]) -> None:
    picture = drawing(*size)
    (whole,), (tiled,) = WHOLE.ink_probabilities([picture]), TILED.ink_probabilities([picture])
    assert whole.shape == size
    assert whole.std() > 0.05
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=4),
)
@settings(max_examples=15, deadline=None)
def test_results_do_not_depend_on_other_pictures(shapes: list[tuple[int, int]]) -> None:
    sketches = [noise(*shape) for shape in shapes]
    together = SKETCHES.ink_probabilities(sketches)
    for sketch, probability in zip(sketches, together, strict=True):
        assert probability.shape == sketch.shape
        np.testing.assert_array_equal(SKETCHES.ink_probabilities([sketch])[0], probability)


def test_a_picture_continues_beyond_its_border() -> None:
    """Cutting a strip off changes nothing that is far enough from it."""
    picture = noise(200, 220, 3)
    (whole,), (cut,) = (
        WHOLE.ink_probabilities([each]) for each in (picture, picture[:173, :197].copy())
    )
    far = 40 + random_unet("tracer").margin
    near = cut[: 173 - far, : 197 - far]
    np.testing.assert_allclose(near, whole[: 173 - far, : 197 - far], atol=1e-6)
    assert np.isfinite(cut).all()


def test_bfloat16_is_near() -> None:
    half = LineNetwork(random_unet("tracer"), ComputeOptions(device="cpu", precision="bf16"))
    picture = drawing(64, 80)
    (exact,), (near,) = WHOLE.ink_probabilities([picture]), half.ink_probabilities([picture])
    assert near.dtype == np.float32
    np.testing.assert_allclose(near, exact, atol=0.05)


def test_no_pictures_give_no_results() -> None:
    assert WHOLE.ink_probabilities([]) == []
