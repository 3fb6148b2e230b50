"""Collect posts from the API of a live board, page by page, into a store that only grows."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.posts.board_account import BoardAccount
from pipeline.posts.board_answer import LIST_EXPECTED, advice, words_of
from pipeline.posts.boards.board import Board, PostRow, post_id
from pipeline.progress import OnProgress, ignore
from sketch_models.atomic import open_append
from sketch_models.errors import SengaError

GetPage = Callable[[str], bytes]
"""Fetches the body of a URL; raises SengaError if it cannot."""

_END_KEY = "end"  # of the line that records that the board had no more posts
_BAD_KEY = "bad"  # of a line that holds a row without an id
_BATCH = 1000  # rows
_BATCH_BYTES = 16_000_000
_MAX_STORE_BYTES = 100_000_000_000  # ten times what the largest board has


@dataclass(frozen=True)
class CollectResult:
    """The result of `collect`.

    Attributes:
        posts: number of posts in the store; rows without an id are not counted.
        new: number of posts that this call added.
        warning: why the board could not be asked for new posts, if the run can go on without; else
            empty.
    """

    posts: int
    new: int
    warning: str = ""


@dataclass
class _StoreState:
    """The state of a store.

    Attributes:
        posts: number of posts.
        last_id: id of the last post; 0 if there is none.
        ended: whether the board had no more posts once.
        bad_lines: digests of the lines of rows without an id.
    """

    posts: int = 0
    last_id: int = 0
    ended: bool = False
    bad_lines: set[bytes] = field(default_factory=set)


def collect(
    store: Path,
    board: Board,
    tags: Sequence[str],
    get_page: GetPage,
    *,
    fetch_new: bool = True,
    on_progress: OnProgress = ignore,
) -> CollectResult:
    """Append the posts of a board to a store that does not hold them yet.

    A kill loses a page at most; the next call resumes after the last one.

    Args:
        store: JSON lines: posts as `Board.posts` returned them, ascending by id, each once;
            `{"end": <id>}` when the board had no more; `{"bad": <anything>}` for a row between
            posts that has no id. It only grows.
        board: whose posts are collected.
        tags: that posts must all have; `-tag` for those that they must not have.
        get_page: fetches a page.
        fetch_new: whether to ask the board again after it had no more posts once.
        on_progress: called with the number of posts of each page.

    Raises:
        SengaError: if a page cannot be fetched and the end was never reached, or if the board
            returns something else than the posts of the query.
        OSError: if the store cannot be written.
    """
    state = _recover_state(store)
    if state.ended and not fetch_new:
        return CollectResult(state.posts, 0)
    before = state.posts
    pages = _Pages(board, tags, get_page)
    with open_append(store) as file:
        while True:
            try:
                posts, bad_rows = pages.fetch(state.last_id)
            except SengaError as error:
                if state.ended:
                    return CollectResult(state.posts, state.posts - before, str(error))
                raise
            lines = _add_page(state, posts, bad_rows)
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
            if not posts:
                return CollectResult(state.posts, state.posts - before)
            on_progress(len(posts))
            if file.tell() > _MAX_STORE_BYTES:
                raise SengaError(
                    f"{board.url} returned more than {_MAX_STORE_BYTES // 10**9:,} GB of posts, "
                    f"expected an end. Check [metadata] api_url; {store} holds them."
                )


def _add_page(state: _StoreState, posts: list[dict[str, Any]], bad_rows: list[object]) -> list[str]:
    """Add a page to the state; return its lines, bad rows first, so that no kill loses them."""
    bad_lines = dict.fromkeys(_to_line({_BAD_KEY: row}) for row in bad_rows)
    new_bad_lines = [line for line in bad_lines if _digest(line) not in state.bad_lines]
    state.bad_lines.update(map(_digest, new_bad_lines))
    state.posts += len(posts)
    state.last_id = post_id(posts[-1]) if posts else state.last_id
    lines = [*new_bad_lines, *map(_to_line, posts)]
    if not (posts or state.ended):
        lines.append(_to_line({_END_KEY: state.last_id}))
    return lines


def _digest(line: str) -> bytes:
    return hashlib.blake2b(line.encode(), digest_size=16).digest()


def _to_line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _recover_state(store: Path) -> _StoreState:
    """Truncate a line that a kill left incomplete; return the state of the store.

    The end is recorded once; later posts come after it.
    """
    state, size = _StoreState(), 0
    if store.exists():
        with store.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                size += len(line)
                entry = _parse_line(line, store)
                if post_id(entry):
                    state.posts, state.last_id = state.posts + 1, post_id(entry)
                elif _BAD_KEY in entry:
                    state.bad_lines.add(_digest(line.decode().rstrip("\n")))
                else:
                    state.ended = True
        with open_append(store) as file:
            file.truncate(size)
    return state


def _parse_line(line: bytes, store: Path) -> dict[str, Any]:
    """Return a line of a store: a post, which has an id, the end or a bad row."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict) or not (
        post_id(entry) or _END_KEY in entry or _BAD_KEY in entry
    ):
        raise SengaError(
            f"{store} is damaged: its line {line[:40]!r} is not a post. Delete it and run again."
        )
    return entry


