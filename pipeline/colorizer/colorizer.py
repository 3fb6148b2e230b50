"""A trained colorizer, from line art and hints to colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipeline.colorizer.colorizer_file import LoadedModel, read_colorizer
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.letterbox import Letterbox
from pipeline.colorizer.networks.layers import count_parameters
from pipeline.colorizer.tensors import to_maps, to_pixels, to_tensor
from pipeline.colorizer.train_job import WEIGHTS
from sketch_models.network_options import DEVICES, PRECISIONS, is_device
from sketch_models.runner import choose_device, choose_precision

LineArt: TypeAlias = NDArray[np.uint8] | Image.Image
"""(H, W) uint8, 0 ink, 255 paper; or (H, W, 3) uint8 RGB; or a PIL image. Any size."""


class Colorizer:
    """A trained colorizer of line art.

        import numpy as np
        from pipeline.colorizer.colorizer import Colorizer
        from pipeline.sample_booru.artist.draw import draw

        colorizer = Colorizer.load("pipeline/demo/model")
        line = draw(7).line  # (H, W) uint8, 0 ink, 255 paper
        picture = colorizer.colorize(line)  # (H, W, 3) uint8 RGB
        z = np.random.default_rng(0).standard_normal(colorizer.latent_dim)
        variation = colorizer.colorize(line, z=z)

    Args:
        model: networks and the job that trained them.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`; auto takes a GPU if there is one.
        dtype: that the layers compute in: `auto`, `fp32`, `bf16`, `fp16`; auto takes bf16 if the
            device is quick at it.

    Attributes:
        train_job: the job that trained it.
        size: side of the pictures that it was trained on, in pixels.
        latent_dim: dimensions of z.
        device: that it runs on.

    Raises:
        SengaError: If this machine has no such device, or if the device cannot use the dtype.
        ValueError: If there is no device or dtype of this name.
    """

    def __init__(self, model: LoadedModel, device: str = "auto", dtype: str = "auto") -> None:
        if not is_device(device):
            raise ValueError(f"device = {device!r}: expected {DEVICES}.")
        if dtype not in PRECISIONS:
            raise ValueError(f"dtype = {dtype!r}: expected one of {', '.join(PRECISIONS)}.")
        self.train_job, self.size = model.job, model.size
        self.latent_dim = model.job.network.latent_dim
        self.device = choose_device(device)
        self._dtype = choose_precision(dtype, self.device)
        painter = model.painter.eval().requires_grad_(False).to(self.device)
        self._painter = painter.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, path: str | Path, device: str = "auto", dtype: str = "auto") -> Colorizer:
        """Return the colorizer of a file.

        Args:
            path: a `colorizer.safetensors` that TrainColorizer made, or the folder that it is in.
            device: as for `Colorizer`.
            dtype: as for `Colorizer`.

        Raises:
            SengaError: If there is no such file, if it is no colorizer, if this machine has no
                such device, or if the device cannot use the dtype.
            ValueError: If there is no device or dtype of this name.
        """
        path = Path(path)
        return cls(read_colorizer(path / WEIGHTS if path.is_dir() else path), device, dtype)

    @property
    def num_parameters(self) -> int:
        """Number of weights of the generator."""
        return count_parameters(self._painter.generator)

    def colorize(
        self, line: LineArt, hints: Hints | None = None, z: NDArray[np.floating[Any]] | None = None
    ) -> NDArray[np.uint8]:
        """Colorize one line drawing of any size.

        The networks see it at `size` pixels, in a square padded with paper; the result is brought
        back to the size of the drawing.

        Args:
            line: (H, W) uint8, 0 ink, 255 paper; (H, W, 3) uint8 RGB; or a PIL image, whose
                transparent parts are paper. Colours are read as grey.
            hints: of the same size; none if None.
            z: (latent_dim,) float, from a standard normal distribution; 0, its mean, if None.

        Returns:
            (H, W, 3) uint8 RGB: an array, for a PIL image too.

        Raises:
            ValueError: If the line art, the hints or z are of another shape or dtype.
        """
        if z is not None:
            _check_z(z, (self.latent_dim,))
        return self.colorize_batch([line], [hints], None if z is None else z[None])[0]

    def colorize_batch(
        self,
        lines: Sequence[LineArt],
        hints: Sequence[Hints | None] | None = None,
        z: NDArray[np.floating[Any]] | None = None,
    ) -> list[NDArray[np.uint8]]:
        """Colorize several line drawings at once, each of any size.

        All of them go through the networks together: how many fit depends on the memory.

        Args:
            lines: N, as for `colorize`.
            hints: N, each as for `colorize`; none at all if None.
            z: (N, latent_dim) float; zeros if None.

        Returns:
            N of (H, W, 3) uint8 RGB, each of the size of its drawing.

        Raises:
            ValueError: If the line art, the hints or z are of another number, shape or dtype.
        """
        hints = [None] * len(lines) if hints is None else hints
        if len(hints) != len(lines):
            raise ValueError(f"There are {len(hints)} hints: expected {len(lines)}, one per line.")
        z = np.zeros((len(lines), self.latent_dim)) if z is None else z
        _check_z(z, (len(lines), self.latent_dim))
        if not lines:
            return []
        boxes = [
            Letterbox.of(_to_grey(line), each, self.size)
            for line, each in zip(lines, hints, strict=True)
        ]
        maps = to_maps([box.line for box in boxes], [box.hints for box in boxes]).to(self.device)
        latent = torch.from_numpy(z.astype(np.float32)).to(self.device)
        with self._inference():
            squares = to_pixels(self._painter.generator(maps, latent))
        return [box.crop(square) for box, square in zip(boxes, squares, strict=True)]

    def encode(self, colors: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the z of pictures: the mean of the distribution that the encoder gives.

        Args:
            colors: (N, size, size, 3) uint8 RGB.

        Returns:
            (N, latent_dim) float32.

        Raises:
            ValueError: If the pictures are of another shape or dtype.
        """
        shape = (self.size, self.size, 3)
        if colors.shape[1:] != shape or colors.dtype != np.uint8:
            raise ValueError(
                f"The pictures are an array of shape {colors.shape} {colors.dtype}: expected "
                f"(N, {self.size}, {self.size}, 3) uint8 RGB."
            )
        with self._inference():
            mean, _ = self._painter.encoder(to_tensor(colors).to(self.device))
        z: NDArray[np.float32] = mean.numpy(force=True)
        return z

    @contextmanager
    def _inference(self) -> Iterator[None]:
        """Compute without gradients, and in the dtype of this colorizer."""
        reduced = self._dtype != torch.float32
        with torch.inference_mode(), torch.autocast(self.device.type, self._dtype, reduced):
            yield


def _check_z(z: NDArray[np.floating[Any]], shape: tuple[int, ...]) -> None:
    if z.shape != shape or z.dtype.kind != "f":
        raise ValueError(f"z is an array of shape {z.shape} {z.dtype}: expected {shape} float.")


def _to_grey(line: LineArt) -> NDArray[np.uint8]:
    """Return line art as (H, W) uint8; `Letterbox.of` refuses what is left as it is."""
    if isinstance(line, Image.Image):
        return _from_image(line)
    if line.ndim == 3 and line.shape[2] == 3 and line.dtype == np.uint8 and line.size:
        return cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    return line


def _from_image(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode[0] in "IF":  # Pillow would clip all values above 255 to white
        raise ValueError(
            f"The line art is a PIL image of mode {image.mode}: expected one of 8 bits, such as "
            "L, RGB or RGBA."
        )
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return np.asarray(image.convert("L"))
