"""Checkpoints: whole or refused, of this training job or refused."""

from pathlib import Path

import pytest
import torch

from pipeline.training import checkpoint
from pipeline.training.train_log import TrainSchedule
from sketch_models.errors import SengaError

STATE = {"fingerprint": "f", "step": 3, "weights": {"a": torch.arange(3.0)}}


def test_checkpoint_survives_saving(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 3, STATE, keep=2)
    assert checkpoint.latest(tmp_path) == path
    state = checkpoint.load(path, "f")
    assert state["step"] == 3
    assert torch.equal(state["weights"]["a"], torch.arange(3.0))


def test_last_checkpoints_are_kept(tmp_path: Path) -> None:
    for step in (2, 10, 1000):
        checkpoint.save(tmp_path, step, STATE, keep=2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "step-00000010.pt",
        "step-00001000.pt",
    ]


def test_latest_is_the_one_of_the_highest_step(tmp_path: Path) -> None:
    for step in (10, 1000, 2, 999):  # whatever was written last
        checkpoint.save(tmp_path, step, {**STATE, "step": step}, keep=9)
    (tmp_path / "step-00002000.pt.tmp").touch()
    latest = checkpoint.latest(tmp_path)
    assert latest is not None
    assert checkpoint.load(latest, "f")["step"] == 1000


def test_latest_is_none_without_checkpoints(tmp_path: Path) -> None:
    assert checkpoint.latest(tmp_path / "nowhere") is None


def test_checkpoint_of_another_job_is_refused(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 3, STATE, keep=1)
    with pytest.raises(SengaError, match="of other settings or another dataset"):
        checkpoint.load(path, "g")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 and no more"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "step-00000001.pt"
    path.write_bytes(content)
    with pytest.raises(SengaError, match="cannot be read as a checkpoint"):
        checkpoint.load(path, "f")


def test_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 3, STATE, keep=1)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SengaError, match="cannot be read as a checkpoint"):
        checkpoint.load(path, "f")


def test_code_in_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "step-00000001.pt"
    torch.save({"fingerprint": "f", "bad": Path("/")}, path)
    with pytest.raises(SengaError, match="cannot be read as a checkpoint"):
        checkpoint.load(path, "f")


def test_first_checkpoint_comes_early_and_none_after_many_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    schedule = TrainSchedule(pictures=100, batch_size=1, steps=10_000)
    checkpoints = checkpoint.CheckpointSchedule(schedule, every=4000)
    saved = []
    for step in range(1, 10_001):
        now[0] = step / 2
        if checkpoints.is_due(step):
            saved.append(step)
    assert saved == [120, 1320, 2520, 3720, 4000, 5200, 6400, 7600, 8000, 9200, 10_000]
