"""Gelbooru 0.2 and 0.25, "dapi": Safebooru, Gelbooru, rule34.xxx, TBIB."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pipeline.posts.board_answer import parse_json
from pipeline.posts.boards.board import (
    AccountFields,
    BoardLimits,
    PostRow,
    is_plain,
    post_id,
    text,
    to_query,
)

_SIZE = re.compile(r"0*[1-9][0-9]*(?:\.0*)?")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(
    rf"\w{{3}} ({'|'.join(_MONTHS)}) ([0-9]{{2}}) ([0-9:]{{8}}) ([+-][0-9]{{4}}) ([0-9]{{4}})"
)


_LIMITS = BoardLimits(page_size=1000, pages_per_second=2)
_ACCOUNT = AccountFields()


@dataclass(frozen=True, kw_only=True)
class Dapi:
    """A board of Gelbooru's software."""

    name: ClassVar[str] = "gelbooru"
    above: ClassVar[str] = "id:>"
    ascending: ClassVar[str] = "sort:id:asc"
    newest_first: ClassVar[bool] = False

    url: str
    limits: BoardLimits = _LIMITS
    account: AccountFields = _ACCOUNT

    def can_search(self, tag: str) -> bool:
        """Return whether a search for a tag finds the posts that have it."""
        return is_plain(tag)

    def page_url(self, tags: Sequence[str], above: int) -> str:
        """Return the URL of the oldest posts above an id that have all the tags."""
        query = to_query([*tags, f"id:>{above}", "sort:id:asc"])
        limit = self.limits.page_size
        return f"{self.url}?page=dapi&s=post&q=index&json=1&limit={limit}&tags={query}"

    def older_url(self, tags: Sequence[str], above: int, below: int) -> str:
        """Return the URL of posts below an id, those above the other one if there are any."""
        return self.page_url([*tags, f"id:<{below}"], above)

    def posts(self, body: bytes) -> Any:  # noqa: ANN401 - any JSON
        """Return the list of posts of a page; anything else if it is none.

        The body is empty past the end. Gelbooru 0.25 wraps the list, and leaves it out there.
        """
        page = parse_json(body) if body.strip() else []
        if not isinstance(page, dict):
            return page
        default: list[Any] | None = [] if "@attributes" in page else None
        posts = page.get("post", page.get("posts", default))
        return [posts] if isinstance(posts, dict) else posts  # of XML that was turned into JSON

    def row(self, post: dict[str, Any]) -> PostRow:
        """Return a post as a row: that of its sample if it has one, as in Kaggle's dataset."""
        has_sample = _has_sample(post)
        width, height = ("sample_width", "sample_height") if has_sample else ("width", "height")
        return PostRow(
            id=str(post_id(post)),
            created_at=_time(text(post, "created_at")),  # `change` is the time of the last edit
            rating=text(post, "rating"),
            score=text(post, "score"),
            sample_url=self._picture_url(post, has_sample),
            sample_width=text(post, width),
            sample_height=text(post, height),
            preview_url=text(post, "preview_url"),
            tags=text(post, "tags"),
            source=text(post, "source"),
            post_url=self._post_url(post_id(post)),
        )

    def _picture_url(self, post: dict[str, Any], has_sample: bool) -> str:
        """Return the URL that the board gives, or else that of boards of its software."""
        if picture_url := text(post, "sample_url" if has_sample else "file_url"):
            return picture_url
        parts = urlsplit(self.url)
        directory, image = text(post, "directory"), text(post, "image")
        if not image:
            return text(post, "file_url") or text(post, "sample_url")
        if has_sample:
            stem = posixpath.splitext(image)[0]
            return f"{parts.scheme}://{parts.netloc}//samples/{directory}/sample_{stem}.jpg"
        return f"{parts.scheme}://{parts.netloc}//images/{directory}/{image}"

    def _post_url(self, number: int) -> str:
        scheme, separator, address = self.url.partition("://")
        page = f"{address.removeprefix('api.')}?page=post&s=view&id={number}"
        return f"{scheme}{separator}{page}"


def _has_sample(post: dict[str, Any]) -> bool:
    """Return whether the row of a post is that of its sample.

    Some boards say that there is a sample, and give it 0 pixels: there is only the original then.
    """
    if text(post, "sample").lower() not in ("true", "1", "1.0"):
        return False
    has_size = all(_SIZE.fullmatch(text(post, f"sample_{side}")) for side in ("width", "height"))
    return has_size or not (text(post, "file_url") or text(post, "image"))


def _time(written: str) -> str:
    """Return a time such as `Sat Jul 05 11:00:00 -0500 2025` in ISO 8601, other text as it is."""
    if not (found := _TIME.fullmatch(written)):
        return written
    month, day, clock, offset, year = found.groups()
    return f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{clock}{offset}"
