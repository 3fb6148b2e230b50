"""Posts from a board that grows, breaks off and answers nonsense."""

import json
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts.board_api import Collected, collect, rows
from pipeline.posts.kaggle_csv import COLUMNS
from pipeline.posts.metadata import import_rows
from pipeline.sample_booru import serve
from pipeline.sample_booru.catalogue import catalogue
from sketch_models.errors import SengaError

URL = "https://booru.example/index.php"


class Board:
    """Answers pages as a board does.

    Attributes:
        asked: for posts above these ids.
        broken: how many requests are answered before one fails.
    """

    def __init__(self, ids: list[int], most: int = 1000) -> None:
        self.ids, self.most = ids, most
        self.asked: list[int] = []
        self.broken = 10**9

    def __call__(self, url: str) -> bytes:
        if self.broken == 0:
            raise SengaError("The board is away.")
        self.broken -= 1
        query = parse_qs(urlsplit(url).query)
        words = query["tags"][0].split()
        assert "sort:id:asc" in words
        above = last(url)
        self.asked.append(above)
        below = next((int(word[4:]) for word in words if word.startswith("id:<")), 10**9)
        limit = min(self.most, int(query["limit"][0]))
        found = [post_id for post_id in self.sort() if above < post_id < below]
        page = [self.post(post_id) for post_id in found[:limit]]
        return json.dumps(page).encode() if page else b""

    def sort(self) -> list[int]:
        return sorted(self.ids)

    def post(self, post_id: int) -> dict[str, object]:
        return {"id": post_id, "tags": "solo", "rating": "general"}


class Unsorted(Board):
    """Has the newest posts first, whatever it is asked for."""

    def sort(self) -> list[int]:
        return sorted(self.ids, reverse=True)


