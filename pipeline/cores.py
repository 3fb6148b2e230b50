"""The cores and GPUs of this machine, for processes that have not imported PyTorch."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sketch_models.cores import available_cores

_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))  # CUDA, ROCm, WSL


def may_have_gpu() -> bool:
    """Return False if PyTorch certainly sees no GPU; asking PyTorch itself would take seconds."""
    return sys.platform != "linux" or any(device.exists() for device in _GPU_DEVICES)


def share_cores(processes: int = 1) -> None:
    """Prepare this process for networks on a CPU; without effect once PyTorch is imported.

    By default idle threads of PyTorch spin. A small network on two cores then takes half as much
    CPU time again, and several times as long if other processes use the cores, too.

    Args:
        processes: the number of processes that run networks at the same time. Each uses its share
            of the cores, unless OMP_NUM_THREADS is set.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if processes > 1:
        share = available_cores() // processes
        os.environ.setdefault("OMP_NUM_THREADS", str(max(share, 1)))
