"""Contact sheets: pictures, and the lines that each method finds in them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_GAP = 4  # pixels, between cells
_HEAD = 22  # pixels, of the headings


def sheet(
    headings: Sequence[str], rows: Sequence[Sequence[NDArray[np.generic]]], height: int = 320
) -> Pixels:
    """Draw a table of pictures.

    Args:
        headings: one per column.
        rows: of pictures of about one aspect: colour (H, W, 3) uint8, or ink (H, W) bool.
        height: of a row, in pixels.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    width = max(height * row[0].shape[1] // row[0].shape[0] for row in rows)
    head = np.full((_HEAD, (width + _GAP) * len(headings), 3), 255, np.uint8)
    for column, heading in enumerate(headings):
        at = ((width + _GAP) * column + 4, _HEAD - 7)
        cv2.putText(head, heading, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    lines = [np.hstack([_cell(picture, width, height) for picture in row]) for row in rows]
    return np.vstack([head, *lines])


def _cell(picture: NDArray[np.generic], width: int, height: int) -> Pixels:
    """Return a picture or ink in the middle of a cell."""
    if picture.ndim == 2:
        paper = np.where(picture, 0, 255).astype(np.uint8)
        picture = np.repeat(paper[..., None], 3, axis=2)
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    small = cv2.resize(picture.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    cell = np.full((height + _GAP, width + _GAP, 3), 210, np.uint8)
    top, left = (height + _GAP - size[1]) // 2, (width + _GAP - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell
