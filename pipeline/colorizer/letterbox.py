"""Line art of any size in the square that the networks work on, and results back at its size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.hints import Hints
from pipeline.pack.square import Placement

_MIN_COVERAGE = 0.1  # share of a resized pixel that must be hinted for it to be a hint


@dataclass(frozen=True)
class Letterbox:
    """Line art and hints in the middle of a square, with paper around them.

    Attributes:
        line: (S, S) uint8, 0 ink, 255 paper.
        hints: (S, S), or None without any.
        placement: where in the square they are.
        width: of the line art as it was given, in pixels.
        height: likewise.
    """

    line: NDArray[np.uint8]
    hints: Hints | None
    placement: Placement
    width: int
    height: int

    @classmethod
    def of(cls, line: NDArray[np.uint8], hints: Hints | None, size: int) -> Letterbox:
        """Return line art and hints, resized and padded to a square.

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
            return cls(line, hints, placement, width, height)
        resized = None if hints is None else _resize_hints(hints, placement)
        return cls(placement.to_square(line), resized, placement, width, height)

    def crop(
        self, square: NDArray[np.uint8], width: int | None = None, height: int | None = None
    ) -> NDArray[np.uint8]:
        """Return what was colorized, without the padding, at the size of the line art.

        Args:
            square: (S, S, 3) uint8.
            width: of the result in pixels; that of the line art if None.
            height: likewise.

        Returns:
            (height, width, 3) uint8.
        """
        return self.placement.from_square(square, width or self.width, height or self.height)


def _resize_hints(hints: Hints, placement: Placement) -> Hints:
    """Return hints in a square; a pixel is hinted if a tenth of it was, by the mean of that."""
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
