"""Collects posts from the API of a live board, page by page.

The API is that of Gelbooru 0.2, "dapi", which Safebooru speaks. Pages follow the ids, not their
numbers: new posts push others from page to page while one reads, and ids stay.
"""

from __future__ import annotations

import html
import json
import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from pipeline.posts.kaggle_csv import COLUMNS
from pipeline.progress import Advance, ignore
from sketch_models.errors import SengaError

LIMIT = 1000
"""Posts on a page; boards may give fewer at once."""

Get = Callable[[str], bytes]
"""The body behind a URL; raises SengaError where it cannot be had."""

_END = "end"  # of a line that says that there were no more posts
_BAD = "bad"  # of a line that holds what came without an id
_BATCH = 1000  # rows


@dataclass(frozen=True)
class Collected:
    """What is here of a board.

    Attributes:
        posts: how many, in all; what came without an id is not counted.
        new: how many of them came now.
        warning: why no more could be asked for, where that does no harm; else empty.
    """

    posts: int
    new: int
    warning: str = ""


@dataclass
class _Here:
    """What a store holds: posts, their last id, whether all were here once, lines without id."""

    posts: int = 0
    last: int = 0
    ended: bool = False
    bad: set[str] = field(default_factory=set)


def collect(
    store: Path,
    url: str,
    tags: Sequence[str],
    get: Get,
    *,
    limit: int = LIMIT,
    ask_for_new: bool = True,
    advance: Advance = ignore,
) -> Collected:
    """Asks a board for the posts that are not here yet.

    A kill loses a page at most; the next call goes on where this one stopped.

    Args:
        store: JSON lines, of posts as the board gave them, ascending by id, each once, of
            `{"end": <id>}` where the board had no more, and of `{"bad": <anything>}` for what it
            gave between posts that has no id; it only grows.
        url: of the API, such as `https://safebooru.org/index.php`.
        tags: that posts must all have; `-tag` for those that they must not have.
        get: fetches a page.
        limit: posts on a page.
        ask_for_new: whether to ask again where the end was reached once.
        advance: called with the number of posts of each page.

    Raises:
        SengaError: where a page cannot be had and the end was never reached, or where the board
            answers something else than it is asked for.
        OSError: where the store cannot be written.
    """
    here = _recover(store)
    if here.ended and not ask_for_new:
        return Collected(here.posts, 0)
    before = here.posts
    with store.open("ab") as file:
        while True:
            try:
                page, bad = _ask(url, tags, get, here.last, limit)
            except SengaError as error:
                if here.ended:
                    return Collected(here.posts, here.posts - before, str(error))
                raise
            file.write("".join(f"{line}\n" for line in _lines(page, bad, here)).encode())
            file.flush()
            os.fsync(file.fileno())
            if not page:
                return Collected(here.posts, here.posts - before)
            advance(len(page))


def _lines(page: list[dict[str, Any]], bad: list[object], here: _Here) -> list[str]:
    """What a page adds to the store. Bad ones come first, so that no kill loses them for good."""
    told = dict.fromkeys(_line({_BAD: value}) for value in bad)
    odd = [line for line in told if line not in here.bad]
    here.bad.update(odd)
    here.posts += len(page)
    here.last = _id(page[-1]) if page else here.last
    lines = [*odd, *map(_line, page)]
    if not (page or here.ended):
        lines.append(_line({_END: here.last}))
    return lines


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _recover(store: Path) -> _Here:
    """Cuts off a line that a kill left torn; returns what the others hold.

    The end is said once; posts that came later stand behind it.
    """
    here, whole = _Here(), 0
    if store.exists():
        with store.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                post = _stored(line, store)
                if _id(post):
                    here.posts, here.last = here.posts + 1, _id(post)
                elif _BAD in post:
                    here.bad.add(line.decode().rstrip("\n"))
                else:
                    here.ended = True
        os.truncate(store, whole)
    return here


def _stored(line: bytes, store: Path) -> dict[str, Any]:
    """A line of a store: a post, which has an id, or one of the other two kinds."""
    try:
        post = json.loads(line)
    except (ValueError, RecursionError):
        post = None
    if not isinstance(post, dict) or not (_id(post) or _END in post or _BAD in post):
        raise SengaError(
            f"{store} holds {line[:40]!r}, expected a post on every line: delete it and run again."
        )
    return post


def _page(url: str, tags: Sequence[str], last: int, limit: int) -> str:
    query = quote_plus(" ".join([*tags, f"id:>{last}", "sort:id:asc"]))
    return f"{url}?page=dapi&s=post&q=index&json=1&limit={limit}&tags={query}"


