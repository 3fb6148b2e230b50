"""Line art has the shape of the sketch, and few greys between ink and paper."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.harness.line_networks import random_unet, write_random
from sketch_models.errors import WeightsError
from sketch_models.inker import Inker
from sketch_models.line_network import LineNetwork
from sketch_models.network_options import ComputeOptions

CPU = ComputeOptions(device="cpu", precision="fp32")


class Fixed(LineNetwork):
    """A network whose probability is the darkness of the sketch."""

    def __init__(self) -> None:
        self.batch_size = 1

    def ink_probabilities(self, pictures):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        return [np.float32(1) - picture.astype(np.float32) / 255 for picture in pictures]


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


@pytest.mark.parametrize(
    "sketch",
    [
        np.zeros((70, 90), np.uint8),
        np.full((70, 90), 255, np.uint8),
        noise(1, 90),
        noise(90, 1),
        noise(200, 3000),
    ],
    ids=["black", "white", "one row", "one column", "strip"],
)
def test_any_sketch_becomes_line_art(sketch: NDArray[np.uint8]) -> None:
    (line,) = Inker(LineNetwork(random_unet("inker"), CPU)).simplify([sketch])
    assert line.shape == sketch.shape
    assert line.dtype == np.uint8


def test_line_art_is_a_step_between_two_probabilities() -> None:
    sketch = np.arange(256, dtype=np.uint8)[None]
    (line,) = Inker(Fixed()).simplify([sketch])
    assert (line[0, :103] == 0).all()  # from 0.6
    assert (line[0, 230:] == 255).all()  # up to 0.1
    assert abs(int(line[0, 166]) - 127) <= 2
    assert (np.diff(line[0].astype(int)) >= 0).all()


def test_weights_are_those_of_the_file(tmp_path: Path) -> None:
    model = Inker.load(write_random(tmp_path / "inker", "inker"), CPU)
    expected = Inker(LineNetwork(random_unet("inker"), CPU))
    sketch = noise(40, 50)
    (line,), (other,) = model.simplify([sketch]), expected.simplify([sketch])
    np.testing.assert_allclose(line.astype(int), other.astype(int), atol=3)
    assert line.std() > 5


def test_weights_of_a_tracer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="weights of tracer, not of inker"):
        Inker.load(write_random(tmp_path / "tracer", "tracer"), CPU)
