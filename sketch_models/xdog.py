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

from sketch_models.option import Options, option


@dataclass(frozen=True, kw_only=True)
class XdogOptions(Options, section="xdog"):
    """The sketch model that needs no weights."""

    sigma: float = option(
        0.6,
        "standard deviation of the finer blur, in pixels",
        at_least=0.1,
        at_most=20,
        unit="pixels",
    )
    k: float = option(
        4.0, "standard deviation of the wider blur, in multiples of sigma", above=1, at_most=20
    )
    p: float = option(20.0, "how much the difference of the two blurs counts", above=0)
    eps: float = option(-0.1, "level above which a pixel is paper; below 0, dark areas stay empty")
    phi: float = option(
        0.2, "how steeply what is darker than eps turns into ink; small values keep greys", above=0
    )


class Xdog:
    """XDoG as a sketch model.

    Args:
        options: parameters of the filter.
    """

    batch_size = 2
    threads = os.cpu_count() or 1

    def __init__(self, options: XdogOptions) -> None:
        self._options = options

    def lines(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
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
        options = self._options
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        fine = cv2.GaussianBlur(grey, (0, 0), options.sigma)
        wide = cv2.GaussianBlur(grey, (0, 0), options.k * options.sigma)
        difference = (1 + options.p) * fine - options.p * wide
        ink = -np.tanh(options.phi * np.minimum(difference - options.eps, 0))
        return ink.astype(np.float32)
