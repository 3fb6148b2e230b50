"""Resize line art of any size to the square that the networks work on, and results back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.enlarge import Enlarger
from pipeline.colorizer.hints import Hints
from pipeline.pack.square import Placement

_MIN_COVERAGE = 0.1  # share of a resized pixel's area that must be a hint for it to be one


@dataclass(frozen=True)
class Letterbox:
    """Line art and hints in the middle of a square, with paper around them.

    Attributes:
        drawing: (H, W) uint8, the original line art.
        line: (S, S) uint8, 0 ink, 255 paper.
        hints: (S, S), or None without any.
        placement: position and size of the line art in the square.
    """

    drawing: NDArray[np.uint8]
    line: NDArray[np.uint8]
    hints: Hints | None
    placement: Placement

    @property
    def width(self) -> int:
        """Width of the original line art, in pixels."""
        return int(self.drawing.shape[1])

    @property
    def height(self) -> int:
        """Height of the original line art, in pixels."""
        return int(self.drawing.shape[0])

    @classmethod
    def of(cls, line: NDArray[np.uint8], hints: Hints | None, size: int) -> Letterbox:
        """Resize and pad line art and hints to a square.

        Args:
            line: (H, W) uint8, 0 ink, 255 paper.
            hints: (H, W), or None without any.
            size: side of the square, in pixels.

        Raises:
            ValueError: If the line art is another array, or if the hints have another size.
        """
        if line.ndim != 2 or line.dtype != np.uint8 or not line.size:
            raise ValueError(
                f"The line art is an array of shape {line.shape} {line.dtype}: expected (H, W) "
                "uint8, 0 ink, 255 paper."
            )
        if hints is not None and hints.mask.shape != line.shape:
            raise ValueError(
                f"The hints have the shape {hints.mask.shape}: expected {line.shape}, the shape "
                "of the line art."
            )
        height, width = line.shape
        placement = Placement.of(width, height, size, "pad")
        if line.shape == (size, size):
            return cls(line, line, hints, placement)
        resized = None if hints is None else _resize_hints(hints, placement)
        return cls(line, placement.to_square(line), resized, placement)

    def finish(self, square: NDArray[np.uint8], enlarger: Enlarger) -> NDArray[np.uint8]:
        """Return a result at the size of the line art, with that on top if it is larger.

        Args:
            square: (S, S, 3) uint8.
            enlarger: of the line art.

        Returns:
            (H, W, 3) uint8.
        """
        placement = self.placement
        if self.width <= placement.width and self.height <= placement.height:
            return self.crop(square)
        painted = self.crop(square, placement.width, placement.height)
        return enlarger.enlarge(painted)

    def crop(
        self, square: NDArray[np.uint8], width: int | None = None, height: int | None = None
    ) -> NDArray[np.uint8]:
        """Crop the padding off a result, and resize it to the size of the line art.

        Args:
            square: (S, S, 3) uint8.
            width: of the cropped result, in pixels; that of the line art if None.
            height: of the cropped result, in pixels; that of the line art if None.

        Returns:
            (height, width, 3) uint8.
        """
        return self.placement.from_square(square, width or self.width, height or self.height)


def _resize_hints(hints: Hints, placement: Placement) -> Hints:
    """Resize hints into a square.

    A pixel becomes a hint if more than a tenth of its area was one; its colour is the mean of that
    part.
    """
    size, area = (placement.width, placement.height), cv2.INTER_AREA
    coverage = cv2.resize(hints.mask.astype(np.float32), size, interpolation=area)
    color = cv2.resize(hints.color.astype(np.float32), size, interpolation=area)
    mask = coverage > _MIN_COVERAGE
    mean = color[mask] / coverage[mask][:, None]
    resized = Hints.none(placement.size, placement.size)
    left, top, right, bottom = placement.box
    resized.mask[top:bottom, left:right] = mask
    resized.color[top:bottom, left:right][mask] = np.rint(mean)
    return resized
