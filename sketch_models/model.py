"""The interfaces of sketch models and line models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class SketchModel(Protocol):
    """A model that extracts the lines of colour pictures.

    Attributes:
        batch_size: default number of pictures per call.
        threads: number of concurrent calls up to which throughput grows.
    """

    batch_size: int
    threads: int

    def lines(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return ink maps; may be called from several threads.

        Args:
            pictures: (H, W, 3) uint8 RGB, of any sizes.

        Returns:
            (H, W) float32 in [0, 1], 1 = ink, one per picture; the result for a picture does not
            depend on the others.
        """
        ...


class LineModel(Protocol):
    """A model that turns sketches into clean line art; attributes as for `SketchModel`."""

    batch_size: int
    threads: int

    def simplify(self, sketches: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        """Return line art; may be called from several threads.

        Args:
            sketches: (H, W) uint8, 0 = ink, 255 = paper, of any sizes.

        Returns:
            (H, W) uint8 of the same shapes and meaning, aligned to the sketches to the pixel.
        """
        ...
