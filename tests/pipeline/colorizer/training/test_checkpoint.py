"""Checkpoints: whole or not there, of this recipe or refused."""

from pathlib import Path

import pytest
import torch

from pipeline.colorizer.training import checkpoint
from sketch_models.errors import SengaError

STATE = {"fingerprint": "f", "step": 3, "weights": {"a": torch.arange(3.0)}}


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 3, STATE, keep=2)
    assert checkpoint.newest(tmp_path) == path
    state = checkpoint.load(path, "f")
    assert state["step"] == 3
    assert torch.equal(state["weights"]["a"], torch.arange(3.0))


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    for step in (2, 10, 1000):
        checkpoint.save(tmp_path, step, STATE, keep=2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "step-00000010.pt",
        "step-00001000.pt",
    ]


def test_there_may_be_none(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path / "nowhere") is None


def test_another_recipes_is_refused(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 3, STATE, keep=1)
    with pytest.raises(SengaError, match="of another recipe or dataset"):
        checkpoint.load(path, "g")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 and no more"])
def test_what_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "step-00000001.pt"
    path.write_bytes(content)
    with pytest.raises(SengaError, match="cannot be read as a checkpoint"):
        checkpoint.load(path, "f")


def test_a_cut_one_is_refused(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 3, STATE, keep=1)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SengaError, match="cannot be read as a checkpoint"):
        checkpoint.load(path, "f")


def test_nothing_in_it_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "step-00000001.pt"
    torch.save({"fingerprint": "f", "bad": Path("/")}, path)
    with pytest.raises(SengaError, match="cannot be read as a checkpoint"):
        checkpoint.load(path, "f")
