"""Checkpoints: everything that a training needs to resume exactly."""

from __future__ import annotations

import pickle
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline import store
from pipeline.training.train_log import TrainSchedule
from sketch_models.errors import SengaError

State = Mapping[str, Any]

_FIRST_AFTER = 60.0  # seconds until the first checkpoint of a process
_AT_LEAST_EVERY = 600.0  # seconds until the next ones


class CheckpointSchedule:
    """Which steps a checkpoint is due after: every so many images, and every so many minutes.

    Few images may take hours on a CPU. The first one comes early.

    Args:
        schedule: of the training.
        every: images between two checkpoints.
    """

    def __init__(self, schedule: TrainSchedule, every: int) -> None:
        self._schedule, self._every = schedule, every
        self._due_at = time.monotonic() + _FIRST_AFTER

    def is_due(self, step: int) -> bool:
        """Return whether to save a checkpoint now; ask once after each step."""
        now = time.monotonic()
        due = now >= self._due_at or self._schedule.is_due(step, self._every)
        if due:
            self._due_at = now + _AT_LEAST_EVERY
        return due


def save(folder: Path, step: int, state: State, *, keep: int) -> Path:
    """Write the checkpoint of a step, and delete all but the last `keep` checkpoints.

    Raises:
        SengaError: If the folder cannot be written; earlier checkpoints are kept then.
    """
    path = folder / f"step-{step:08d}.pt"
    with store.publish(path) as temporary:
        torch.save(dict(state), temporary)
    for old in _all_checkpoints(folder)[:-keep]:
        old.unlink()
    return path


def latest(folder: Path) -> Path | None:
    """Return the checkpoint of the highest step, or None if there is none."""
    paths = _all_checkpoints(folder)
    return paths[-1] if paths else None


def load(path: Path, fingerprint: str) -> dict[str, Any]:
    """Read a checkpoint onto the CPU; nothing in it is executed.

    Args:
        path: of the checkpoint.
        fingerprint: of the training job that resumes from it.

    Raises:
        SengaError: If it cannot be read, or is of another job.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        stored_fingerprint = state["fingerprint"]
    except (OSError, RuntimeError, ValueError, KeyError, EOFError) as error:
        raise _unreadable(path) from error
    except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _unreadable(path) from error
    if stored_fingerprint != fingerprint:
        raise SengaError(
            f"{path} is a checkpoint of other settings or another dataset. Resume with those that "
            "made it, or choose another folder."
        )
    return state


def _unreadable(path: Path) -> SengaError:
    return SengaError(
        f"{path} cannot be read as a checkpoint. Delete it to resume from the one before."
    )


def _all_checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.pt"))
