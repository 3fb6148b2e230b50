"""Seconds of calls on a GPU or a CPU, and what the device can multiply at most."""

from __future__ import annotations

import statistics

import torch

from benchmarks.harness.clock import Work, seconds_of


def waited(work: Work, device: torch.device) -> Work:
    """The same call, which returns once the device is done with it."""

    def call() -> None:
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return call


def median_seconds(work: Work, device: torch.device, least: float) -> float:
    """Seconds of one call: the median of as many as take `least` seconds together, 3 or more."""
    call = waited(work, device)
    call()
    runs: list[float] = []
    while len(runs) < 3 or sum(runs) < least:
        runs.append(seconds_of(call))
    return statistics.median(runs)


def ceiling(device: torch.device, dtype: torch.dtype, least: float) -> float:
    """TFLOP/s of one large matrix product."""
    side = 8192 if device.type == "cuda" else 3072
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / median_seconds(lambda: left @ right, device, least) / 1e12


def name_of(device: torch.device) -> str:
    """The device, for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU"
