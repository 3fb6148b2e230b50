"""FID and LPIPS of painted pictures: by hand, and from the files that a user gives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from pipeline.colorizer.evaluation.deep_measures import DeepMeasures, frechet_distance
from pipeline.colorizer.options import EvaluateOptions
from sketch_models.network_options import GpuOptions
from sketch_models.option import OptionError
from tests.sketch_models.perceptual.test_inception import random_state
from tests.sketch_models.perceptual.test_lpips import CONV_INDICES, SHAPES

CPU = GpuOptions(device="cpu")


def pictures(seed: int, count: int = 3) -> list[NDArray[np.uint8]]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8))


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


def test_one_dimension_by_hand() -> None:
    """(m1 - m2)^2 + (s1 - s2)^2."""
    first, second = np.array([[0.0], [2.0]]), np.array([[3.0], [11.0], [7.0]])
    expected = (1 - 7) ** 2 + (np.sqrt(2) - np.sqrt(16)) ** 2
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_many_dimensions_against_the_matrix_root() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(60, 8)), rng.normal(1, 2, (50, 8)) @ rng.normal(size=(8, 8))
    a, b = np.cov(first.T), np.cov(second.T)
    shift = np.square(first.mean(0) - second.mean(0)).sum()
    expected = shift + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_equal_sets_are_0_apart_however_few() -> None:
    features = np.random.default_rng(0).normal(size=(5, 40))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)


def test_measured_with_the_weights_that_are_given(options: EvaluateOptions) -> None:
    truth = pictures(0)
    deep = DeepMeasures(options, truth, CPU)
    assert deep.distances(truth) == {"lpips": [0, 0, 0]}
    assert deep.of_all(truth)["fid"] == pytest.approx(0, abs=1e-5)
    others = pictures(1)
    assert min(deep.distances(others)["lpips"]) > 0
    assert deep.of_all(others)["fid"] > 1e-5


def test_nothing_without_weights_and_no_fid_of_one_picture(options: EvaluateOptions) -> None:
    none = DeepMeasures(EvaluateOptions(), pictures(0), CPU)
    assert none.distances(pictures(0)) == {}
    assert none.of_all(pictures(0)) == {}
    assert DeepMeasures(options, pictures(0, 1), CPU).of_all(pictures(1, 1)) == {}


def test_lpips_takes_two_files(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\[evaluate\] alexnet_weights = nothing"):
        EvaluateOptions(lpips_weights=str(tmp_path / "alex.pth"))
    with pytest.raises(OptionError, match=r"\[evaluate\] lpips_weights = nothing"):
        EvaluateOptions(alexnet_weights=str(tmp_path / "alexnet.pth"))
