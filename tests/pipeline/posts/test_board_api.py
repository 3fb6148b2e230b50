"""Posts from a board that grows, fails and returns something else."""

import json
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts.board_api import CollectResult, GetPage, read_store
from pipeline.posts.board_api import collect as collect_from
from pipeline.posts.boards.board import BoardLimits
from pipeline.posts.boards.dapi import Dapi
from pipeline.posts.metadata import import_rows
from pipeline.posts.rows import FIELDS
from pipeline.progress import OnProgress, ignore
from pipeline.sample_booru import serve
from pipeline.sample_booru.catalogue import catalogue
from sketch_models.errors import SengaError

URL = "https://booru.example/index.php"
SAFEBOORU = Dapi(url=URL)


def collect(
    store: Path,
    tags: Sequence[str],
    get_page: GetPage,
    *,
    page_size: int = 1000,
    fetch_new: bool = True,
    on_progress: OnProgress = ignore,
) -> CollectResult:
    """Collect from a board like Safebooru."""
    limits = BoardLimits(page_size=page_size, pages_per_second=1)
    board = Dapi(url=URL, limits=limits)
    return collect_from(store, board, tags, get_page, fetch_new=fetch_new, on_progress=on_progress)


class Board:
    """A board that returns pages, as Safebooru does.

    Attributes:
        requested: the ids above which posts were requested.
        requests_left: until one fails.
    """

    def __init__(self, ids: list[int], max_page_size: int = 1000) -> None:
        self.ids, self.max_page_size = ids, max_page_size
        self.requested: list[int] = []
        self.requests_left = 10**9

    def __call__(self, url: str) -> bytes:
        if self.requests_left == 0:
            raise SengaError("The board is down.")
        self.requests_left -= 1
        query = parse_qs(urlsplit(url).query)
        words = query["tags"][0].split()
        assert "sort:id:asc" in words
        above = last_id(url)
        self.requested.append(above)
        below = next((int(word[4:]) for word in words if word.startswith("id:<")), 10**9)
        limit = min(self.max_page_size, int(query["limit"][0]))
        matching = [post_id for post_id in self.sort() if above < post_id < below]
        page = [self.post(post_id) for post_id in matching[:limit]]
        return json.dumps(page).encode() if page else b""

    def sort(self) -> list[int]:
        return sorted(self.ids)

    def post(self, post_id: int) -> dict[str, object]:
        return {"id": post_id, "tags": "solo", "rating": "general"}


class Unsorted(Board):
    """A board that returns the newest posts first, whatever the requested order."""

    def sort(self) -> list[int]:
        return sorted(self.ids, reverse=True)


