"""The features of a published file come out right, and stay frozen."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sketch_models.danbooru_resnet import DanbooruResNet, body, load, read
from sketch_models.errors import SengaError

NUMBERS = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}


def random_body(depth: int, seed: int = 0) -> DanbooruResNet:
    torch.manual_seed(seed)
    network = DanbooruResNet(depth)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


def as_published(network: DanbooruResNet) -> dict[str, Tensor]:
    """The state dict of a sequence of body and head."""
    state = {"1.2.weight": torch.ones(8), "1.8.bias": torch.zeros(100)}
    for name, value in network.state_dict().items():
        child, _, rest = name.partition(".")
        state[f"0.{NUMBERS[child]}.{rest}"] = value
    return state


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "resnet18-3f77756f.pth"
    torch.save(as_published(random_body(18)), path)
    return path


@pytest.mark.parametrize(
    ("depth", "parameters", "names"),
    [(18, 11_176_512, 60), (34, 21_284_672, 108), (50, 23_508_032, 159)],
)
def test_bodies_have_the_known_sizes(depth: int, parameters: int, names: int) -> None:
    with torch.device("meta"):
        network = DanbooruResNet(depth)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert len(list(network.parameters())) == names


@pytest.mark.parametrize("depth", [18, 34, 50])
def test_a_published_file_gives_the_same_features(tmp_path: Path, depth: int) -> None:
    network = random_body(depth)
    path = tmp_path / "resnet.pth"
    torch.save(as_published(network), path)
    pictures = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    found, expected = load(path)(pictures), network(pictures)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    last = 2048 if depth == 50 else 512
    assert found[0].shape == (2, 64, 32, 48)
    assert found[-1].shape == (2, last, 2, 3)


def test_a_block_is_that_of_the_paper() -> None:
    network = random_body(18)
    block = network.get_submodule("layer2")[0]  # type: ignore[index]
    x = torch.randn(1, 64, 8, 8)
    y = block.bn1(functional.conv2d(x, block.conv1.weight, stride=2, padding=1)).relu()
    y = block.bn2(functional.conv2d(y, block.conv2.weight, padding=1))
    convolution, normalisation = block.downsample
    beside = normalisation(functional.conv2d(x, convolution.weight, stride=2))
    torch.testing.assert_close(block(x), (y + beside).relu())


def test_pictures_are_normalised() -> None:
    network = random_body(50)
    picture = torch.tensor([0.7137, 0.6628, 0.6519]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    stem = functional.relu(network.bn1(torch.zeros(1, 64, 16, 16)))
    torch.testing.assert_close(network(picture)[0], stem, atol=1e-5, rtol=1e-4)


def test_it_stays_frozen() -> None:
    network = nn.Sequential(random_body(18))
    network.train()
    assert not any(module.training for module in network[0].modules())
    pictures = torch.rand(1, 3, 32, 32, requires_grad=True)
    network(pictures)[-1].sum().backward()
    assert pictures.grad is not None
    assert all(parameter.grad is None for parameter in network.parameters())


def test_arrays_make_the_network_again(published: Path) -> None:
    arrays = read(published)
    assert "layer4.1.bn2.running_var" in arrays
    again = body({name: torch.from_numpy(array) for name, array in arrays.items()})
    pictures = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(again(pictures)[-1], load(published)(pictures)[-1])


def spoiled(path: Path, name: str, value: Tensor | None) -> None:
    state = torch.load(path, weights_only=True)
    if value is None:
        del state[name]
    else:
        state[name] = value
    torch.save(state, path)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("0.4.0.conv1.weight", torch.zeros(64, 64, 1, 1), r"layer1.0.conv1.weight is \(64, 64, 1"),
        ("0.0.weight", torch.full((64, 3, 7, 7), torch.nan), "conv1.weight is not finite"),
        ("0.1.running_var", None, "it has no bn1.running_var"),
        ("0.6.2.conv1.weight", torch.zeros(1), "no ResNet of 18, 34 or 50"),
    ],
)
def test_another_network_is_refused(
    published: Path, name: str, value: Tensor | None, match: str
) -> None:
    spoiled(published, name, value)
    with pytest.raises(SengaError, match=match) as caught:
        read(published)
    assert str(published) in str(caught.value)
    assert "danbooru-pretrained" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "it is empty"),
        (b"<html>", "web page"),
        (pickle.dumps([exit]), "more than tensors"),
        (b"PK\x03\x04", "damaged"),
    ],
)
def test_what_is_no_weight_file_is_refused(tmp_path: Path, content: bytes, match: str) -> None:
    path = tmp_path / "resnet.pth"
    path.write_bytes(content)
    with pytest.raises(SengaError, match=match):
        read(path)
    with pytest.raises(SengaError, match="No such file"):
        read(tmp_path / "absent.pth")
