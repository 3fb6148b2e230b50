"""A trained colorizer, as a plain function from line art and hints to colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.colorizer.colorizer_file import read_colorizer
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.networks.generator import join_map
from pipeline.colorizer.networks.layers import parameters
from pipeline.colorizer.networks.painter import Painter
from pipeline.colorizer.train_job import Recipe
from pipeline.pack.square import Placement, resampled
from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions
from sketch_models.runner import choose_device, choose_precision

WEIGHTS = "colorizer.safetensors"

_AREA = cv2.INTER_AREA
_LEAST = 0.1  # share of a pixel that must be hinted for it to be a hint


class Colorizer:
    """Paints line art.

        colorizer = Colorizer.load("data/sample/colorizer.safetensors")
        picture = colorizer.colorize(line)

    Args:
        painter: encoder and generator.
        recipe: that they were trained by.
        size: side of the pictures that they were trained on, in pixels.
        gpu: device and precision.
    """

    def __init__(
        self, painter: Painter, recipe: Recipe, size: int, gpu: GpuOptions | None = None
    ) -> None:
        gpu = gpu or GpuOptions()
        self.recipe, self.size, self.latent = recipe, size, recipe.network.latent
        self.device = choose_device(gpu.device)
        self._dtype = choose_precision(gpu.precision, self.device)
        painter = painter.eval().requires_grad_(False).to(self.device)
        self._painter = painter.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, path: str | Path, gpu: GpuOptions | None = None) -> Colorizer:
        """The colorizer in a file that TrainColorizer made, or in the folder of one.

        Raises:
            SengaError: where there is none, or none that can be read; where a device that was
                asked for is not there.
        """
        path = Path(path)
        return cls(*read_colorizer(path / WEIGHTS if path.is_dir() else path), gpu)

    def colorize(
        self,
        line: NDArray[np.uint8],
        hints: Hints | None = None,
        z: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint8]:
        """Paints one line drawing of any size.

        It is painted at the size that the networks know, in a square filled up with paper, and
        brought back to its own.

        Args:
            line: (H, W) uint8, 0 ink, 255 paper.
            hints: of the same size; none where None.
            z: (latent,) float32, from a standard normal distribution; zero, its mean, where None.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            SengaError: where the line art is no such array.
        """
        if line.ndim != 2 or line.dtype != np.uint8 or min(line.shape) < 1:
            raise SengaError(
                f"Line art of shape {line.shape} and type {line.dtype} cannot be painted, "
                "expected (H, W) uint8 with 0 for ink and 255 for paper."
            )
        height, width = line.shape
        placement = Placement.of(width, height, self.size, "pad")
        small = None if hints is None else placed(hints, placement)
        painted = self.paint([placement.square(line)], [small], None if z is None else z[None])[0]
        left, top, right, bottom = placement.box
        return resampled(np.ascontiguousarray(painted[top:bottom, left:right]), width, height)

    def paint(
        self,
        lines: Sequence[NDArray[np.uint8]],
        hints: Sequence[Hints | None],
        z: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint8]:
        """Paints squares of the networks' own size, together.

        Args:
            lines: N of (size, size) uint8, 0 ink, 255 paper.
            hints: N, of the same size.
            z: (N, latent) float32; zeros where None.

        Returns:
            (N, size, size, 3) uint8 RGB.
        """
        maps = as_map(lines, hints).to(self.device)
        z = np.zeros((len(lines), self.latent), np.float32) if z is None else z
        with self._computing():
            return to_pixels(self._painter.generator(maps, torch.from_numpy(z).to(self.device)))

    def encode(self, colors: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mean of the z that pictures come from: (N, size, size, 3) uint8 -> (N, latent)."""
        with self._computing():
            mean, _ = self._painter.encoder(_signed(colors).to(self.device))
        found: NDArray[np.float32] = mean.numpy(force=True)
        return found

    @property
    def parameters(self) -> int:
        """Numbers that the generator has learned."""
        return parameters(self._painter.generator)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """No gradients, and layers in the device's precision."""
        reduced = self._dtype != torch.float32
        with torch.inference_mode(), torch.autocast(self.device.type, self._dtype, reduced):
            yield


def as_map(lines: Sequence[NDArray[np.uint8]], hints: Sequence[Hints | None]) -> Tensor:
    """What the networks see of N squares: (N, 5, S, S) float32, see `join_map`."""
    size = lines[0].shape
    put = [Hints.none(*size) if hint is None else hint for hint in hints]
    mask = torch.from_numpy(np.stack([hint.mask for hint in put]))[:, None].float()
    color = _signed(np.stack([hint.color for hint in put])) * mask
    return join_map(_signed(np.stack(lines)[..., None]), color, mask)


def to_pixels(pictures: Tensor) -> NDArray[np.uint8]:
    """(N, 3, S, S) in [-1, 1] -> (N, S, S, 3) uint8."""
    levels = ((pictures.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    pixels: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).contiguous().numpy(force=True)
    return pixels


def _signed(pictures: NDArray[np.uint8]) -> Tensor:
    """(N, S, S, C) uint8 -> (N, C, S, S) float32 in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def placed(hints: Hints, placement: Placement) -> Hints:
    """Hints brought to a square; a pixel is hinted where some of it is, by the mean of that."""
    width, height = placement.width, placement.height
    covered = cv2.resize(hints.mask.astype(np.float32), (width, height), interpolation=_AREA)
    color = cv2.resize(hints.color.astype(np.float32), (width, height), interpolation=_AREA)
    mask = covered > _LEAST
    mean = color[mask] / covered[mask][:, None]
    placed = Hints.none(placement.size, placement.size)
    left, top, right, bottom = placement.box
    placed.mask[top:bottom, left:right] = mask
    placed.color[top:bottom, left:right][mask] = np.rint(mean)
    return placed
