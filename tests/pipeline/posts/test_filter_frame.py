"""Pandas tables of posts are filtered as the stage filters those of a build."""

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from pipeline.posts.filter import FilterOptions, filter_posts
from pipeline.posts.filter_frame import filter_frame
from pipeline.posts.frame import write_frame
from pipeline.posts.metadata import import_posts
from sketch_models.errors import DatasetError

POSTS = pd.DataFrame(
    {
        "id": [4, 2, 9, 7, 2, 0, 5],
        "url": [
            *(f"https://example.org/{name}.png" for name in "abcdef"),
            "https://example.org/g.mp4",
        ],
        "rating": ["s", "Safe", "q", "s", "s", "s", "s"],
        "score": [3.0, float("nan"), 8.0, 12.0, 1.0, 1.0, 1.0],
        "width": [500, 600, 700, 300, 600, 600, 600],
        "height": [500, 600, 700, 900, 600, 600, 600],
        "tags": ["solo smile", ["solo", "-_-"], "solo", "solo_focus", "solo", "solo", "solo"],
        "note": list("abcdefg"),
    },
    index=list("ABCDEFG"),
)
ALL: dict[str, Any] = {"all_tags": (), "none_tags": (), "ratings": ("s", "q", "e")}


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ({}, "ABCD"),  # E is B again, F has no id, G is no picture
        ({"all_tags": ("solo",)}, "ABC"),
        ({"none_tags": ("solo",)}, "D"),
        ({"any_tags": ("smile", "-_-")}, "AB"),
        ({"ratings": ("q",)}, "C"),
        ({"min_score": 8}, "CD"),
        ({"min_side": 400}, "ABC"),
        ({"max_side": 500}, "A"),
        ({"limit": 2}, "AB"),  # of the lowest ids, in the order of the table
        ({"extensions": ("jpg",)}, ""),
    ],
)
def test_rules_are_those_of_the_stage(rules: dict[str, Any], kept: str, tmp_path: Path) -> None:
    options = FilterOptions(**{**ALL, **rules})
    rows = filter_frame(POSTS, options)
    assert "".join(rows.index) == kept
    pd.testing.assert_frame_equal(rows, POSTS.loc[list(kept)])
    write_frame(POSTS, tmp_path / "frame.parquet")
    import_posts(tmp_path / "frame.parquet", tmp_path / "posts.parquet", tmp_path / "no.csv")
    filter_posts(tmp_path / "posts.parquet", tmp_path, options, 1000)
    shards = [pl.read_parquet(shard) for shard in tmp_path.glob("shard-*.parquet")]
    assert [post for shard in shards for post in shard["id"]] == sorted(rows["id"])


def test_rules_on_missing_columns_do_not_apply() -> None:
    posts = POSTS[["id", "url"]]
    options = FilterOptions(min_score=5, min_side=2000, ratings=("e",), limit=3)
    assert filter_frame(posts, options)["id"].tolist() == [4, 2, 7]  # of 2, 4, 7 and 9
    assert filter_frame(POSTS[["id", "url", "tags"]], options).empty


def test_columns_may_be_those_of_kaggle_and_urls_those_of_a_folder() -> None:
    posts = pd.DataFrame({"id": [1], "sample_url": ["file:pictures/girl.png"], "sample_width": [9]})
    assert len(filter_frame(posts)) == 1
    assert filter_frame(posts.assign(sample_height=9), FilterOptions(min_side=10)).empty


def test_table_without_rows_or_without_a_column() -> None:
    assert filter_frame(POSTS[:0]).columns.tolist() == POSTS.columns.tolist()
    with pytest.raises(DatasetError, match="^posts has no column url"):
        filter_frame(POSTS[:0].drop(columns="url"))
