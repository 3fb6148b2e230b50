"""The training loop: its files, resuming, the best weights, weights to start from."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipeline.child_process import StoppedError
from pipeline.line_training import train
from pipeline.line_training.dataset import LineBatch
from pipeline.line_training.trainer import LineTrainer
from sketch_models import line_weights
from sketch_models.errors import ConfigError, SengaError
from sketch_models.unet import build_network
from tests.pipeline.line_training.conftest import CONTEXT, SIZE, WriteFolder, make_job

pytestmark = pytest.mark.usefixtures("artbook")

Losses = dict[str, torch.Tensor]


def read_lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the training end before a step, as if it had been killed."""
    real = LineTrainer.step

    def stopping(self: LineTrainer, batch: LineBatch) -> Losses:
        if self.global_step == step:
            raise KeyboardInterrupt
        return real(self, batch)

    monkeypatch.setattr(LineTrainer, "step", stopping)


@pytest.mark.parametrize("network", ["tracer", "inker"])
def test_training_writes_weights_logs_metrics_and_samples(network: str, tmp_path: Path) -> None:
    job = make_job(network)
    train.train(job, tmp_path, CONTEXT)
    assert [line["images"] for line in read_lines(tmp_path / "train_log.jsonl")] == [8, 16, 24, 32]
    rows = read_lines(tmp_path / "metrics.jsonl")
    assert [row["images"] for row in rows] == [8, 16, 24, 32]
    assert {"f1/artbook", "f1/subject/strokes"} <= rows[0].keys()
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "000000016.png",
        "000000032.png",
    ]
    _, metadata = line_weights.read(tmp_path / f"{network}.safetensors", network)
    assert metadata["images"] == "32"
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["images"] == 32
    assert metrics["chosen_by"] == "the last step"
    assert metrics["f1/artbook"] == pytest.approx(rows[-1]["f1/artbook"], abs=0.02)


