"""The one place where a picture becomes a square.

Colour and line art of a picture come at different resolutions. Both are spread over the same box
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
    """Where a picture goes in its square.

    Attributes:
        size: side of the square, in pixels.
        width: of the resampled picture, in pixels.
        height: of the resampled picture, in pixels.
    """

    size: int
    width: int
    height: int

    @classmethod
    def of(cls, width: int, height: int, size: int, fit: str) -> Placement:
        """The placement of a picture of `width` x `height` pixels.

        Args:
            width: of the picture, in pixels.
            height: of the picture, in pixels.
            size: side of the square, in pixels.
            fit: `pad` makes the long side `size` and fills up with paper; `crop` makes the short
                side `size` and cuts off what is left over.
        """
        scale = size / (max if fit == "pad" else min)(width, height)
        return cls(size, max(1, round(width * scale)), max(1, round(height * scale)))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The part of the square that shows the picture: left, top, right, bottom, half-open."""
        left, right = _span(self.width, self.size)
        top, bottom = _span(self.height, self.size)
        return left, top, right, bottom

    def square(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resamples a picture, whatever its resolution, to its box in a square of paper.

        Args:
            picture: (H, W) or (H, W, 3) uint8, the whole picture.

        Returns:
            (size, size) or (size, size, 3) uint8; the picture in the middle, 255 around it.
        """
        scaled = resampled(picture, self.width, self.height)
        left, top, right, bottom = self.box
        cut_x, cut_y = max(0, self.width - self.size) // 2, max(0, self.height - self.size) // 2
        canvas = np.full((self.size, self.size, *picture.shape[2:]), PAPER, np.uint8)
        canvas[top:bottom, left:right] = scaled[
            cut_y : cut_y + bottom - top, cut_x : cut_x + right - left
        ]
        return canvas


def _span(length: int, size: int) -> tuple[int, int]:
    start = max(0, size - length) // 2
    return start, start + min(length, size)


def resampled(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Spreads a picture over `width` x `height` pixels, edge to edge.

    Shrinking takes the mean over the exact area of each pixel, which neither aliases nor shifts.
    Enlarging is bilinear: sharper kernels overshoot and ring around lines.

    Args:
        picture: (H, W) or (H, W, 3) uint8.
        width: of the result, in pixels.
        height: of the result, in pixels.
    """
    shrinks = width <= picture.shape[1] and height <= picture.shape[0]
    kernel = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR_EXACT
    scaled: NDArray[Any] = cv2.resize(picture, (width, height), interpolation=kernel)
    return scaled.astype(np.uint8, copy=False)
