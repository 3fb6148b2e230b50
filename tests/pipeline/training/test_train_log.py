"""The log of a training, and its schedule."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.training.train_log import TrainLog, TrainSchedule
from sketch_models.errors import SengaError

LR = "[train] lr"


def test_schedule_counts_steps_and_knows_when_something_is_due() -> None:
    schedule = TrainSchedule.of(pictures=100, batch_size=8, epochs=2)
    assert schedule.steps == 25
    assert schedule.steps_per_epoch == 12
    assert [step for step in range(1, 26) if schedule.is_due(step, 50)] == [7, 13, 19, 25]
    assert TrainSchedule.of(3, 8, 0.1).steps == TrainSchedule.of(3, 8, 1).steps_per_epoch == 1


def test_resuming_deletes_log_lines_after_the_checkpoint(tmp_path: Path) -> None:
    schedule = TrainSchedule.of(8, 2, 3)
    log = TrainLog(tmp_path, schedule, tensorboard=True, lr_options=LR)
    for step in (1, 2, 3):
        log.add({"kld": torch.tensor(float(step))})
        log.write(step)
    log.add_image(3, np.zeros((8, 8, 3), np.uint8))
    log.close()
    assert list((tmp_path / "tensorboard").iterdir())
    TrainLog(tmp_path, schedule, tensorboard=False, lr_options=LR).resume_from(2)
    lines = [json.loads(line) for line in (tmp_path / "train_log.jsonl").read_text().splitlines()]
    assert [line["loss/kld"] for line in lines] == [1, 2]


def test_line_that_a_kill_left_half_written_is_deleted(tmp_path: Path) -> None:
    lines = ['{"step": 1}\n', '{"step": 2}\n', '{"st']
    (tmp_path / "train_log.jsonl").write_text("".join(lines))
    schedule = TrainSchedule.of(8, 2, 3)
    TrainLog(tmp_path, schedule, tensorboard=False, lr_options=LR).resume_from(2)
    assert (tmp_path / "train_log.jsonl").read_text() == "".join(lines[:2])


def test_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "metrics.jsonl").symlink_to("outside")
    schedule = TrainSchedule.of(8, 2, 3)
    log = TrainLog(tmp_path, schedule, tensorboard=False, lr_options=LR)
    with pytest.raises(SengaError, match=r"metrics\.jsonl could not be written: a symbolic link"):
        log.add_metrics(1, {"psnr": 1.0})
    assert (tmp_path / "outside").read_text() == "mine"


def test_log_lines_are_means_since_the_line_before(tmp_path: Path) -> None:
    log = TrainLog(tmp_path, TrainSchedule.of(8, 2, 3), tensorboard=False, lr_options=LR)
    for step in (1, 2, 3, 4):
        log.add({"kld": torch.tensor(float(step))})
        if step % 2 == 0:
            log.write(step)
    lines = [json.loads(line) for line in (tmp_path / "train_log.jsonl").read_text().splitlines()]
    assert [line["loss/kld"] for line in lines] == [1.5, 3.5]
    assert [line["images"] for line in lines] == [4, 8]


def test_losses_of_some_steps_are_means_of_these(tmp_path: Path) -> None:
    log = TrainLog(tmp_path, TrainSchedule.of(8, 2, 3), tensorboard=False, lr_options=LR)
    log.add({"kld": torch.tensor(1.0)})
    log.add({"kld": torch.tensor(3.0), "hinge_d": torch.tensor(5.0)})
    log.write(2)
    line = json.loads((tmp_path / "train_log.jsonl").read_text())
    assert (line["loss/kld"], line["loss/hinge_d"]) == (2, 5)


def test_message_about_losses_that_are_not_finite_names_the_options(tmp_path: Path) -> None:
    log = TrainLog(tmp_path, TrainSchedule.of(8, 2, 3), tensorboard=False, lr_options=LR)
    log.add({"kld": torch.tensor(float("inf"))})
    with pytest.raises(SengaError, match=r"kld is not a finite .* a lower \[train\] lr, or"):
        log.write(1)
    assert not (tmp_path / "train_log.jsonl").exists()


def test_metrics_have_a_file_of_their_own_that_resumes_too(tmp_path: Path) -> None:
    schedule = TrainSchedule.of(8, 2, 3)
    log = TrainLog(tmp_path, schedule, tensorboard=True, lr_options=LR)
    for step in (1, 2, 3):
        log.add_metrics(step, {"f1": step / 10})
    log.close()
    TrainLog(tmp_path, schedule, tensorboard=False, lr_options=LR).resume_from(2)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == [
        {"step": 1, "images": 2, "f1": 0.1},
        {"step": 2, "images": 4, "f1": 0.2},
    ]
    assert not (tmp_path / "train_log.jsonl").exists()


def test_progress_is_printed_between_the_lines_of_losses_with_the_time_that_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    log = TrainLog(tmp_path, TrainSchedule(8, 2, 50), tensorboard=False, lr_options=LR)
    log.resume_from(10)
    for seconds in (20, 1, 1, 1, 1, 1):  # the first one starts workers
        now[0] += seconds
        log.add({"kld": torch.tensor(0.0)})
        log.report()
    log.write(16)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {"step": 10, "images": 20, "of": 100, "resumes": True},
        {"step": 15, "images": 30, "of": 100, "images_per_s": 2.0, "seconds_left": 35.0},
        {
            "step": 16,
            "images": 32,
            "of": 100,
            "images_per_s": 0.48,  # since the line before
            "seconds_left": 34.0,
            "loss/kld": 0.0,
        },
    ]
    assert len((tmp_path / "train_log.jsonl").read_text().splitlines()) == 1
