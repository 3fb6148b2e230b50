"""ResNet bodies: layout of torchvision, published files, frozen parameters."""

import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from sketch_models.errors import SengaError
from sketch_models.perceptual import danbooru_resnet
from sketch_models.perceptual.danbooru_resnet import DanbooruResNet

State = dict[str, torch.Tensor]
NUMBERS = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}


def random_body(depth: int) -> DanbooruResNet:
    torch.manual_seed(depth)
    body = DanbooruResNet(depth)
    for name, values in body.state_dict().items():
        if name.endswith(("bn1.bias", "running_mean")):
            values.normal_(0, 0.1)
        elif name.endswith("running_var"):
            values.uniform_(0.5, 1.5)
    return body


def published_state(body: DanbooruResNet) -> State:
    """The state dict of `Sequential(body, head)`, as it is published."""
    state = OrderedDict()
    for name, values in body.state_dict().items():
        child, _, rest = name.partition(".")
        state[f"0.{NUMBERS[child]}.{rest}"] = values
    state["1.2.weight"] = torch.ones(1024)
    state["1.4.weight"] = torch.zeros(512, 1024)
    return state


@pytest.fixture(scope="module")
def body() -> DanbooruResNet:
    return random_body(18)


@pytest.mark.parametrize(
    ("depth", "parameters"), [(18, 11_176_512), (34, 21_284_672), (50, 23_508_032)]
)
def test_body_has_the_published_number_of_parameters(depth: int, parameters: int) -> None:
    with torch.device("meta"):
        body = DanbooruResNet(depth)
    assert sum(values.numel() for values in body.parameters()) == parameters


@pytest.mark.parametrize("depth", [18, 34, 50])
def test_published_file_is_loaded(tmp_path: Path, depth: int) -> None:
    written = random_body(depth)
    path = tmp_path / "resnet.pth"
    torch.save(published_state(written), path, _use_new_zipfile_serialization=False)  # as published
    images = torch.rand(2, 3, 32, 64)
    maps = danbooru_resnet.load(path)(images)
    expansion = 4 if depth == 50 else 1
    assert [tuple(each.shape) for each in maps] == [
        (2, 64, 16, 32),
        (2, 64 * expansion, 8, 16),
        (2, 128 * expansion, 4, 8),
        (2, 256 * expansion, 2, 4),
        (2, 512 * expansion, 1, 2),
    ]
    for feature_map, expected in zip(maps, written(images), strict=True):
        torch.testing.assert_close(feature_map, expected, rtol=0, atol=0)


