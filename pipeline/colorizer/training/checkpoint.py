"""Checkpoints: everything that training needs to go on as if it had never stopped."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline import store
from sketch_models.errors import SengaError

State = Mapping[str, Any]


def save(folder: Path, step: int, state: State, *, keep: int) -> Path:
    """Publishes the checkpoint of a step and deletes all but the last `keep`.

    Raises:
        SengaError: where the folder cannot be written; the earlier ones are still there then.
    """
    path = folder / f"step-{step:08d}.pt"
    with store.publish(path) as temporary:
        torch.save(dict(state), temporary)
    for old in _all(folder)[:-keep]:
        old.unlink()
    return path


def newest(folder: Path) -> Path | None:
    """The checkpoint that training goes on from, if there is one."""
    found = _all(folder)
    return found[-1] if found else None


def load(path: Path, fingerprint: str) -> dict[str, Any]:
    """Reads a checkpoint onto the CPU; nothing in it is executed.

    Args:
        path: of the checkpoint.
        fingerprint: of the recipe that is to be gone on with.

    Raises:
        SengaError: where it cannot be read, or is of another recipe.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = state["fingerprint"]
    except (OSError, RuntimeError, ValueError, KeyError, EOFError) as error:
        raise _unreadable(path) from error
    except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _unreadable(path) from error
    if found != fingerprint:
        raise SengaError(
            f"{path} is the checkpoint of another recipe or dataset, expected one of this: "
            "go on with the recipe that made it, or choose another folder."
        )
    return state


def _unreadable(path: Path) -> SengaError:
    return SengaError(
        f"{path} cannot be read as a checkpoint, expected one that TrainColorizer wrote: "
        "delete it to go on from the one before."
    )


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.pt"))
