"""Runs a network over pictures of any shapes: device, precision, batches, and what fits."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions

Map = NDArray[np.float32]
"""(H, W) float32."""

_BYTES_A_PICTURE = 3 << 29  # 1.5 GB: three maps of 768 x 768 in the larger network, in 16 bits
_MOST_PICTURES = 16
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> torch.device:
    """The device of `[gpu] device`; `auto` takes a GPU where there is one.

    Raises:
        SengaError: where this machine has no such device.
    """
    if name == "auto":
        kind = "cuda" if torch.cuda.is_available() else "cpu"
        kind = "mps" if kind == "cpu" and torch.backends.mps.is_available() else kind
        return torch.device(kind)
    device = torch.device(name)
    there = {
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if not there[device.type]:
        raise SengaError(
            f"[gpu] device = {name}: PyTorch sees no such device on this machine; expected one "
            "that it sees: set it to auto or cpu."
        )
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type that layers compute in; `auto` takes bfloat16 where the hardware multiplies it.

    Raises:
        SengaError: for float16 on a CPU, where it is slow and inexact.
    """
    if name == "auto":
        return torch.bfloat16 if _multiplies_bfloat16(device) else torch.float32
    if name == "fp16" and device.type == "cpu":
        raise SengaError(
            "[gpu] precision = fp16: it is for GPUs, expected fp32 or bf16 on a CPU: "
            "set it to auto."
        )
    return _DTYPES[name]


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def prepare(
    network: nn.Module, device: torch.device, dtype: torch.dtype, *, compiled: bool
) -> Callable[[Tensor], Tensor]:
    """Freezes a network and lays it out for speed."""
    network = network.eval().requires_grad_(False).to(device, dtype)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return torch.compile(network, dynamic=True) if compiled else network


class Runner:
    """A network on its device.

    Pictures of one shape go through it together; no result depends on which others are there.
    Where a batch does not fit into the device's memory it is halved, and batches stay that small.
    May be called from several threads: one computes while the others get their pictures ready.
    """

    def __init__(self, network: nn.Module, options: GpuOptions) -> None:
        """Takes the network over: moves it, sets its precision, and freezes it."""
        self.device = choose_device(options.device)
        self.dtype = choose_precision(options.precision, self.device)
        self._network = prepare(network, self.device, self.dtype, compiled=options.compile)
        self._most = 3 * _MOST_PICTURES  # maps at once; halved when they do not fit
        self._lock = threading.Lock()

    @property
    def pictures_at_once(self) -> int:
        """How many pictures of 768 px, three maps each, a call should bring."""
        if self.device.type != "cuda":
            return 1
        free, _ = torch.cuda.mem_get_info(self.device)
        return min(max(free // _BYTES_A_PICTURE, 1), _MOST_PICTURES)

    def run(self, maps: Sequence[Map]) -> list[Map]:
        """Puts one-channel pictures through the network.

        Args:
            maps: (H, W) float32, of any shapes that the network takes.

        Returns:
            (H, W) float32, one per picture, in order.

        Raises:
            SengaError: where not even one of them fits into memory.
        """
        alike = defaultdict(list)
        for place, picture in enumerate(maps):
            alike[picture.shape].append(place)
        done: dict[int, Map] = {}
        for places in alike.values():
            done |= zip(places, self._run_alike([maps[place] for place in places]), strict=True)
        return [done[place] for place in range(len(maps))]

    def _run_alike(self, maps: Sequence[Map]) -> list[Map]:
        results: list[Map] = []
        while len(results) < len(maps):
            some = maps[len(results) : len(results) + self._most]
            try:
                results += self._forward(some)
            except torch.OutOfMemoryError as error:
                self._shrink(len(some), some[0].shape, error)
        return results

    def _shrink(self, size: int, shape: tuple[int, ...], error: Exception) -> None:
        if size == 1:
            height, width = shape
            raise SengaError(
                f"A picture of {width} x {height} does not fit into the memory of {self.device}: "
                "set [sketch] size lower, free memory there, or set [gpu] device = cpu."
            ) from error
        self._most = size // 2
        torch.cuda.empty_cache()

    @torch.inference_mode()
    def _forward(self, maps: Sequence[Map]) -> list[Map]:
        batch = torch.from_numpy(np.stack(maps)[:, None])  # (N, 1, H, W) float32
        if self.device.type == "cuda":
            batch = batch.pin_memory()
        with self._lock:
            # Cast over there: a cast on the way would first make a copy here that is not pinned.
            moved = batch.to(self.device, non_blocking=True).to(self.dtype)
            result = self._network(moved.contiguous(memory_format=torch.channels_last))
        return list(result[:, 0].float().cpu().numpy())
