"""What all APIs of the sample booru share: searching, the account and the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs

from pipeline.sample_booru.catalogue import Post
from pipeline.sample_booru.tag_kinds import all_tags

TagsOf = Callable[[Post], Iterable[str]]
"""Returns the tags of a post that a search looks at."""

USER, KEY = "sample_user", "sample-key-5f3a9c"
"""The one account of the sample booru."""


@dataclass(frozen=True)
class Answer:
    """The response to a request."""

    body: bytes
    status: int = HTTPStatus.OK


def to_answer(value: object, status: int = HTTPStatus.OK) -> Answer:
    """Return a value as an answer in JSON."""
    return Answer(json.dumps(value).encode(), status)


def read_query(query: str) -> dict[str, str]:
    """Return the parameters of a query, of repeated ones the last."""
    return {name: values[-1] for name, values in parse_qs(query).items()}


def has_account(params: Mapping[str, str], key: str, user: str) -> bool | None:
    """Return whether a request carries the account; None if it carries none.

    Args:
        params: of the request.
        key: name of the parameter with the key.
        user: name of the parameter with the user.
    """
    given = params.get(key), params.get(user)
    return None if given == (None, None) else given == (KEY, USER)


def number(text: str | None, default: int) -> int:
    """Return a whole number of a query."""
    return int(text) if text is not None and text.isdecimal() else default


def search(posts: Iterable[Post], words: Sequence[str], tags_of: TagsOf = all_tags) -> list[Post]:
    """Return the posts that all words of a search match, in their order."""
    return [post for post in posts if not words or _matches(post.id, set(tags_of(post)), words)]


def _matches(post_id: int, tags: set[str], words: Sequence[str]) -> bool:
    return all(_matches_word(post_id, tags, word) for word in words)


def _matches_word(post_id: int, tags: set[str], word: str) -> bool:
    if word.startswith("id:>"):
        return post_id > number(word[4:], 0)
    if word.startswith("id:<"):
        return post_id < number(word[4:], 0)
    if word.startswith("id:") and ".." in word:
        first, _, last = word[3:].partition("..")
        return number(first, 0) <= post_id <= number(last, 0)
    if word.startswith(("sort:", "order:")):
        return True
    return word[1:] not in tags if word.startswith("-") else word in tags
