"""The posts as a pandas table."""

from pathlib import Path

import pandas as pd

from pipeline.tables.posts import read_posts
from tests.pipeline.tables.conftest import IDS


def test_posts_of_the_newest_build_are_read_from_all_shards(built: Path) -> None:
    posts = read_posts(str(built))
    assert posts["id"].tolist() == list(IDS)
    assert posts["url"][0] == "https://safebooru.example/1.png"


def test_dtypes_do_not_depend_on_the_rows(built: Path) -> None:
    posts = read_posts(built)
    assert {name: str(dtype) for name, dtype in posts.dtypes.items()} == {
        "id": "int64",
        "created_at": "datetime64[ns, UTC]",
        "rating": "category",
        "score": "Int32",
        "width": "Int32",
        "height": "Int32",
        "tags": "string",
        "url": "string",
        "artist": "string",
        "character": "string",
        "copyright": "string",
        "meta": "string",
        "source": "string",
        "post_url": "string",
    }
    assert posts["rating"].cat.categories.tolist() == ["s", "q", "e"]


def test_unknown_values_are_missing_values(built: Path) -> None:
    posts = read_posts(built)
    assert posts["created_at"].isna().tolist()[:3] == [True, True, False]
    assert posts["created_at"][2] == pd.Timestamp("2015-12-13 09:46:40", tz="UTC")
    assert posts["score"].isna().sum() == 1


def test_tags_can_be_searched_as_text(built: Path) -> None:
    posts = read_posts(built)
    assert len(posts[posts["tags"].str.contains("solo")]) == len(IDS)
    assert posts[posts["tags"].str.split().str.len() > 2].empty
