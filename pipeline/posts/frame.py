"""Write posts of a pandas table in the layout of Kaggle's CSV, which the import reads."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pandas as pd
import polars as pl

from pipeline import store
from pipeline.posts.kaggle_csv import COLUMNS
from sketch_models.errors import DatasetError

OWN_NAMES = {"sample_url": "url", "sample_width": "width", "sample_height": "height"}
"""Columns that have another name in a table of posts than in Kaggle's file."""

_DEFAULTS: dict[str, object] = {
    "created_at": "",
    "rating": "s",
    "score": "",
    "sample_width": 1,
    "sample_height": 1,
    "preview_url": "",
    "tags": "",
}


def write_frame(posts: pd.DataFrame, path: Path) -> None:
    """Publish posts as a Parquet file with the columns `COLUMNS`, unless it holds them already.

    Args:
        posts: as for `to_table`.
        path: the file to write.

    Raises:
        DatasetError: if the table lacks a column, or has no row.
        SengaError: if the file cannot be written.
    """
    table = to_table(posts)
    if posts.empty:
        raise DatasetError("posts has no rows. Give a row for each post.")
    _publish(table, path)


def to_table(posts: pd.DataFrame) -> pl.DataFrame:
    """Return posts with the columns `COLUMNS`: numbers or text, null if a cell has no value.

    Args:
        posts: a row per post, with the columns id and url, and if known created_at (a time, or
            seconds since 1970), rating, score, width and height (pixels) and tags; or with those
            of `COLUMNS`. A column that is missing is unknown: rating is then s, sizes are 1.

    Raises:
        DatasetError: if the table lacks a column.
    """
    if "id" not in posts and posts.index.name == "id":
        posts = posts.reset_index()
    columns = {name: source_of(name, posts) for name in COLUMNS}
    for name, source in columns.items():
        if source is None and name not in _DEFAULTS:
            raise DatasetError(
                f"posts has no column {OWN_NAMES.get(name, name)}. Give a table with the columns "
                "id and url, or with those of Kaggle's CSV."
            )
    given = [_series(name, posts[source]) for name, source in columns.items() if source]
    missing = {name: pl.lit(_DEFAULTS[name]) for name, source in columns.items() if not source}
    return pl.DataFrame(given).with_columns(**missing).select(COLUMNS)


def source_of(name: str, posts: pd.DataFrame) -> str | None:
    """Return the name of the column of a table that holds a column of Kaggle's; None if none."""
    names = (OWN_NAMES.get(name, name), name)
    return next((name for name in names if name in posts), None)


def _series(name: str, values: pd.Series) -> pl.Series:
    """Return a column as numbers or text, null if a cell has no value."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        since_1970 = pd.to_datetime(values, utc=True) - pd.Timestamp(0, tz="UTC")
        values = since_1970 // pd.Timedelta(seconds=1)
    plain = values.astype(object).where(values.notna(), None).tolist()
    if not pd.api.types.is_numeric_dtype(values.dtype):
        plain = [_text(value) for value in plain]
    return pl.Series(name, plain)


def _text(value: object) -> str | None:
    """Return a cell as text; a list of tags as one text."""
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return None if value is None else str(value)


def _publish(table: pl.DataFrame, path: Path) -> None:
    """Write a table, unless the file holds the same: a new one would have to be read again."""
    content = BytesIO()
    table.write_parquet(content)
    if path.is_file() and path.read_bytes() == content.getvalue():
        return
    with store.publish(path) as temporary:
        temporary.write_bytes(content.getvalue())
