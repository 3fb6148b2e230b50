"""The figures of an evaluation that are grids of pictures, as (H, W, 3) uint8 RGB arrays.

The paper's figure 2 shows colour, line art, hints and result of each picture, its figure 5 what
several networks paint: `picture_grid` draws both. `latent_sweep` draws its figure 6 and `thickness`
its figure 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.pack.square import resample
from pipeline.report.sheet import (
    GROUP_GAP,
    GUTTER,
    HEADING_SIZE,
    LABEL_WIDTH,
    MARGIN,
    TEXT_COLOR,
    draw_label,
    draw_picture,
    fit_font_size,
)

Picture = NDArray[np.uint8]
"""(H, W) grey or (H, W, 3) RGB."""

SWEEP = tuple(range(-100, 100, 10))
"""The paper's values of one dimension of z."""


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A row of pictures.

    Attributes:
        label: written upwards beside it; may be empty.
        pictures: one per column.
    """

    label: str
    pictures: Sequence[Picture]


def picture_grid(
    headings: Sequence[str], rows: Sequence[GridRow], cell: int = 192, *, together: int = 1
) -> Picture:
    """Pictures in rows and columns, on white.

    Args:
        headings: above the columns.
        rows: all with one picture per heading; pictures keep their aspect.
        cell: side of a column, in pixels, which the long side of every picture gets.
        together: rows that belong together; there is more room after so many of them.
    """
    gap = max(3, min(GUTTER, cell // 16))
    left = MARGIN + (LABEL_WIDTH if any(row.label for row in rows) else 0)
    columns = [left + number * (cell + gap) for number in range(len(headings))]
    cells = [[_scaled(picture, cell) for picture in row.pictures] for row in rows]
    heights = [max(picture.shape[0] for picture in line) for line in cells]
    *tops, below = _tops(heights, gap, together)
    sheet = Image.new("RGB", (columns[-1] + cell + MARGIN, below + MARGIN), "white")
    _draw_headings(sheet, headings, columns, cell)
    for row, pictures, high, top in zip(rows, cells, heights, tops, strict=True):
        draw_label(sheet, row.label, top + high // 2)
        for x, picture in zip(columns, pictures, strict=True):
            tall, wide = picture.shape[:2]
            draw_picture(sheet, picture, x + (cell - wide) // 2, top + (high - tall) // 2)
    return np.asarray(sheet)


def _tops(heights: Sequence[int], gap: int, together: int) -> list[int]:
    """Where each row starts, and where the last one ends, in pixels from the top."""
    places, top = [], MARGIN + HEADING_SIZE + GUTTER
    end = top
    for number, high in enumerate(heights, 1):
        places.append(top)
        end = top + high
        top = end + (GROUP_GAP if together > 1 and number % together == 0 else gap)
    return [*places, end]


def _scaled(picture: Picture, cell: int) -> Picture:
    height, width = picture.shape[:2]
    scale = cell / max(height, width)
    return resample(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def _draw_headings(
    sheet: Image.Image, headings: Sequence[str], columns: Sequence[int], cell: int
) -> None:
    font = ImageFont.load_default(fit_font_size(headings, cell, HEADING_SIZE))
    draw = ImageDraw.Draw(sheet)
    for x, text in zip(columns, headings, strict=True):
        draw.text((x + cell / 2, MARGIN + HEADING_SIZE / 2), text, TEXT_COLOR, font, anchor="mm")


def latent_sweep(
    rows: Sequence[GridRow], values: Sequence[float] = SWEEP, cell: int = 88
) -> Picture:
    """What one dimension of z does (the paper's figure 6), one dimension per row.

    Args:
        rows: labelled with their dimension; a picture per value.
        values: of that dimension, written above.
        cell: side of a column, in pixels.
    """
    return picture_grid([f"{value:g}" for value in values], rows, cell)


def thickness(
    headings: Sequence[str],
    lines: Sequence[Sequence[Picture]],
    results: Sequence[Sequence[Picture]],
    cell: int = 192,
) -> Picture:
    """Line art of several thicknesses above what is painted from it (the paper's figure 7).

    Args:
        headings: the thicknesses, such as the resolution that the lines were drawn at.
        lines: per picture, one per thickness.
        results: per picture, one per thickness.
        cell: side of a column, in pixels.
    """
    rows = [
        GridRow(label=label, pictures=pictures)
        for pair in zip(lines, results, strict=True)
        for label, pictures in zip(("line art", "painted"), pair, strict=True)
    ]
    return picture_grid(headings, rows, cell, together=2)
