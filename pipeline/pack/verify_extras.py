"""Check the extras of a picture in a packed file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.pack.extras import MAX_COLORS, NO_REFERENCE
from pipeline.pack.mask import FOREGROUND
from pipeline.pack.square import PAPER


def extra_fault(
    name: str,
    value: Any,  # noqa: ANN401 - its type depends on the name
    box: NDArray[np.int16],
    post_id: int,
    ids: NDArray[np.int64],
) -> str:
    """Return what is wrong with a row of an extra's HDF5 dataset; empty if nothing is.

    Args:
        name: of the dataset.
        value: of the row.
        box: of the picture: left, top, right, bottom, half-open, in pixels.
        post_id: of the picture.
        ids: of all pictures of the file, ascending.

    Returns:
        The end of a sentence that begins with the name.
    """
    match name:
        case "flat":
            return _flat_fault(value, box)
        case "flat_colors":
            return "" if (value[0] == PAPER).all() else "does not begin with white"
        case "mask":
            return _mask_fault(value, box)
        case "reference":
            return _reference_fault(value, post_id, ids)
        case _:
            is_number = isinstance(value, bytes) or np.isfinite(value)
            return "" if is_number else f"is {value}, expected a number"


def _flat_fault(numbers: NDArray[np.uint16], box: NDArray[np.int16]) -> str:
    inside, around = _cut(numbers, box)
    if around.any():
        return "is not 0 outside its content box"
    if not inside.all():
        return "has pixels of no area in its content box"
    if inside.max() >= MAX_COLORS:
        return f"has an area {inside.max()}, expected less than {MAX_COLORS}"
    return ""


def _mask_fault(mask: NDArray[np.uint8], box: NDArray[np.int16]) -> str:
    inside, around = _cut(mask, box)
    if around.any():
        return "is not 0 outside its content box"
    return "" if np.isin(inside, (0, FOREGROUND)).all() else f"has values but 0 and {FOREGROUND}"


def _reference_fault(references: NDArray[np.int64], post_id: int, ids: NDArray[np.int64]) -> str:
    is_given = references != NO_REFERENCE
    given = references[is_given]
    if not is_given[: len(given)].all() or len(np.unique(given)) < len(given):
        return f"is {references.tolist()}, expected ids, each once, and {NO_REFERENCE} behind them"
    if post_id in given:
        return f"has post {post_id} itself"
    foreign = np.setdiff1d(given, ids)
    return f"has post {foreign[0]}, which is not in this file" if foreign.size else ""


def _cut(values: NDArray[Any], box: NDArray[np.int16]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the part of a square in the box, and the square without it."""
    left, top, right, bottom = box
    around = values.copy()
    around[top:bottom, left:right] = 0
    return values[top:bottom, left:right], around
