"""The simplification network keeps shapes and alignment of any sketch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from benchmarks.harness import random_weights
from sketch_models.network_options import ComputeOptions
from sketch_models.runner import Runner
from sketch_models.simo_serra import SimoSerra, build_network
from sketch_models.weights.simo_serra_file import LAYERS


def state(seed: int) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(array) for name, array in random_weights.simo_serra(seed).items()
    }


STATE = state(0)


def test_network_has_the_published_number_of_parameters() -> None:
    assert sum(parameter.numel() for parameter in build_network(STATE).parameters()) == 44_387_249


def test_network_follows_the_table_of_layers() -> None:
    x = torch.randn(1, 1, 24, 40, generator=torch.Generator().manual_seed(1))
    expected = x
    for index, layer in enumerate(LAYERS):
        weight, bias = STATE[f"{index}.weight"], STATE[f"{index}.bias"]
        if layer.upsamples:
            expected = functional.conv_transpose2d(expected, weight, bias, 2, 1)
        else:
            padding = 2 if layer.kernel == 5 else 1
            expected = functional.conv2d(expected, weight, bias, layer.stride, padding)
        expected = expected.sigmoid() if index == len(LAYERS) - 1 else expected.relu()
    with torch.inference_mode():
        result = build_network(STATE)(x)
    assert result.shape == x.shape
    assert (result - expected).abs().max() < 1e-6


def half_contrast(maps: list[np.ndarray]) -> list[np.ndarray]:
    """A fake of the network that leaves sketches as they are, apart from the normalization."""
    assert all(side % 8 == 0 for map_ in maps for side in map_.shape)
    return [map_ * np.float32(0.5) + np.float32(0.25) for map_ in maps]


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_lines_keep_their_position(height: int, width: int, seed: int) -> None:
    sketch = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    (line,) = SimoSerra(half_contrast, mean=0.25, std=0.5).simplify([sketch])
    np.testing.assert_array_equal(line, sketch, strict=True)


def test_last_row_and_column_are_repeated() -> None:
    inputs: list[np.ndarray] = []

    def record(maps: list[np.ndarray]) -> list[np.ndarray]:
        inputs.extend(maps)
        return maps

    sketch = np.zeros((9, 10), np.uint8)
    sketch[:, -1] = 255
    SimoSerra(record, mean=0.0, std=1.0).simplify([sketch])
    assert inputs[0].shape == (16, 16)
    assert (inputs[0][:, 9:] == 1).all()
    assert (inputs[0][:, :9] == 0).all()


def test_tiny_and_flat_sketches_are_simplified() -> None:
    runner = Runner(build_network(STATE), ComputeOptions(device="cpu", precision="fp32"))
    model = SimoSerra(runner.run, mean=0.96, std=0.09)
    lines = model.simplify([np.full((1, 1), 255, np.uint8), np.zeros((30, 200), np.uint8)])
    assert [line.shape for line in lines] == [(1, 1), (30, 200)]


@pytest.mark.parametrize("seed", [0, 1])
def test_bf16_is_within_its_stated_tolerance(seed: int) -> None:
    sketch = np.full((120, 90), 255, np.uint8)
    sketch[20:24, 10:80] = 30
    sketch[20:100, 40:43] = 90
    lines = []
    for precision in ("fp32", "bf16"):
        runner = Runner(
            build_network(state(seed)), ComputeOptions(device="cpu", precision=precision)
        )
        model = SimoSerra(runner.run, mean=0.96, std=0.09)
        lines.append(model.simplify([sketch])[0].astype(int))
    assert np.abs(lines[0] - lines[1]).max() <= 12
    assert np.abs(lines[0] - lines[1]).mean() <= 2
