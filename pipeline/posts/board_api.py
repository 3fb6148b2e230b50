"""Collect posts from the API of a live board, page by page.

The API is that of Gelbooru 0.2, "dapi", which Safebooru speaks. Pages follow the ids, not their
numbers: new posts push others from page to page while one reads, and ids stay.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from pipeline.posts.board_account import BoardAccount
from pipeline.posts.board_answer import advice, parse_json, words_of
from pipeline.posts.kaggle_csv import COLUMNS
from pipeline.progress import OnProgress, ignore
from sketch_models.atomic import open_append
from sketch_models.errors import SengaError

PAGE_SIZE = 1000
"""Posts on a page; boards may return fewer."""

GetPage = Callable[[str], bytes]
"""Fetches the body of a URL; raises SengaError if it cannot."""

_END_KEY = "end"  # of the line that records that the board had no more posts
_BAD_KEY = "bad"  # of a line that holds a row without an id
_BATCH = 1000  # rows
_BATCH_BYTES = 16_000_000
_MAX_STORE_BYTES = 100_000_000_000  # ten times what the largest board has
_WHOLE = re.compile(r"([0-9]{1,18})(?:\.0*)?")
_SIZE = re.compile(r"0*[1-9][0-9]*(?:\.0*)?")


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
    url: str,
    tags: Sequence[str],
    get_page: GetPage,
    *,
    page_size: int = PAGE_SIZE,
    fetch_new: bool = True,
    on_progress: OnProgress = ignore,
) -> CollectResult:
    """Append the posts of a board to a store that does not hold them yet.

    A kill loses a page at most; the next call resumes after the last one.

    Args:
        store: JSON lines: posts as the board returned them, ascending by id, each once;
            `{"end": <id>}` when the board had no more; `{"bad": <anything>}` for a row between
            posts that has no id. It only grows.
        url: of the API, such as `https://safebooru.org/index.php`.
        tags: that posts must all have; `-tag` for those that they must not have.
        get_page: fetches a page.
        page_size: posts on a page.
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
    with open_append(store) as file:
        while True:
            try:
                posts, bad_rows = _fetch_page(url, tags, get_page, state.last_id, page_size)
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
                    f"{url} returned more than {_MAX_STORE_BYTES // 10**9:,} GB of posts, expected "
                    f"an end. Check [metadata] api_url; {store} holds them."
                )


def _add_page(state: _StoreState, posts: list[dict[str, Any]], bad_rows: list[object]) -> list[str]:
    """Add a page to the state; return its lines, bad rows first, so that no kill loses them."""
    bad_lines = dict.fromkeys(_to_line({_BAD_KEY: row}) for row in bad_rows)
    new_bad_lines = [line for line in bad_lines if _digest(line) not in state.bad_lines]
    state.bad_lines.update(map(_digest, new_bad_lines))
    state.posts += len(posts)
    state.last_id = _post_id(posts[-1]) if posts else state.last_id
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
                if _post_id(entry):
                    state.posts, state.last_id = state.posts + 1, _post_id(entry)
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
        _post_id(entry) or _END_KEY in entry or _BAD_KEY in entry
    ):
        raise SengaError(
            f"{store} is damaged: its line {line[:40]!r} is not a post. Delete it and run again."
        )
    return entry


def is_searchable(tag: str) -> bool:
    """Return whether a search for a tag finds the posts that have it.

    Boards read a `-` or `~` before a tag as "without" and "or": no word finds the tag `-_-`.
    """
    return not tag.startswith(("-", "~"))


def _page_url(url: str, tags: Sequence[str], last_id: int, page_size: int) -> str:
    query = quote_plus(" ".join([*tags, f"id:>{last_id}", "sort:id:asc"]))
    return f"{url}?page=dapi&s=post&q=index&json=1&limit={page_size}&tags={query}"


def _fetch_page(
    url: str, tags: Sequence[str], get_page: GetPage, last_id: int, page_size: int
) -> tuple[list[dict[str, Any]], list[object]]:
    """Return the posts of a page that are new, ascending by id; and the rows without an id.

    Boards may return fewer posts than `page_size`. A page that does not ascend may so be the
    newest posts of many, and is taken only if there are no older ones. A board that reads `id:>`
    as "from this id on" repeats one post, which does no harm.
    """
    page_url = _page_url(url, tags, last_id, page_size)
    page = _parse_page(get_page(page_url), page_url)
    ids = [post_id for post_id in map(_post_id, page) if post_id]
    if ids != sorted(ids):
        older_url = _page_url(url, [*tags, f"id:<{min(ids)}"], last_id, page_size)
        if len(page) >= page_size or any(
            _post_id(post) > last_id for post in _parse_page(get_page(older_url), older_url)
        ):
            raise _unsupported_board(page_url, "sort:id:asc", "posts that do not ascend by id")
    new = {_post_id(post): post for post in page if _post_id(post) > last_id}
    if not new and set(ids) - {last_id}:
        raise _unsupported_board(page_url, "id:>", "posts of earlier pages")
    bad_rows = [row for row in page if not _post_id(row)]
    return [new[post_id] for post_id in sorted(new)], bad_rows


