"""Inception of the FID: number of parameters, pooling at borders, weight file."""

from pathlib import Path

import pytest
import torch

from sketch_models.errors import SengaError
from sketch_models.perceptual import inception
from sketch_models.perceptual.inception import Inception


def random_state() -> dict[str, torch.Tensor]:
    """Random weights as published, with the head that the FID does not use."""
    torch.manual_seed(0)
    state = dict(Inception().state_dict())
    for name, values in state.items():
        if name.endswith("conv.weight"):
            torch.nn.init.kaiming_normal_(values)
    return {**state, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return random_state()


def test_network_has_the_published_number_of_parameters() -> None:
    """torchvision's 23,834,568 without the 2,049,000 of its last layer."""
    with torch.device("meta"):
        network = Inception()
    assert sum(values.numel() for values in network.parameters()) == 21_785_568
    assert not any(values.requires_grad for values in network.parameters())


def test_loaded_network_gives_the_features(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save(state, tmp_path / "w.pth")
    network = inception.load(tmp_path / "w.pth")
    images = torch.rand(2, 3, 64, 64)
    features = network(images)
    assert features.shape == (2, inception.FEATURES)
    assert features.min() >= 0
    expected = Inception()
    expected.load_state_dict({k: v for k, v in state.items() if not k.startswith("fc")})
    torch.testing.assert_close(features, expected(images))
    assert not torch.allclose(features[0], features[1])


def test_average_pooling_ignores_padding() -> None:
    ones = torch.ones(1, 1, 3, 3)
    torch.testing.assert_close(inception._avg_pool(ones), ones)


def test_feature_map_sizes_match_the_paper() -> None:
    """The sizes that the paper's table gives: 299 -> 35 -> 17 -> 8."""
    with torch.device("meta"):
        network = Inception()
        x = network.Conv2d_1a_3x3(torch.zeros(1, 3, 299, 299))
        assert x.shape == (1, 32, 149, 149)
        assert network.Conv2d_2b_3x3(network.Conv2d_2a_3x3(x)).shape == (1, 64, 147, 147)
        assert network.Mixed_5d(torch.zeros(1, 288, 35, 35)).shape == (1, 288, 35, 35)
        assert network.Mixed_6a(torch.zeros(1, 288, 35, 35)).shape == (1, 768, 17, 17)
        assert network.Mixed_7a(torch.zeros(1, 768, 17, 17)).shape == (1, 1280, 8, 8)


def test_incomplete_or_wrong_file_is_refused(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "w.pth"
    torch.save({k: v for k, v in state.items() if k != "Mixed_7c.branch_pool.bn.weight"}, path)
    with pytest.raises(
        SengaError, match=r"no floating-point tensor Mixed_7c.*Download a good file from"
    ):
        inception.load(path)
    torch.save({**state, "Mixed_5b.branch_pool.bn.running_var": torch.full((32,), -1.0)}, path)
    with pytest.raises(SengaError, match="negative variance in Mixed_5b"):
        inception.load(path)
    with pytest.raises(SengaError, match="there is no such file"):
        inception.load(tmp_path / "none.pth")
