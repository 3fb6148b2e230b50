"""Two shards of small pictures whose pixels say which picture they are."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from pipeline.export.card import CardFacts
from pipeline.export.drawings import choose_drawings
from pipeline.export.export import Exported
from pipeline.export.options import ExportOptions
from pipeline.export.post import Post
from pipeline.export.read import Plan
from pipeline.pack.pack import ShardPaths
from pipeline.report.report import FunnelStep
from pipeline.shard import write_shard
from sketch_models.styles import STYLES

Run = Callable[..., Exported]
"""Exports the small shards, with options as keywords."""

WIDTH, HEIGHT = 24, 32
IDS = [3, 5, 8, 300, 1001, 1002]
SPLIT = {i: "test" if i in (5, 1002) else "train" for i in IDS}
FACTS = CardFacts(
    dataset="small",
    version="1.2",
    recipe={"[filter] all_tags": "solo"},
    steps=[FunnelStep("posts read", 10, 0, 1.0, 1.0), FunnelStep("download", 6, 4, 0.6, 0.6)],
    drawn=False,
)


def png(pixels: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


def color_of(post_id: int) -> np.ndarray:
    """Return a picture of one colour, by which it is recognized."""
    color = post_id % 256, post_id // 256, 77
    return np.full((HEIGHT, WIDTH, 3), color, np.uint8)


def level_of(post_id: int, style: str = "original") -> int:
    """Return the grey level of a drawing."""
    return post_id % 80 + 80 * STYLES.index(style)


def drawing_of(post_id: int, style: str = "original") -> np.ndarray:
    """Return a drawing of half the picture's size."""
    return np.full((HEIGHT // 2, WIDTH // 2), level_of(post_id, style), np.uint8)


def write_posts(path: Path, posts: list[Post]) -> None:
    texts = [key for key in Post.__dataclass_fields__ if key != "id"]
    schema = {"id": pl.Int64, **dict.fromkeys(texts, pl.String)}
    rows = [{key: getattr(post, key) or None for key in schema} for post in posts]
    rows = [{**row, "tags": row["tags"] or ""} for row in rows]
    pl.DataFrame(rows, schema).write_parquet(path)


def shard_of(folder: Path, ids: list[int]) -> ShardPaths:
    folder.mkdir(parents=True)
    paths = ShardPaths(
        posts=folder / "posts.parquet",
        color=folder / "color.tar",
        screen=folder / "screen.parquet",
        sketches={"": folder / "sketch.tar"},
        lines={"": folder / "line.tar"},
    )
    write_posts(paths.posts, [post_of(i) for i in ids])
    # Stored in another order than asked for: nothing may be paired by position.
    write_shard(paths.color, [(i, {"png": png(color_of(i))}) for i in reversed(ids)])
    parts = {i: {f"{style}.png": png(drawing_of(i, style)) for style in STYLES} for i in ids}
    write_shard(paths.lines[""], list(parts.items()))
    other = {i: {f"{style}.png": png(drawing_of(i + 1, style)) for style in STYLES} for i in ids}
    write_shard(paths.sketches[""], list(other.items()))
    return paths


def post_of(post_id: int) -> Post:
    return Post(
        id=post_id,
        tags=f"1girl long_hair tag_{post_id}_猫 someone",
        artist="someone",
        rating="s",
        url=f"https://img.safebooru.org/{post_id}.png",
    )


def plan_of(**options: object) -> Plan:
    chosen = ExportOptions(**{"threads": 2, **options})  # type: ignore[arg-type]
    return Plan(options=chosen, drawings=choose_drawings([""], [""], chosen))
