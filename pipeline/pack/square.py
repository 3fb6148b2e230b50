"""Fit pictures into squares, and get them back out.

Colour and line art of a picture have different resolutions. Both are resampled to the same box
of the square, edge to edge, so that they stay aligned to a fraction of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

PAPER = 255


@dataclass(frozen=True)
class Placement:
    """Where a picture lies in its square.

    Attributes:
        size: side of the square, in pixels.
        width: width of the resampled picture, in pixels.
        height: height of the resampled picture, in pixels.
    """

    size: int
    width: int
    height: int

    @classmethod
    def of(cls, width: int, height: int, size: int, fit: str) -> Placement:
        """Return the placement of a picture.

        Args:
            width: width of the picture, in pixels.
            height: height of the picture, in pixels.
            size: side of the square, in pixels.
            fit: `pad` makes the long side `size` and pads with paper; `crop` makes the short
                side `size` and crops the long one.
        """
        scale = size / (max if fit == "pad" else min)(width, height)
        return cls(size, max(1, round(width * scale)), max(1, round(height * scale)))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The part of the square that the picture covers: left, top, right, bottom, half-open."""
        left, right = _span(self.width, self.size)
        top, bottom = _span(self.height, self.size)
        return left, top, right, bottom

    def to_square(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resample a picture of any resolution to its box in a square of paper.

        Args:
            picture: (H, W) or (H, W, 3) uint8, the uncropped picture.

        Returns:
            (size, size) or (size, size, 3) uint8; the picture in the middle, 255 around it.
        """
        resampled = resample(picture, self.width, self.height)
        left, top, right, bottom = self.box
        crop_x, crop_y = max(0, self.width - self.size) // 2, max(0, self.height - self.size) // 2
        canvas = np.full((self.size, self.size, *picture.shape[2:]), PAPER, np.uint8)
        canvas[top:bottom, left:right] = resampled[
            crop_y : crop_y + bottom - top, crop_x : crop_x + right - left
        ]
        return canvas

    def from_square(self, square: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        """Crop a square to the box, without the paper around it, and resample that.

        Args:
            square: (size, size) or (size, size, 3) uint8.
            width: width of the result, in pixels.
            height: height of the result, in pixels.

        Returns:
            (height, width) or (height, width, 3) uint8.
        """
        left, top, right, bottom = self.box
        return resample(np.ascontiguousarray(square[top:bottom, left:right]), width, height)


def _span(length: int, size: int) -> tuple[int, int]:
    start = max(0, size - length) // 2
    return start, start + min(length, size)


def resample(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Resample a picture to `width` x `height` pixels, edge to edge.

    Shrinking takes the mean over the exact area of each pixel, which neither aliases nor shifts.
    Enlarging is bilinear: sharper kernels overshoot and ring around lines.

    Args:
        picture: (H, W) or (H, W, 3) uint8.
        width: width of the result, in pixels.
        height: height of the result, in pixels.
    """
    shrinks = width <= picture.shape[1] and height <= picture.shape[0]
    kernel = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR_EXACT
    resampled: NDArray[Any] = cv2.resize(picture, (width, height), interpolation=kernel)
    return resampled.astype(np.uint8, copy=False)
