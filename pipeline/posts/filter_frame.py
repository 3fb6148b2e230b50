"""Filter a pandas table of posts, as the stage filters those of a build."""

from __future__ import annotations

import pandas as pd
import polars as pl

from pipeline.posts.filter import FilterOptions, filter_rows
from pipeline.posts.frame import OWN_NAMES, source_of, to_table
from pipeline.posts.kaggle_csv import COLUMNS
from pipeline.posts.parquet import as_text
from pipeline.posts.rows import read_rows


def filter_frame(
    posts: pd.DataFrame,
    options: FilterOptions = FilterOptions(),  # noqa: B008 - it is frozen
) -> pd.DataFrame:
    """Return the rows of a table of posts that pass every rule.

        >>> from senga import FilterOptions, filter_frame, read_posts
        >>> posts = read_posts("data/sample")
        >>> smiling = filter_frame(posts, FilterOptions(all_tags=("solo", "smile")))

    Args:
        posts: a row per post, with the columns that `build_dataset` takes: id and url, and if known
            rating, score, width and height (pixels) and tags (separated by spaces). Rules on
            columns that it lacks do not apply.
        options: the rules, those of the section [filter]. The defaults are those of the paper;
            `limit` keeps the lowest ids.

    Returns:
        The rows that are posts and pass, in their order, with all of their columns and their index:
        of several with one id the first, none without an id of 1 or more or without a URL.

    Raises:
        DatasetError: If the table has no column id or url.
        ConfigError: If `FilterOptions` gets a value that cannot be used.
    """
    table = to_table(posts)
    if posts.empty:
        return posts
    texts = [as_text(name, table.schema[name]) for name in COLUMNS]
    rows, _ = read_rows(
        table.select(
            pl.int_range(pl.len()).alias("line"),
            *(
                pl.lit("").alias(name) if text is None else text
                for name, text in zip(COLUMNS, texts, strict=True)
            ),
        ),
        local=True,  # those of a folder; nothing is read here
    )
    unknown = {OWN_NAMES.get(name, name) for name in COLUMNS if not source_of(name, posts)}
    first = rows.unique("id", keep="first", maintain_order=True)
    kept = filter_rows(first, options, unknown=unknown)
    chosen: pd.DataFrame = posts.iloc[kept["line"].sort().to_list()]
    return chosen
