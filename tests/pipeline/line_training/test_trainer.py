"""One training step: losses fall, resuming is exact, with and without batch normalization."""

import math
from pathlib import Path

import pytest
import torch

from pipeline.line_training.dataset import LineBatch, batches
from pipeline.line_training.trainer import LineTrainer
from pipeline.training.context import TrainContext
from sketch_models.unet import Unet
from tests.pipeline.line_training.conftest import CONTEXT, make_job

pytestmark = pytest.mark.usefixtures("artbook")


def trainer(
    context: TrainContext = CONTEXT, *, normalize: bool = True, **options: object
) -> LineTrainer:
    torch.manual_seed(0)
    values = make_job(**{"warmup": 0.0, **options}).options
    return LineTrainer(Unet(4, (4, 8), normalize=normalize), values, context, steps=40)


def some_batches(count: int) -> list[LineBatch]:
    options = make_job().options
    return list(batches("tracer", options, 3, CONTEXT.device, first_step=0, steps=count))


@pytest.mark.parametrize("normalize", [True, False])
def test_losses_fall(normalize: bool) -> None:
    training = trainer(normalize=normalize, lr=1e-2)
    losses = [training.step(batch) for batch in some_batches(40)]
    for name in ("cross_entropy", "dice"):
        values = [float(each[name]) for each in losses]
        assert sum(values[-5:]) < 0.7 * sum(values[:5]), name


def test_step_returns_losses_and_the_norm_of_the_gradient() -> None:
    values = trainer().step(some_batches(1)[0])
    assert set(values) == {"cross_entropy", "dice", "gradient"}
    assert all(value.ndim == 0 and math.isfinite(value) for value in values.values())
    assert not any(value.requires_grad for value in values.values())


def test_only_weights_of_convolutions_decay() -> None:
    training = trainer(weight_decay=0.5)
    decay = {
        id(weight): group["weight_decay"]
        for group in training._optimizer.param_groups
        for weight in group["params"]
    }
    assert len(decay) == len(list(training.network.parameters()))
    for name, weight in training.network.named_parameters():
        assert decay[id(weight)] == (0.5 if weight.ndim == 4 else 0), name


def test_average_is_another_network_in_evaluation_mode() -> None:
    training = trainer()
    for batch in some_batches(2):
        training.step(batch)
    assert training.network.training
    assert not training.ema.training
    pairs = zip(training.ema.parameters(), training.network.parameters(), strict=True)
    assert not any(torch.equal(*pair) for pair in pairs)


def test_resumed_training_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, first, second = trainer(), trainer(), trainer()
    steps = some_batches(6)
    for batch in steps:
        whole.step(batch)
    for batch in steps[:3]:
        first.step(batch)
    torch.save(first.state(), tmp_path / "state.pt")
    second.load_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert second.global_step == 3
    for batch in steps[3:]:
        second.step(batch)
    for network in ("network", "ema"):
        resumed, expected = second.state()[network], whole.state()[network]
        assert resumed.keys() == expected.keys()
        assert all(torch.equal(resumed[name], expected[name]) for name in expected)


def test_bfloat16_losses_are_close_to_float32() -> None:
    batch = some_batches(1)[0]
    exact = trainer().step(batch)
    context = TrainContext(device=torch.device("cpu"), dtype=torch.bfloat16)
    reduced = trainer(context).step(batch)
    for name in ("cross_entropy", "dice"):
        assert reduced[name].item() == pytest.approx(exact[name].item(), rel=0.05), name
