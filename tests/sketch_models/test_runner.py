"""Results do not depend on shapes, batches and memory; devices and precisions are chosen."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sketch_models.errors import SengaError
from sketch_models.network_options import ComputeOptions
from sketch_models.runner import Runner, choose_device, choose_precision

CPU = ComputeOptions(device="cpu", precision="fp32")


class Blur(nn.Module):
    """A small network that records the sizes of its batches."""

    def __init__(self, max_batch: int = 1000) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(1, 1, 3, padding=1)
        self.max_batch = max_batch
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.max_batch:
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
def test_results_do_not_depend_on_the_batch(shapes: list[tuple[int, int]], max_batch: int) -> None:
    pictures = maps(shapes)
    batched = Runner(Blur(max_batch), CPU).run(pictures)
    alone = Runner(Blur(), CPU)
    for picture, result in zip(pictures, batched, strict=True):
        assert result.shape == picture.shape
        np.testing.assert_allclose(result, alone.run([picture])[0], atol=1e-6)


def test_pictures_may_have_channels() -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(3, 1, 3, padding=1)
    rng = np.random.default_rng(0)
    pictures = [rng.random((3, *shape), np.float32) for shape in [(8, 8), (5, 7), (8, 8)]]
    for picture, result in zip(pictures, Runner(network, CPU).run(pictures), strict=True):
        expected = network(torch.from_numpy(picture)[None])[0, 0].numpy()
        np.testing.assert_allclose(result, expected, atol=1e-6)


def test_pictures_of_one_shape_are_batched() -> None:
    network = Blur()
    Runner(network, CPU).run(maps([(8, 8), (4, 8), (8, 8), (8, 8)]))
    assert sorted(network.batches) == [1, 3]


def test_batch_size_stays_halved_after_out_of_memory() -> None:
    network = Blur(max_batch=3)
    runner = Runner(network, CPU)
    runner.run(maps([(8, 8)] * 8))
    runner.run(maps([(8, 8)] * 4))
    assert network.batches == [2] * 6


def test_picture_that_does_not_fit_into_memory_is_refused() -> None:
    with pytest.raises(
        SengaError, match="A picture of 16 x 8: it does not fit into the memory of cpu. Make "
    ):
        Runner(Blur(max_batch=0), CPU).run(maps([(8, 16)]))


def test_network_is_frozen() -> None:
    network = Blur()
    Runner(network, CPU)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_missing_device_is_refused() -> None:
    with pytest.raises(
        SengaError,
        match="device = cuda: PyTorch sees no such device on this machine. Use auto or cpu.",
    ):
        choose_device("cuda")


def test_devices_are_counted_from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for name in ("cuda", "cuda:0", "cuda:1"):
        assert choose_device(name) == torch.device(name)
    with pytest.raises(SengaError, match="device = cuda:2: PyTorch sees no such device"):
        choose_device("cuda:2")


@pytest.mark.parametrize(
    ("free", "pictures"),
    [(0, 1), (1 << 30, 1), (3 << 30, 2), ((3 << 30) - 1, 1), (23 << 30, 15), (80 << 30, 16)],
)
def test_batch_size_is_what_fits_into_free_memory(
    monkeypatch: pytest.MonkeyPatch, free: int, pictures: int
) -> None:
    """1.5 GiB a picture; one at least, which may fit all the same, and 16 at most."""
    runner = Runner(Blur(), CPU)
    assert runner.batch_size == 1
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 80 << 30))
    runner.device = torch.device("cuda")
    assert runner.batch_size == pictures


def test_auto_chooses_a_device_and_a_precision() -> None:
    device = choose_device("auto")
    assert choose_precision("auto", device) in (torch.float32, torch.bfloat16)
    assert choose_precision("bf16", torch.device("cpu")) is torch.bfloat16


def test_fp16_on_a_cpu_is_refused() -> None:
    with pytest.raises(SengaError, match="precision = fp16"):
        choose_precision("fp16", torch.device("cpu"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_and_cpu_results_agree() -> None:
    pictures = maps([(32, 48), (16, 16), (32, 48)])
    expected = Runner(Blur(), CPU).run(pictures)
    results = Runner(Blur(), ComputeOptions(device="cuda", precision="fp32")).run(pictures)
    for result, reference in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, reference, atol=1e-3)  # TF32
