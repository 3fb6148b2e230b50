"""LPIPS: the formula and the two weight files."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from sketch_models.errors import SengaError
from sketch_models.perceptual import lpips
from sketch_models.perceptual.lpips import Lpips

SHAPES = ((64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3))
CONV_INDICES = (0, 3, 6, 8, 10)
State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def alexnet() -> State:
    """AlexNet's weights as torchvision publishes them, with a shorter classifier."""
    torch.manual_seed(0)
    state = {"classifier.1.weight": torch.zeros(8, 9216)}
    for index, (out_channels, in_channels, side) in zip(CONV_INDICES, SHAPES, strict=True):
        state[f"features.{index}.weight"] = (
            torch.randn(out_channels, in_channels, side, side) / side
        )
        state[f"features.{index}.bias"] = torch.randn(out_channels) / 10
    return state


@pytest.fixture(scope="module")
def linear() -> State:
    return {
        f"lin{number}.model.1.weight": torch.rand(1, shape[0], 1, 1)
        for number, shape in enumerate(SHAPES)
    }


@pytest.fixture
def network(tmp_path: Path, alexnet: State, linear: State) -> Lpips:
    return load_written(tmp_path, alexnet, linear)


def load_written(folder: Path, alexnet: State, linear: State) -> Lpips:
    torch.save(alexnet, folder / "alexnet.pth")
    torch.save(linear, folder / "alex.pth")
    return lpips.load(folder / "alexnet.pth", folder / "alex.pth")


def test_distance_is_0_for_equal_pictures_and_symmetric(network: Lpips) -> None:
    first, second = torch.rand(2, 3, 3, 64, 64)
    assert network(first, first).tolist() == [0, 0, 0]
    assert (network(first, second) > 0).all()
    torch.testing.assert_close(network(first, second), network(second, first))


def test_first_layer_follows_the_formula(tmp_path: Path, alexnet: State, linear: State) -> None:
    """The first layer by hand: ImageNet's statistics, unit length, weighted squares, mean."""
    only = {k: v if k.startswith("lin0") else torch.zeros_like(v) for k, v in linear.items()}
    network = load_written(tmp_path, alexnet, only)
    first, second = torch.rand(2, 1, 3, 64, 64)

    def unit(image: torch.Tensor) -> torch.Tensor:
        mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        normalized = (image - mean[:, None, None]) / std[:, None, None]
        weight, bias = alexnet["features.0.weight"], alexnet["features.0.bias"]
        features = functional.conv2d(normalized, weight, bias, stride=4, padding=2).clamp(min=0)
        return features / features.norm(dim=1, keepdim=True)

    weights = only["lin0.model.1.weight"]
    expected = ((unit(first) - unit(second)) ** 2 * weights).sum(1).mean()
    torch.testing.assert_close(network(first, second)[0], expected)


def test_incomplete_or_wrong_file_is_refused(tmp_path: Path, alexnet: State, linear: State) -> None:
    with pytest.raises(
        SengaError, match=r"alexnet.pth: no floating-point tensor .*10.bias.*alexnet-owt"
    ):
        load_written(
            tmp_path, {k: v for k, v in alexnet.items() if k != "features.10.bias"}, linear
        )
    with pytest.raises(SengaError, match=r"alex.pth: no floating-point tensor lin0.*v0.1/alex.pth"):
        load_written(tmp_path, alexnet, alexnet)
    negative = {**linear, "lin3.model.1.weight": -linear["lin3.model.1.weight"]}
    with pytest.raises(SengaError, match="negative weights in lin3"):
        load_written(tmp_path, alexnet, negative)
