"""The picture grids of an evaluation, as (H, W, 3) uint8 RGB arrays.

The paper's figure 2 shows colour, line art, hints and result of each picture, its figure 5 the
results of several networks: `picture_grid` draws both. `latent_sweep` draws its figure 6 and
`thickness_grid` its figure 7.
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
        label: beside it, rotated; may be empty.
        pictures: one per column.
    """

    label: str
    pictures: Sequence[Picture]


def picture_grid(
    headings: Sequence[str], rows: Sequence[GridRow], cell: int = 192, *, group: int = 1
) -> Picture:
    """Draw pictures in rows and columns, on white.

    Args:
        headings: above the columns.
        rows: each with one picture per heading; pictures keep their aspect ratio.
        cell: width of a column in pixels, and long side of every picture.
        group: number of rows between two wider gaps; 1 for equal gaps.
    """
    gap = max(3, min(GUTTER, cell // 16))
    left = MARGIN + (LABEL_WIDTH if any(row.label for row in rows) else 0)
    columns = [left + number * (cell + gap) for number in range(len(headings))]
    cells = [[_resize(picture, cell) for picture in row.pictures] for row in rows]
    heights = [max(picture.shape[0] for picture in pictures) for pictures in cells]
    *tops, bottom = _tops(heights, gap, group)
    sheet = Image.new("RGB", (columns[-1] + cell + MARGIN, bottom + MARGIN), "white")
    _draw_headings(sheet, headings, columns, cell)
    for row, pictures, height, top in zip(rows, cells, heights, tops, strict=True):
        draw_label(sheet, row.label, top + height // 2)
        for x, picture in zip(columns, pictures, strict=True):
            indent, drop = (cell - picture.shape[1]) // 2, (height - picture.shape[0]) // 2
            draw_picture(sheet, picture, x + indent, top + drop)
    return np.asarray(sheet)


def _tops(heights: Sequence[int], gap: int, group: int) -> list[int]:
    """Return the top of each row and the bottom of the last, in pixels."""
    tops, top = [], MARGIN + HEADING_SIZE + GUTTER
    end = top
    for number, height in enumerate(heights, 1):
        tops.append(top)
        end = top + height
        top = end + (GROUP_GAP if group > 1 and number % group == 0 else gap)
    return [*tops, end]


def _resize(picture: Picture, cell: int) -> Picture:
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
    """Draw the effect of single dimensions of z (the paper's figure 6), one per row.

    Args:
        rows: labelled with their dimension; a picture per value.
        values: of that dimension, as headings.
        cell: width of a column, in pixels.
    """
    return picture_grid([f"{value:g}" for value in values], rows, cell)


def thickness_grid(
    headings: Sequence[str],
    lines: Sequence[Sequence[Picture]],
    results: Sequence[Sequence[Picture]],
    cell: int = 192,
) -> Picture:
    """Draw line art of several thicknesses above its results (the paper's figure 7).

    Args:
        headings: the thicknesses, such as the size at which the lines were drawn.
        lines: per picture, one per thickness.
        results: per picture, one per thickness.
        cell: width of a column, in pixels.
    """
    rows = [
        GridRow(label=label, pictures=pictures)
        for pair in zip(lines, results, strict=True)
        for label, pictures in zip(("line art", "result"), pair, strict=True)
    ]
    return picture_grid(headings, rows, cell, group=2)
