"""Damage: what cameras, editors and files do to a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import NOISE_DEVIATION, chance, log_uniform, smooth_noise


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What is done to a file; 0 leaves it as it is.

    Attributes:
        shrink: scale at which it was kept before it was enlarged again, 0 to 1.
        blur: standard deviation, in pixels.
        sharpen: strength of the sharpening, with its halos.
        noise: standard deviation, in levels of 255.
        noise_scale: size of the grain, in pixels.
        chroma_noise: whether the channels' noise differs.
        levels: number of levels of each channel; 0 for all.
        quality: of a JPEG, 1 to 100; 0 for none.
    """

    shrink: float = 0.0
    blur: float = 0.0
    sharpen: float = 0.0
    noise: float = 0.0
    noise_scale: float = 1.0
    chroma_noise: bool = False
    levels: int = 0
    quality: int = 0

    def apply(self, picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the damaged picture.

        Args:
            picture: (H, W) or (H, W, 3) float32 in [0, 1].
            rng: the source of the noise.

        Returns:
            The same shape, uint8.
        """
        pixels = np.asarray(picture, np.float32)
        height, width = picture.shape[:2]
        if self.shrink:
            small = (max(8, int(width * self.shrink)), max(8, int(height * self.shrink)))
            smaller = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
            larger = cv2.resize(smaller, (width, height), interpolation=cv2.INTER_CUBIC)
            pixels = np.asarray(larger, np.float32)
        if self.blur:
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), self.blur), np.float32)
        if self.sharpen:
            halos = pixels - cv2.GaussianBlur(pixels, (0, 0), 1.2)
            pixels = pixels + np.float32(self.sharpen) * halos
        if self.noise:
            pixels = pixels + self._grain(picture.shape, rng)
        if self.levels:
            steps = np.float32(self.levels - 1)
            pixels = np.round(pixels * steps) / steps
        levels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
        return self._jpeg(levels) if self.quality else levels

    def _grain(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        channels = 3 if self.chroma_noise and len(shape) == 3 else 1
        if self.noise_scale > 1.3:
            height, width = shape[:2]
            scale = self.noise_scale
            planes = [smooth_noise(rng, height, width, scale) for _ in range(channels)]
            grain = np.stack(planes, axis=2) / np.float32(NOISE_DEVIATION)
        else:
            grain = rng.standard_normal((*shape[:2], channels), np.float32)
        grain *= np.float32(self.noise / 255)
        return np.asarray(grain if len(shape) == 3 else grain[..., 0], np.float32)

    def _jpeg(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        flags = cv2.IMREAD_COLOR if pixels.ndim == 3 else cv2.IMREAD_GRAYSCALE
        content = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, self.quality))[1]
        return np.asarray(cv2.imdecode(content, flags), np.uint8)


def random_damage(rng: np.random.Generator) -> Damage:
    """Return damage of which every kind is drawn on its own; a quarter of the files has none."""
    if chance(rng, 0.25):
        return Damage()
    return Damage(
        shrink=float(rng.uniform(0.4, 0.95)) if chance(rng, 0.2) else 0.0,
        blur=log_uniform(rng, 0.3, 1.8) if chance(rng, 0.25) else 0.0,
        sharpen=log_uniform(rng, 0.3, 2.5) if chance(rng, 0.15) else 0.0,
        noise=log_uniform(rng, 0.7, 14) if chance(rng, 0.35) else 0.0,
        noise_scale=float(rng.uniform(1.0, 3.0)) if chance(rng, 0.4) else 1.0,
        chroma_noise=chance(rng, 0.4),
        levels=int(rng.integers(8, 64)) if chance(rng, 0.06) else 0,
        quality=int(rng.integers(15, 97)) if chance(rng, 0.5) else 0,
    )
