"""The runner of a network on pictures of any shapes: device, precision, batches, memory."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sketch_models.errors import ConfigError
from sketch_models.network_options import ComputeOptions

Map = NDArray[np.float32]
"""(H, W) or (C, H, W) float32."""

_BYTES_PER_PICTURE = 3 << 29  # 1.5 GB: three maps of 768 x 768 in the larger network, in 16 bits
_MAX_BATCH_SIZE = 16  # pictures
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> torch.device:
    """Return the device of `[compute] device`; `auto` is a GPU if there is one.

    Raises:
        ConfigError: If this machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    device = torch.device(name)
    available = {
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if not available[device.type]:
        raise ConfigError(
            f"device = {name}: PyTorch sees no such device on this machine. Use auto or cpu."
        )
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype that layers compute in; `auto` is bfloat16 if the hardware supports it.

    Raises:
        ConfigError: If it is fp16 and the device a CPU, which is slow and inexact at it.
    """
    if name == "auto":
        return torch.bfloat16 if _supports_bfloat16(device) else torch.float32
    if name == "fp16" and device.type == "cpu":
        raise ConfigError("precision = fp16: slow and inexact on a CPU. Use auto, fp32 or bf16.")
    return _DTYPES[name]


def _supports_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def prepare_for_inference(
    network: nn.Module, device: torch.device, dtype: torch.dtype, *, compiled: bool
) -> Callable[[Tensor], Tensor]:
    """Freeze a network, move it to a device and dtype, and compile it if wanted."""
    network = network.eval().requires_grad_(False).to(device, dtype)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return torch.compile(network, dynamic=True) if compiled else network


class Runner:
    """A network on its device.

    Pictures of one shape are batched; no result depends on the other pictures of a batch. If a
    batch does not fit into the device's memory, the batch size is halved for good.
    It may be called from several threads: one computes while the others prepare their pictures.
    """

    def __init__(self, network: nn.Module, options: ComputeOptions) -> None:
        """Move the network to its device and dtype, and freeze it."""
        self.device = choose_device(options.device)
        self.dtype = choose_precision(options.precision, self.device)
        self._network = prepare_for_inference(
            network, self.device, self.dtype, compiled=options.compile
        )
        self._max_maps = 3 * _MAX_BATCH_SIZE  # per batch; halved when they do not fit
        self._lock = threading.Lock()

    @property
    def batch_size(self) -> int:
        """The number of pictures of 768 px, three maps each, that fit into free memory."""
        if self.device.type != "cuda":
            return 1
        free, _ = torch.cuda.mem_get_info(self.device)
        return min(max(free // _BYTES_PER_PICTURE, 1), _MAX_BATCH_SIZE)

    def run(self, maps: Sequence[Map]) -> list[Map]:
        """Run the network on pictures.

        Args:
            maps: (H, W), of one channel, or (C, H, W) float32, of any shapes that the network
                accepts.

        Returns:
            (H, W) float32, the first channel of the result, one per picture, in order.

        Raises:
            ConfigError: If not even one of them fits into memory.
        """
        by_shape = defaultdict(list)
        for index, picture in enumerate(maps):
            by_shape[picture.shape].append(index)
        results: dict[int, Map] = {}
        for indices in by_shape.values():
            batched = self._run_batches([maps[index] for index in indices])
            results |= zip(indices, batched, strict=True)
        return [results[index] for index in range(len(maps))]

    def _run_batches(self, maps: Sequence[Map]) -> list[Map]:
        results: list[Map] = []
        while len(results) < len(maps):
            batch = maps[len(results) : len(results) + self._max_maps]
            try:
                results += self._forward(batch)
            except torch.OutOfMemoryError as error:
                self._halve_batches(len(batch), batch[0].shape, error)
        return results

    def _halve_batches(self, size: int, shape: tuple[int, ...], error: Exception) -> None:
        if size == 1:
            height, width = shape[-2:]
            raise ConfigError(
                f"A picture of {width} x {height}: it does not fit into the memory of "
                f"{self.device}. Make it smaller, free memory there, or use the device cpu."
            ) from error
        self._max_maps = size // 2
        torch.cuda.empty_cache()

    @torch.inference_mode()
    def _forward(self, maps: Sequence[Map]) -> list[Map]:
        batch = torch.from_numpy(np.stack(maps))
        if batch.ndim == 3:
            batch = batch[:, None]  # (N, C, H, W) float32
        if self.device.type == "cuda":
            batch = batch.pin_memory()
        with self._lock:
            # Cast on the device: `to` with both would first make a copy that is not pinned.
            x = batch.to(self.device, non_blocking=True).to(self.dtype)
            result = self._network(x.contiguous(memory_format=torch.channels_last))
        return list(result[:, 0].float().cpu().numpy())