def last_id(url: str) -> int:
    """The id above which posts are requested."""
    words = parse_qs(urlsplit(url).query)["tags"][0].split()
    return next(int(word[4:]) for word in words if word.startswith("id:>"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "posts.jsonl"


def ids_in(store: Path) -> list[int]:
    posts = [json.loads(line) for line in store.read_text().splitlines()]
    return [post["id"] for post in posts if "end" not in post]


def test_all_pages_are_collected(path: Path) -> None:
    board, done = Board(list(range(5, 100, 3))), list[int]()
    result = collect(path, ["solo"], board, page_size=10, on_progress=done.append)
    assert result == CollectResult(32, 32)
    assert ids_in(path) == board.ids
    assert done == [10, 10, 10, 2]
    assert board.requested == [0, 32, 62, 92, 98]


def test_pages_may_be_smaller_than_requested(path: Path) -> None:
    collect(path, [], Board(list(range(1, 50)), max_page_size=7), page_size=100)
    assert ids_in(path) == list(range(1, 50))


def test_second_run_requests_only_new_posts(path: Path) -> None:
    board = Board([1, 5, 9])
    collect(path, [], board)
    before = path.read_bytes()
    board.requested.clear()
    assert collect(path, [], board) == CollectResult(3, 0)
    assert (board.requested, path.read_bytes()) == ([9], before)
    board.ids = [1, 3, 5, 9, 12, 13]  # 3 is not new: ids ascend with time
    assert collect(path, [], board) == CollectResult(5, 2)
    assert ids_in(path) == [1, 5, 9, 12, 13]
    board.requested.clear()
    assert collect(path, [], board, fetch_new=False) == CollectResult(5, 0)
    assert board.requested == []


def test_posts_added_meanwhile_are_collected_once(path: Path) -> None:
    board = Board(list(range(1, 40)))

    def growing(url: str) -> bytes:
        page = board(url)
        board.ids += [max(board.ids) + 1, max(board.ids) + 2] if len(board.requested) < 6 else []
        return page

    collect(path, [], growing, page_size=10)
    assert ids_in(path) == board.ids


@given(
    st.sets(st.integers(1, 500), max_size=60),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 600)), max_size=4),
)
def test_interrupted_runs_give_the_same_store(ids: set[int], breaks: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        complete, broken = Path(folder) / "complete", Path(folder) / "broken"
        collect(complete, [], Board(sorted(ids)), page_size=7)
        for requests, bytes_lost in breaks:
            board = Board(sorted(ids))
            board.requests_left = requests
            try:
                collect(broken, [], board, page_size=7)
            except SengaError:
                content = broken.read_bytes()
                broken.write_bytes(content[: max(0, len(content) - bytes_lost)])
        collect(broken, [], Board(sorted(ids)), page_size=7)
        assert broken.read_bytes() == complete.read_bytes()


@given(st.lists(st.sets(st.integers(1, 300), max_size=30), max_size=4))
def test_new_posts_are_requested_once(additions: list[set[int]]) -> None:
    """A run requests the new pages and an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        store, board = Path(folder) / "store", Board([])
        for addition in additions:
            start = max(board.ids, default=0)
            board.ids += sorted(start + step for step in addition)
            board.requested.clear()
            result = collect(store, [], board, page_size=7)
            assert result == CollectResult(len(board.ids), len(addition))
            assert board.requested[0] == start
            assert len(board.requested) == -(-len(addition) // 7) + 1
            assert ids_in(store) == board.ids


def test_failed_page_raises_or_warns_if_the_end_was_reached(path: Path) -> None:
    board = Board(list(range(1, 30)))
    board.requests_left = 2
    with pytest.raises(SengaError, match="is down"):
        collect(path, [], board, page_size=10)
    assert ids_in(path) == list(range(1, 21))
    board.requests_left = 99
    collect(path, [], board, page_size=10)
    board.requests_left = 0
    assert collect(path, [], board) == CollectResult(29, 0, "The board is down.")


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
def test_response_of_something_else_is_one_sentence(path: Path, body: bytes, words: str) -> None:
    with pytest.raises(SengaError, match=words) as caught:
        collect(path, [], lambda _: body)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(URL)


def test_unsorted_board_is_refused(path: Path) -> None:
    newest = [{"id": post_id} for post_id in range(30, 0, -1)]
    with pytest.raises(SengaError, match="ignores sort:id:asc"):
        collect(path, [], lambda _: json.dumps(newest[:10]).encode(), page_size=10)


def test_unsorted_board_with_small_pages_is_refused(path: Path) -> None:
    """A board that returns 7 at once, and does not sort: a page is shorter than requested."""
    board = Unsorted(list(range(1, 40)), max_page_size=7)
    with pytest.raises(SengaError, match="ignores sort:id:asc"):
        collect(path, [], board, page_size=10)
    assert ids_in(path) == []


def test_unsorted_board_with_one_page_is_collected(path: Path) -> None:
    board = Unsorted([4, 8, 15], max_page_size=7)
    assert collect(path, [], board, page_size=10) == CollectResult(3, 3)
    board.ids += [16, 23]
    assert collect(path, [], board, page_size=10) == CollectResult(5, 2)
    assert ids_in(path) == [4, 8, 15, 16, 23]


def test_board_that_includes_the_last_id_is_collected(path: Path) -> None:
    def get(url: str) -> bytes:
        return Board(list(range(1, 24)))(
            url.replace(f"%3E{last_id(url)}", f"%3E{last_id(url) - 1}")
        )

    for new in (23, 0):
        assert collect(path, [], get, page_size=5) == CollectResult(23, new)
    assert ids_in(path) == list(range(1, 24))


def test_wrapped_list_is_unwrapped(path: Path) -> None:
    def get(url: str) -> bytes:
        page = json.loads(Board(list(range(1, 24)))(url) or b"[]")
        return json.dumps(
            {"@attributes": {"count": 23}} | ({"post": page} if page else {})
        ).encode()

    assert collect(path, [], get, page_size=5) == CollectResult(23, 23)


def test_rows_without_id_go_to_the_quarantine(path: Path, tmp_path: Path) -> None:
    bad = [{"tags": "lost"}, {"id": "x\0"}, "text", None, {"id": 10**30}, {"bad": 1, "end": 2}]
    good = {"rating": "s", "width": 5, "height": 5, "tags": "a", "image": "b.jpg", "directory": 1}

    def get(url: str) -> bytes:
        """Every page but the last holds the same bad rows."""
        page = json.loads(Board(list(range(1, 8)))(url) or b"[]")
        return json.dumps([post | good for post in page] + (bad if page else [])).encode()

    assert collect(path, [], get, page_size=3) == CollectResult(7, 7)
    complete = path.read_bytes()
    path.write_bytes(complete[: complete.index(b'"id":2')])  # a kill after the first post
    assert collect(path, [], get, page_size=3) == CollectResult(7, 6)
    assert path.read_bytes() == complete
    counts = import_rows(read_store(path, SAFEBOORU), tmp_path / "posts", tmp_path / "quarantine")
    assert counts == {"posts": 7, "bad_id": len(bad)}
    assert "lost" in (tmp_path / "quarantine").read_text()


def test_post_with_a_field_named_end_is_a_post(path: Path) -> None:
    pages = [b'[{"id": 3, "end": 4}]', b""]
    assert collect(path, [], lambda _: pages.pop(0)) == CollectResult(1, 1)
    assert [len(batch) for batch in read_store(path, SAFEBOORU)] == [1]


def test_board_that_repeats_a_page_is_refused(path: Path) -> None:
    page = json.dumps([{"id": post_id} for post_id in range(1, 11)]).encode()
    with pytest.raises(SengaError, match="ignores id:>"):
        collect(path, [], lambda _: page, page_size=10)


def test_damaged_store_is_one_sentence(path: Path) -> None:
    path.write_text('{"id": 1}\nnonsense\n')
    with pytest.raises(SengaError, match="Delete it and run again"):
        collect(path, [], Board([1]))


def test_store_that_is_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    for text in ("", '{"id": 1}\nhalf a li'):
        outside.write_text(text)
        path.unlink(missing_ok=True)
        path.symlink_to(outside)
        with pytest.raises(OSError, match="symbolic links"):
            collect(path, [], Board([1, 2]))
        assert outside.read_text() == text


def one_row(post: dict[str, object], path: Path) -> dict[str, str]:
    path.write_text(json.dumps({"id": 7} | post) + "\n")
    ((_, fields),) = next(read_store(path, SAFEBOORU))
    return dict(zip(FIELDS, fields, strict=True))


def one_post(post: dict[str, object], path: Path) -> dict[str, object]:
    """Return the post that is imported from a post of a board."""
    path.write_text(json.dumps({"id": 7, "rating": "s"} | post) + "\n")
    table = path.with_name("posts")
    counts = import_rows(read_store(path, SAFEBOORU), table, path.with_name("quarantine"))
    assert counts == {"posts": 1}
    return pl.read_parquet(table).row(0, named=True)


def test_post_with_a_sample_has_its_url_and_size(path: Path) -> None:
    sizes = {"width": 2000, "height": 3000, "sample_width": 850, "sample_height": 1275}
    location = {"directory": 3, "image": "ab.png", "sample": True}
    row = one_row(sizes | location | {"tags": "1girl kuon_(a&#039;b)", "score": None}, path)
    assert row["sample_url"] == "https://booru.example//samples/3/sample_ab.jpg"
    assert (row["sample_width"], row["sample_height"]) == ("850", "1275")
    assert (row["tags"], row["score"]) == ("1girl kuon_(a&#039;b)", "")
    assert one_post(sizes | location | {"tags": "1girl kuon_(a&#039;b)"}, path)["tags"] == (
        "1girl kuon_(a'b)"
    )
    row = one_row(sizes | location | {"sample": False}, path)
    assert row["sample_url"] == "https://booru.example//images/3/ab.png"
    assert (row["sample_width"], row["sample_height"]) == ("2000", "3000")
    row = one_row(sizes | location | {"sample_url": "https://cdn.example/s.jpg"}, path)
    assert row["sample_url"] == "https://cdn.example/s.jpg"


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"score": 3.0}, "score", 3),
        ({"score": "3"}, "score", 3),
        ({"score": -2.5}, "score", -3),
        ({"score": True}, "score", None),
        ({"id": 7.0}, "id", 7),
        ({"id": " 7"}, "id", 7),
        ({"width": 850.0}, "width", 850),
        ({"width": None}, "width", None),
        ({"height": ""}, "height", None),
        ({"rating": "Safe"}, "rating", "s"),
        ({"rating": None}, "rating", None),
        ({"tags": "a\tb\x00 \ud83d"}, "tags", "a b \ufffd"),
        ({"tags": ["a", "b"]}, "tags", "a b"),
        ({"sample": 1, "sample_width": 0, "sample_height": 0}, "width", 5),
        ({"sample": 1, "sample_width": 0}, "url", "https://booru.example//images/1/b.jpg"),
        ({"sample": 1, "sample_width": 4.0, "sample_height": "3"}, "width", 4),
        (
            {"sample": 1, "sample_width": 0, "image": "", "sample_url": "https://a.example/s.jpg"},
            "url",
            "https://a.example/s.jpg",
        ),
        ({"image": None, "sample_url": "//a.example/s.jpg"}, "url", "https://a.example/s.jpg"),
    ],
)
def test_odd_fields_do_not_cost_the_post(
    path: Path, changes: dict[str, object], field: str, value: object
) -> None:
    good = {"width": 5, "height": 6, "tags": "a", "image": "b.jpg", "directory": 1}
    assert one_post(good | changes, path)[field] == value


def test_post_without_an_address_goes_to_the_quarantine(path: Path, tmp_path: Path) -> None:
    path.write_text('{"id": 7, "rating": "s", "width": 5, "height": 5, "tags": "a"}\n')
    counts = import_rows(read_store(path, SAFEBOORU), tmp_path / "posts", tmp_path / "quarantine")
    assert counts == {"posts": 0, "bad_url": 1}


ODD_PIECES = st.sampled_from(
    [b"\xff", b"\x80\x81", b"\x00", b"\t", b"\n", b"\x1f", b"\xed\xa0\xbd"]
)


@given(st.lists(st.tuples(st.integers(0, 10**6), ODD_PIECES), max_size=5), st.booleans())
def test_odd_bytes_within_text_cost_nothing(
    damages: list[tuple[int, bytes]], byte_order_mark: bool
) -> None:
    """Every text of a page is a place for bytes that JSON does not allow."""
    board = Board(list(range(1, 6)))
    page = board("https://b.example/?tags=id:>0+sort:id:asc&limit=9").replace(
        b'"solo"', b'"solo @"'
    )
    for place, piece in damages:
        spots = [n for n in range(len(page)) if page.startswith(b"@", n)]
        spot = spots[place % len(spots)]
        page = page[:spot] + piece + page[spot:]
    pages = [b"\xef\xbb\xbf" + page if byte_order_mark else page, b""]
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        assert collect(store, [], lambda _: pages.pop(0)) == CollectResult(5, 5)
        assert ids_in(store) == board.ids


@pytest.mark.parametrize("number", ["3.0", "9" * 5000, "1e999", "-0", "NaN", "null"])
def test_no_number_stops_the_collection(path: Path, tmp_path: Path, number: str) -> None:
    post = f'{{"id": 7, "score": {number}, "image": "b.jpg", "directory": 1, "tags": "a"}}'
    pages = [f"[{post}]".encode(), b"[]"]
    assert collect(path, [], lambda _: pages.pop(0)) == CollectResult(1, 1)
    assert collect(path, [], lambda _: b"[]") == CollectResult(1, 0)
    counts = import_rows(read_store(path, SAFEBOORU), tmp_path / "posts", tmp_path / "quarantine")
    assert counts == {"posts": 1}


def test_single_post_without_a_list_is_a_page(path: Path) -> None:
    pages = [b'{"@attributes": {"count": 1}, "post": {"id": "7"}}', b""]
    assert collect(path, [], lambda _: pages.pop(0)) == CollectResult(1, 1)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'"Missing authentication. Go to api.rule34.xxx for more information"',
            "'Missing authentication. Go to api.rule34.xxx for more information', expected .*"
            "Set the environment variables SENGA_BOARD_KEY and SENGA_BOARD_USER to",
        ),
        (b'{"success": false, "message": "API limited due to abuse"}', "due to abuse'.*Wait"),
        (b"<html><title>Just a moment...</title><p>x", "returned 'Just a moment...'"),
    ],
)
def test_words_of_the_board_are_passed_on(
    path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, words: str
) -> None:
    monkeypatch.delenv("SENGA_BOARD_KEY", raising=False)
    monkeypatch.delenv("SENGA_BOARD_USER", raising=False)
    with pytest.raises(SengaError, match=words):
        collect(path, [], lambda _: body)


@pytest.mark.parametrize(
    ("tag", "searchable"), [("solo", True), (":3", True), ("-_-", False), ("~o~", False)]
)
def test_tags_that_mean_something_else_are_not_searched(tag: str, searchable: bool) -> None:
    assert SAFEBOORU.can_search(tag) == searchable


@pytest.mark.parametrize("value", [[], {}, None, -1, 1e99, "\n", "../../etc/passwd", True])
def test_odd_values_give_a_post_or_a_rejected_row(
    path: Path, tmp_path: Path, value: object
) -> None:
    names = ["rating", "score", "sample_width", "width", "directory", "image", "tags", "sample"]
    for name in names:
        good = {"id": 7, "rating": "s", "width": 5, "height": 5, "tags": "a", "image": "b.jpg"}
        path.write_text(json.dumps(good | {"directory": 1, name: value}) + "\n")
        counts = import_rows(
            read_store(path, SAFEBOORU), tmp_path / "posts", tmp_path / "quarantine"
        )
        assert sum(counts.values()) == 1


def test_sample_booru_is_collected_like_a_board(path: Path, tmp_path: Path) -> None:
    def getter(address: str) -> Callable[[str], bytes]:
        def get(url: str) -> bytes:
            local = url.replace("https://booru.example", f"http://{address}")
            with urllib.request.urlopen(local, timeout=20) as response:
                content: bytes = response.read()
                return content

        return get

    with serve(posts=60) as address:
        collect(path, ["solo", "-chibi"], getter(address), page_size=9)
    with serve(posts=80) as address:
        result = collect(path, ["solo", "-chibi"], getter(address), page_size=9)
    wanted = {
        post.id: post
        for post in catalogue(80)
        if "solo" in post.tags.split() and "chibi" not in post.tags.split()
    }
    assert ids_in(path) == sorted(wanted)
    assert 0 < result.new < result.posts == len(wanted)
    for batch in read_store(path, SAFEBOORU):
        for _, fields in batch:
            row = dict(zip(FIELDS, fields, strict=True))
            post = wanted[int(row["id"])]
            assert row["sample_url"].partition("example")[2].lstrip("/") == post.path.lstrip("/")
            assert (row["sample_width"], row["sample_height"]) == (
                str(post.width),
                str(post.height),
            )
    counts = import_rows(read_store(path, SAFEBOORU), tmp_path / "posts", tmp_path / "quarantine")
    assert counts == {"posts": len(wanted)}


@pytest.mark.parametrize("depth", [120, 500, 990, 5000])
@pytest.mark.parametrize("page", ["{}", '[{{"id": 1, "tags": "solo", "more": {}}}]', "[7, {}]"])
def test_deeply_nested_page_is_one_sentence(tmp_path: Path, depth: int, page: str) -> None:
    for nested in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        body = page.format(nested).encode()
        with pytest.raises(SengaError, match="expected a JSON list of posts") as caught:
            collect(tmp_path / "store", [], lambda _, body=body: body)
        assert len(str(caught.value)) < 500


def test_board_without_an_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.posts.board_api._MAX_STORE_BYTES", 100_000)
    endless = Board(list(range(1, 100_000)), max_page_size=100)
    with pytest.raises(SengaError, match="expected an end"):
        collect(tmp_path / "store", [], endless)
    assert (tmp_path / "store").stat().st_size < 120_000


def test_rows_of_a_store_come_in_batches_of_bounded_size(tmp_path: Path) -> None:
    page = [{"id": number, "tags": "solo " * 1_000_000} for number in range(1, 12)]
    pages = iter([json.dumps(page).encode(), b""])
    collect(tmp_path / "store", [], lambda _: next(pages))
    assert [len(batch) for batch in read_store(tmp_path / "store", SAFEBOORU)] == [4, 4, 3]


def test_bad_rows_are_kept_once_whatever_their_size(tmp_path: Path) -> None:
    page = json.dumps([{"id": 5}, "x" * 1_000_000]).encode()
    for _ in range(2):
        collect(tmp_path / "store", [], lambda url: page if last_id(url) < 5 else b"[]")
        collect(tmp_path / "store", [], lambda _: b"")
    assert (tmp_path / "store").read_bytes().count(b'"bad"') == 1