def test_safetensors_file_is_read(tmp_path: Path, body: DanbooruResNet) -> None:
    torch.save(published_state(body), tmp_path / "w.pth")
    tensors = danbooru_resnet.read(tmp_path / "w.pth")
    assert {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight"} <= tensors.keys()
    assert not [name for name in tensors if "num_batches" in name]
    save_file(tensors, tmp_path / "w.safetensors")
    again = danbooru_resnet.read(tmp_path / "w.safetensors")
    assert again.keys() == tensors.keys()
    assert all((again[name] == tensors[name]).all() for name in tensors)


def norm(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    """BatchNorm by its formula."""
    mean, var, weight, bias = (
        state[f"{name}.{part}"].view(1, -1, 1, 1)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias


def test_basic_block_follows_the_formula(body: DanbooruResNet) -> None:
    """The stem and the first block of layer2, the one that has a shortcut of its own."""
    state = body.state_dict()
    images = torch.rand(1, 3, 32, 32)
    stem, first, *_ = body(images)
    mean = torch.tensor([0.5422, 0.5035, 0.4964]).view(1, 3, 1, 1)
    std = torch.tensor([0.4032, 0.3934, 0.3892]).view(1, 3, 1, 1)
    expected = F.conv2d((images - mean) / std, state["conv1.weight"], None, 2, 3)
    torch.testing.assert_close(stem, norm(state, "bn1", expected).relu(), rtol=1e-4, atol=1e-5)
    block = "layer2.0"
    y = F.conv2d(first, state[f"{block}.conv1.weight"], None, 2, 1)
    y = F.conv2d(norm(state, f"{block}.bn1", y).relu(), state[f"{block}.conv2.weight"], None, 1, 1)
    short = F.conv2d(first, state[f"{block}.downsample.0.weight"], None, 2)
    expected = (norm(state, f"{block}.bn2", y) + norm(state, f"{block}.downsample.1", short)).relu()
    result = body.get_submodule(block)(first)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_bottleneck_follows_the_formula() -> None:
    body = random_body(50)
    state = body.state_dict()
    x, block = torch.rand(1, 256, 8, 8), "layer2.0"
    y = norm(state, f"{block}.bn1", F.conv2d(x, state[f"{block}.conv1.weight"])).relu()
    y = norm(state, f"{block}.bn2", F.conv2d(y, state[f"{block}.conv2.weight"], None, 2, 1)).relu()
    y = norm(state, f"{block}.bn3", F.conv2d(y, state[f"{block}.conv3.weight"]))
    short = F.conv2d(x, state[f"{block}.downsample.0.weight"], None, 2)
    expected = (y + norm(state, f"{block}.downsample.1", short)).relu()
    torch.testing.assert_close(body.get_submodule(block)(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("depth", [18, 34, 50])
def test_mean_colour_is_normalized_to_zero(depth: int) -> None:
    mean = [0.7137, 0.6628, 0.6519] if depth == 50 else [0.5422, 0.5035, 0.4964]
    images = torch.tensor(mean).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    body = random_body(depth)
    flat = body.bn1(torch.zeros(1, 64, 16, 16)).relu()
    torch.testing.assert_close(body(images)[0], flat, rtol=0, atol=1e-6)


def test_body_is_frozen_but_gradients_reach_the_images(body: DanbooruResNet) -> None:
    outer = nn.Sequential(body).train()
    assert not [module for module in body.modules() if module.training]
    before = {name: values.clone() for name, values in body.state_dict().items()}
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    sum(each.mean() for each in outer[0](images)).backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert not [values for values in body.parameters() if values.requires_grad]
    assert all((values == before[name]).all() for name, values in body.state_dict().items())


def assert_refused(path: Path, reason: str) -> None:
    """Check for one line: the file, what is wrong, where to get a good one."""
    hint = r"Download a good file from https://\S+\.pth\.$"
    pattern = rf"^{re.escape(str(path))}: [^\n]*{reason}[^\n]* {hint}"
    with pytest.raises(SengaError, match=pattern):
        danbooru_resnet.load(path)


def changed(state: State, name: str, value: torch.Tensor) -> State:
    assert name in state
    return state | {name: value}


def test_weights_of_another_network_are_refused(tmp_path: Path, body: DanbooruResNet) -> None:
    good = dict(published_state(body))
    incomplete = {name: values for name, values in good.items() if name != "0.7.1.bn2.bias"}
    for number, (state, reason) in enumerate(
        [
            (incomplete, r"no floating-point tensor layer4\.1\.bn2\.bias"),
            ({}, r"no floating-point tensor conv1\.weight"),
            (
                good | {"0.6.9.conv1.weight": torch.zeros(1)},
                r"unexpected tensor 'layer3\.9\.conv1\.weight'",
            ),
            (good | {"0.3.weight": torch.zeros(1)}, r"unexpected tensor '3\.weight'"),
            (changed(good, "0.1.bias", torch.zeros(9)), r"bn1\.bias has the shape 9, expected 64"),
            (changed(good, "0.1.bias", torch.full((64,), np.nan)), r"NaN or infinity in bn1\.bias"),
            (changed(good, "0.1.running_var", -torch.ones(64)), "negative variance in bn1"),
        ]
    ):
        torch.save(state, tmp_path / f"{number}.pth")
        assert_refused(tmp_path / f"{number}.pth", reason)


def test_other_formats_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.pth", "there is no such file")
    torch.save(nn.Linear(1, 1), tmp_path / "module.pth")
    assert_refused(tmp_path / "module.pth", "pickled objects that are not tensors")
    (tmp_path / "page.pth").write_bytes(b"<html>")
    assert_refused(tmp_path / "page.pth", "an HTML page")
    torch.save({"w": torch.zeros(9)}, tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:-40])
    assert_refused(tmp_path / "cut.pth", "cut short")


def test_stem_can_be_taken_behind_the_pooling(tmp_path: Path, body: DanbooruResNet) -> None:
    torch.save(published_state(body), tmp_path / "r18.pth")
    images = torch.rand(1, 3, 64, 64)
    stem, *layers = danbooru_resnet.load(tmp_path / "r18.pth")(images)
    pooled, *others = danbooru_resnet.load(tmp_path / "r18.pth", pooled_stem=True)(images)
    torch.testing.assert_close(pooled, F.max_pool2d(stem, 3, 2, 1))
    for one, other in zip(layers, others, strict=True):
        assert torch.equal(one, other)
