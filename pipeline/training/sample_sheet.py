"""Sheets of samples: rows of pictures of one size, with gaps between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_GAP = 4  # pixels between pictures


def make_sheet(rows: Sequence[Sequence[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Return rows of pictures as one picture.

    Args:
        rows: pictures, (H, W, 3) uint8 RGB, of one size; as many in every row.

    Returns:
        (H, W, 3) uint8 RGB, white between the pictures.
    """
    return _concatenate([_concatenate(row, axis=1) for row in rows], axis=0)


def _concatenate(pictures: Sequence[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    padding = [(0, 0), (0, 0), (0, 0)]
    padding[axis] = (0, _GAP)
    return np.concatenate(
        [np.pad(picture, padding, constant_values=255) for picture in pictures], axis=axis
    )
