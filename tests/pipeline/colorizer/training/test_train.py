"""The training loop: its batches, its files, out of memory, losses that are not finite."""

import json
import os
import signal
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pipeline.child_process import StoppedError
from pipeline.colorizer.colorizer_file import read_colorizer
from pipeline.colorizer.options import LossOptions, TrainOptions
from pipeline.colorizer.train_job import TrainJob
from pipeline.colorizer.training import train
from pipeline.colorizer.training.dataset import ColorizationDataset
from pipeline.colorizer.training.trainer import Trainer
from pipeline.colorizer.training.training_sample import TrainingSample
from pipeline.training import checkpoint
from pipeline.training.context import TrainContext
from pipeline.training.train_log import TrainSchedule
from sketch_models.errors import ConfigError, SengaError
from tests.pipeline.colorizer.networks.test_networks import small

CONTEXT = TrainContext(device=torch.device("cpu"))


@pytest.fixture
def packed(write_packed: Callable[..., Path]) -> Path:
    return write_packed(range(1, 9), size=64, box=(0, 0, 64, 64))


def make_job(path: Path, **options: object) -> TrainJob:
    values = {"epochs": 2, "batch_size": 4, "num_workers": 0, "log_every": 4, **options}
    return TrainJob(
        train=str(path),
        network=small(),
        losses=LossOptions(perceptual=0),
        options=TrainOptions(tensorboard=False, checkpoint_every=8, **values),
    )


def changed_network(job: TrainJob, **values: object) -> TrainJob:
    return replace(job, network=replace(job.network, **values))


