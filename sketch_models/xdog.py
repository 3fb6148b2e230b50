"""XDoG: lines by an extended difference of Gaussians.

Winnemoeller, "XDoG: advanced image stylization with extended difference-of-Gaussians" (2011).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sketch_models.option import option, require


@dataclass(frozen=True, kw_only=True)
class XdogOptions:
    """[xdog]: the sketch model that needs no weights."""

    sigma: float = option(0.6, "width of the finer blur, in pixels")
    k: float = option(4.0, "the wider blur, in multiples of sigma")
    p: float = option(20.0, "how much the difference of the blurs counts")
    eps: float = option(
        -0.1, "what stays lighter than this is paper; below 0 dark areas stay empty"
    )
    phi: float = option(0.2, "how soon what is darker turns into ink; small values keep greys")

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        above = "a number above 0"
        require(0.1 <= self.sigma <= 20, "[xdog] sigma", self.sigma, "pixels from 0.1 to 20")
        require(1 < self.k <= 20, "[xdog] k", self.k, "a number above 1, up to 20")
        require(self.p > 0, "[xdog] p", self.p, above)
        require(self.phi > 0, "[xdog] phi", self.phi, above)


class Xdog:
    """XDoG as a sketch model."""

    batch_size = 2
    threads = os.cpu_count() or 1

    def __init__(self, options: XdogOptions) -> None:
        self._options = options

    def extract_lines(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return ink maps.

        With `D = (1 + p) G(sigma) - p G(k sigma)` of the grey picture in [0, 1], the paper's
        output is `T = 1` if `D >= eps`, else `1 + tanh(phi (D - eps))`; ink is `1 - T`,
        limited to 1.

        Args:
            pictures: (H, W, 3) uint8 RGB, of any sizes.

        Returns:
            (H, W) float32 in [0, 1], 1 = ink, one per picture.
        """
        return [self._ink_map(picture) for picture in pictures]

    def _ink_map(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        o = self._options
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        fine = cv2.GaussianBlur(grey, (0, 0), o.sigma)
        wide = cv2.GaussianBlur(grey, (0, 0), o.k * o.sigma)
        difference = (1 + o.p) * fine - o.p * wide
        ink = -np.tanh(o.phi * np.minimum(difference - o.eps, 0))
        return ink.astype(np.float32)
