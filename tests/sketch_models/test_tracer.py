"""A tracer's ink is a power of the probability; pictures of any kind have some."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.harness.line_networks import random_unet, write_random
from sketch_models.errors import ConfigError, WeightsError
from sketch_models.line_network import LineNetwork
from sketch_models.network_options import ComputeOptions
from sketch_models.tracer import Tracer

CPU = ComputeOptions(device="cpu", precision="fp32")
MODEL = Tracer(LineNetwork(random_unet("tracer"), CPU), gamma=2.5)


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((70, 90, 3), np.uint8),
        np.full((70, 90, 3), 255, np.uint8),
        np.full((70, 90, 3), (200, 30, 90), np.uint8),
        noise(1, 90),
        noise(90, 1),
        noise(1, 1),
        noise(200, 3000),
        noise(70, 90)[::-1, ::2],  # not contiguous
    ],
    ids=["black", "white", "one colour", "one row", "one column", "one pixel", "strip", "view"],
)
def test_any_picture_has_an_ink_map(picture: NDArray[np.uint8]) -> None:
    (ink,) = MODEL.lines([picture])
    assert ink.shape == picture.shape[:2]
    assert ink.dtype == np.float32
    assert np.isfinite(ink).all()
    assert ink.min() >= 0
    assert ink.max() <= 1


def test_ink_is_a_power_of_the_probability() -> None:
    picture = noise(40, 50)
    linear = Tracer(LineNetwork(random_unet("tracer"), CPU), gamma=1)
    (probability,), (ink,) = linear.lines([picture]), MODEL.lines([picture])
    np.testing.assert_allclose(ink, probability**2.5, rtol=1e-5)
    assert ink.std() > 0.05


def test_weights_and_gamma_are_those_of_the_file(tmp_path: Path) -> None:
    model = Tracer.load(write_random(tmp_path / "tracer", "tracer", gamma=2.5), CPU)
    picture = noise(40, 50)
    loaded, expected = model.lines([picture]), MODEL.lines([picture])
    np.testing.assert_allclose(loaded[0], expected[0], atol=0.01)


def test_weights_of_an_inker_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="weights of inker, not of tracer"):
        Tracer.load(write_random(tmp_path / "inker", "inker"), CPU)


def test_missing_device_is_refused(tmp_path: Path) -> None:
    path = write_random(tmp_path / "tracer", "tracer")
    with pytest.raises(ConfigError, match="PyTorch sees no such device"):
        Tracer.load(path, ComputeOptions(device="cuda:77"))
