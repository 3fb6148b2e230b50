"""What the data loaders of all trainings have in common."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import resource_tracker
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader

from pipeline.training.stop_signal import hold_stop_signals

T = TypeVar("T")


def loader_options(workers: int, device: torch.device) -> dict[str, Any]:
    """Return keyword arguments of a DataLoader.

    Args:
        workers: processes that load; 0 loads in this one.
        device: that its batches will be copied to.
    """
    return {
        "num_workers": workers,
        "persistent_workers": workers > 0,
        # A fork would take over locks that threads of PyTorch or CUDA hold, and hang on them.
        "multiprocessing_context": "spawn" if workers else None,
        "pin_memory": device.type == "cuda",
    }


def iterate(loader: DataLoader[T]) -> Iterator[T]:
    """Return an iterator over the batches, whose workers outlive the signals that stop a training.

    It ends them when it is closed or deleted: SIGTERM does not.
    """
    resource_tracker.ensure_running()  # else it starts within, and lets all signals through again
    with hold_stop_signals():
        return iter(loader)