def last(url: str) -> int:
    """Above which id posts are asked for."""
    words = parse_qs(urlsplit(url).query)["tags"][0].split()
    return next(int(word[4:]) for word in words if word.startswith("id:>"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "posts.jsonl"


def ids_in(store: Path) -> list[int]:
    posts = [json.loads(line) for line in store.read_text().splitlines()]
    return [post["id"] for post in posts if "end" not in post]


def test_collects_all_pages(path: Path) -> None:
    board, done = Board(list(range(5, 100, 3))), list[int]()
    result = collect(path, URL, ["solo"], board, limit=10, advance=done.append)
    assert result == Collected(32, 32)
    assert ids_in(path) == board.ids
    assert done == [10, 10, 10, 2]
    assert board.asked == [0, 32, 62, 92, 98]


def test_a_board_may_give_less_than_it_is_asked_for(path: Path) -> None:
    collect(path, URL, [], Board(list(range(1, 50)), most=7), limit=100)
    assert ids_in(path) == list(range(1, 50))


def test_asks_only_for_what_is_new(path: Path) -> None:
    board = Board([1, 5, 9])
    collect(path, URL, [], board)
    before = path.read_bytes()
    board.asked.clear()
    assert collect(path, URL, [], board) == Collected(3, 0)
    assert (board.asked, path.read_bytes()) == ([9], before)
    board.ids = [1, 3, 5, 9, 12, 13]  # 3 is not new: ids ascend with time
    assert collect(path, URL, [], board) == Collected(5, 2)
    assert ids_in(path) == [1, 5, 9, 12, 13]
    board.asked.clear()
    assert collect(path, URL, [], board, ask_for_new=False) == Collected(5, 0)
    assert board.asked == []


def test_posts_that_come_meanwhile_are_neither_missed_nor_repeated(path: Path) -> None:
    board = Board(list(range(1, 40)))

    def growing(url: str) -> bytes:
        page = board(url)
        board.ids += [max(board.ids) + 1, max(board.ids) + 2] if len(board.asked) < 6 else []
        return page

    collect(path, URL, [], growing, limit=10)
    assert ids_in(path) == board.ids


@given(
    st.sets(st.integers(1, 500), max_size=60),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 600)), max_size=4),
)
def test_broken_off_anywhere_it_ends_as_if_undisturbed(
    ids: set[int], breaks: list[tuple[int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole, torn = Path(folder) / "whole", Path(folder) / "torn"
        collect(whole, URL, [], Board(sorted(ids)), limit=7)
        for requests, bytes_lost in breaks:
            board = Board(sorted(ids))
            board.broken = requests
            try:
                collect(torn, URL, [], board, limit=7)
            except SengaError:
                content = torn.read_bytes()
                torn.write_bytes(content[: max(0, len(content) - bytes_lost)])
        collect(torn, URL, [], Board(sorted(ids)), limit=7)
        assert torn.read_bytes() == whole.read_bytes()


@given(st.lists(st.sets(st.integers(1, 300), max_size=30), max_size=4))
def test_growth_is_asked_for_once(additions: list[set[int]]) -> None:
    """Of a board that grows by newer posts, every run costs its new pages and one empty answer."""
    with tempfile.TemporaryDirectory() as folder:
        store, board = Path(folder) / "store", Board([])
        for addition in additions:
            start = max(board.ids, default=0)
            board.ids += sorted(start + step for step in addition)
            board.asked.clear()
            result = collect(store, URL, [], board, limit=7)
            assert result == Collected(len(board.ids), len(addition))
            assert board.asked[0] == start
            assert len(board.asked) == -(-len(addition) // 7) + 1
            assert ids_in(store) == board.ids


def test_a_board_that_is_away(path: Path) -> None:
    board = Board(list(range(1, 30)))
    board.broken = 2
    with pytest.raises(SengaError, match="is away"):
        collect(path, URL, [], board, limit=10)
    assert ids_in(path) == list(range(1, 21))
    board.broken = 99
    collect(path, URL, [], board, limit=10)
    board.broken = 0
    assert collect(path, URL, [], board) == Collected(29, 0, "The board is away.")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!DOCTYPE html><p>Sorry", "expected a JSON list of posts"),
        (b'<?xml version="1.0"?><posts count="0"/>', "expected a JSON list of posts"),
        (b'{"success": false, "message": "API limited"}', "expected a JSON list of posts"),
        (b'["a"]', "each with an id"),
        (b'[{"tags": "solo"}]', "each with an id"),
        (b'[{"id": -4}]', "each with an id"),
        (b"[" * 100_000, "expected a JSON list of posts"),
        (b'[{"id": 1, "tags": ' + b"[" * 100_000, "expected a JSON list of posts"),
        (b"\xff\xfe", "expected a JSON list of posts"),
    ],
)
def test_nonsense_is_said(path: Path, body: bytes, words: str) -> None:
    with pytest.raises(SengaError, match=words) as caught:
        collect(path, URL, [], lambda _: body)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(URL)


def test_a_board_that_does_not_sort(path: Path) -> None:
    newest = [{"id": post_id} for post_id in range(30, 0, -1)]
    with pytest.raises(SengaError, match="sort:id:asc"):
        collect(path, URL, [], lambda _: json.dumps(newest[:10]).encode(), limit=10)


def test_newest_posts_of_many_are_not_taken_for_all(path: Path) -> None:
    """A board that gives 7 at once, and does not sort: a page is shorter than was asked for."""
    board = Unsorted(list(range(1, 40)), most=7)
    with pytest.raises(SengaError, match="sort:id:asc"):
        collect(path, URL, [], board, limit=10)
    assert ids_in(path) == []


def test_a_board_that_does_not_sort_a_few_posts(path: Path) -> None:
    board = Unsorted([4, 8, 15], most=7)
    assert collect(path, URL, [], board, limit=10) == Collected(3, 3)
    board.ids += [16, 23]
    assert collect(path, URL, [], board, limit=10) == Collected(5, 2)
    assert ids_in(path) == [4, 8, 15, 16, 23]


def test_a_board_that_reads_above_as_from(path: Path) -> None:
    def get(url: str) -> bytes:
        return Board(list(range(1, 24)))(url.replace(f"%3E{last(url)}", f"%3E{last(url) - 1}"))

    for new in (23, 0):
        assert collect(path, URL, [], get, limit=5) == Collected(23, new)
    assert ids_in(path) == list(range(1, 24))


def test_a_board_that_wraps_its_list(path: Path) -> None:
    def get(url: str) -> bytes:
        page = json.loads(Board(list(range(1, 24)))(url) or b"[]")
        return json.dumps(
            {"@attributes": {"count": 23}} | ({"post": page} if page else {})
        ).encode()

    assert collect(path, URL, [], get, limit=5) == Collected(23, 23)


def test_what_has_no_id_is_kept_for_the_quarantine(path: Path, tmp_path: Path) -> None:
    bad = [{"tags": "lost"}, {"id": "x\0"}, "text", None, {"id": 10**30}, {"bad": 1, "end": 2}]
    good = {"rating": "s", "width": 5, "height": 5, "tags": "a", "image": "b.jpg", "directory": 1}

    def get(url: str) -> bytes:
        """Every page but the last holds what is bad, over and over."""
        page = json.loads(Board(list(range(1, 8)))(url) or b"[]")
        return json.dumps([post | good for post in page] + (bad if page else [])).encode()

    assert collect(path, URL, [], get, limit=3) == Collected(7, 7)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b'"id":2')])  # a kill after the first post
    assert collect(path, URL, [], get, limit=3) == Collected(7, 6)
    assert path.read_bytes() == whole
    counts = import_rows(rows(path, URL), tmp_path / "posts", tmp_path / "quarantine")
    assert counts == {"posts": 7, "bad_id": len(bad)}
    assert "lost" in (tmp_path / "quarantine").read_text()


