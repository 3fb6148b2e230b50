"""The API of the sample booru: Gelbooru 0.2 in JSON, as on Safebooru."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs

from pipeline.sample_booru.catalogue import HOST, Post

_MAX_LIMIT = 1000  # posts on a page
_DEFAULT_LIMIT = 100


def respond(posts: Iterable[Post], query: str) -> bytes:
    """Return the body of the response, a page of posts; empty after the last page.

    Args:
        posts: all of them, ascending by id.
        query: query of the request, such as `page=dapi&s=post&q=index&json=1&tags=solo+id:>9`.
    """
    params = {name: values[-1] for name, values in parse_qs(query).items()}
    words = params.get("tags", "").split()
    matching = [row for row in posts if _matches(row, words)]
    if "sort:id:asc" not in words:
        matching.reverse()
    limit = min(_number(params.get("limit", ""), _DEFAULT_LIMIT), _MAX_LIMIT)
    start = limit * _number(params.get("pid", ""), 0)
    page = [_post(row) for row in matching[start : start + limit]]
    return json.dumps(page).encode() if page else b""


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() else default


def _matches(row: Post, words: Sequence[str]) -> bool:
    tags = set(row.tags.split())
    return all(_matches_word(row.id, tags, word) for word in words)


def _matches_word(post_id: int, tags: set[str], word: str) -> bool:
    if word.startswith("id:>"):
        return post_id > _number(word[4:], 0)
    if word.startswith("id:<"):
        return post_id < _number(word[4:], 0)
    if word.startswith("sort:"):
        return True
    return word[1:] not in tags if word.startswith("-") else word in tags


def _post(row: Post) -> dict[str, object]:
    """Return a post with the field names of the API."""
    _, folder, directory, name = row.path.split("/")
    sampled = folder == "samples"
    image = name.removeprefix("sample_")
    base = f"https://{HOST}"
    original = f"{base}//images/{directory}/{image}"
    scale = 2 if sampled else 1  # a sample has half the size of its picture
    return {
        "id": row.id,
        "directory": int(directory),
        "hash": posixpath.splitext(image)[0],
        "image": image,
        "width": row.width * scale,
        "height": row.height * scale,
        "sample": sampled,
        "sample_width": row.width if sampled else 0,
        "sample_height": row.height if sampled else 0,
        "rating": row.rating,
        "score": row.score if row.score >= 0 else None,
        "tags": " ".join(row.tags.split()),
        "change": row.created_at,
        "owner": "sample",
        "parent_id": 0,
        "file_url": original,
        "sample_url": f"{base}/{row.path}" if sampled else original,
        "preview_url": f"https:{row.preview}",
        "source": "",
        "status": "active",
    }
