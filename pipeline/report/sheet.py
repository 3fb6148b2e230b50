"""Colours, fonts and frames of sheets of pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

GUTTER = 10  # between pictures, in pixels
GROUP_GAP = 26  # between groups of pictures, in pixels
MARGIN = 18  # around the sheet, in pixels
HEADING_SIZE, CAPTION_SIZE = 19, 15  # font sizes, in pixels
TEXT_COLOR, MUTED_COLOR, FRAME_COLOR = (40, 40, 44), (120, 120, 126), (222, 222, 226)
LABEL_WIDTH = CAPTION_SIZE + GUTTER  # of the labels left of the rows, in pixels
_MIN_FONT_SIZE = 9  # pixels; smaller text cannot be read


def draw_label(sheet: Image.Image, label: str, middle: int) -> None:
    """Draw the label of a row, rotated by 90 degrees, at the left margin.

    Args:
        sheet: an RGB image.
        label: the text.
        middle: vertical middle of the row, in pixels.
    """
    font = ImageFont.load_default(CAPTION_SIZE)
    length = int(font.getlength(label)) + 4
    text = Image.new("RGB", (length, CAPTION_SIZE + 4), "white")
    ImageDraw.Draw(text).text(
        (length / 2, CAPTION_SIZE / 2 + 2), label, MUTED_COLOR, font, anchor="mm"
    )
    sheet.paste(text.transpose(Image.Transpose.ROTATE_90), (MARGIN - 4, middle - length // 2))


def draw_picture(sheet: Image.Image, picture: NDArray[np.uint8], left: int, top: int) -> None:
    """Paste an (H, W) or (H, W, 3) uint8 picture on a sheet, with a thin frame around it."""
    height, width = picture.shape[:2]
    sheet.paste(Image.fromarray(picture), (left, top))
    frame = (left - 1, top - 1, left + width, top + height)
    ImageDraw.Draw(sheet).rectangle(frame, outline=FRAME_COLOR)


def fit_font_size(texts: Iterable[str], width: int, size: int) -> int:
    """Return the font size at which every text fits into a width.

    Args:
        texts: the texts, each on one line.
        width: the width, in pixels.
        size: the largest font size, in pixels.

    Returns:
        `size`, or the largest size below it that fits, but at least 9.
    """
    font = ImageFont.load_default(size)
    longest = max((font.getlength(text) for text in texts), default=0.0)
    return size if longest <= width else max(_MIN_FONT_SIZE, math.floor(size * width / longest))
