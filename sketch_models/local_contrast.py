"""Pictures relative to their surroundings: what the networks of lines see of a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

RADIUS = 20  # pixels, of a box blur that is applied twice
_FLOOR = 4 / 255  # contrast, 0 to 1, below which surroundings count as flat: noise stays small


def normalize(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture relative to the mean and deviation of its surroundings.

    A line of a dark or pale picture looks like that of any other; the deviation is returned too, so
    that noise can be told from lines.

    Args:
        picture: (H, W) or (H, W, C) uint8.

    Returns:
        (C + 1, H, W) float32: the channels, about [-4, 4]; then the deviation, its logarithm scaled
        to about [-1, 1].
    """
    planes = np.atleast_3d(picture).astype(np.float32) / np.float32(255)
    mean, channels = _blur(planes), planes.shape[2]
    squares = _blur(planes * planes) - mean * mean
    variance = sum(squares[..., channel] for channel in range(channels)) / np.float32(channels)
    deviation = np.sqrt(np.maximum(variance, 0)) + np.float32(_FLOOR)
    relative = (planes - mean) / deviation[..., None]
    scaled = np.log(deviation / np.float32(0.08)) / np.float32(2)
    result = np.empty((planes.shape[2] + 1, *picture.shape[:2]), np.float32)
    result[:-1] = relative.transpose(2, 0, 1)
    result[-1] = scaled
    return result


def _blur(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    side = (2 * RADIUS + 1, 2 * RADIUS + 1)
    blurred = np.asarray(cv2.blur(cv2.blur(planes, side), side), np.float32)
    return blurred.reshape(planes.shape)
