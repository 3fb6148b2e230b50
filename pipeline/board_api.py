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
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from pipeline.errors import SengaError
from pipeline.progress import Advance, ignore

LIMIT = 1000
"""Posts on a page, as many as boards give at once."""

Get = Callable[[str], bytes]
"""The body behind a URL; raises SengaError where it cannot be had."""

_END = "end"  # of a line that says that there were no more posts
_BATCH = 1000  # rows


@dataclass(frozen=True)
class Collected:
    """What is here of a board.

    Attributes:
        posts: how many, in all.
        new: how many of them came now.
        warning: why no more could be asked for, where that does no harm; else empty.
    """

    posts: int
    new: int
    warning: str = ""


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
        store: JSON lines, of posts as the board gave them, ascending by id, each once, and of
            `{"end": <id>}` where the board had no more; it only grows.
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
    have, last, ended = _recover(store)
    if ended and not ask_for_new:
        return Collected(have, 0)
    new = 0
    with store.open("ab") as file:
        while True:
            page_url = _page(url, tags, last, limit)
            try:
                page = _read(get(page_url), page_url, last, limit)
            except SengaError as error:
                if ended:
                    return Collected(have + new, new, str(error))
                raise
            lines = [json.dumps(post, separators=(",", ":")) for post in page]
            last = max([last, *map(_id, page)])
            if not (page or ended):
                lines.append(json.dumps({_END: last}))
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
            if not page:
                return Collected(have + new, new)
            new += len(page)
            advance(len(page))


def _recover(store: Path) -> tuple[int, int, bool]:
    """Cuts off a line that a kill left torn; returns posts, the last id, and whether all are here.

    The end is said once; posts that came later stand behind it.
    """
    posts, last, ended, whole = 0, 0, False, 0
    if store.exists():
        with store.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                post = _stored(line, store)
                if _END in post:
                    ended = True
                else:
                    posts, last = posts + 1, _id(post)
        os.truncate(store, whole)
    return posts, last, ended


def _stored(line: bytes, store: Path) -> dict[str, Any]:
    try:
        post = json.loads(line)
    except ValueError:
        post = None
    if not isinstance(post, dict):
        raise SengaError(
            f"{store} holds {line[:40]!r}, expected a post on every line: delete it and run again."
        )
    return post


def _page(url: str, tags: Sequence[str], last: int, limit: int) -> str:
    query = quote_plus(" ".join([*tags, f"id:>{last}", "sort:id:asc"]))
    return f"{url}?page=dapi&s=post&q=index&json=1&limit={limit}&tags={query}"


def _read(body: bytes, url: str, last: int, limit: int) -> list[dict[str, Any]]:
    """The posts of a page that are not here yet, ascending by id."""
    page = _parse(body, url)
    ids = [_id(post) for post in page]
    if ids != sorted(ids) and len(page) >= limit:
        raise SengaError(
            f"{url} answers posts that do not ascend by id, expected sort:id:asc to be honoured: "
            "this board cannot be collected from its API; use --metadata-source csv."
        )
    fresh = {_id(post): post for post in page if _id(post) > last}
    if page and not fresh:
        raise SengaError(
            f"{url} answers posts that are here already, expected id:> to be honoured: this board "
            "cannot be collected from its API; use --metadata-source csv."
        )
    return [fresh[post_id] for post_id in sorted(fresh)]


def _parse(body: bytes, url: str) -> list[dict[str, Any]]:
    try:
        page = json.loads(body) if body.strip() else []
    except ValueError:
        page = None
    if isinstance(page, dict):  # newer boards wrap the list
        page = page.get("post", page.get("posts"))
    if not isinstance(page, list) or not all(isinstance(post, dict) for post in page):
        raise SengaError(
            f"{url} answers {body[:60]!r}, expected a JSON list of posts: check [metadata] api."
        )
    if not all(_id(post) for post in page):
        raise SengaError(
            f"{url} answers a post without an id, expected one of each: check [metadata] api."
        )
    return page


def _id(post: dict[str, Any]) -> int:
    """A post's id; 0 where it has none."""
    text = str(post.get("id", ""))
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
            if _END not in post:
                batch.append((number, _row(post, url)))
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