def _ask(
    url: str, tags: Sequence[str], get: Get, last: int, limit: int
) -> tuple[list[dict[str, Any]], list[object]]:
    """The posts of a page that are not here yet, ascending by id; and what has no id.

    Boards may give fewer posts than they are asked for. A page that does not ascend may so be the
    newest posts of many, and is taken only where there are no older ones. A board that reads `id:>`
    as "from this id on" repeats one post, which does no harm.
    """
    page_url = _page(url, tags, last, limit)
    page = _parse(get(page_url), page_url)
    ids = [post_id for post_id in map(_id, page) if post_id]
    if ids != sorted(ids):
        older_url = _page(url, [*tags, f"id:<{min(ids)}"], last, limit)
        if len(page) >= limit or any(
            _id(post) > last for post in _parse(get(older_url), older_url)
        ):
            raise _cannot_collect(page_url, "do not ascend by id", "sort:id:asc")
    fresh = {_id(post): post for post in page if _id(post) > last}
    if not fresh and set(ids) - {last}:
        raise _cannot_collect(page_url, "are here already", "id:>")
    return [fresh[post_id] for post_id in sorted(fresh)], [row for row in page if not _id(row)]


def _cannot_collect(url: str, posts: str, ignored: str) -> SengaError:
    return SengaError(
        f"{url} answers posts that {posts}, expected {ignored} to be honoured: this board "
        "cannot be collected from its API; use --metadata-source csv."
    )


def _parse(body: bytes, url: str) -> list[Any]:
    """What a page lists, of which something is a post; empty past the end."""
    try:
        page = json.loads(body) if body.strip() else []
    except (ValueError, RecursionError):
        page = None
    if isinstance(page, dict):  # newer boards wrap the list, and leave it out past the end
        nothing: list[Any] | None = [] if "@attributes" in page else None
        page = page.get("post", page.get("posts", nothing))
    if not isinstance(page, list) or (page and not any(map(_id, page))):
        raise SengaError(
            f"{url} answers {body[:60]!r}, expected a JSON list of posts, each with an id: check "
            "[metadata] api."
        )
    return page


def _id(post: object) -> int:
    """A post's id; 0 of what has none."""
    text = str(post.get("id", "")) if isinstance(post, dict) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def rows(store: Path, url: str) -> Iterator[list[tuple[int, Sequence[str]]]]:
    """The posts of a store as rows of the Kaggle layout, for `metadata.import_rows`.

    Of a post that has a sample it is the sample that counts, as in Kaggle's dataset.

    Args:
        store: that `collect` wrote.
        url: of the API, whose host has the pictures of posts that name none.

    Yields:
        Batches of the line in the store, and the fields of `kaggle_csv.COLUMNS`.
    """
    batch: list[tuple[int, Sequence[str]]] = []
    with store.open("rb") as file:
        for number, line in enumerate(file, 1):
            post = _stored(line, store)
            if _id(post):
                batch.append((number, _row(post, url)))
            elif _BAD in post:  # the checks of posts find that this is no id
                batch.append((number, [_line(post), *[""] * (len(COLUMNS) - 1)]))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _row(post: dict[str, Any], url: str) -> list[str]:
    sampled = post.get("sample") in (True, 1, "1", "true")
    width, height = ("sample_width", "sample_height") if sampled else ("width", "height")
    return [
        _text(post, "id"),
        "",  # when it was posted is not said; `change` is when it was last edited
        _text(post, "rating"),
        _text(post, "score"),
        _address(post, url, sampled),
        _text(post, width),
        _text(post, height),
        _text(post, "preview_url"),
        html.unescape(_text(post, "tags")).replace("\n", " "),
    ]


def _text(post: dict[str, Any], name: str) -> str:
    value = post.get(name)
    return "" if value is None else str(value)


def _address(post: dict[str, Any], url: str, sampled: bool) -> str:
    """Where the picture is: as the board says, or as boards of its kind have it."""
    if told := _text(post, "sample_url" if sampled else "file_url"):
        return told
    parts = urlsplit(url)
    directory, image = _text(post, "directory"), _text(post, "image")
    if sampled:
        stem = posixpath.splitext(image)[0]
        return f"{parts.scheme}://{parts.netloc}//samples/{directory}/sample_{stem}.jpg"
    return f"{parts.scheme}://{parts.netloc}//images/{directory}/{image}"
