"""The import of a board's posts, of every kind of board that the sample booru speaks like."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline import store
from pipeline.collect.client import PoliteClient
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.options import DownloadOptions
from pipeline.posts.filter import FilterOptions
from pipeline.posts.options import MetadataOptions
from pipeline.sample_booru.apis.answer import KEY, USER
from pipeline.sample_booru.catalogue import Post, catalogue
from pipeline.sample_booru.tag_kinds import all_tags, tags_by_kind
from sketch_models.errors import ConfigError, SengaError
from tasks import config
from tasks.import_metadata import ImportMetadata

HOST = "https://safebooru.example"
URLS = {
    "gelbooru": f"{HOST}/index.php",
    "gelbooru_025": f"{HOST}/gelbooru/index.php",
    "danbooru": f"{HOST}/danbooru/posts.json",
    "moebooru": f"{HOST}/moebooru/post.json",
    "e621": f"{HOST}/e621/posts.json",
}
PAGES = {
    "gelbooru": "/index.php?page=post&s=view&id=",
    "gelbooru_025": "/gelbooru/index.php?page=post&s=view&id=",
    "danbooru": "/danbooru/posts/",
    "moebooru": "/moebooru/post/show/",
    "e621": "/e621/posts/",
}
KINDS = ("artist", "character", "copyright", "meta")
WITH_KINDS = ("danbooru", "moebooru", "e621")
WITHOUT_BANNED = ("danbooru", "e621")


class Importer:
    """Imports the posts of a board into a folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, patch
        self._set(config.BuildOptions(data=str(folder)))
        self._set(DownloadOptions(retries=0))

    def _set(self, options: Any) -> None:
        self._patch.setitem(config._cache, type(options), options)

    def task(
        self, name: str, posts: int = 40, *, tags: tuple[str, ...] = (), **options: Any
    ) -> ImportMetadata:
        board = "e621" if name == "e621" else "auto"
        choice: dict[str, Any] = {"source": "api", "api_url": URLS[name], "board": board}
        self._set(MetadataOptions(**choice, sample_posts=posts, **options))
        self._set(FilterOptions(all_tags=tags))
        return ImportMetadata()

    def run(self, name: str, posts: int = 40, **options: Any) -> pl.DataFrame:
        task = self.task(name, posts, **options)
        result = task.make(lambda _: None)
        table = pl.read_parquet(task.posts)
        assert result.kept == len(table)
        return table

    def stores(self) -> list[Path]:
        return sorted(self.folder.rglob("*.jsonl"))


@pytest.fixture
def importer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Importer:
    monkeypatch.setenv("SENGA_BOARD_KEY", KEY)
    monkeypatch.setenv("SENGA_BOARD_USER", USER)
    return Importer(tmp_path, monkeypatch)


def expected(name: str, post: Post) -> dict[str, Any]:
    """Return what a board tells of a post of the catalogue."""
    kinds = {kind: " ".join(tags) or None for kind, tags in tags_by_kind(post).items()}
    old = name == "gelbooru"
    return {
        "id": post.id,
        "created_at": None if old else post.created_at,
        "rating": post.rating[0] if post.rating[0] in "qe" else "s",
        "score": None if old and post.score < 0 else post.score,
        "width": post.width,
        "height": post.height,
        "tags": sorted(post.tags.split()) if old else all_tags(post),
        "source": None if old else f"https://art.example/{post.id}",
        "post_url": f"{HOST}{PAGES[name]}{post.id}",
        **{kind: kinds[kind] if name in WITH_KINDS else None for kind in KINDS},
    }


def posts_of(name: str, posts: int) -> Iterator[Post]:
    """Yield the posts of the catalogue that have an address."""
    for post in catalogue(posts):
        if not (name in WITHOUT_BANNED and post.response == "gone"):
            yield post


def check(table: pl.DataFrame, name: str, posts: int) -> None:
    rows = [row | {"tags": sorted(row["tags"].split())} for row in table.iter_rows(named=True)]
    for row, post in zip(rows, posts_of(name, posts), strict=True):
        assert {key: row[key] for key in expected(name, post)} == expected(name, post)
        assert row["url"].lstrip("/").removeprefix(HOST).lstrip("/") == post.path.lstrip("/")


@pytest.mark.parametrize("name", URLS)
def test_table_holds_the_posts_of_the_board_and_later_the_new_ones(
    name: str, importer: Importer
) -> None:
    check(importer.run(name, 210), name, 210)
    (collected,) = importer.stores()
    before = collected.read_bytes()
    check(importer.run(name, 230), name, 230)
    assert importer.stores() == [collected]
    assert collected.read_bytes().startswith(before)


