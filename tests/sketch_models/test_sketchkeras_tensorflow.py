"""PyTorch and TensorFlow give the same lines from a file that Keras wrote."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from sketch_models.errors import SengaError
from sketch_models.network_options import ComputeOptions
from sketch_models.runner import Runner
from sketch_models.sketchkeras import SketchKeras, build_network, high_pass
from sketch_models.sketchkeras_tensorflow import TensorflowNetwork, build_model
from sketch_models.weights import keras_file

Run = Callable[[Sequence[np.ndarray]], list[np.ndarray]]

keras = pytest.importorskip(
    "keras", reason="TensorFlow is not installed: pip install -e .[tensorflow]"
)

# Keras's own, when it hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def mod(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of full size with random weights, saved by Keras in its old format."""
    keras.utils.set_random_seed(0)
    model = build_model(keras)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.startswith("conv2d"):
            kernel, bias = layer.get_weights()
            kernel = rng.normal(0, (2 / kernel[..., 0].size) ** 0.5, kernel.shape)
            layer.set_weights([kernel, rng.normal(0, 0.05, bias.shape)])
        elif layer.name.startswith("batch"):
            channels = layer.get_weights()[0].shape
            gamma, beta, mean, variance = rng.normal(0, 0.1, (4, *channels))
            layer.set_weights([1 + gamma, beta, mean, np.exp(variance)])
    path = tmp_path_factory.mktemp("keras") / "mod.h5"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def torch_run(mod: Path) -> Run:
    state = {name: torch.from_numpy(array) for name, array in keras_file.read(mod).items()}
    return Runner(build_network(state, "zero"), ComputeOptions(device="cpu", precision="fp32")).run


@pytest.fixture(scope="module")
def tensorflow_run(mod: Path) -> Run:
    return TensorflowNetwork(mod).run


def test_file_holds_every_parameter(mod: Path) -> None:
    layers = keras_file.read_layers(mod)
    arrays = [array for layer in layers for array in (layer.kernel, layer.bias)]
    for layer in layers[:-1]:
        norm = layer.batch_norm
        assert norm is not None
        arrays += [norm.gamma, norm.beta, norm.mean, norm.variance]
    assert sum(array.size for array in arrays) == 18_644_385


@pytest.mark.parametrize("shape", [(512, 512), (512, 352), (768, 768), (496, 768)], ids=str)
def test_networks_agree(torch_run: Run, tensorflow_run: Run, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    channel = high_pass(picture)[0]
    (result,), (expected,) = torch_run([channel]), tensorflow_run([channel])
    assert expected.std() > 0.01
    assert np.abs(result - expected).max() <= 1e-4


@pytest.mark.parametrize("shape", [(96, 96), (32, 144)], ids=str)
def test_networks_agree_with_reflect_padding(mod: Path, shape: tuple[int, int]) -> None:
    state = {name: torch.from_numpy(array) for name, array in keras_file.read(mod).items()}
    options = ComputeOptions(device="cpu", precision="fp32")
    channel = np.random.default_rng(3).normal(0, 0.3, shape).astype(np.float32)
    (result,) = Runner(build_network(state, "reflect"), options).run([channel])
    (expected,) = TensorflowNetwork(mod, "reflect").run([channel])
    assert np.abs(result - expected).max() <= 1e-4


def test_tensorflow_network_agrees_with_the_saved_model(mod: Path, tensorflow_run: Run) -> None:
    """Every layer has its own weights of the file."""
    saved = keras.models.load_model(mod, compile=False)
    channel = np.random.default_rng(4).normal(0, 0.3, (64, 48)).astype(np.float32)
    expected = saved(channel[None, ..., None], training=False).numpy()[0, ..., 0]
    np.testing.assert_allclose(tensorflow_run([channel])[0], expected, atol=1e-6)


@pytest.mark.parametrize("square", [True, False])
def test_runtimes_give_the_same_lines(torch_run: Run, tensorflow_run: Run, square: bool) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (170, 256, 3), np.uint8)
    result, expected = (
        SketchKeras(run, square=square).lines([picture])[0] for run in (torch_run, tensorflow_run)
    )
    assert result.shape == (170, 256)
    assert np.abs(result - expected).max() <= 1e-4


def test_missing_tensorflow_is_refused(mod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(SengaError, match=r"pip install -e \.\[tensorflow\]`, or use torch"):
        TensorflowNetwork(mod)
