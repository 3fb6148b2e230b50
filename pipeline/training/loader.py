"""What the data loaders of all trainings have in common."""

from __future__ import annotations

from typing import Any

import torch


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
