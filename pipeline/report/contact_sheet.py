"""Contact sheets: a row per picture, with its three sketches and its three lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.pack import OpenShard, ShardPaths
from pipeline.pack.square import resample
from pipeline.picture import decode
from pipeline.report.sheet import (
    CAPTION_SIZE,
    GROUP_GAP,
    GUTTER,
    HEADING_SIZE,
    LABEL_WIDTH,
    MARGIN,
    MUTED_COLOR,
    TEXT_COLOR,
    draw_label,
    draw_picture,
)
from pipeline.table import read_table
from sketch_models.styles import STYLES

_MAX_CELL_ASPECT = 1.5  # height of the tallest cell, in cell widths


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One row of a contact sheet.

    Attributes:
        label: text beside the row, such as the post id.
        color: (H, W, 3) uint8 RGB.
        sketches: (H, W) uint8 by style, 0 ink; may be empty.
        lines: (H, W) uint8 by style, 0 ink.
    """

    label: str
    color: NDArray[np.uint8]
    sketches: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    lines: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    def groups(self) -> list[tuple[str, Mapping[str, NDArray[np.uint8]]]]:
        """Return the heading, and pictures by caption, of every group of columns."""
        groups = [("colour", {"": self.color}), ("sketch", self.sketches), ("line art", self.lines)]
        return [(heading, pictures) for heading, pictures in groups if pictures]


def contact_sheet(rows: Sequence[SheetRow], cell: int = 224) -> NDArray[np.uint8]:
    """Draw a contact sheet: colour | sketches | lines, one row per picture, on white.

    Args:
        rows: the pictures, all with the same styles.
        cell: width of a column, in pixels.

    Returns:
        (H, W, 3) uint8 RGB; H depends on the aspects of the pictures.
    """
    if not rows:
        return np.full((2 * MARGIN, 2 * MARGIN, 3), 255, np.uint8)
    columns = _columns(rows[0], cell)
    left = MARGIN + LABEL_WIDTH
    top = MARGIN + HEADING_SIZE + CAPTION_SIZE + 2 * GUTTER
    cells = [_scale(row, cell) for row in rows]
    heights = [max(picture.shape[0] for picture in pictures) for pictures in cells]
    width = left + columns[-1] + cell + MARGIN
    height = top + sum(heights) + GUTTER * (len(rows) - 1) + MARGIN
    sheet = Image.new("RGB", (width, height), "white")
    _draw_headings(sheet, rows[0], [left + x for x in columns], cell)
    for row, pictures, row_height in zip(rows, cells, heights, strict=True):
        draw_label(sheet, row.label, top + row_height // 2)
        for x, picture in zip(columns, pictures, strict=True):
            draw_picture(sheet, picture, left + x + (cell - picture.shape[1]) // 2, top)
        top += row_height + GUTTER
    return np.asarray(sheet)


def read_contact_sheet(
    packed: Path, shards: Sequence[ShardPaths], count: int = 6, cell: int = 224
) -> NDArray[np.uint8]:
    """Draw the contact sheet of a packed file, of evenly spaced pictures as before packing.

    Args:
        packed: a `train.h5` or `test.h5`.
        shards: the shards from which it was packed.
        count: maximum number of rows.
        cell: width of a column, in pixels.
    """
    ids = DatasetReader(packed).ids
    indices = np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int)
    selected = ids[indices].tolist()
    rows = []
    for paths in shards:
        in_shard = set(read_table(paths.posts, ["id"])["id"].to_list())
        shard_ids = [post_id for post_id in selected if post_id in in_shard]
        if shard_ids:
            with OpenShard(paths, sketches=True) as shard:
                rows += [_read_row(shard, post_id) for post_id in shard_ids]
    return contact_sheet(rows, cell)


def _read_row(shard: OpenShard, post_id: int) -> SheetRow:
    maps = dict(shard.maps(post_id))
    return SheetRow(
        label=str(post_id),
        color=decode(shard.color(post_id)),
        sketches=_selected_maps(maps, "sketch"),
        lines=_selected_maps(maps, "line"),
    )


def _selected_maps(
    maps: Mapping[str, NDArray[np.uint8]], group: str
) -> dict[str, NDArray[np.uint8]]:
    """Return the three styles of the first variant, and the first style of the others."""
    first, *others = dict.fromkeys(
        name.removeprefix(f"{group}/{STYLES[0]}")
        for name in maps
        if name.startswith(f"{group}/{STYLES[0]}")
    )
    names = [f"{style}{first}" for style in STYLES] + [f"{STYLES[0]}{suffix}" for suffix in others]
    return {name.replace("_", " "): maps[f"{group}/{name}"] for name in names}


def _columns(row: SheetRow, cell: int) -> list[int]:
    """Return the left edges of the columns, in pixels from the first."""
    lefts, x = [], 0
    for _, pictures in row.groups():
        for _ in pictures:
            lefts.append(x)
            x += cell + GUTTER
        x += GROUP_GAP - GUTTER
    return lefts


def _scale(row: SheetRow, cell: int) -> list[NDArray[np.uint8]]:
    """Resample the pictures of a row to the size at which the colour picture fits its cell."""
    height, width = row.color.shape[:2]
    scale = min(cell / width, _MAX_CELL_ASPECT * cell / height)
    new_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pictures = [picture for _, group in row.groups() for picture in group.values()]
    return [resample(picture, *new_size) for picture in pictures]


def _draw_headings(sheet: Image.Image, row: SheetRow, columns: list[int], cell: int) -> None:
    draw = ImageDraw.Draw(sheet)
    heading_font = ImageFont.load_default(HEADING_SIZE)
    caption_font = ImageFont.load_default(CAPTION_SIZE)
    heading_y = MARGIN + HEADING_SIZE // 2
    caption_y = MARGIN + HEADING_SIZE + GUTTER + CAPTION_SIZE // 2
    for heading, pictures in row.groups():
        of_group, columns = columns[: len(pictures)], columns[len(pictures) :]
        middle = (of_group[0] + of_group[-1] + cell) / 2
        draw.text((middle, heading_y), heading, TEXT_COLOR, heading_font, anchor="mm")
        for x, style in zip(of_group, pictures, strict=True):
            draw.text((x + cell / 2, caption_y), style, MUTED_COLOR, caption_font, anchor="mm")
