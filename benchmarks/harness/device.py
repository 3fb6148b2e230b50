"""Measure calls on a GPU or a CPU, and the peak rate of its matrix products."""

from __future__ import annotations

import statistics

import torch

from benchmarks.harness.clock import Work, seconds_of


def synchronized(work: Work, device: torch.device) -> Work:
    """Return the same call, which returns once the device is done with it."""

    def call() -> None:
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return call


def median_seconds(work: Work, device: torch.device, min_seconds: float) -> float:
    """Return the median seconds of a call, over 3 calls or as many as take `min_seconds`."""
    call = synchronized(work, device)
    call()
    runs: list[float] = []
    while len(runs) < 3 or sum(runs) < min_seconds:
        runs.append(seconds_of(call))
    return statistics.median(runs)


def peak_tflops(device: torch.device, dtype: torch.dtype, min_seconds: float) -> float:
    """Return the TFLOP/s of one large matrix product."""
    side = 8192 if device.type == "cuda" else 3072
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / median_seconds(lambda: left @ right, device, min_seconds) / 1e12


def device_name(device: torch.device) -> str:
    """Return the name of a device, for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU"
