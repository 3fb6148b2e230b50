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

from pipeline.pack import OpenShard, ShardPaths
from pipeline.picture import decode
from pipeline.square import resampled
from sketch_models.styles import STYLES

_GUTTER = 10  # pixels between pictures
_GROUP = 26  # pixels between colour, sketches and lines
_EDGE = 18  # pixels around everything
_TALL = 1.5  # height of the tallest cell, in cell widths
_TEXT, _QUIET, _FRAME = (40, 40, 44), (120, 120, 126), (222, 222, 226)
_HEAD, _CAPTION = 19, 15  # sizes of the letters, in pixels


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
        return np.full((2 * _EDGE, 2 * _EDGE, 3), 255, np.uint8)
    columns = _columns(rows[0], cell)
    left = _EDGE + _CAPTION + _GUTTER
    top = _EDGE + _HEAD + _CAPTION + 2 * _GUTTER
    cells = [_scaled(row, cell) for row in rows]
    heights = [max(picture.shape[0] for picture in pictures) for pictures in cells]
    width = left + columns[-1] + cell + _EDGE
    height = top + sum(heights) + _GUTTER * (len(rows) - 1) + _EDGE
    sheet = Image.new("RGB", (width, height), "white")
    _draw_headings(sheet, rows[0], [left + x for x in columns], cell)
    for row, pictures, high in zip(rows, cells, heights, strict=True):
        _draw_label(sheet, row.label, top + high // 2)
        for x, picture in zip(columns, pictures, strict=True):
            _draw_picture(sheet, picture, left + x + (cell - picture.shape[1]) // 2, top)
        top += high + _GUTTER
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
            x += cell + _GUTTER
        x += _GROUP - _GUTTER
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
    head, caption = ImageFont.load_default(_HEAD), ImageFont.load_default(_CAPTION)
    head_y, caption_y = _EDGE + _HEAD // 2, _EDGE + _HEAD + _GUTTER + _CAPTION // 2
    for heading, pictures in row.groups():
        here, columns = columns[: len(pictures)], columns[len(pictures) :]
        middle = (here[0] + here[-1] + cell) / 2
        draw.text((middle, head_y), heading, _TEXT, head, anchor="mm")
        for x, style in zip(here, pictures, strict=True):
            draw.text((x + cell / 2, caption_y), style, _QUIET, caption, anchor="mm")


def _draw_label(sheet: Image.Image, label: str, middle: int) -> None:
    """Writes a label upwards, left of its row."""
    font = ImageFont.load_default(_CAPTION)
    length = int(font.getlength(label)) + 4
    text = Image.new("RGB", (length, _CAPTION + 4), "white")
    ImageDraw.Draw(text).text((length / 2, _CAPTION / 2 + 2), label, _QUIET, font, anchor="mm")
    sheet.paste(text.transpose(Image.Transpose.ROTATE_90), (_EDGE - 4, middle - length // 2))


def _draw_picture(sheet: Image.Image, picture: NDArray[np.uint8], left: int, top: int) -> None:
    height, width = picture.shape[:2]
    sheet.paste(Image.fromarray(picture), (left, top))
    frame = (left - 1, top - 1, left + width, top + height)
    ImageDraw.Draw(sheet).rectangle(frame, outline=_FRAME)