def out_of_memory_above(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make steps of more pictures fail as they do on a GPU."""
    step = Trainer.step

    def limited(self: Trainer, batch: TrainingSample) -> dict[str, torch.Tensor]:
        if len(batch["line"]) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step(self, batch)

    monkeypatch.setattr(Trainer, "step", limited)


def test_batches_resume_where_they_stopped(packed: Path) -> None:
    job = make_job(packed, batch_size=2, epochs=3)
    dataset = ColorizationDataset(packed)
    schedule = TrainSchedule.of(8, 2, 3)
    whole = [batch["id"].tolist() for batch in train.batches(dataset, job, schedule, CONTEXT, 0)]
    assert len(whole) == 12
    for epoch in range(3):
        ids_of_epoch = [post_id for ids in whole[4 * epoch : 4 * epoch + 4] for post_id in ids]
        assert sorted(ids_of_epoch) == list(range(1, 9))
    for done in (1, 5, 8, 11):
        rest = [
            batch["id"].tolist() for batch in train.batches(dataset, job, schedule, CONTEXT, done)
        ]
        assert rest == whole[done:]


def test_hints_differ_in_every_epoch(packed: Path) -> None:
    job = make_job(packed, batch_size=8, epochs=2)
    dataset = ColorizationDataset(packed)
    first, second = train.batches(dataset, job, TrainSchedule.of(8, 8, 2), CONTEXT, 0)
    order = [first["id"].tolist().index(post_id) for post_id in second["id"].tolist()]
    assert torch.equal(first["color"][order], second["color"])
    assert not torch.equal(first["mask"][order], second["mask"])


def test_training_writes_log_weights_and_samples(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    train.train(make_job(packed), tmp_path / "run", CONTEXT)
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "train_log.jsonl").read_text().splitlines()
    ]
    assert [line["images"] for line in lines] == [4, 8, 12, 16]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == lines
    assert (tmp_path / "run" / "colorizer.safetensors").exists()
    assert (tmp_path / "run" / "samples" / "000000016.png").exists()


def test_training_goes_on_from_a_colorizer(packed: Path, tmp_path: Path) -> None:
    train.train(make_job(packed), tmp_path / "first", CONTEXT)
    job = make_job(packed, initial_weights=str(tmp_path / "first"), generator_lr=1e-12)
    train.train(job, tmp_path / "second", CONTEXT)
    first, second = (
        read_colorizer(tmp_path / name / "colorizer.safetensors").vae.state_dict()
        for name in ("first", "second")
    )
    for name, value in first.items():
        if "weight" in name and value.norm() > 0:  # those of another seed are off by 1.4
            off = (second[name] - value).norm() / value.norm()
            assert off < 0.2, name
    assert replace(job, initial_content="a").fingerprint() != job.fingerprint()


def test_where_hints_are_copied_may_change(packed: Path, tmp_path: Path) -> None:
    copying = {"spread_hints": True, "copy_hints": True}
    train.train(changed_network(make_job(packed), **copying), tmp_path / "first", CONTEXT)
    job = make_job(packed, initial_weights=str(tmp_path / "first"))
    other = changed_network(job, **copying, copy_beyond_lines=False)
    train.train(other, tmp_path / "second", CONTEXT)
    found = read_colorizer(tmp_path / "second" / "colorizer.safetensors")
    assert not found.vae.generator.copies_beyond_lines


@pytest.mark.parametrize(
    ("network", "size", "needed"),
    [
        (
            {"width": 3, "norm": "group"},
            64,
            r"\[colorizer\] width = 2, \[colorizer\] norm = batch\.",
        ),
        ({}, 96, r"\[pack\] size = 64\. Set the same"),
    ],
)
def test_colorizer_of_other_networks_cannot_be_started_from(
    network: dict[str, object],
    size: int,
    needed: str,
    packed: Path,
    tmp_path: Path,
    write_packed: Callable[..., Path],
) -> None:
    train.train(make_job(packed), tmp_path / "first", CONTEXT)
    path = write_packed(range(1, 9), size=size, box=(0, 0, size, size))
    job = make_job(path, initial_weights=str(tmp_path / "first"))
    with pytest.raises(ConfigError, match=f"this colorizer was trained with {needed}"):
        train.train(changed_network(job, **network), tmp_path / "second", CONTEXT)


def test_loss_that_is_not_finite_stops_training(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.step

    def broken(self: Trainer, batch: TrainingSample) -> dict[str, torch.Tensor]:
        losses = step(self, batch)
        if self.global_step == 3:
            losses["kld"] = torch.tensor(float("nan"))
        return losses

    monkeypatch.setattr(Trainer, "step", broken)
    with pytest.raises(SengaError, match="stopped at step 3: kld is not a finite number"):
        train.train(make_job(packed), tmp_path, CONTEXT)
    kept = checkpoint.latest(tmp_path / "checkpoints")
    assert kept is not None
    assert kept.name == "step-00000002.pt"


def test_largest_batch_that_fits_is_named(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(5, monkeypatch)
    with pytest.raises(SengaError, match=r"; 5 does\. Run with --train-batch-size 5, or"):
        train.train(make_job(packed, batch_size=8), tmp_path, CONTEXT)


def test_batch_shrinks_to_what_fits_if_allowed(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(3, monkeypatch)
    train.train(make_job(packed, batch_size=8, shrink_batch=True), tmp_path, CONTEXT)
    lines = [json.loads(line) for line in (tmp_path / "train_log.jsonl").read_text().splitlines()]
    assert lines[-1]["images"] == lines[-1]["step"] * 3


def test_training_with_a_shrunk_batch_resumes_exactly(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(packed, batch_size=8, shrink_batch=True, epochs=4)
    out_of_memory_above(3, monkeypatch)
    train.train(job, tmp_path / "whole", CONTEXT)
    limited = Trainer.step

    def stopping(self: Trainer, batch: TrainingSample) -> dict[str, torch.Tensor]:
        if self.global_step == 5:
            raise KeyboardInterrupt
        return limited(self, batch)

    with monkeypatch.context() as stopped:
        stopped.setattr(Trainer, "step", stopping)
        with pytest.raises(KeyboardInterrupt):
            train.train(job, tmp_path / "stopped", CONTEXT)
    assert checkpoint.latest(tmp_path / "stopped" / "checkpoints") is not None
    train.train(job, tmp_path / "stopped", CONTEXT)
    whole, stopped_once = (
        (tmp_path / name / "colorizer.safetensors").read_bytes() for name in ("whole", "stopped")
    )
    assert whole == stopped_once


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_training_that_a_signal_stops_saves_a_checkpoint(
    number: signal.Signals, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(packed, batch_size=2)
    step = Trainer.step

    def signalled(self: Trainer, batch: TrainingSample) -> dict[str, torch.Tensor]:
        if self.global_step == 2:
            os.kill(os.getpid(), number)
        return step(self, batch)

    monkeypatch.setattr(Trainer, "step", signalled)
    with pytest.raises(StoppedError, match=r"^Stopped after 6 of 16 images; a checkpoint is saved"):
        train.train(job, tmp_path, CONTEXT)
    saved = checkpoint.latest(tmp_path / "checkpoints")
    assert saved is not None
    assert saved.name == "step-00000003.pt"
    assert checkpoint.load(saved, job.fingerprint())["step"] == 3


def test_memory_of_a_failed_step_is_freed_before_smaller_ones(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainers: list[weakref.ref[Trainer]] = []

    def failing(self: Trainer, batch: TrainingSample) -> dict[str, torch.Tensor]:
        assert not [ref for ref in trainers if ref() is not None]
        trainers.append(weakref.ref(self))
        raise torch.OutOfMemoryError(f"{len(batch['line'])} are too many")

    monkeypatch.setattr(Trainer, "step", failing)
    with pytest.raises(SengaError, match="neither does a single picture"):
        train.train(make_job(packed, batch_size=8), tmp_path, CONTEXT)
    assert len(trainers) == 4  # 8, 4, 2, 1


def test_single_picture_that_does_not_fit_is_an_error(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(0, monkeypatch)
    with pytest.raises(SengaError, match="neither does a single picture"):
        train.train(make_job(packed, shrink_batch=True), tmp_path, CONTEXT)
