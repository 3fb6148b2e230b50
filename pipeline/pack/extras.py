"""The HDF5 datasets that `[pack] extras` adds to a packed file; readers may ignore them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any

import numpy as np

from pipeline.screen.picture_stats import PictureStats

FLAT, MASK, REFERENCE, MEASURES = EXTRAS = ("flat", "mask", "reference", "measures")

MAX_COLORS = 4096
"""Colours of the palette of `flat`; a picture has fewer areas."""

MAX_REFERENCES = 8
NO_REFERENCE = -1
"""Fills up the row of a picture with fewer references."""

_PICTURES = {FLAT: ("flat", "flat_colors"), MASK: ("mask",)}
_MEASURE_TYPES = {"int": np.dtype("<i4"), "float": np.dtype("<f4"), "str": np.dtype("S64")}
_COLUMNS: dict[str, dict[str, np.dtype[Any]]] = {
    REFERENCE: {"reference": np.dtype("<i8")},
    MEASURES: {
        f"measures/{each.name}": _MEASURE_TYPES[str(each.type)] for each in fields(PictureStats)
    },
}


def extra_pictures(extras: Collection[str]) -> list[str]:
    """Return the names of the HDF5 datasets of extras with a chunk for every picture."""
    return [name for extra in EXTRAS if extra in extras for name in _PICTURES.get(extra, ())]


def extra_columns(extras: Collection[str]) -> dict[str, np.dtype[Any]]:
    """Return the types of the columns of extras, by the name of their HDF5 dataset."""
    return {
        name: dtype
        for extra in EXTRAS
        if extra in extras
        for name, dtype in _COLUMNS.get(extra, {}).items()
    }


def find_extras(names: Iterable[str]) -> tuple[str, ...]:
    """Return the extras of which at least one HDF5 dataset is among these names."""
    present = set(names)
    return tuple(
        extra
        for extra in EXTRAS
        if present.intersection([*extra_pictures([extra]), *extra_columns([extra])])
    )