def _unsupported_board(url: str, ignored: str, returned: str) -> SengaError:
    return SengaError(
        f"{url}: the board ignores {ignored} and returned {returned}, so it cannot be collected "
        "through its API. Use --metadata-source csv."
    )


def _parse_page(body: bytes, url: str) -> list[Any]:
    """Return the rows of a page, at least one of them a post; empty past the end."""
    try:
        page = parse_json(body) if body.strip() else []
    except (ValueError, RecursionError):
        page = None
    if isinstance(page, dict):  # newer boards wrap the list, and leave it out past the end
        default: list[Any] | None = [] if "@attributes" in page else None
        page = page.get("post", page.get("posts", default))
        page = [page] if isinstance(page, dict) else page  # of a board that turns XML into JSON
    if not isinstance(page, list) or (page and not any(map(_post_id, page))):
        account = BoardAccount.from_environment()
        said = words_of(body, account)
        raise SengaError(
            f"{url} returned {said!r}, expected a JSON list of posts, each with an id. "
            f"{advice(said, has_account=bool(account))}."
        )
    return page


def _post_id(post: object) -> int:
    """Return the id of a post, which may be 7, "7" or 7.0; 0 if it has none."""
    text = str(post.get("id", "")) if isinstance(post, dict) else ""
    whole = _WHOLE.fullmatch(text.strip())
    return int(whole[1]) if whole else 0


def read_store(store: Path, url: str) -> Iterator[list[tuple[int, Sequence[str]]]]:
    """Read the posts of a store as rows of the Kaggle layout, for `metadata.import_rows`.

    If a post has a sample, the row is that of the sample, as in Kaggle's dataset.

    Args:
        store: that `collect` wrote.
        url: of the API, whose host has the pictures of posts without a URL.

    Yields:
        Batches of the line in the store, and the fields of `kaggle_csv.COLUMNS`.
    """
    batch: list[tuple[int, Sequence[str]]] = []
    size = 0
    with store.open("rb") as file:
        for number, line in enumerate(file, 1):
            entry = _parse_line(line, store)
            if _post_id(entry):
                batch.append((number, _kaggle_row(entry, url)))
            elif _BAD_KEY in entry:  # the checks of posts reject it, as this is no id
                batch.append((number, [_to_line(entry), *[""] * (len(COLUMNS) - 1)]))
            size += len(line)
            if len(batch) == _BATCH or size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _kaggle_row(post: dict[str, Any], url: str) -> list[str]:
    has_sample = _has_sample(post)
    width, height = ("sample_width", "sample_height") if has_sample else ("width", "height")
    return [
        str(_post_id(post)),
        "",  # the API does not give `created_at`; `change` is the time of the last edit
        _text(post, "rating"),
        _text(post, "score"),
        _picture_url(post, url, has_sample),
        _text(post, width),
        _text(post, height),
        _text(post, "preview_url"),
        _text(post, "tags"),
    ]


def _has_sample(post: dict[str, Any]) -> bool:
    """Return whether the row of a post is that of its sample.

    Some boards say that there is a sample, and give it 0 pixels: there is only the original then.
    """
    if _text(post, "sample").lower() not in ("true", "1", "1.0"):
        return False
    has_size = all(_SIZE.fullmatch(_text(post, f"sample_{side}")) for side in ("width", "height"))
    return has_size or not (_text(post, "file_url") or _text(post, "image"))


def _text(post: dict[str, Any], name: str) -> str:
    value = post.get(name)
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value).strip()


def _picture_url(post: dict[str, Any], url: str, has_sample: bool) -> str:
    """Return the URL that the board gives, or else that of boards of its software."""
    if picture_url := _text(post, "sample_url" if has_sample else "file_url"):
        return picture_url
    parts = urlsplit(url)
    directory, image = _text(post, "directory"), _text(post, "image")
    if not image:
        return _text(post, "file_url") or _text(post, "sample_url")
    if has_sample:
        stem = posixpath.splitext(image)[0]
        return f"{parts.scheme}://{parts.netloc}//samples/{directory}/sample_{stem}.jpg"
    return f"{parts.scheme}://{parts.netloc}//images/{directory}/{image}"
