"""Ways to find lines that everybody has at hand: each takes a picture and returns its ink.

Their parameters were chosen on the pictures of `choosing.py`, which no row of the table has.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.bool_]
Pixels = NDArray[np.uint8]


def binary_dog(
    color: Pixels, *, sigma: float = 0.7, k: float = 4.5, threshold: float = 0.03
) -> Ink:
    """Return where a picture is darker than its surroundings: an XDoG of infinite slope.

    Args:
        color: (H, W, 3) RGB.
        sigma: of the narrower blur, in pixels.
        k: the wider blur's sigma, as a multiple.
        threshold: by how much it is darker, 1 being white.
    """
    grey = _grey(color).astype(np.float32) / 255
    narrow = cv2.GaussianBlur(grey, (0, 0), sigma)
    wide = cv2.GaussianBlur(grey, (0, 0), sigma * k)
    return np.asarray(wide - narrow > threshold)


def canny(color: Pixels) -> Ink:
    """Return the edges by Canny, after a small blur, with thresholds from Otsu's method."""
    grey = cv2.GaussianBlur(_grey(color), (5, 5), 0)
    high, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(cv2.Canny(grey, high / 2, high)) > 0


def darker_than_60(color: Pixels) -> Ink:
    """Return where the grey is below 60 of 255."""
    return _grey(color) < 60


def _grey(color: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY))