def test_killed_training_ends_with_the_same_weights(
    tmp_path: Path, write_folder: WriteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(validation=str(write_folder(1)))
    train.train(job, tmp_path / "whole", CONTEXT)
    with monkeypatch.context() as patch:
        stop_at(5, patch)
        with pytest.raises(KeyboardInterrupt):
            train.train(job, tmp_path / "killed", CONTEXT)
    assert not (tmp_path / "killed" / "tracer.safetensors").exists()
    steps: list[int] = []
    real = LineTrainer.step

    def counting(self: LineTrainer, batch: LineBatch) -> Losses:
        steps.append(self.global_step)
        return real(self, batch)

    monkeypatch.setattr(LineTrainer, "step", counting)
    train.train(job, tmp_path / "killed", CONTEXT)
    assert steps == [4, 5, 6, 7]
    for name in ("tracer.safetensors", "metrics.json", "metrics.jsonl"):
        whole, killed = (tmp_path / folder / name for folder in ("whole", "killed"))
        assert whole.read_bytes() == killed.read_bytes(), name
    last = "checkpoints/step-00000008.pt"
    states = [torch.load(tmp_path / folder / last) for folder in ("whole", "killed")]
    for name, value in states[0]["network"].items():
        assert torch.equal(value, states[1]["network"][name]), name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_training_that_a_signal_stops_saves_a_checkpoint(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    job = make_job(checkpoint_every=1000)
    train.train(job, tmp_path / "whole", CONTEXT)
    real = LineTrainer.step

    def signalled(self: LineTrainer, batch: LineBatch) -> Losses:
        if self.global_step == 2:
            os.kill(os.getpid(), number)
        return real(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(LineTrainer, "step", signalled)
        with pytest.raises(StoppedError, match=r"^Stopped after 12 of 32 images; a checkpoint is"):
            train.train(job, tmp_path / "stopped", CONTEXT)
    capsys.readouterr()
    train.train(job, tmp_path / "stopped", CONTEXT)
    first, *_ = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {"step": 3, "images": 12, "of": 32, "resumes": True}
    for name in ("tracer.safetensors", "metrics.json", "metrics.jsonl"):
        whole, stopped = (tmp_path / folder / name for folder in ("whole", "stopped"))
        assert whole.read_bytes() == stopped.read_bytes(), name


def test_best_weights_by_pictures_from_elsewhere_are_the_result(
    tmp_path: Path, write_folder: WriteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The F1 on the pictures falls after 16 images, whatever the artbook's does."""
    on_pictures = iter((0.3, 0.6, 0.5, 0.4, 0.0))
    kept: list[Losses] = []

    def judged(network: torch.nn.Module, *_: object) -> dict[str, float]:
        kept.append({name: value.clone() for name, value in network.state_dict().items()})
        return {"f1/artbook": len(kept) / 10, "f1/pictures": next(on_pictures)}

    monkeypatch.setattr(train, "evaluate", judged)
    train.train(make_job(validation=str(write_folder(1))), tmp_path, CONTEXT)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["images"], metrics["chosen_by"]) == (16, "f1/pictures")
    state, metadata = line_weights.read(tmp_path / "tracer.safetensors", "tracer")
    assert metadata["images"] == "16"
    assert torch.equal(state["last.weight"], kept[1]["last.weight"].half().float())
    assert not torch.equal(state["last.weight"], kept[3]["last.weight"].half().float())


def test_file_of_weights_names_no_folders(tmp_path: Path, write_folder: WriteFolder) -> None:
    folder = write_folder(1)
    train.train(make_job(validation=str(folder)), tmp_path, CONTEXT)
    _, metadata = line_weights.read(tmp_path / "tracer.safetensors", "tracer")
    assert json.loads(metadata["job"])["options"]["validation"] == "pictures"
    assert str(tmp_path).encode() not in (tmp_path / "tracer.safetensors").read_bytes()


def test_training_goes_on_from_weights(tmp_path: Path) -> None:
    train.train(make_job(lr=1e-2), tmp_path / "first", CONTEXT)
    path = tmp_path / "first" / "tracer.safetensors"
    state, _ = line_weights.read(path, "tracer")
    network = train.make_network(make_job(tracer_initial_weights=str(path)))
    assert any("running_mean" in name for name in network.state_dict())
    picture = torch.rand(2, 4, SIZE, SIZE)
    with torch.no_grad():
        expected = build_network(state)(picture)
        torch.testing.assert_close(network.eval()(picture), expected, atol=1e-3, rtol=1e-3)


def test_initial_weights_of_other_widths_are_refused(tmp_path: Path) -> None:
    train.train(make_job(), tmp_path, CONTEXT)
    path = str(tmp_path / "tracer.safetensors")
    job = make_job(tracer_initial_weights=path, tracer_widths=(8, 8))
    with pytest.raises(ConfigError, match=r"\[lines\] tracer_widths = 8 8: expected 4 8, as in th"):
        train.make_network(job)


def test_initial_weights_get_more_context_and_lose_none(tmp_path: Path) -> None:
    train.train(make_job(tracer_context=1), tmp_path, CONTEXT)
    path = str(tmp_path / "tracer.safetensors")
    wider = train.make_network(make_job(tracer_initial_weights=path, tracer_context=3))
    assert len(wider.context) == 3
    with pytest.raises(ConfigError, match=r"tracer_context = 0: expected at least 1, as in the we"):
        train.make_network(make_job(tracer_initial_weights=path, tracer_context=0))


def test_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    train.train(make_job(), tmp_path, CONTEXT)
    with pytest.raises(SengaError, match="is a checkpoint of other settings"):
        train.train(make_job(lr=1e-4), tmp_path, CONTEXT)


def no_memory() -> Losses:
    raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (lambda: {"dice": torch.tensor(float("nan"))}, r"dice is not a finite .*\[lines\] lr, or"),
        (no_memory, r"\[lines\] batch_size = 4: so many"),
    ],
)
def test_step_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Callable[[], Losses], sentence: str
) -> None:
    def broken(self: LineTrainer, _: LineBatch) -> Losses:
        self.global_step += 1
        return result()

    monkeypatch.setattr(LineTrainer, "step", broken)
    with pytest.raises(SengaError, match=sentence):
        train.train(make_job(), tmp_path, CONTEXT)
