"""Moebooru's API, as on yande.re and Konachan."""

from __future__ import annotations

from collections.abc import Iterable
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
from pipeline.sample_booru.tag_kinds import all_tags, tags_by_kind

_MAX_LIMIT = 100  # posts on a page
_DEFAULT_LIMIT = 16
_MAX_WORDS = 6
_LETTERS = {"safe": "s", "general": "s", "sensitive": "s", "questionable": "q", "explicit": "e"}
_KINDS = {"meta": "faults"}  # other kinds by their own names


def respond(posts: Iterable[Post], query: str) -> Answer:
    """Answer with a page of posts; in version 2 of the API with the kinds of their tags.

    Args:
        posts: all of them, ascending by id.
        query: query of the request, such as `limit=100&tags=solo+id:>9+order:id`.
    """
    params = read_query(query)
    words = params.get("tags", "").split()
    if has_account(params, "password_hash", "login") is False:
        return to_answer({"success": False, "reason": "access denied"}, HTTPStatus.FORBIDDEN)
    if len(words) > _MAX_WORDS:
        reason = f"You can only search up to {_MAX_WORDS} tags at once"
        return to_answer({"success": False, "reason": reason}, HTTPStatus.UNPROCESSABLE_ENTITY)
    found = search(posts, words)
    if "order:id" not in words:
        found.reverse()
    limit = min(number(params.get("limit"), _DEFAULT_LIMIT), _MAX_LIMIT)
    start = limit * (max(1, number(params.get("page"), 1)) - 1)
    page = found[start : start + limit]
    if params.get("api_version") != "2":
        return to_answer([_post(row) for row in page])
    kinds = _kinds(page) if params.get("include_tags") == "1" else {}
    return to_answer({"posts": [_post(row) for row in page], "tags": kinds})


def _kinds(page: Iterable[Post]) -> dict[str, str]:
    """Return the kind of every tag of some posts."""
    return {
        tag: _KINDS.get(kind, kind)
        for row in page
        for kind, tags in tags_by_kind(row).items()
        for tag in tags
    }


def _post(row: Post) -> dict[str, object]:
    """Return a post with the field names of the API."""
    picture = picture_of(row)
    return {
        "id": row.id,
        "tags": " ".join(all_tags(row)),
        "created_at": row.created_at,
        "author": "sample",
        "source": f"https://art.example/{row.id}",
        "score": row.score,
        "md5": picture.md5,
        "file_url": picture.original,
        "preview_url": f"https:{row.preview}",
        "sample_url": picture.sample,
        "sample_width": row.width,
        "sample_height": row.height,
        "jpeg_url": picture.original,
        "jpeg_width": picture.width,
        "jpeg_height": picture.height,
        "rating": _LETTERS.get(row.rating, row.rating),
        "status": "active",
        "width": picture.width,
        "height": picture.height,
    }
