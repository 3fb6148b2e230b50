"""The API of the sample booru: that of Gelbooru 0.2, as Safebooru has it, in JSON."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs

from pipeline.sample_booru.catalogue import HOST, Post

_MOST = 1000  # posts on a page
_USUAL = 100


def answer(posts: Iterable[Post], query: str) -> bytes:
    """A page of posts; empty behind the last one.

    Args:
        posts: all of them, ascending by id.
        query: of the request, such as `page=dapi&s=post&q=index&json=1&tags=solo+id:>9`.
    """
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    words = asked.get("tags", "").split()
    found = [row for row in posts if _matches(row, words)]
    if "sort:id:asc" not in words:
        found.reverse()
    limit = min(_number(asked.get("limit", ""), _USUAL), _MOST)
    start = limit * _number(asked.get("pid", ""), 0)
    page = [_post(row) for row in found[start : start + limit]]
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
    """A post as the API has it."""
    _, kind, directory, name = row.path.split("/")
    sampled = kind == "samples"
    image = name.removeprefix("sample_")
    base = f"https://{HOST}"
    original = f"{base}//images/{directory}/{image}"
    times = 2 if sampled else 1  # a sample is half of its picture
    return {
        "id": row.id,
        "directory": int(directory),
        "hash": posixpath.splitext(image)[0],
        "image": image,
        "width": row.width * times,
        "height": row.height * times,
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
