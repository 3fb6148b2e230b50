"""Danbooru's API, and that of e621, which has the same requests and other posts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from http import HTTPStatus

from pipeline.sample_booru.apis.answer import (
    Answer,
    has_account,
    number,
    read_query,
    search,
    to_answer,
)
from pipeline.sample_booru.apis.picture import picture_of
from pipeline.sample_booru.catalogue import Post
from pipeline.sample_booru.tag_kinds import tags_by_kind

_MAX_PAGE = 1000
_ZONE = timezone(timedelta(hours=-5))
_LETTERS = {"s": "g", "safe": "g", "general": "g", "sensitive": "s"}  # and q, e as they are


def respond(posts: Iterable[Post], query: str) -> Answer:
    """Answer with a page of posts, as Danbooru does.

    Args:
        posts: all of them, ascending by id.
        query: query of the request, such as `limit=200&page=a9&tags=solo`.
    """
    params = read_query(query)
    words = params.get("tags", "").split()
    if has_account(params, "api_key", "login") is False:
        return _error(HTTPStatus.UNAUTHORIZED, "SessionLoader::AuthenticationFailure", "")
    if len(words) > 2:
        sentence = "You cannot search for more than 2 tags at a time."
        return _error(HTTPStatus.UNPROCESSABLE_ENTITY, "PostQuery::TagLimitError", sentence)
    page = _page(search(posts, words), params, default=20, most=200)
    if page is None:
        sentence = f"You cannot go beyond page {_MAX_PAGE}."
        return _error(HTTPStatus.GONE, "PaginationExtension::PaginationError", sentence)
    return to_answer([_post(row) for row in page])


def respond_e621(posts: Iterable[Post], query: str) -> Answer:
    """Answer with a page of posts, as e621 does."""
    params = read_query(query)
    if has_account(params, "api_key", "login") is False:
        refusal = {"success": False, "reason": "SessionLoader::AuthenticationFailure"}
        return to_answer(refusal, HTTPStatus.UNAUTHORIZED)
    found = search(posts, params.get("tags", "").split())
    page = _page(found, params, default=75, most=320) or []
    return to_answer({"posts": [_post_e621(row) for row in page]})


def _error(status: int, error: str, message: str) -> Answer:
    return to_answer({"success": False, "error": error, "message": message}, status)


def _page(
    found: list[Post], params: Mapping[str, str], *, default: int, most: int
) -> list[Post] | None:
    """Return the posts of a page, the newest first; None beyond the last page that may be asked.

    `a9` is the page of the oldest posts above 9, and `b9` that of the newest below.
    """
    limit = min(number(params.get("limit"), default), most)
    page = params.get("page", "1")
    if sequential := re.fullmatch(r"([ab])([0-9]+)", page):
        bound = int(sequential[2])
        if sequential[1] == "a":
            return [post for post in found if post.id > bound][:limit][::-1]
        return [post for post in reversed(found) if post.id < bound][:limit]
    if number(page, 1) > _MAX_PAGE:
        return None
    start = limit * (max(1, number(page, 1)) - 1)
    return found[::-1][start : start + limit]


def _created(row: Post) -> str:
    return datetime.fromtimestamp(row.created_at, _ZONE).isoformat(timespec="milliseconds")


def _letter(row: Post) -> str:
    return _LETTERS.get(row.rating, row.rating[0])


def _post(row: Post) -> dict[str, object]:
    """Return a post with the field names of Danbooru; a banned one has no addresses."""
    picture = picture_of(row)
    kinds = tags_by_kind(row)
    sample = {"type": "sample", "url": picture.sample, "width": row.width, "height": row.height}
    post: dict[str, object] = {
        "id": row.id,
        "created_at": _created(row),
        "score": row.score,
        "source": f"https://art.example/{row.id}",
        "rating": _letter(row),
        "image_width": picture.width,
        "image_height": picture.height,
        "tag_string": " ".join(sorted(tag for tags in kinds.values() for tag in tags)),
        "file_ext": picture.image.rpartition(".")[2],
        "is_deleted": False,
        "is_banned": row.response == "gone",
        "has_large": picture.sampled,
        **{f"tag_string_{kind}": " ".join(tags) for kind, tags in kinds.items()},
        "media_asset": {"variants": [sample] if picture.sampled else []},
    }
    if row.response == "gone":
        return post
    return post | {
        "md5": picture.md5,
        "file_url": picture.original,
        "large_file_url": picture.sample,
        "preview_file_url": row.preview,
    }


def _post_e621(row: Post) -> dict[str, object]:
    """Return a post with the field names of e621; a deleted one has no addresses."""
    picture, here = picture_of(row), row.response != "gone"
    size = {"width": row.width, "height": row.height}
    return {
        "id": row.id,
        "created_at": _created(row),
        "file": {
            "width": picture.width,
            "height": picture.height,
            "md5": picture.md5,
            "url": picture.original if here else None,
        },
        "sample": {"has": picture.sampled, "url": picture.sample if here else None, **size},
        "preview": {"url": f"https:{row.preview}" if here else None},
        "score": {"up": max(0, row.score), "down": min(0, row.score), "total": row.score},
        "tags": tags_by_kind(row),
        "rating": "s" if _letter(row) == "g" else _letter(row),
        "sources": [f"https://art.example/{row.id}"],
    }
