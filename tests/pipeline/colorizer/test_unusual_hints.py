"""Hints and line art that people put and nobody expects: a colorizer that copies spread hints."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.colorizer_file import LoadedModel
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.train_job import TrainJob
from tests.pipeline.colorizer.networks.test_networks import small

SIZE, RED, BLUE = 64, (220, 30, 40), (30, 60, 220)
GATE = 1e4  # wide open: what is copied is all that is seen
Put = Callable[[Hints], None]


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    network = replace(small(), spread_hints=True, copy_hints=True, norm="group", init_gain=1.0)
    torch.manual_seed(0)
    vae = Vae(network, SIZE)
    with torch.no_grad():
        vae.generator.to_color.bias[3] = GATE
    job = TrainJob(train="train.h5", network=network)
    return Colorizer(LoadedModel(vae, job, SIZE), "cpu", "fp32")


def rooms(height: int = 300, width: int = 240) -> np.ndarray:
    """Return two rooms on paper: a disc, and the paper around it."""
    line = np.full((height, width), 255, np.uint8)
    cv2.circle(line, (width // 2, height // 2), width // 3, 0, 5, cv2.LINE_AA)
    return line


def square(hints: Hints, x: int, y: int, side: int, color: tuple[int, int, int]) -> None:
    hints.mask[y : y + side, x : x + side] = True
    hints.color[y : y + side, x : x + side] = color


def everywhere(hints: Hints) -> None:
    square(hints, 0, 0, 300, RED)


def beside_the_picture(hints: Hints) -> None:
    square(hints, -4, -4, 8, RED)  # nothing of it is inside
    square(hints, 238, 298, 40, BLUE)


def on_a_line(hints: Hints) -> None:
    square(hints, 38, 148, 5, RED)


def one_pixel(hints: Hints) -> None:
    square(hints, 120, 150, 1, RED)


def two_in_one_area(hints: Hints) -> None:
    square(hints, 90, 120, 9, RED)
    square(hints, 150, 180, 9, BLUE)


def thousands(hints: Hints) -> None:
    rng = np.random.default_rng(0)
    for x, y in rng.integers(0, 230, (4000, 2)):
        square(hints, int(x), int(y), 2, tuple(rng.integers(0, 256, 3).tolist()))


@pytest.mark.parametrize(
    "put", [everywhere, beside_the_picture, on_a_line, one_pixel, two_in_one_area, thousands]
)
def test_unusual_hints_give_a_picture(colorizer: Colorizer, put: Put) -> None:
    line, hints = rooms(), Hints.none(300, 240)
    put(hints)
    first, again = (colorizer.colorize(line, hints) for _ in range(2))
    assert first.shape == (300, 240, 3)
    np.testing.assert_array_equal(first, again)
    assert first[line == 0].max() == 0


def test_hints_reach_their_area_and_end_at_its_line(colorizer: Colorizer) -> None:
    hints = Hints.none(300, 240)
    square(hints, 115, 145, 12, RED)
    square(hints, 5, 5, 12, BLUE)
    result = colorizer.colorize(rooms(), hints).astype(int)
    assert np.abs(result[150, 50:190] - RED).max() <= 3  # the whole width of the disc
    assert np.abs(result[290, 10:230] - BLUE).max() <= 3


def test_two_colours_in_one_area_share_it(colorizer: Colorizer) -> None:
    hints = Hints.none(300, 240)
    two_in_one_area(hints)
    result = colorizer.colorize(rooms(), hints).astype(int)
    assert np.abs(result[110, 95] - RED).max() <= 3
    assert np.abs(result[200, 155] - BLUE).max() <= 3


@pytest.mark.parametrize("ink", [0, 255])
def test_line_art_without_any_area(colorizer: Colorizer, ink: int) -> None:
    line, hints = np.full((300, 240), ink, np.uint8), Hints.none(300, 240)
    square(hints, 100, 100, 20, RED)
    result = colorizer.colorize(line, hints)
    assert result.shape == (300, 240, 3)
    if ink == 255:
        assert np.abs(result[280, 220].astype(int) - RED).max() <= 3


def test_line_art_with_gaps_everywhere(colorizer: Colorizer) -> None:
    """A dashed circle is one area still: the gaps are small."""
    line = np.full((300, 240), 255, np.uint8)
    for angle in range(0, 360, 15):
        cv2.ellipse(line, (120, 150), (80, 80), 0, angle, angle + 12.5, 0, 4, cv2.LINE_AA)
    hints = Hints.none(300, 240)
    square(hints, 115, 145, 12, RED)
    square(hints, 5, 5, 12, BLUE)
    result = colorizer.colorize(line, hints).astype(int)
    assert np.abs(result[150, 60:180] - RED).max() <= 3
    assert np.abs(result[290, 10:230] - BLUE).max() <= 3
