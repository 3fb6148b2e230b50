"""Whatever the shapes, batches and memory, every picture gets its own result."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions
from sketch_models.runner import Runner, choose_device, choose_precision

CPU = GpuOptions(device="cpu", precision="fp32")


class Blur(nn.Module):
    """A network that is small, and counts what it is given."""

    def __init__(self, fits: int = 1000) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(1, 1, 3, padding=1)
        self.fits = fits
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self.batches.append(len(x))
        return self.layer(x)


def maps(shapes: list[tuple[int, int]]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.random(shape, np.float32) for shape in shapes]


@given(
    st.lists(st.sampled_from([(8, 8), (8, 16), (5, 7)]), max_size=9),
    st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_results_do_not_depend_on_the_batch(shapes: list[tuple[int, int]], fits: int) -> None:
    pictures = maps(shapes)
    together = Runner(Blur(fits), CPU).run(pictures)
    alone = Runner(Blur(), CPU)
    for picture, result in zip(pictures, together, strict=True):
        assert result.shape == picture.shape
        np.testing.assert_allclose(result, alone.run([picture])[0], atol=1e-6)


def test_one_shape_goes_through_together() -> None:
    network = Blur()
    Runner(network, CPU).run(maps([(8, 8), (4, 8), (8, 8), (8, 8)]))
    assert sorted(network.batches) == [1, 3]


def test_batches_stay_small_once_they_did_not_fit() -> None:
    network = Blur(fits=3)
    runner = Runner(network, CPU)
    runner.run(maps([(8, 8)] * 8))
    runner.run(maps([(8, 8)] * 4))
    assert network.batches == [2] * 6


def test_a_picture_that_does_not_fit_alone_is_one_sentence() -> None:
    with pytest.raises(SengaError, match="A picture of 16 x 8 does not fit into the memory of cpu"):
        Runner(Blur(fits=0), CPU).run(maps([(8, 16)]))


def test_the_network_is_frozen() -> None:
    network = Blur()
    Runner(network, CPU)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(SengaError, match="device = cuda: PyTorch sees no such device"):
        choose_device("cuda")


def test_auto_finds_a_device_and_a_precision() -> None:
    device = choose_device("auto")
    assert choose_precision("auto", device) in (torch.float32, torch.bfloat16)
    assert choose_precision("bf16", torch.device("cpu")) is torch.bfloat16


def test_half_precision_is_for_gpus() -> None:
    with pytest.raises(SengaError, match="precision = fp16"):
        choose_precision("fp16", torch.device("cpu"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_what_the_cpu_gives() -> None:
    pictures = maps([(32, 48), (16, 16), (32, 48)])
    expected = Runner(Blur(), CPU).run(pictures)
    results = Runner(Blur(), GpuOptions(device="cuda", precision="fp32")).run(pictures)
    for result, wanted in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, wanted, atol=1e-3)  # TF32
