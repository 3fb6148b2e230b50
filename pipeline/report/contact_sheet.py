"""The contact sheet: pictures in rows, each with its three sketches and its three lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.pack.pack import OpenShard, ShardPaths
from pipeline.pack.square import resampled
from pipeline.picture import decode
from pipeline.report.sheet import (
    CAPTION,
    EDGE,
    GROUP,
    GUTTER,
    HEAD,
    LABEL,
    QUIET,
    TEXT,
    draw_label,
    draw_picture,
)
from sketch_models.styles import STYLES

_TALL = 1.5  # height of the tallest cell, in cell widths


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One picture of the sheet.

    Attributes:
        label: written beside it, such as its post id.
        color: (H, W, 3) uint8 RGB.
        sketches: (H, W) uint8 by style, 0 ink; may be empty.
        lines: (H, W) uint8 by style, 0 ink.
    """

    label: str
    color: NDArray[np.uint8]
    sketches: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    lines: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    def groups(self) -> list[tuple[str, Mapping[str, NDArray[np.uint8]]]]:
        """Heading and captioned pictures of every group of columns."""
        groups = [("colour", {"": self.color}), ("sketch", self.sketches), ("line art", self.lines)]
        return [(heading, pictures) for heading, pictures in groups if pictures]


def contact_sheet(rows: Sequence[SheetRow], cell: int = 224) -> NDArray[np.uint8]:
    """Draws the sheet: colour | sketches | lines, one row per picture, on white.

    Args:
        rows: the pictures, all with the same styles.
        cell: width of a column, in pixels.

    Returns:
        (H, W, 3) uint8 RGB; H follows from the aspects of the pictures.
    """
    if not rows:
        return np.full((2 * EDGE, 2 * EDGE, 3), 255, np.uint8)
    columns = _columns(rows[0], cell)
    left = EDGE + LABEL
    top = EDGE + HEAD + CAPTION + 2 * GUTTER
    cells = [_scaled(row, cell) for row in rows]
    heights = [max(picture.shape[0] for picture in pictures) for pictures in cells]
    width = left + columns[-1] + cell + EDGE
    height = top + sum(heights) + GUTTER * (len(rows) - 1) + EDGE
    sheet = Image.new("RGB", (width, height), "white")
    _draw_headings(sheet, rows[0], [left + x for x in columns], cell)
    for row, pictures, high in zip(rows, cells, heights, strict=True):
        draw_label(sheet, row.label, top + high // 2)
        for x, picture in zip(columns, pictures, strict=True):
            draw_picture(sheet, picture, left + x + (cell - picture.shape[1]) // 2, top)
        top += high + GUTTER
    return np.asarray(sheet)


def contact_sheet_of(
    packed: Path, shards: Sequence[ShardPaths], count: int = 6, cell: int = 224
) -> NDArray[np.uint8]:
    """The sheet of a packed file: pictures from all over it, as they were before packing.

    Args:
        packed: a `train.h5` or `test.h5`.
        shards: the shards that it was made from.
        count: how many rows to show, if there are as many.
        cell: width of a column, in pixels.
    """
    with h5py.File(packed, "r") as file:
        ids: NDArray[np.int64] = file["id"][:]
    places = np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int)
    wanted = ids[places].tolist()
    rows = []
    for paths in shards:
        held = set(pl.read_parquet(paths.posts, columns=["id"])["id"].to_list())
        here = [post_id for post_id in wanted if post_id in held]
        if here:
            with OpenShard(paths, sketches=True) as shard:
                rows += [_read(shard, post_id) for post_id in here]
    return contact_sheet(rows, cell)


def _read(shard: OpenShard, post_id: int) -> SheetRow:
    maps = dict(shard.maps(post_id))
    return SheetRow(
        label=str(post_id),
        color=decode(shard.color(post_id)),
        sketches=_shown(maps, "sketch"),
        lines=_shown(maps, "line"),
    )


def _shown(maps: Mapping[str, NDArray[np.uint8]], kind: str) -> dict[str, NDArray[np.uint8]]:
    """The three styles of the first variant, and the first style of the others."""
    first, *others = dict.fromkeys(
        name.removeprefix(f"{kind}/{STYLES[0]}")
        for name in maps
        if name.startswith(f"{kind}/{STYLES[0]}")
    )
    names = [f"{style}{first}" for style in STYLES] + [f"{STYLES[0]}{suffix}" for suffix in others]
    return {name.replace("_", " "): maps[f"{kind}/{name}"] for name in names}


def _columns(row: SheetRow, cell: int) -> list[int]:
    """Where the columns start, in pixels from the first."""
    places, x = [], 0
    for _, pictures in row.groups():
        for _ in pictures:
            places.append(x)
            x += cell + GUTTER
        x += GROUP - GUTTER
    return places


def _scaled(row: SheetRow, cell: int) -> list[NDArray[np.uint8]]:
    """The pictures of a row, all in the size that the colour picture has in its cell."""
    height, width = row.color.shape[:2]
    scale = min(cell / width, _TALL * cell / height)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    pictures = [picture for _, group in row.groups() for picture in group.values()]
    return [resampled(picture, wide, high) for picture in pictures]


def _draw_headings(sheet: Image.Image, row: SheetRow, columns: list[int], cell: int) -> None:
    draw = ImageDraw.Draw(sheet)
    head, caption = ImageFont.load_default(HEAD), ImageFont.load_default(CAPTION)
    head_y, caption_y = EDGE + HEAD // 2, EDGE + HEAD + GUTTER + CAPTION // 2
    for heading, pictures in row.groups():
        here, columns = columns[: len(pictures)], columns[len(pictures) :]
        middle = (here[0] + here[-1] + cell) / 2
        draw.text((middle, head_y), heading, TEXT, head, anchor="mm")
        for x, style in zip(here, pictures, strict=True):
            draw.text((x + cell / 2, caption_y), style, QUIET, caption, anchor="mm")
