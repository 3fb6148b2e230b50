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
from pipeline.colorizer.enlarge import Enlarger
from pipeline.colorizer.even import even_areas
from pipeline.colorizer.hints import Box, Hints
from pipeline.colorizer.initial_weights import find_colorizer
from pipeline.colorizer.letterbox import Letterbox
from pipeline.colorizer.networks.layers import count_parameters
from pipeline.colorizer.tensors import to_maps, to_pixels, to_tensor
from pipeline.pack.square import Placement
from sketch_models.network_options import DEVICES, PRECISIONS, is_device
from sketch_models.runner import choose_device, choose_precision

LineArt: TypeAlias = NDArray[np.uint8] | Image.Image
"""(H, W) uint8, 0 ink, 255 paper; or (H, W, 3) uint8 RGB; or a PIL image. Any size."""


class Colorizer:
    """A trained colorizer of line art.

        import numpy as np
        from pipeline.sample_booru.artist.draw import draw
        from senga import Colorizer

        colorizer = Colorizer.load("pipeline/demo/model")
        line = draw(7).line  # (H, W) uint8, 0 ink, 255 paper
        picture = colorizer.colorize(line)  # (H, W, 3) uint8 RGB
        z = np.random.default_rng(0).standard_normal(colorizer.latent_dim)
        variation = colorizer.colorize(line, z=z)

    Args:
        model: the networks, and the job that trained them.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`; auto takes a GPU if there is one.
        dtype: precision of the layers: `auto`, `fp32`, `bf16`, `fp16`; auto is bf16 if the device
            is quick at it, else fp32.

    Attributes:
        train_job: the settings that it was trained with.
        size: side of the pictures that it was trained on, in pixels.
        latent_dim: number of dimensions of z.
        device: the device that it runs on.

    Raises:
        ConfigError: If this machine has no such device, or if the device cannot use the dtype.
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
        vae = model.vae.eval().requires_grad_(False).to(self.device)
        self._vae = vae.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, path: str | Path, device: str = "auto", dtype: str = "auto") -> Colorizer:
        """Load a colorizer from a file.

        Args:
            path: a `colorizer.safetensors` that TrainColorizer wrote, or the folder that it is in.
            device: as for `Colorizer`.
            dtype: as for `Colorizer`.

        Raises:
            WeightsError: If there is no such file, or if it is not a whole colorizer.
            ConfigError: If this machine has no such device, or if the device cannot use the dtype.
            ValueError: If there is no device or dtype of this name.
        """
        return cls(read_colorizer(find_colorizer(path)), device, dtype)

    @property
    def num_parameters(self) -> int:
        """Number of weights of the generator."""
        return count_parameters(self._vae.generator)

    def colorize(
        self,
        line: LineArt,
        hints: Hints | None = None,
        z: NDArray[np.floating[Any]] | None = None,
        *,
        keep_lines: bool = True,
    ) -> NDArray[np.uint8]:
        """Colorize one line drawing of any size.

        The networks see it in a square of `size` pixels, padded with paper.

        Args:
            line: (H, W) uint8, 0 ink, 255 paper; (H, W, 3) uint8 RGB; or a PIL image, whose
                transparent parts are paper. Colours are read as grey.
            hints: of the same size as the line art; no hints if None.
            z: (latent_dim,) float, from a standard normal distribution; its mean, 0, if None.
            keep_lines: whether the line art of a drawing that is larger than what the networks see
                is laid over the result, and colours are enlarged along its lines; otherwise the
                result is resized as it is.

        Returns:
            (H, W, 3) uint8 RGB: an array, for a PIL image too.

        Raises:
            ValueError: If the line art, the hints or z are of another shape or dtype.
        """
        if z is not None:
            _check_z(z, (self.latent_dim,))
        zs = None if z is None else z[None]
        return self.colorize_batch([line], [hints], zs, keep_lines=keep_lines)[0]

    def colorize_batch(
        self,
        lines: Sequence[LineArt],
        hints: Sequence[Hints | None] | None = None,
        z: NDArray[np.floating[Any]] | None = None,
        *,
        keep_lines: bool = True,
        boxes: Sequence[Box] | None = None,
    ) -> list[NDArray[np.uint8]]:
        """Colorize several line drawings at once, each of any size.

        All of them go through the networks in one batch: how many fit depends on the memory.

        Args:
            lines: N drawings, each as for `colorize`.
            hints: N, each as for `colorize`; no hints at all if None.
            z: (N, latent_dim) float; 0 if None.
            keep_lines: as for `colorize`.
            boxes: N, if the drawings are squares of `size` pixels that have been padded: where in
                them each drawing is, as left, top, right and bottom.

        Returns:
            N pictures, (H, W, 3) uint8 RGB, each of the size of its drawing.

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
        greys = {id(line): _to_grey(line) for line in lines}  # variations have one drawing
        letterboxes = [
            Letterbox.of(greys[id(line)], each, self.size)
            for line, each in zip(lines, hints, strict=True)
        ]
        boxes = boxes or [each.placement.box for each in letterboxes]
        maps = to_maps(
            [each.line for each in letterboxes],
            [each.hints for each in letterboxes],
            spread=self.train_job.network.spread_hints,
            boxes=boxes,
        ).to(self.device)
        latent = torch.from_numpy(z.astype(np.float32)).to(self.device)
        with self._inference():
            squares = list(to_pixels(self._vae.generator(maps, latent)))
        if self.train_job.network.even_areas:
            squares = [
                even_areas(square, each.line, each.hints, box)
                for square, each, box in zip(squares, letterboxes, boxes, strict=True)
            ]
        if not keep_lines:
            return [each.crop(square) for each, square in zip(letterboxes, squares, strict=True)]
        return list(_finish(letterboxes, squares))

    def encode(self, colors: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the z of pictures: the mean of the encoder's distribution.

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
            mean, _ = self._vae.encoder(to_tensor(colors).to(self.device))
        z: NDArray[np.float32] = mean.numpy(force=True)
        return z

    def encode_reference(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the z of one picture of any size, to colorize other drawings with it.

        The encoder sees it in a square of `size` pixels, padded with white.

        Args:
            picture: (H, W, 3) uint8 RGB.

        Returns:
            (latent_dim,) float32.

        Raises:
            ValueError: If the picture is of another shape or dtype.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(
                f"The reference is an array of shape {picture.shape} {picture.dtype}: expected "
                "(H, W, 3) uint8 RGB."
            )
        height, width = picture.shape[:2]
        square = Placement.of(width, height, self.size, "pad").to_square(picture)
        z: NDArray[np.float32] = self.encode(square[None])[0]
        return z

    @contextmanager
    def _inference(self) -> Iterator[None]:
        """Compute without gradients, and in the dtype of this colorizer."""
        enabled = self._dtype != torch.float32
        with torch.inference_mode(), torch.autocast(self.device.type, self._dtype, enabled):
            yield


def _finish(
    boxes: Sequence[Letterbox], squares: Sequence[NDArray[np.uint8]]
) -> Iterator[NDArray[np.uint8]]:
    """Yield results at the size of their drawings; variations in a row share its areas."""
    enlarger: Enlarger | None = None
    for box, square in zip(boxes, squares, strict=True):
        if enlarger is None or enlarger.line is not box.drawing:
            enlarger = Enlarger(box.drawing)
        yield box.finish(square, enlarger)


def _check_z(z: NDArray[np.floating[Any]], shape: tuple[int, ...]) -> None:
    if z.shape != shape or z.dtype.kind != "f":
        raise ValueError(f"z is an array of shape {z.shape} {z.dtype}: expected {shape} float.")


def _to_grey(line: LineArt) -> NDArray[np.uint8]:
    """Convert line art to (H, W) uint8; return any other array as it is, for `Letterbox.of`."""
    if isinstance(line, Image.Image):
        return _image_to_grey(line)
    if line.ndim == 3 and line.shape[2] == 3 and line.dtype == np.uint8 and line.size:
        return cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    return line


def _image_to_grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode[0] in "IF":  # Pillow would clip all values above 255 to white
        raise ValueError(
            f"The line art is a PIL image of mode {image.mode}: expected one of 8 bits, such as "
            "L, RGB or RGBA."
        )
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return np.asarray(image.convert("L"))
