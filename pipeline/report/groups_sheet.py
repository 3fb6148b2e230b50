"""A sheet of some groups of pictures that show the same, and why they were put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.picture import decode, resize_long_side
from pipeline.report.sheet import CAPTION, EDGE, GUTTER, LABEL, QUIET, draw_label, draw_picture
from pipeline.screen.duplicates import REASONS
from pipeline.shard import ShardReader

_OF_EACH = 2  # groups of each reason
_COLUMNS = 5  # pictures of a group

Picture = NDArray[np.uint8]


def groups_sheet(folder: Path, colors: Sequence[Path], cell: int = 200) -> Picture | None:
    """Draws a few groups, a row each.

    Args:
        folder: of what `write_groups` wrote.
        colors: tars of the pictures.
        cell: long side of a picture, in pixels.

    Returns:
        (H, W, 3) uint8 RGB; None where no two pictures show the same.
    """
    chosen = _chosen(folder)
    wanted = {post_id for _, ids in chosen for post_id in ids}
    pictures = _pictures(colors, wanted, cell)
    return _draw(chosen, pictures, cell) if chosen else None


def _chosen(folder: Path) -> list[tuple[str, list[int]]]:
    """Reason and members of some groups, those of most members first."""
    groups = pl.read_parquet(folder / "groups.parquet")
    joins = pl.read_parquet(folder / "joins.parquet").join(groups, on="id")
    members = groups.group_by("first").agg(pl.col("id").sort()).sort("first")
    chosen: dict[int, tuple[str, list[int]]] = {}
    for reason in REASONS:
        firsts = joins.filter(pl.col("reason") == reason)["first"].unique()
        found = members.filter(pl.col("first").is_in(firsts.implode()))
        found = found.sort(pl.col("id").list.len(), descending=True, maintain_order=True)
        for first, ids in found.head(_OF_EACH).iter_rows():
            chosen.setdefault(first, (reason.replace("_", " "), ids[:_COLUMNS]))
    return list(chosen.values())


def _pictures(colors: Sequence[Path], wanted: set[int], cell: int) -> dict[int, Picture]:
    found = {}
    for path in colors:
        with ShardReader(path) as shard:
            for post_id in wanted.intersection(shard.ids):
                (part,) = shard.parts(post_id)
                found[post_id] = resize_long_side(decode(shard.read(post_id, part)), cell)
    return found


def _draw(
    chosen: Sequence[tuple[str, list[int]]], pictures: Mapping[int, Picture], cell: int
) -> Picture:
    across = max(len(ids) for _, ids in chosen)
    heights = [max(pictures[post_id].shape[0] for post_id in ids) for _, ids in chosen]
    step = CAPTION + 2 * GUTTER
    width = 2 * EDGE + LABEL + across * (cell + GUTTER) - GUTTER
    sheet = Image.new("RGB", (width, 2 * EDGE + sum(heights) + step * len(chosen)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION)
    top = EDGE
    for (reason, ids), height in zip(chosen, heights, strict=True):
        draw_label(sheet, reason, top + height // 2)
        for column, post_id in enumerate(ids):
            picture = pictures[post_id]
            left = EDGE + LABEL + column * (cell + GUTTER)
            draw_picture(sheet, picture, left + (cell - picture.shape[1]) // 2, top)
            middle = (left + cell / 2, top + height + GUTTER)
            draw.text(middle, str(post_id), QUIET, font, anchor="mm")
        top += height + step
    return np.asarray(sheet)
