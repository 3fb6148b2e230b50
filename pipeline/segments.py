"""Segments of a picture: areas of about one colour, as Hint-AUC finds them.

Madono, Yuan and Simo-Serra, "Hint-AUC: Deterministic Region-based Hint Generation for Line Art
Colorization Evaluation", IEEE TVCG 2026: the segmentation of Felzenszwalb and Huttenlocher (2004)
at 512 x 512.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

SIDE = 512
"""Side of the square picture that Hint-AUC segments, in pixels."""

_SCALE = 100.0  # these three at that side
_SIGMA = 0.5  # pixels
_MIN_SIZE = 100  # pixels


def find_segments(picture: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.int64]:
    """Return the number of the segment of every pixel, from 0.

    The pixels of a segment are connected by all eight neighbours.

    Args:
        picture: (H, W, 3) uint8 RGB.
        side: of the square that the picture is, or lies in, in pixels. The parameters of Hint-AUC
            are scaled by it, so that a picture has about as many segments at every size.

    Returns:
        (H, W) int64.
    """
    area = (side / SIDE) ** 2
    bgr = picture[..., ::-1]  # as hintauc has it: sums of three channels depend on their order
    segments = felzenszwalb(
        bgr,
        scale=_SCALE * area,
        sigma=_SIGMA * side / SIDE,
        min_size=max(1, round(_MIN_SIZE * area)),
    )
    return np.asarray(segments, np.int64)
