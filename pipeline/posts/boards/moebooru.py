"""Moebooru: yande.re, Konachan and other boards of its software."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.posts.board_answer import parse_json
from pipeline.posts.boards.board import (
    AccountFields,
    BoardLimits,
    PostRow,
    absolute,
    is_plain,
    part,
    post_id,
    text,
    to_query,
)

_KINDS_KEY = "tag_kinds"  # of a post in the store: the tags of each kind, which the page tells
_KINDS = {
    "artist": "artist",
    "character": "character",
    "copyright": "copyright",
    "meta": "meta",
    "faults": "meta",  # on yande.re: of the file, such as jpeg_artifacts
}

_LIMITS = BoardLimits(page_size=100, tags=4, pages_per_second=1)  # of the 6 words, 2 are for paging
_ACCOUNT = AccountFields(key="password_hash", user="login", words="the password hash and the name")


@dataclass(frozen=True, kw_only=True)
class Moebooru:
    """A board of Moebooru's software."""

    name: ClassVar[str] = "moebooru"
    above: ClassVar[str] = "id:>"
    ascending: ClassVar[str] = "order:id"
    newest_first: ClassVar[bool] = False

    url: str
    limits: BoardLimits = _LIMITS
    account: AccountFields = _ACCOUNT

    def can_search(self, tag: str) -> bool:
        """Return whether a search for a tag finds the posts that have it: `*` is a wildcard."""
        return is_plain(tag) and "*" not in tag

    def page_url(self, tags: Sequence[str], above: int) -> str:
        """Return the URL of the oldest posts above an id that have all the tags."""
        return self._search([*tags, f"id:>{above}", "order:id"])

    def older_url(self, tags: Sequence[str], above: int, below: int) -> str:
        """Return the URL of the posts between two ids."""
        return self._search([*tags, f"id:{above + 1}..{below - 1}", "order:id"])

    def _search(self, words: Sequence[str]) -> str:
        limit = self.limits.page_size
        return f"{self.url}?api_version=2&include_tags=1&limit={limit}&tags={to_query(words)}"

    def posts(self, body: bytes) -> Any:  # noqa: ANN401 - any JSON
        """Return the list of posts of a page; anything else if it is none.

        A page of version 2 tells the kinds of its tags once for all posts; each gets its own.
        """
        page = parse_json(body)
        if not isinstance(page, dict):
            return page
        posts, kinds = page.get("posts"), part(page, "tags")
        if not isinstance(posts, list):
            return None
        return [_with_kinds(post, kinds) if isinstance(post, dict) else post for post in posts]

    def row(self, post: dict[str, Any]) -> PostRow:
        """Return a post as a row: that of its sample if it has one, as in Kaggle's dataset."""
        picture_url, width, height = _picture(post)
        kinds = part(post, _KINDS_KEY)
        return PostRow(
            id=str(post_id(post)),
            created_at=text(post, "created_at"),
            rating=text(post, "rating"),
            score=text(post, "score"),
            sample_url=absolute(picture_url, self.url),
            sample_width=width,
            sample_height=height,
            preview_url=absolute(text(post, "preview_url"), self.url),
            tags=text(post, "tags"),
            artist=text(kinds, "artist"),
            character=text(kinds, "character"),
            copyright=text(kinds, "copyright"),
            meta=text(kinds, "meta"),
            source=text(post, "source"),
            post_url=f"{self.url.removesuffix('.json')}/show/{post_id(post)}",
        )


def _with_kinds(post: dict[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Return a post with its tags of each kind."""
    own: dict[str, list[str]] = {}
    for tag in text(post, "tags").split():
        if kind := _KINDS.get(str(kinds.get(tag))):
            own.setdefault(kind, []).append(tag)
    return {**post, _KINDS_KEY: {kind: " ".join(tags) for kind, tags in own.items()}}


def _picture(post: dict[str, Any]) -> tuple[str, str, str]:
    """Return URL, width and height of the smallest version of a post that is no thumbnail."""
    for prefix in ("sample_", "jpeg_"):
        if url := text(post, f"{prefix}url"):
            return url, text(post, f"{prefix}width"), text(post, f"{prefix}height")
    return text(post, "file_url"), text(post, "width"), text(post, "height")
