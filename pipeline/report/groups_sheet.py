"""A sheet of some groups of duplicates, with the reasons why they were grouped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.picture import decode, resize_long_side
from pipeline.report.sheet import (
    CAPTION_SIZE,
    GUTTER,
    LABEL_WIDTH,
    MARGIN,
    MUTED_COLOR,
    draw_label,
    draw_picture,
)
from pipeline.screen.duplicates import REASONS
from pipeline.shard import ShardReader
from pipeline.table import read_table

_GROUPS_PER_REASON = 2
_COLUMNS = 5  # pictures of a group

Picture = NDArray[np.uint8]


def groups_sheet(folder: Path, colors: Sequence[Path], cell: int = 200) -> Picture | None:
    """Draw a few groups, a row each.

    Args:
        folder: the folder to which `write_groups` wrote.
        colors: tars of the pictures.
        cell: long side of a picture, in pixels.

    Returns:
        (H, W, 3) uint8 RGB, or None if there are no groups of two or more.
    """
    groups = _select_groups(folder)
    selected = {post_id for _, ids in groups for post_id in ids}
    pictures = _read_pictures(colors, selected, cell)
    return _draw(groups, pictures, cell) if groups else None


def _select_groups(folder: Path) -> list[tuple[str, list[int]]]:
    """Return reason and post ids of some groups, the largest first."""
    groups = read_table(folder / "groups.parquet")
    joins = read_table(folder / "joins.parquet").join(groups, on="id")
    members = groups.group_by("first").agg(pl.col("id").sort()).sort("first")
    selected: dict[int, tuple[str, list[int]]] = {}
    for reason in REASONS:
        firsts = joins.filter(pl.col("reason") == reason)["first"].unique()
        matching = members.filter(pl.col("first").is_in(firsts.implode()))
        matching = matching.sort(pl.col("id").list.len(), descending=True, maintain_order=True)
        for first, ids in matching.head(_GROUPS_PER_REASON).iter_rows():
            selected.setdefault(first, (reason.replace("_", " "), ids[:_COLUMNS]))
    return list(selected.values())


def _read_pictures(colors: Sequence[Path], selected: set[int], cell: int) -> dict[int, Picture]:
    pictures = {}
    for path in colors:
        with ShardReader(path) as shard:
            for post_id in selected.intersection(shard.ids):
                (part,) = shard.parts(post_id)
                pictures[post_id] = resize_long_side(decode(shard.read(post_id, part)), cell)
    return pictures


def _draw(
    groups: Sequence[tuple[str, list[int]]], pictures: Mapping[int, Picture], cell: int
) -> Picture:
    columns = max(len(ids) for _, ids in groups)
    heights = [max(pictures[post_id].shape[0] for post_id in ids) for _, ids in groups]
    step = CAPTION_SIZE + 2 * GUTTER
    width = 2 * MARGIN + LABEL_WIDTH + columns * (cell + GUTTER) - GUTTER
    sheet = Image.new("RGB", (width, 2 * MARGIN + sum(heights) + step * len(groups)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION_SIZE)
    top = MARGIN
    for (reason, ids), height in zip(groups, heights, strict=True):
        draw_label(sheet, reason, top + height // 2)
        for column, post_id in enumerate(ids):
            picture = pictures[post_id]
            left = MARGIN + LABEL_WIDTH + column * (cell + GUTTER)
            draw_picture(sheet, picture, left + (cell - picture.shape[1]) // 2, top)
            middle = (left + cell / 2, top + height + GUTTER)
            draw.text(middle, str(post_id), MUTED_COLOR, font, anchor="mm")
        top += height + step
    return np.asarray(sheet)
