"""Gelbooru's APIs: 0.2 in JSON, as on Safebooru, and 0.25, as on Gelbooru itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from http import HTTPStatus

from pipeline.sample_booru.apis.answer import (
    Answer,
    TagsOf,
    has_account,
    number,
    read_query,
    search,
    to_answer,
)
from pipeline.sample_booru.apis.picture import BASE, picture_of
from pipeline.sample_booru.catalogue import Post
from pipeline.sample_booru.tag_kinds import all_tags, general_tags

_MAX_LIMIT = 1000  # posts on a page
_MAX_LIMIT_025 = 100
_DEFAULT_LIMIT = 100
_ZONE = timezone(timedelta(hours=-5))
_WORDS = {"s": "general", "q": "questionable", "e": "explicit", "safe": "general"}


def respond(posts: Iterable[Post], query: str) -> Answer:
    """Answer with a page of posts, as Gelbooru 0.2; with nothing after the last page.

    Args:
        posts: all of them, ascending by id.
        query: query of the request, such as `page=dapi&s=post&q=index&json=1&tags=solo+id:>9`.
    """
    _, page = _find(posts, read_query(query), _MAX_LIMIT, general_tags)
    return to_answer([_post(row) for row in page]) if page else Answer(b"")


def respond_025(posts: Iterable[Post], query: str) -> Answer:
    """Answer with a page of posts, as Gelbooru 0.25, which wants an account and wraps the list."""
    params = read_query(query)
    if not has_account(params, "api_key", "user_id"):
        return Answer(b"Missing authentication.", HTTPStatus.UNAUTHORIZED)
    total, page = _find(posts, params, _MAX_LIMIT_025)
    attributes = {"limit": _MAX_LIMIT_025, "offset": 0, "count": total}
    wrapped: dict[str, object] = {"@attributes": attributes}
    if page:
        wrapped["post"] = [_post_025(row) for row in page]
    return to_answer(wrapped)


def _find(
    posts: Iterable[Post], params: dict[str, str], max_limit: int, tags_of: TagsOf = all_tags
) -> tuple[int, list[Post]]:
    """Return how many posts match a request, and those of its page."""
    words = params.get("tags", "").split()
    matching = search(posts, words, tags_of)
    if "sort:id:asc" not in words:
        matching.reverse()
    limit = min(number(params.get("limit"), _DEFAULT_LIMIT), max_limit)
    start = limit * number(params.get("pid"), 0)
    return len(matching), matching[start : start + limit]


def _post(row: Post) -> dict[str, object]:
    """Return a post with the field names of the API."""
    picture = picture_of(row)
    original = f"{BASE}//images/{picture.directory}/{picture.image}"
    return {
        "id": row.id,
        "directory": picture.directory,
        "hash": picture.md5,
        "image": picture.image,
        "width": picture.width,
        "height": picture.height,
        "sample": picture.sampled,
        "sample_width": row.width if picture.sampled else 0,
        "sample_height": row.height if picture.sampled else 0,
        "rating": row.rating,
        "score": row.score if row.score >= 0 else None,
        "tags": " ".join(general_tags(row)),
        "change": row.created_at,
        "owner": "sample",
        "parent_id": 0,
        "file_url": original,
        "sample_url": f"{BASE}/{row.path}" if picture.sampled else original,
        "preview_url": f"https:{row.preview}",
        "source": "",
        "status": "active",
    }


def _post_025(row: Post) -> dict[str, object]:
    """Return a post as Gelbooru 0.25 does: with the time, and tags of all kinds in one text."""
    post = _post(row)
    created = datetime.fromtimestamp(row.created_at, _ZONE)
    return post | {
        "created_at": f"{created:%a %b %d %H:%M:%S %z %Y}",
        "md5": post["hash"],
        "sample": int(bool(post["sample"])),
        "rating": _WORDS.get(row.rating, row.rating),
        "score": row.score,
        "tags": " ".join(all_tags(row)),
        "source": f"https://art.example/{row.id}",
    }
