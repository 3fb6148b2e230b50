"""Every board is collected whole, once, and from where a run was interrupted."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.posts.board_api import CollectResult, collect, read_store
from pipeline.posts.boards.board import Board
from pipeline.posts.boards.danbooru import Danbooru
from pipeline.posts.boards.dapi import Dapi
from pipeline.posts.boards.e621 import E621
from pipeline.posts.boards.moebooru import Moebooru
from pipeline.sample_booru.apis import danbooru, gelbooru, moebooru
from pipeline.sample_booru.apis.answer import KEY, USER, Answer
from pipeline.sample_booru.catalogue import Post, catalogue
from pipeline.sample_booru.tag_kinds import all_tags
from sketch_models.errors import SengaError

POSTS = list(catalogue(230))
Respond = Callable[[list[Post], str], Answer]
BOARDS: dict[str, tuple[Board, Respond]] = {
    "gelbooru": (Dapi(url="https://b.example/index.php"), gelbooru.respond),
    "gelbooru_025": (Dapi(url="https://b.example/index.php"), gelbooru.respond_025),
    "danbooru": (Danbooru(url="https://b.example/posts.json"), danbooru.respond),
    "moebooru": (Moebooru(url="https://b.example/post.json"), moebooru.respond),
    "e621": (E621(url="https://b.example/posts.json"), danbooru.respond_e621),
}


class SampleBoard:
    """A board of the sample booru.

    Attributes:
        posts: that it has, ascending by id.
        requested: the URLs that were requested.
        requests_left: until one fails.
    """

    def __init__(self, name: str, posts: list[Post], page_size: int | None = None) -> None:
        board, self._respond = BOARDS[name]
        limits = replace(board.limits, page_size=page_size or board.limits.page_size)
        self.board = replace(board, limits=limits)  # type: ignore[type-var]
        self.name, self.posts = name, posts
        self.requested: list[str] = []
        self.requests_left = 10**9

    def __call__(self, url: str) -> bytes:
        if self.requests_left == 0:
            raise SengaError("The board is down.")
        self.requests_left -= 1
        self.requested.append(url)
        query = urlsplit(url).query
        signed = f"&api_key={KEY}&user_id={USER}" if self.name == "gelbooru_025" else ""
        answer = self._respond(self.posts, query + signed)
        assert answer.status == 200, answer
        return answer.body

    def collect(self, store: Path, tags: list[str]) -> CollectResult:
        return collect(store, self.board, tags, self)


def ids_in(store: Path) -> list[int]:
    posts = [json.loads(line) for line in store.read_text().splitlines()]
    return [post["id"] for post in posts if "end" not in post]


@pytest.mark.parametrize("name", BOARDS)
def test_all_posts_and_then_the_new_ones_are_collected(name: str, tmp_path: Path) -> None:
    store, board = tmp_path / "store", SampleBoard(name, POSTS[:210])
    assert board.collect(store, []) == CollectResult(210, 210)
    assert ids_in(store) == [post.id for post in POSTS[:210]]
    before = store.read_bytes()
    assert board.collect(store, []) == CollectResult(210, 0)
    assert store.read_bytes() == before
    board.posts = POSTS
    assert board.collect(store, []) == CollectResult(230, 20)
    assert store.read_bytes().startswith(before)
    assert ids_in(store) == [post.id for post in POSTS]
    ((_, row), *_) = next(read_store(store, board.board))
    assert row[0] == str(POSTS[0].id)


@pytest.mark.parametrize("name", BOARDS)
def test_posts_with_the_tags_are_collected(name: str, tmp_path: Path) -> None:
    board = SampleBoard(name, POSTS, page_size=9)
    board.collect(tmp_path / "store", ["solo", "white_background"])
    wanted = [post.id for post in POSTS if {"solo", "white_background"} <= set(all_tags(post))]
    assert ids_in(tmp_path / "store") == wanted
    assert len(wanted) > 27


@pytest.mark.parametrize("name", BOARDS)
@settings(max_examples=12)
@given(breaks=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3000)), max_size=3))
def test_interrupted_collections_give_the_same_store(
    name: str, breaks: list[tuple[int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        complete, broken = Path(folder) / "complete", Path(folder) / "broken"
        SampleBoard(name, POSTS[:40], page_size=7).collect(complete, [])
        for requests, bytes_lost in breaks:
            board = SampleBoard(name, POSTS[:40], page_size=7)
            board.requests_left = requests
            try:
                board.collect(broken, [])
            except SengaError:
                content = broken.read_bytes()
                broken.write_bytes(content[: max(0, len(content) - bytes_lost)])
        SampleBoard(name, POSTS[:40], page_size=7).collect(broken, [])
        assert broken.read_bytes() == complete.read_bytes()


@pytest.mark.parametrize("name", BOARDS)
def test_pages_are_of_the_size_that_the_board_allows(name: str, tmp_path: Path) -> None:
    board = SampleBoard(name, POSTS[:5])
    board.collect(tmp_path / "store", [])
    sizes = {int(parse_qs(urlsplit(url).query)["limit"][0]) for url in board.requested}
    assert board.board.limits.page_size in sizes
    assert sizes <= {board.board.limits.page_size, 1}


@pytest.mark.parametrize("name", ["danbooru", "e621"])
def test_order_of_pages_is_checked_once(name: str, tmp_path: Path) -> None:
    board = SampleBoard(name, POSTS[:40], page_size=10)
    board.collect(tmp_path / "store", [])
    pages = [parse_qs(urlsplit(url).query)["page"][0] for url in board.requested]
    assert [page for page in pages if page.startswith("b")] == [f"b{POSTS[0].id}"]
    assert len(pages) == 4 + 1 + 1  # the pages, an empty one, and the check


class Unsorted(SampleBoard):
    """A board that knows neither `page=a7` nor `order:id`, and returns the newest posts."""

    def __call__(self, url: str) -> bytes:
        return super().__call__(url.replace("page=a0", "page=1").replace("order%3Aid", ""))


@pytest.mark.parametrize("name", ["danbooru", "e621", "moebooru"])
@pytest.mark.parametrize("page_size", [10, 150, 500])  # Moebooru's pages have up to 100 posts
def test_board_that_returns_the_newest_posts_is_refused(
    name: str, page_size: int, tmp_path: Path
) -> None:
    board = Unsorted(name, POSTS, page_size=page_size)
    if name == "e621" and page_size == 500:  # of which all fit on a page
        assert board.collect(tmp_path / "store", []).new == len(POSTS)
        return
    with pytest.raises(SengaError, match=r"ignores (page=a|order:id) .*--metadata-source csv"):
        board.collect(tmp_path / "store", [])
    assert ids_in(tmp_path / "store") == []


def test_page_that_asks_for_an_account_names_the_one_of_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENGA_BOARD_KEY", raising=False)
    monkeypatch.delenv("SENGA_BOARD_USER", raising=False)
    body = b'{"success": false, "message": "Log in first"}'
    board = SampleBoard("moebooru", []).board
    with pytest.raises(SengaError, match="SENGA_BOARD_USER to the password hash and the name of"):
        collect(tmp_path / "store", board, [], lambda _: body)


@pytest.mark.parametrize("name", ["danbooru", "e621", "moebooru"])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"<!DOCTYPE html><p>Sorry", b'{"success": false, "message": "down"}', b'["a"]',
        b'[{"tag_string": "solo"}]', b'{"posts": {"id": 1}}', b"[" * 100_000, b"\xff\xfe",
    ],
)  # fmt: skip
def test_answer_that_is_no_page_is_one_sentence(name: str, body: bytes, tmp_path: Path) -> None:
    board = SampleBoard(name, []).board
    with pytest.raises(
        SengaError, match="expected a JSON list of posts, each with an id"
    ) as caught:
        collect(tmp_path / "store", board, ["solo"], lambda _: body)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(board.url)


def test_row_without_an_id_is_no_end(tmp_path: Path) -> None:
    """Danbooru leaves the ids of some posts out."""
    pages = iter([b'[{"score": 1}, {"id": 5}]', b'[{"id": 9}, {"score": 2}]', b"[]"])
    board = Danbooru(url="https://b.example/posts.json")
    result = collect(tmp_path / "store", board, [], lambda _: next(pages))
    assert result == CollectResult(2, 2)
    rows = [row for batch in read_store(tmp_path / "store", board) for _, row in batch]
    assert [row[0][:6] for row in rows] == ['{"bad"', "5", '{"bad"', "9"]