def test_a_field_called_end_is_no_end(path: Path) -> None:
    answers = [b'[{"id": 3, "end": 4}]', b""]
    assert collect(path, URL, [], lambda _: answers.pop(0)) == Collected(1, 1)
    assert [len(batch) for batch in rows(path, URL)] == [1]


def test_a_board_that_repeats_itself(path: Path) -> None:
    page = json.dumps([{"id": post_id} for post_id in range(1, 11)]).encode()
    with pytest.raises(SengaError, match="id:> to be honoured"):
        collect(path, URL, [], lambda _: page, limit=10)


def test_what_was_spoiled_is_said(path: Path) -> None:
    path.write_text('{"id": 1}\nnonsense\n')
    with pytest.raises(SengaError, match="delete it and run again"):
        collect(path, URL, [], Board([1]))


def one_row(post: dict[str, object], path: Path) -> dict[str, str]:
    path.write_text(json.dumps({"id": 7} | post) + "\n")
    ((_, fields),) = next(rows(path, "https://booru.example/index.php"))
    return dict(zip(COLUMNS, fields, strict=True))


def test_a_post_with_a_sample_is_its_sample(path: Path) -> None:
    sizes = {"width": 2000, "height": 3000, "sample_width": 850, "sample_height": 1275}
    place = {"directory": 3, "image": "ab.png", "sample": True}
    row = one_row(sizes | place | {"tags": "1girl kuon_(a&#039;b)", "score": None}, path)
    assert row["sample_url"] == "https://booru.example//samples/3/sample_ab.jpg"
    assert (row["sample_width"], row["sample_height"]) == ("850", "1275")
    assert (row["tags"], row["score"]) == ("1girl kuon_(a'b)", "")
    row = one_row(sizes | place | {"sample": False}, path)
    assert row["sample_url"] == "https://booru.example//images/3/ab.png"
    assert (row["sample_width"], row["sample_height"]) == ("2000", "3000")
    row = one_row(sizes | place | {"sample_url": "https://cdn.example/s.jpg"}, path)
    assert row["sample_url"] == "https://cdn.example/s.jpg"


@pytest.mark.parametrize("value", [[], {}, None, -1, 1e99, "\n", "../../etc/passwd", True])
def test_odd_values_end_in_the_quarantine(path: Path, tmp_path: Path, value: object) -> None:
    names = ["rating", "score", "sample_width", "width", "directory", "image", "tags", "sample"]
    for name in names:
        good = {"id": 7, "rating": "s", "width": 5, "height": 5, "tags": "a", "image": "b.jpg"}
        path.write_text(json.dumps(good | {"directory": 1, name: value}) + "\n")
        counts = import_rows(rows(path, URL), tmp_path / "posts", tmp_path / "quarantine")
        assert sum(counts.values()) == 1


def test_the_sample_booru_answers_as_a_board_does(path: Path, tmp_path: Path) -> None:
    def getter(address: str) -> Callable[[str], bytes]:
        def get(url: str) -> bytes:
            local = url.replace("https://booru.example", f"http://{address}")
            with urllib.request.urlopen(local, timeout=20) as answer:
                content: bytes = answer.read()
                return content

        return get

    with serve(posts=60) as address:
        collect(path, URL, ["solo", "-chibi"], getter(address), limit=9)
    with serve(posts=80) as address:
        result = collect(path, URL, ["solo", "-chibi"], getter(address), limit=9)
    wanted = {
        post.id: post
        for post in catalogue(80)
        if "solo" in post.tags.split() and "chibi" not in post.tags.split()
    }
    assert ids_in(path) == sorted(wanted)
    assert 0 < result.new < result.posts == len(wanted)
    for batch in rows(path, URL):
        for _, fields in batch:
            row = dict(zip(COLUMNS, fields, strict=True))
            post = wanted[int(row["id"])]
            assert row["sample_url"].partition("example")[2].lstrip("/") == post.path.lstrip("/")
            assert (row["sample_width"], row["sample_height"]) == (
                str(post.width),
                str(post.height),
            )
    counts = import_rows(rows(path, URL), tmp_path / "posts", tmp_path / "quarantine")
    assert counts == {"posts": len(wanted)}
