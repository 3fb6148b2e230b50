"""What sheets of pictures have in common: their colours, letters and frames."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

GUTTER = 10  # pixels between pictures
GROUP = 26  # pixels between groups of pictures
EDGE = 18  # pixels around everything
HEAD, CAPTION = 19, 15  # sizes of the letters, in pixels
TEXT, QUIET, FRAME = (40, 40, 44), (120, 120, 126), (222, 222, 226)
LABEL = CAPTION + GUTTER  # pixels that the labels left of the rows take
_LEAST = 9  # pixels; smaller letters cannot be read


def draw_label(sheet: Image.Image, label: str, middle: int) -> None:
    """Writes a label upwards, left of its row.

    Args:
        sheet: RGB.
        label: to write.
        middle: of the row, in pixels from the top.
    """
    font = ImageFont.load_default(CAPTION)
    length = int(font.getlength(label)) + 4
    text = Image.new("RGB", (length, CAPTION + 4), "white")
    ImageDraw.Draw(text).text((length / 2, CAPTION / 2 + 2), label, QUIET, font, anchor="mm")
    sheet.paste(text.transpose(Image.Transpose.ROTATE_90), (EDGE - 4, middle - length // 2))


def draw_picture(sheet: Image.Image, picture: NDArray[np.uint8], left: int, top: int) -> None:
    """Puts an (H, W) or (H, W, 3) uint8 picture on a sheet, in a thin frame around it."""
    height, width = picture.shape[:2]
    sheet.paste(Image.fromarray(picture), (left, top))
    frame = (left - 1, top - 1, left + width, top + height)
    ImageDraw.Draw(sheet).rectangle(frame, outline=FRAME)


def fitting_size(texts: Iterable[str], width: int, size: int) -> int:
    """The size of letters at which every text fits.

    Args:
        texts: each on one line.
        width: that they have, in pixels.
        size: of the letters where there is room, in pixels.

    Returns:
        `size`, or the largest size below it that fits, but at least 9.
    """
    font = ImageFont.load_default(size)
    longest = max((font.getlength(text) for text in texts), default=0.0)
    return size if longest <= width else max(_LEAST, math.floor(size * width / longest))
