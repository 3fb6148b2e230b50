"""Where a training runs: its device, its precision and its processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from pipeline.training.memory import keep_freed_tensors
from sketch_models.errors import ConfigError
from sketch_models.network_options import ComputeOptions
from sketch_models.runner import choose_device, choose_precision


@dataclass(frozen=True, kw_only=True)
class TrainContext:
    """Device, precision and processes of a training.

    Attributes:
        device: of the networks.
        dtype: precision of their layers: float32, or bfloat16 under autocast.
        rank: number of this process, from 0.
        world_size: number of processes.
        compile: compile the networks.
        control: the processes again, which exchange numbers on the CPU; None for one process.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    rank: int = 0
    world_size: int = 1
    compile: bool = False
    control: distributed.ProcessGroup | None = None

    def autocast(self) -> torch.autocast:
        """Return the context manager in which networks compute with `dtype`."""
        return torch.autocast(self.device.type, self.dtype, self.dtype != torch.float32)

    def highest(self, number: int) -> int:
        """Return the highest of the numbers that all processes call this with."""
        if self.control is None:
            return number
        highest = torch.tensor(number)
        distributed.all_reduce(highest, distributed.ReduceOp.MAX, group=self.control)
        return int(highest)


@contextmanager
def open_context(compute: ComputeOptions) -> Iterator[TrainContext]:
    """Join the processes that torchrun started, if any, and choose device and dtype.

    Raises:
        ConfigError: If this machine has no such device, or it cannot train with these options.
    """
    world_size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    name = compute.device
    if world_size > 1 and name in ("auto", "cuda") and torch.cuda.is_available():
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    device = choose_device(name)
    dtype = choose_precision(compute.precision, device)
    if dtype == torch.float16:
        raise ConfigError(
            "[compute] precision = fp16: the small gradients of a training vanish in it. Use auto, "
            "bf16 or fp32."
        )
    if compute.compile and device.type == "cpu":  # PyTorch 2.13, with both in channels-last
        raise ConfigError(
            "[compute] compile = true: on a CPU PyTorch's compiler gets batch normalisation behind "
            "a LeakyReLU wrong. Use a GPU, or --compute-compile false."
        )
    if device.type == "cpu":
        keep_freed_tensors()
    if device.type == "cuda":
        if device.index is not None:
            torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True  # all batches have one shape
    control = None
    if world_size > 1:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        control = distributed.new_group(backend="gloo")  # waits for no GPU
    try:
        yield TrainContext(
            device=device,
            dtype=dtype,
            rank=rank,
            world_size=world_size,
            compile=compute.compile,
            control=control,
        )
    finally:
        leave_process_group()


def leave_process_group() -> None:
    """Leave the processes that torchrun started, if any."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
