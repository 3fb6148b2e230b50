"""The posts of every board become rows, whatever fields they lack or hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.posts.boards.board import Board, PostRow, post_id
from pipeline.posts.boards.known import BOARDS, find_board
from pipeline.posts.metadata import import_rows
from pipeline.posts.rows import FIELDS

URLS = {
    "gelbooru": "https://gelbooru.com/index.php",
    "danbooru": "https://danbooru.donmai.us/posts.json",
    "moebooru": "https://yande.re/post.json",
    "e621": "https://e621.net/posts.json",
}
NAMES = BOARDS[1:]


def board_of(name: str) -> Board:
    return find_board(name, URLS[name])


CDN = "https://cdn.donmai.us"
DANBOORU = {
    "id": 7000001,
    "created_at": "2024-01-02T03:04:05.678-05:00",
    "score": 12,
    "source": "https://www.pixiv.net/artworks/1",
    "rating": "g",
    "image_width": 1700,
    "image_height": 2000,
    "tag_string": "1girl highres kuon_(a) painter solo story",
    "tag_string_general": "1girl solo",
    "tag_string_artist": "painter",
    "tag_string_character": "kuon_(a)",
    "tag_string_copyright": "story",
    "tag_string_meta": "highres",
    "has_large": True,
    "file_url": f"{CDN}/original/ab.png",
    "large_file_url": f"{CDN}/sample/sample-ab.jpg",
    "preview_file_url": f"{CDN}/180x180/ab.jpg",
}
MOEBOORU = {
    "id": 1200001,
    "tags": "blonde_hair painter sky jpeg_artifacts",
    "tag_kinds": {"artist": "painter", "meta": "jpeg_artifacts"},
    "created_at": 1704182645,
    "source": "",
    "score": 5,
    "file_url": "https://files.yande.re/image/ab.png",
    "sample_url": "https://files.yande.re/sample/ab.jpg",
    "sample_width": 1500,
    "sample_height": 1000,
    "jpeg_url": "https://files.yande.re/jpeg/ab.jpg",
    "jpeg_width": 3000,
    "jpeg_height": 2000,
    "width": 3000,
    "height": 2000,
    "rating": "q",
}
E621 = {
    "id": 4000001,
    "created_at": "2024-01-02T03:04:05.678-05:00",
    "file": {"width": 3000, "height": 2000, "url": "https://static1.e621.net/data/ab.png"},
    "sample": {
        "has": True,
        "width": 850,
        "height": 566,
        "url": "https://static1.e621.net/data/sample/ab.jpg",
    },
    "preview": {"url": "https://static1.e621.net/data/preview/ab.jpg"},
    "score": {"up": 5, "down": -1, "total": 4},
    "tags": {"general": ["solo", "sky"], "artist": ["painter"], "species": ["fox"], "meta": []},
    "rating": "e",
    "sources": ["https://a.example/1", "https://a.example/2"],
}
GELBOORU = {
    "id": 9000001,
    "created_at": "Sat Jul 05 11:00:00 -0500 2025",
    "score": 3,
    "width": 1700,
    "height": 2000,
    "image": "ab.png",
    "directory": "ab/cd",
    "rating": "sensitive",
    "source": "https://a.example/1",
    "sample": 1,
    "sample_width": 850,
    "sample_height": 1000,
    "tags": "1girl solo",
    "file_url": "https://img3.gelbooru.com/images/ab/cd/ab.png",
    "sample_url": "https://img3.gelbooru.com/samples/ab/cd/sample_ab.jpg",
    "preview_url": "https://img3.gelbooru.com/thumbnails/ab/cd/thumbnail_ab.jpg",
}
POSTS = {"gelbooru": GELBOORU, "danbooru": DANBOORU, "moebooru": MOEBOORU, "e621": E621}


def imported(name: str, post: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """Return the post that is imported from one of a board; None if it is rejected."""
    table = folder / "posts.parquet"
    rows = [[(1, board_of(name).row(post))]]
    counts = import_rows(rows, table, folder / "quarantine.csv")
    if counts == {"posts": 1}:
        return pl.read_parquet(table).row(0, named=True)
    assert sum(counts.values()) == 1
    return None


def test_row_has_the_fields_of_a_source() -> None:
    assert PostRow._fields == FIELDS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gelbooru", {
            "id": 9000001, "created_at": 1751731200, "rating": "s", "score": 3,
            "url": "https://img3.gelbooru.com/samples/ab/cd/sample_ab.jpg",
            "width": 850, "height": 1000, "tags": "1girl solo", "artist": None,
            "source": "https://a.example/1",
            "post_url": "https://gelbooru.com/index.php?page=post&s=view&id=9000001"}),
        ("danbooru", {
            "id": 7000001, "created_at": 1704182645, "rating": "s", "score": 12,
            "url": f"{CDN}/sample/sample-ab.jpg", "width": 850, "height": 1000,
            "tags": "1girl highres kuon_(a) painter solo story", "artist": "painter",
            "character": "kuon_(a)", "copyright": "story", "meta": "highres",
            "source": "https://www.pixiv.net/artworks/1",
            "post_url": "https://danbooru.donmai.us/posts/7000001"}),
        ("moebooru", {
            "id": 1200001, "created_at": 1704182645, "rating": "q", "score": 5,
            "url": "https://files.yande.re/sample/ab.jpg", "width": 1500, "height": 1000,
            "tags": "blonde_hair painter sky jpeg_artifacts", "artist": "painter",
            "character": None, "meta": "jpeg_artifacts", "source": None,
            "post_url": "https://yande.re/post/show/1200001"}),
        ("e621", {
            "id": 4000001, "created_at": 1704182645, "rating": "e", "score": 4,
            "url": "https://static1.e621.net/data/sample/ab.jpg", "width": 850, "height": 566,
            "tags": "solo sky painter fox", "artist": "painter", "character": None,
            "source": "https://a.example/1", "post_url": "https://e621.net/posts/4000001"}),
    ],
)  # fmt: skip
def test_post_is_imported(name: str, expected: dict[str, Any], tmp_path: Path) -> None:
    post = imported(name, POSTS[name], tmp_path)
    assert post
    assert {key: post[key] for key in expected} == expected


SAMPLE = {"type": "sample", "url": f"{CDN}/sample/sample-ab.jpg", "width": 849, "height": 999}


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("danbooru", {"rating": "s"}, {"rating": "s"}),  # sensitive: part of what was once safe
        ("danbooru", {"rating": "q"}, {"rating": "q"}),
        ("danbooru", {"media_asset": {"variants": [7, SAMPLE]}}, {"width": 849, "height": 999}),
        ("danbooru", {"image_width": "?"}, {"width": None, "height": None}),
        ("danbooru", {"image_width": 600, "image_height": 700}, {"width": 600, "height": 700}),
        ("danbooru", {"large_file_url": f"{CDN}/original/ab.png"},
         {"url": f"{CDN}/original/ab.png", "width": 1700, "height": 2000}),
        ("danbooru", {"large_file_url": None}, {"url": f"{CDN}/original/ab.png"}),
        ("danbooru", {"large_file_url": "/data/sample/ab.jpg"},
         {"url": "https://danbooru.donmai.us/data/sample/ab.jpg"}),
        ("danbooru", {"large_file_url": "//cdn.example/sample/ab.jpg"},
         {"url": "https://cdn.example/sample/ab.jpg"}),
        ("danbooru", {"tag_string": None}, {"tags": "painter kuon_(a) story 1girl solo highres"}),
        ("danbooru", {"tag_string_artist": ""}, {"artist": None}),
        ("moebooru", {"tag_kinds": None}, {"artist": None, "meta": None}),
        ("moebooru", {"sample_url": ""}, {"url": "https://files.yande.re/jpeg/ab.jpg",
                                          "width": 3000}),
        ("moebooru", {"sample_url": None, "jpeg_url": None},
         {"url": "https://files.yande.re/image/ab.png", "height": 2000}),
        ("e621", {"sample": {"has": False, "url": "x"}},
         {"url": "https://static1.e621.net/data/ab.png", "width": 3000}),
        ("e621", {"tags": ["solo"]}, {"tags": "", "artist": None}),
        ("gelbooru", {"created_at": "1751731200"}, {"created_at": 1751731200}),
        ("gelbooru", {"created_at": "Sat Foo 05"}, {"created_at": None}),
        ("gelbooru", {"sample": 0}, {"width": 1700}),
    ],
)  # fmt: skip
def test_odd_fields_are_read_or_unknown(
    name: str, changes: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    post = imported(name, POSTS[name] | changes, tmp_path)
    assert post
    assert {key: post[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("danbooru", {"file_url": None, "large_file_url": None}),
        ("moebooru", {"file_url": None, "sample_url": None, "jpeg_url": None}),
        ("e621", {"file": {"url": None}, "sample": {"has": True, "url": None}}),
        ("gelbooru", {"file_url": "", "sample_url": "", "image": ""}),
    ],
)
def test_post_whose_picture_is_not_shown_is_a_counted_row(
    name: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    assert imported(name, POSTS[name] | changes, tmp_path) is None
    assert "bad_url" in (tmp_path / "quarantine.csv").read_text()


def test_kinds_of_a_moebooru_page_go_to_its_posts() -> None:
    kinds = {"painter": "artist", "story": "copyright", "noise": "faults", "sky": "general"}
    page = {"posts": [{"id": 2, "tags": "noise painter sky"}, {"id": 3}, "x"], "tags": kinds}
    posts = board_of("moebooru").posts(json.dumps(page).encode())
    assert [post["tag_kinds"] for post in posts[:2]] == [
        {"artist": "painter", "meta": "noise"},
        {},
    ]
    assert posts[2] == "x"
    assert board_of("moebooru").posts(b'[{"id": 2}]') == [{"id": 2}]  # version 1


@pytest.mark.parametrize(
    ("name", "tag", "searchable"),
    [
        *((name, "solo", True) for name in NAMES),
        *((name, "-_-", False) for name in NAMES),
        ("danbooru", "*_*", False),
        ("moebooru", "*_*", False),
        ("e621", "*_*", False),
        ("gelbooru", "*_*", True),
    ],
)
def test_tags_that_mean_something_else_are_not_searched(
    name: str, tag: str, searchable: bool
) -> None:
    assert board_of(name).can_search(tag) == searchable


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(data=st.data())
def test_any_field_gives_a_post_or_a_counted_row(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Fields of any type, at any depth: of objects within a post one at a time."""
    post: dict[str, Any] = json.loads(json.dumps(POSTS[name]))
    for place in data.draw(st.lists(st.sampled_from(list(places(post))), max_size=4)):
        inner: Any = post
        for key in place[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[place[-1]] = data.draw(JSON)
    row = board_of(name).row(post)
    assert all(isinstance(field, str) for field in row)
    imported(name, post, tmp_path_factory.getbasetemp())


def places(post: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, value in post.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *rest) for rest in places(value))


@pytest.mark.parametrize("name", NAMES)
@given(page=JSON, key=st.sampled_from(["posts", "post", "tags", "@attributes"]))
def test_any_page_is_a_list_or_something_else(name: str, page: Any, key: str) -> None:
    for value in (page, {key: page}, {"posts": [page], "tags": page}, [page]):
        posts = board_of(name).posts(json.dumps(value).encode())
        for post in posts if isinstance(posts, list) else []:
            if post_id(post):
                assert len(board_of(name).row(post)) == len(FIELDS)
