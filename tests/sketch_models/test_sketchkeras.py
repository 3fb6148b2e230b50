"""The U-Net agrees with a plain implementation; padding and cropping keep the alignment."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.harness import random_weights
from sketch_models.network_options import ComputeOptions
from sketch_models.runner import Runner
from sketch_models.sketchkeras import SketchKeras, build_network, high_pass
from sketch_models.weights.keras_file import CONVOLUTIONS

STATE = {name: torch.from_numpy(array) for name, array in random_weights.sketchkeras().items()}
UPSAMPLING = (9, 11, 13, 15)


def plain_forward(state: dict[str, Tensor], x: Tensor, mode: str) -> Tensor:
    """Compute the network layer by layer from its table, without any shortcuts."""

    def layer(index: int, x: Tensor) -> Tensor:
        convolution = CONVOLUTIONS[index]
        if index in UPSAMPLING:
            x = functional.interpolate(x, scale_factor=2.0)
        bottom = 2 if index in UPSAMPLING else 1
        x = functional.pad(x, (1, bottom, 1, bottom), mode)
        weight, bias = state[f"{index}.weight"], state[f"{index}.bias"]
        x = functional.conv2d(x, weight, bias, convolution.stride)
        return x if index == 17 else x.relu()

    d1 = layer(0, x)
    d2 = layer(2, layer(1, d1))
    d3 = layer(4, layer(3, d2))
    d4 = layer(6, layer(5, d3))
    d5 = layer(7, d4)
    x = layer(8, d5)
    for skip, index in ((d5, 9), (d4, 11), (d3, 13), (d2, 15)):
        x = layer(index + 1, layer(index, torch.cat((skip, x), 1)))
    return layer(17, torch.cat((d1, x), 1))


@pytest.mark.parametrize(("padding", "mode"), [("zero", "constant"), ("reflect", "reflect")])
@pytest.mark.parametrize("shape", [(64, 64), (32, 80)])
def test_network_follows_the_table_of_layers(
    padding: str, mode: str, shape: tuple[int, int]
) -> None:
    x = torch.randn(2, 1, *shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = plain_forward(STATE, x, mode)
        result = build_network(STATE, padding)(x)
    scale = expected.abs().max()
    assert (result - expected).abs().max() < 1e-5 * scale


def drawing(height: int, width: int) -> np.ndarray:
    picture = np.full((height, width, 3), (250, 220, 180), np.uint8)
    cv2.circle(picture, (width // 2, height // 2), min(height, width) // 3, (40, 20, 60), 2)
    return picture


def test_high_pass_is_divided_by_its_maximum() -> None:
    picture = drawing(40, 60)
    blurred = cv2.GaussianBlur(picture, (0, 0), 3)
    detail = (picture.astype(float) - blurred) / 128
    expected = (detail / detail.max()).transpose(2, 0, 1)
    np.testing.assert_allclose(high_pass(picture), expected, atol=1e-6)


def test_flat_picture_has_no_detail() -> None:
    assert not high_pass(np.full((20, 20, 3), 77, np.uint8)).any()


class Recorder:
    """A fake of the network that returns its input and records the shapes."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, maps: list[np.ndarray]) -> list[np.ndarray]:
        self.shapes += [map_.shape for map_ in maps]
        return [map_.copy() for map_ in maps]


@pytest.mark.parametrize(
    ("shape", "square", "canvas"),
    [
        ((100, 70), True, (112, 112)),
        ((100, 70), False, (112, 80)),
        ((64, 64), True, (64, 64)),
        ((1, 500), True, (512, 512)),
        ((1, 500), False, (32, 512)),
        ((3, 2), False, (32, 32)),
    ],
)
def test_pictures_are_padded_and_cropped_back(
    shape: tuple[int, int], square: bool, canvas: tuple[int, int]
) -> None:
    run = Recorder()
    picture = drawing(*shape)
    (ink,) = SketchKeras(run, square=square).lines([picture])
    assert run.shapes == [canvas] * 3
    assert ink.shape == shape
    assert ink.dtype == np.float32
    np.testing.assert_array_equal(ink, high_pass(picture).max(0).clip(0, 1))


def test_strongest_channel_is_taken() -> None:
    picture = np.full((64, 64, 3), 200, np.uint8)
    picture[30:32, :, 1] = 255  # a line in green alone
    (ink,) = SketchKeras(Recorder(), square=True).lines([picture])
    assert ink[30:32].min() > 0.9
    assert ink[:20].max() < 0.01


def test_results_do_not_depend_on_the_batch() -> None:
    runner = Runner(build_network(STATE, "zero"), ComputeOptions(device="cpu", precision="fp32"))
    model = SketchKeras(runner.run, square=True)
    pictures = [drawing(64, 40), drawing(64, 64), drawing(20, 90)]
    batched = model.lines(pictures)
    for picture, ink in zip(pictures, batched, strict=True):
        np.testing.assert_allclose(model.lines([picture])[0], ink, atol=1e-5)


def test_bf16_is_within_its_stated_tolerance() -> None:
    inks = [
        SketchKeras(
            Runner(
                build_network(STATE, "zero"), ComputeOptions(device="cpu", precision=precision)
            ).run,
            square=True,
        ).lines([drawing(160, 120)])[0]
        for precision in ("fp32", "bf16")
    ]
    levels = [np.rint(255 * ink) for ink in inks]
    assert np.abs(levels[0] - levels[1]).max() <= 7  # 6 or 7, by the processor
    assert np.abs(levels[0] - levels[1]).mean() <= 0.5


@pytest.mark.parametrize("padding", ["zero", "reflect"])
@pytest.mark.parametrize("square", [True, False])
def test_tiny_long_and_flat_pictures_give_finite_ink(padding: str, square: bool) -> None:
    runner = Runner(build_network(STATE, padding), ComputeOptions(device="cpu", precision="fp32"))
    pictures = [drawing(1, 1), drawing(1, 130), np.full((40, 30, 3), 200, np.uint8)]
    inks = SketchKeras(runner.run, square=square).lines(pictures)
    for picture, ink in zip(pictures, inks, strict=True):
        assert ink.shape == picture.shape[:2]
        assert np.isfinite(ink).all()