@pytest.mark.parametrize("name", ["danbooru", "e621"])
def test_banned_posts_are_counted(name: str, importer: Importer) -> None:
    result = importer.task(name, 120).make(lambda _: None)
    banned = sum(post.response == "gone" for post in catalogue(120))
    assert result.dropped == {"bad_url": banned}
    assert banned > 1


@pytest.mark.parametrize("name", URLS)
def test_interrupted_collection_goes_on(
    name: str, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, get = importer.run(name, 340), PoliteClient.get
    (collected,) = importer.stores()
    content = collected.read_bytes()
    collected.write_bytes(content[: len(content) // 3])  # a kill within a page

    def down(_: PoliteClient, url: str) -> bytes:
        raise FetchError("connection_failed", url)

    monkeypatch.setattr(PoliteClient, "get", down)
    with pytest.raises(SengaError, match="The posts collected so far are kept"):
        importer.run(name, 340)
    monkeypatch.setattr(PoliteClient, "get", get)
    assert importer.run(name, 340).equals(whole)
    assert collected.read_bytes() == content


@pytest.mark.parametrize("name", [name for name in URLS if name != "gelbooru"])
def test_refused_key_is_one_sentence_and_nothing_is_lost(
    name: str, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer.run(name, 40)
    (collected,) = importer.stores()
    content = collected.read_bytes()
    collected.write_bytes(content.rpartition(b'{"end"')[0])
    monkeypatch.setenv("SENGA_BOARD_KEY", "0bad5ecre7")
    with pytest.raises(SengaError) as caught:
        importer.run(name, 40)
    message = str(caught.value)
    assert "Check the environment variables SENGA_BOARD_KEY and SENGA_BOARD_USER" in message
    assert "\n" not in message
    for secret in ("0bad5ecre7", USER):
        assert secret not in message
    monkeypatch.setenv("SENGA_BOARD_KEY", KEY)
    importer.run(name, 40)
    assert collected.read_bytes() == content


@pytest.mark.parametrize("name", URLS)
def test_key_is_in_no_file(name: str, importer: Importer) -> None:
    importer.run(name, 40)
    files = [path for path in importer.folder.rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        assert KEY.encode() not in path.read_bytes()
        assert USER.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("name", "options", "searched"),
    [
        ("gelbooru", {}, 5),
        ("danbooru", {}, 2),
        ("danbooru", {"tags_per_search": 1}, 1),
        ("moebooru", {}, 4),
        ("e621", {}, 5),
    ],
)
def test_board_is_searched_for_as_many_tags_as_it_allows(
    name: str,
    options: dict[str, int],
    searched: int,
    importer: Importer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "senga")
    tags = ("upper_body", "white_background", "simple_background", "solo", "1girl")
    table = importer.run(name, 120, tags=tags, **options)
    wanted = set(tags[:searched])
    posts = [post for post in posts_of(name, 120) if wanted <= set(post.tags.split())]
    assert table["id"].to_list() == [post.id for post in posts]
    (words,) = [record.getMessage() for record in caplog.records if "filter" in record.msg] or [""]
    assert words == (
        ""
        if searched == 5
        else f"{URLS[name]} is searched for {' '.join(sorted(wanted))}; [filter] looks for "
        f"{' '.join(tags[searched:])} among those posts."
    )


def test_too_many_tags_are_explained(importer: Importer) -> None:
    with pytest.raises(SengaError) as caught:
        importer.run("danbooru", tags=("solo", "1girl", "smile"), tags_per_search=3)
    assert "with 422 (Unprocessable Entity): 'You cannot search for more than 2" in str(
        caught.value
    )
    assert "Set [metadata] tags_per_search to what the board allows." in str(caught.value)


def test_collections_of_the_version_before_go_on(importer: Importer) -> None:
    """It knew one kind of board, whose settings do not name it."""
    task = importer.task("gelbooru", tags=("solo", "-_-", "1girl"))
    settings = {"source": "api", "api": URLS["gelbooru"], "tags": ["1girl", "solo"]}
    assert task.settings() == settings
    task.make(lambda _: None)
    (collected,) = importer.stores()
    assert collected.stem == store.fingerprint(["ImportMetadata", 1, settings, []])[:12]


def test_other_boards_are_told_apart_by_their_name(importer: Importer) -> None:
    assert importer.task("danbooru").settings()["board"] == "danbooru"
    assert importer.task("e621").settings()["board"] == "e621"


def test_address_that_does_not_tell_is_one_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        MetadataOptions(source="api", api_url="https://booru.example/api")
    assert str(caught.value) == (
        "[metadata] board = auto: expected one of gelbooru, danbooru, moebooru, e621, since the "
        "address https://booru.example/api does not tell."
    )
    MetadataOptions(source="api", api_url="https://booru.example/api", board="danbooru")
    MetadataOptions(api_url="https://booru.example/api")  # of another source
