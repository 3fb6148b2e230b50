"""Posts of a pandas table, written for the import."""

import os
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from pipeline.posts.frame import write_frame
from pipeline.posts.metadata import import_posts
from pipeline.posts.rows import POSTS
from sketch_models.errors import DatasetError

URL = "https://safebooru.example/a.png"


def imported(folder: Path, posts: pd.DataFrame) -> pl.DataFrame:
    """Return the posts that the import reads from a table."""
    source = folder / "given" / "frame.parquet"
    write_frame(posts, source)
    counts = import_posts(source, folder / "posts.parquet", folder / "quarantine.csv")
    assert counts == {"posts": len(posts)}
    return pl.read_parquet(folder / "posts.parquet")


def test_id_and_url_are_enough(tmp_path: Path) -> None:
    rows = imported(tmp_path, pd.DataFrame({"id": [7, 9], "url": [URL, URL]}))
    assert rows.drop("line").row(0, named=True) == {
        **dict.fromkeys(POSTS.keys() - {"line"}),
        "id": 7,
        "rating": "s",
        "url": URL,
        "width": 1,
        "height": 1,
        "tags": "",
    }


def test_all_columns_are_taken_over(tmp_path: Path) -> None:
    posts = pd.DataFrame(
        {
            "id": pd.array([7, 9], dtype="Int64"),
            "url": pd.array([URL, URL], dtype="string"),
            "created_at": [pd.Timestamp(10, unit="s", tz="UTC"), pd.NaT],
            "rating": pd.Categorical(["s", "q"]),
            "score": [3.0, float("nan")],
            "width": [64, 96],
            "height": [96, 64],
            "tags": ["1girl  solo", ["1boy", "solo"]],
            "note": [object(), object()],
        }
    )
    rows = imported(tmp_path, posts)
    assert rows["created_at"].to_list() == [10, None]
    assert rows["rating"].to_list() == ["s", "q"]
    assert rows["score"].to_list() == [3, None]
    assert rows["width"].to_list() == [64, 96]
    assert rows["tags"].to_list() == ["1girl solo", "1boy solo"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_times_are_those_of_any_unit_and_zone(tmp_path: Path, unit: str, zone: str | None) -> None:
    times = pd.Series(pd.to_datetime([1_450_000_000], unit="s")).astype(f"datetime64[{unit}]")
    if zone:
        times = times.dt.tz_localize("UTC").dt.tz_convert(zone)
    posts = pd.DataFrame({"id": [7], "url": [URL], "created_at": times})
    assert imported(tmp_path, posts)["created_at"].to_list() == [1_450_000_000]


def test_columns_of_kaggle_are_read(tmp_path: Path) -> None:
    posts = pd.DataFrame(
        {
            "id": [7],
            "created_at": [1_450_000_000],
            "rating": ["s"],
            "score": [3],
            "sample_url": [URL],
            "sample_width": [64],
            "sample_height": [96],
            "preview_url": ["//safebooru.example/p.jpg"],
            "tags": ["solo"],
        }
    )
    row = imported(tmp_path, posts).row(0, named=True)
    assert (row["url"], row["width"], row["height"]) == (URL, 64, 96)


def test_id_may_be_the_index(tmp_path: Path) -> None:
    posts = pd.DataFrame({"id": [7], "url": [URL]}).set_index("id")
    assert imported(tmp_path, posts)["id"].to_list() == [7]


def test_wrong_row_goes_to_the_quarantine(tmp_path: Path) -> None:
    write_frame(pd.DataFrame({"id": [7, -1], "url": [URL, URL]}), tmp_path / "frame.parquet")
    counts = import_posts(tmp_path / "frame.parquet", tmp_path / "posts", tmp_path / "quarantine")
    assert counts == {"posts": 1, "bad_id": 1}


def test_unchanged_posts_do_not_rewrite_the_file(tmp_path: Path) -> None:
    path = tmp_path / "frame.parquet"
    posts = pd.DataFrame({"id": [7], "url": [URL]})
    write_frame(posts, path)
    os.utime(path, ns=(1, 1))
    write_frame(posts.copy(), path)
    assert path.stat().st_mtime_ns == 1
    write_frame(posts.assign(tags="solo"), path)
    assert path.stat().st_mtime_ns > 1


@pytest.mark.parametrize(
    ("posts", "sentence"),
    [
        (pd.DataFrame({"id": [7]}), r"posts has no column url\. Give"),
        (pd.DataFrame({"url": [URL]}), r"posts has no column id\. Give"),
        (pd.DataFrame({"id": [], "url": []}), r"posts has no rows\. Give"),
    ],
)
def test_table_without_posts_is_one_sentence(
    tmp_path: Path, posts: pd.DataFrame, sentence: str
) -> None:
    with pytest.raises(DatasetError, match=sentence):
        write_frame(posts, tmp_path / "frame.parquet")
    assert not (tmp_path / "frame.parquet").exists()
