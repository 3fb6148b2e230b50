"""FID and LPIPS of results: by hand, and with the files that a user gives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from pipeline.colorizer.evaluation.deep_metrics import DeepMetrics, frechet_distance
from pipeline.colorizer.options import EvaluateOptions
from sketch_models.errors import ConfigError
from tests.sketch_models.perceptual.test_inception import random_state
from tests.sketch_models.perceptual.test_lpips import CONV_INDICES, SHAPES


def pictures(seed: int, count: int = 3) -> list[NDArray[np.uint8]]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8))


def large(seed: int) -> list[NDArray[np.uint8]]:
    return list(np.random.default_rng(seed).integers(0, 256, (5, 80, 80, 3), np.uint8))


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> EvaluateOptions:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    alexnet = {}
    for place, (outer, inner, side) in zip(CONV_INDICES, SHAPES, strict=True):
        alexnet[f"features.{place}.weight"] = torch.randn(outer, inner, side, side) / side
        alexnet[f"features.{place}.bias"] = torch.randn(outer)
    linear = {f"lin{i}.model.1.weight": torch.rand(1, s[0], 1, 1) for i, s in enumerate(SHAPES)}
    for name, state in (("i", random_state()), ("a", alexnet), ("l", linear)):
        torch.save(state, folder / name)
    return EvaluateOptions(
        batch_size=2,
        inception_weights=str(folder / "i"),
        alexnet_weights=str(folder / "a"),
        lpips_weights=str(folder / "l"),
    )


def test_frechet_distance_in_one_dimension_by_hand() -> None:
    """(m1 - m2)^2 + (s1 - s2)^2."""
    first, second = np.array([[0.0], [2.0]]), np.array([[3.0], [11.0], [7.0]])
    expected = (1 - 7) ** 2 + (np.sqrt(2) - np.sqrt(16)) ** 2
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_frechet_distance_matches_the_matrix_root() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(60, 8)), rng.normal(1, 2, (50, 8)) @ rng.normal(size=(8, 8))
    a, b = np.cov(first.T), np.cov(second.T)
    shift = np.square(first.mean(0) - second.mean(0)).sum()
    expected = shift + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_frechet_distance_of_equal_sets_is_0_however_few() -> None:
    features = np.random.default_rng(0).normal(size=(5, 40))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)


def test_metrics_with_weights(options: EvaluateOptions) -> None:
    truth = pictures(0)
    deep = DeepMetrics(options, truth, "cpu")
    assert deep.picture_metrics(truth) == {"lpips": [0, 0, 0]}
    assert deep.set_metrics(truth)["fid"] == pytest.approx(0, abs=1e-5)
    others = pictures(1)
    assert min(deep.picture_metrics(others)["lpips"]) > 0
    assert deep.set_metrics(others)["fid"] > 1e-5


def test_pictures_of_several_sizes_have_the_metrics_that_each_has_alone(
    options: EvaluateOptions,
) -> None:
    sizes = [(64, 64), (64, 64), (64, 64), (48, 80), (64, 64)]
    truth, others = (
        [picture[:h, :w].copy() for picture, (h, w) in zip(large(seed), sizes, strict=True)]
        for seed in (0, 1)
    )
    together = DeepMetrics(options, truth, "cpu").picture_metrics(others)["lpips"]
    alone = [
        DeepMetrics(options, [one], "cpu").picture_metrics([other])["lpips"][0]
        for one, other in zip(truth, others, strict=True)
    ]
    assert together == pytest.approx(alone, rel=1e-4)
    assert DeepMetrics(options, truth, "cpu").set_metrics(others)["fid"] > 0


def test_no_metrics_without_weights_and_no_fid_of_one_picture(options: EvaluateOptions) -> None:
    none = DeepMetrics(EvaluateOptions(), pictures(0), "cpu")
    assert none.picture_metrics(pictures(0)) == {}
    assert none.set_metrics(pictures(0)) == {}
    assert DeepMetrics(options, pictures(0, 1), "cpu").set_metrics(pictures(1, 1)) == {}


def test_lpips_needs_two_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[evaluate\] alexnet_weights = ''"):
        EvaluateOptions(lpips_weights=str(tmp_path / "alex.pth"))
    with pytest.raises(ConfigError, match=r"\[evaluate\] lpips_weights = ''"):
        EvaluateOptions(alexnet_weights=str(tmp_path / "alexnet.pth"))
