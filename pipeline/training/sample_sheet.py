"""Sheets of samples: rows of pictures of one size, with gaps between them and headings above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_GAP = 4  # pixels between pictures
_FONT_SIZES = range(16, 7, -1)  # pixels; the largest that fits is taken
_TEXT_COLOR = (40, 40, 44)


def make_sheet(
    rows: Sequence[Sequence[NDArray[np.uint8]]], headings: Sequence[str] = ()
) -> NDArray[np.uint8]:
    """Return rows of pictures as one picture.

    Args:
        rows: pictures, (H, W, 3) uint8 RGB, of one size; as many in every row.
        headings: of the columns; none if empty.

    Returns:
        (H, W, 3) uint8 RGB, white between the pictures.
    """
    sheet = _concatenate([_concatenate(row, axis=1) for row in rows], axis=0)
    if not headings:
        return sheet
    band = _draw_headings(headings, rows[0][0].shape[1])
    return np.concatenate([band, sheet])


def _concatenate(pictures: Sequence[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    padding = [(0, 0), (0, 0), (0, 0)]
    padding[axis] = (0, _GAP)
    return np.concatenate(
        [np.pad(picture, padding, constant_values=255) for picture in pictures], axis=axis
    )


def _draw_headings(headings: Sequence[str], width: int) -> NDArray[np.uint8]:
    """Return a white band with a heading above the middle of every column of this width."""
    fonts = [ImageFont.load_default(size) for size in _FONT_SIZES]
    fitting = [
        font for font in fonts if max(font.getlength(heading) for heading in headings) <= width
    ]
    font = (fitting or fonts[-1:])[0]
    height = _FONT_SIZES[0] + 2 * _GAP
    band = Image.new("RGB", (len(headings) * (width + _GAP), height), "white")
    draw = ImageDraw.Draw(band)
    for index, heading in enumerate(headings):
        middle = index * (width + _GAP) + width / 2
        draw.text((middle, height / 2), heading, _TEXT_COLOR, font, anchor="mm")
    return np.asarray(band)