class _Pages:
    """The pages of a search, in ascending order of ids.

    Args:
        board: that is searched.
        tags: of the search.
        get_page: fetches a page.
    """

    def __init__(self, board: Board, tags: Sequence[str], get_page: GetPage) -> None:
        self._board, self._tags, self._get_page = board, tags, get_page
        self._is_ordered = False  # whether the board was seen to return the oldest posts

    def fetch(self, last_id: int) -> tuple[list[dict[str, Any]], list[object]]:
        """Return the posts of a page that are new, ascending by id; and the rows without an id.

        Boards may return fewer posts than were asked for. A board that reads "above this id" as
        "from this id on" repeats one post, which does no harm.
        """
        url = self._board.page_url(self._tags, last_id)
        page = _parse_page(self._get_page(url), url, self._board)
        ids = [number for number in map(post_id, page) if number]
        if ids != sorted(ids):
            self._check_order(url, len(page), min(ids), last_id)
        new = {post_id(post): post for post in page if post_id(post) > last_id}
        if not new and set(ids) - {last_id}:
            raise _unsupported_board(url, self._board.above, "posts of earlier pages")
        bad_rows = [row for row in page if not post_id(row)]
        return [new[number] for number in sorted(new)], bad_rows

    def _check_order(self, url: str, size: int, first_id: int, last_id: int) -> None:
        """Raise SengaError if a page that does not ascend leaves out older posts.

        It may hold the newest posts of many. A board whose pages list the oldest posts with the
        newest of them first is asked once.
        """
        board = self._board
        if self._is_ordered:
            return
        is_full = size >= board.limits.page_size and not board.newest_first
        older_url = board.older_url(self._tags, last_id, first_id)
        if is_full or any(
            post_id(post) > last_id
            for post in _parse_page(self._get_page(older_url), older_url, board)
        ):
            raise _unsupported_board(url, board.ascending, "posts that do not ascend by id")
        self._is_ordered = board.newest_first


def _unsupported_board(url: str, ignored: str, returned: str) -> SengaError:
    return SengaError(
        f"{url}: the board ignores {ignored} and returned {returned}, so it cannot be collected "
        "through its API. Use --metadata-source csv."
    )


def _parse_page(body: bytes, url: str, board: Board) -> list[Any]:
    """Return the rows of a page, at least one of them a post; empty past the end."""
    try:
        page = board.posts(body)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, list) or (page and not any(map(post_id, page))):
        account = BoardAccount.from_environment()
        said = words_of(body, account)
        remedy = advice(said, has_account=bool(account), account_words=board.account.words)
        raise SengaError(f"{url} returned {said!r}, {LIST_EXPECTED}. {remedy}.")
    return page


def read_store(store: Path, board: Board) -> Iterator[list[tuple[int, Sequence[str]]]]:
    """Read the posts of a store as rows, for `metadata.import_rows`.

    Args:
        store: that `collect` wrote.
        board: that it was collected from.

    Yields:
        Batches of the line in the store, and the fields of `rows.FIELDS`.
    """
    batch: list[tuple[int, Sequence[str]]] = []
    size = 0
    with store.open("rb") as file:
        for number, line in enumerate(file, 1):
            entry = _parse_line(line, store)
            if post_id(entry):
                batch.append((number, board.row(entry)))
            elif _BAD_KEY in entry:  # the checks of posts reject it, as this is no id
                batch.append((number, PostRow(id=_to_line(entry))))
            size += len(line)
            if len(batch) == _BATCH or size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
