"""References: pictures of the same characters, then of the same artists, of one file alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pack.extras import MAX_REFERENCES
from pipeline.pack.references import NEAREST, find_references
from pipeline.posts.rows import TAG_KINDS
from pipeline.table import write_table

Post = Mapping[str, str]


def write_posts(path: Path, posts: Mapping[int, Post]) -> Path:
    """Write a table of posts: tags, and tags of kinds, null where none are given."""
    rows = [
        {"id": post_id, "tags": post.get("tags", "solo")}
        | {kind: post.get(kind) for kind in TAG_KINDS}
        for post_id, post in posts.items()
    ]
    schema = {"id": pl.Int64, "tags": pl.String, **dict.fromkeys(TAG_KINDS, pl.String)}
    write_table(pl.DataFrame(rows, schema=schema), path)
    return path


def found(
    folder: Path,
    posts: Mapping[int, Post],
    ids: Sequence[int] | None = None,
    groups: Mapping[int, int] | None = None,
) -> dict[int, list[int]]:
    """Return the references of pictures, without what fills up the rows."""
    table = write_posts(folder / "posts.parquet", posts)
    path = None
    if groups:
        path = folder / "groups.parquet"
        write_table(pl.DataFrame({"id": list(groups), "first": list(groups.values())}), path)
    chosen = sorted(posts) if ids is None else list(ids)
    rows = list(find_references(chosen, [table], path))
    assert all(row.dtype == np.int64 and row.shape == (MAX_REFERENCES,) for row in rows)
    return {post_id: row[row != -1].tolist() for post_id, row in zip(chosen, rows, strict=True)}


def test_characters_come_before_artists_and_the_nearest_first(tmp_path: Path) -> None:
    posts = {
        10: {"character": "miku", "artist": "a"},
        20: {"character": "rin", "artist": "a"},
        28: {"character": "miku", "artist": "b"},
        31: {"character": "miku", "artist": "a"},
        70: {"artist": "b"},
        80: {"meta": "highres"},
    }
    assert found(tmp_path, posts) == {
        10: [28, 31, 20],
        20: [10, 31],
        28: [31, 10, 70],
        31: [28, 10, 20],
        70: [28],
        80: [],
    }


def test_more_characters_in_common_come_first(tmp_path: Path) -> None:
    posts = {
        1: {"character": "miku rin"},
        2: {"character": "miku"},
        3: {"character": "rin"},
        9: {"character": "rin miku luka"},
    }
    assert found(tmp_path, posts)[1] == [9, 2, 3]


def test_of_two_equally_near_the_lower_id_comes_first(tmp_path: Path) -> None:
    assert found(tmp_path, {i: {"character": "miku"} for i in (5, 3, 7)})[5] == [3, 7]


def test_pictures_of_another_file_are_no_references(tmp_path: Path) -> None:
    posts = {i: {"character": "miku"} for i in range(1, 6)}
    assert found(tmp_path, posts, ids=[1, 4]) == {1: [4], 4: [1]}


def test_a_duplicate_is_no_reference(tmp_path: Path) -> None:
    posts = {i: {"character": "miku", "artist": "a"} for i in (1, 2, 3)}
    groups = {1: 1, 2: 1, 3: 3}
    assert found(tmp_path, posts, groups=groups) == {1: [3], 2: [3], 3: [2, 1]}


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        ("hatsune_miku_(vocaloid)", True),
        ("saber_(fate/stay_night)", True),
        ("star_(symbol)", False),
        ("fate_(series)", False),
        ("white_background_(artist)", False),
        ("hatsune_miku_(cosplay)", False),
        ("hatsune_miku", False),
        ("(o)_(o)", False),
        ("_(x)", False),
    ],
)
def test_a_tag_with_a_series_names_a_character_if_no_kinds_are_known(
    tmp_path: Path, tag: str, names: bool
) -> None:
    posts = {1: {"tags": f"1girl {tag}"}, 2: {"tags": f"{tag} solo"}}
    assert found(tmp_path, posts)[1] == ([2] if names else [])
    known = {**posts, 2: {**posts[2], "copyright": "original"}}
    assert found(tmp_path, known)[1] == []


def test_a_table_of_an_earlier_version_has_tags_alone(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    tags = ["miku_(vocaloid)", "solo", "miku_(vocaloid) solo"]
    write_table(pl.DataFrame({"id": [1, 2, 3], "tags": tags}), path)
    rows = [row.tolist() for row in find_references([1, 2, 3], [path])]
    assert [row[0] for row in rows] == [3, -1, 1]


def test_posts_of_all_shards_are_references(tmp_path: Path) -> None:
    tables = [
        write_posts(tmp_path / f"{number}", {i: {"artist": "a"} for i in ids})
        for number, ids in enumerate([(1, 2), (101, 102)])
    ]
    rows = list(find_references([1, 2, 102], tables))
    assert rows[0].tolist() == [2, 102, *[-1] * (MAX_REFERENCES - 2)]


def test_no_pictures_have_no_references(tmp_path: Path) -> None:
    assert list(find_references([], [write_posts(tmp_path / "p", {})])) == []


def by_hand(posts: Mapping[int, Post], post_id: int) -> list[int]:
    """Return references by comparing a picture with every other."""
    ranked: list[int] = []
    for kind in ("character", "artist"):
        own = set(posts[post_id].get(kind, "").split())
        keys = {
            other: (-len(own & set(post.get(kind, "").split())), abs(other - post_id), other)
            for other, post in posts.items()
            if other != post_id and own & set(post.get(kind, "").split())
        }
        ranked += [other for other in sorted(keys, key=keys.__getitem__) if other not in ranked]
    return ranked[:MAX_REFERENCES]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_references_are_those_of_comparing_all(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ids = data.draw(st.lists(st.integers(1, 200), min_size=1, max_size=30, unique=True))
    names = st.lists(st.sampled_from("abcde"), max_size=3, unique=True).map(" ".join)
    posts = {
        post_id: {"character": data.draw(names), "artist": data.draw(names)} for post_id in ids
    }
    references = found(tmp_path_factory.mktemp("posts"), posts)
    assert references == {post_id: by_hand(posts, post_id) for post_id in sorted(ids)}


def test_the_nearest_of_a_tag_with_many_pictures_are_found(tmp_path: Path) -> None:
    posts = {i: {"artist": "a"} for i in range(1, 10 * NEAREST)}
    middle = 5 * NEAREST
    near = [middle + step for n in range(1, 5) for step in (-n, n)]
    assert found(tmp_path, posts)[middle] == near
