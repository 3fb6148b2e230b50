"""The table of the posts of a build."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl

from pipeline.tables.newest import newest_build
from pipeline.tables.to_pandas import TEXT, TIME, Dtype, to_pandas

_DTYPES: dict[str, Dtype] = {
    "id": "int64",
    "created_at": TIME,
    "rating": pd.CategoricalDtype(["s", "q", "e"]),
    "score": "Int32",
    "width": "Int32",
    "height": "Int32",
    "tags": TEXT,
    "url": TEXT,
    "artist": TEXT,
    "character": TEXT,
    "copyright": TEXT,
    "meta": TEXT,
    "source": TEXT,
    "post_url": TEXT,
}


def read_posts(folder: str | Path) -> pd.DataFrame:
    """Read the posts of a dataset: those that the filter of its newest build kept.

        >>> posts = read_posts("data/sample")
        >>> blondes = posts[posts["tags"].str.contains("blonde_hair")]

    Args:
        folder: of the dataset, such as `data/sample`.

    Returns:
        A row per post, ascending by id:

        | column | dtype | |
        |---|---|---|
        | id | int64 | post id, each once |
        | created_at | datetime64[ns, UTC] | NaT if unknown |
        | rating | category | s (safe), q (questionable) or e (explicit); NaN if unknown |
        | score | Int32 | NA if unknown |
        | width, height | Int32 | of the picture at `url`, by the metadata; NA if unknown |
        | tags | string | separated by one space |
        | url | string | of the picture |
        | artist, character, copyright, meta | string | the tags of a kind; NA if unknown |
        | source | string | where the post has the picture from; NA if unknown |
        | post_url | string | of the page that shows the post; NA if unknown |

    Raises:
        DatasetError: If there is no such dataset, or no finished build of it.
    """
    posts = newest_build(folder).posts().sort("id")
    later = {name: pl.lit(None, pl.String) for name in _DTYPES if name not in posts.columns}
    posts = posts.with_columns(**later)  # a build of an earlier version lacks some
    created_at = pl.when(pl.col("created_at") > 0).then("created_at")  # it is 0 if unknown
    return to_pandas(posts.with_columns(created_at=created_at), _DTYPES)
