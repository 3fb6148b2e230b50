"""Centre lines of ink, and how far two sets of them agree."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

Mask = NDArray[np.bool_]


def middle(ink: Mask) -> Mask:
    """Return the centre lines of ink, one pixel wide."""
    return np.asarray(skeletonize(ink), bool)


def distance_to(mask: Mask) -> NDArray[np.float32]:
    """Return how far every pixel is from the nearest one of a mask, in pixels."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def share_near(lines: Mask, others: Mask, pixels: float = 2.0) -> float:
    """Return the share of some lines that lies within a few pixels of others."""
    assert lines.any()
    return float((distance_to(others)[lines] <= pixels).mean())


def f1(found: Mask, true: Mask, counted: Mask | None = None) -> float:
    """Return the F1 of centre lines within two pixels, where they are counted."""
    where = np.ones_like(true) if counted is None else counted
    precision, recall = share_near(found & where, true), share_near(true & where, found)
    return 2 * precision * recall / max(precision + recall, 1e-9)


def count_lines(lines: NDArray[np.uint8]) -> int:
    """Return the number of separate lines on a page."""
    return cv2.connectedComponents((lines < 128).astype(np.uint8))[0] - 1
