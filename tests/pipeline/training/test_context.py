"""Device and precision of a training: what is chosen, and what is refused."""

import pytest
import torch

from pipeline.training import context
from sketch_models.errors import SengaError
from sketch_models.network_options import ComputeOptions


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_gpu_can_be_chosen_with_and_without_its_number(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(context, "choose_device", lambda _: torch.device(name))
    monkeypatch.setattr(context, "choose_precision", lambda *_: torch.bfloat16)
    monkeypatch.setattr(torch._C, "_cuda_setDevice", chosen.append, raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    with context.open_context(ComputeOptions()) as opened:
        assert opened.device == torch.device(name)
    assert chosen == ([0] if ":" in name else [])


def test_fp16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "choose_precision", lambda *_: torch.float16)
    with (
        pytest.raises(SengaError, match=r"\[compute\] precision = fp16: .*Use auto, bf16 or fp32"),
        context.open_context(ComputeOptions()),
    ):
        pass


def test_compiling_on_a_cpu_is_refused() -> None:
    compiled = ComputeOptions(device="cpu", compile=True)
    with (
        pytest.raises(SengaError, match=r"\[compute\] compile = true: .*Use a GPU"),
        context.open_context(compiled),
    ):
        pass
