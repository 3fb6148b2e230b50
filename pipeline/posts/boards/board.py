"""What the collection of posts asks of a board, whatever program the board runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol
from urllib.parse import quote_plus, urlsplit

_WHOLE = re.compile(r"([0-9]{1,18})(?:\.0*)?")


class PostRow(NamedTuple):
    """What a board tells of a post, as text: the fields `rows.FIELDS`, empty if unknown."""

    id: str
    created_at: str = ""
    rating: str = ""
    score: str = ""
    sample_url: str = ""
    sample_width: str = ""
    sample_height: str = ""
    preview_url: str = ""
    tags: str = ""
    artist: str = ""
    character: str = ""
    copyright: str = ""
    meta: str = ""
    source: str = ""
    post_url: str = ""


@dataclass(frozen=True, kw_only=True)
class BoardLimits:
    """What a board allows without an account, or with a plain one.

    Attributes:
        page_size: posts on a page; boards may return fewer.
        tags: tags in one search; None for any number.
        pages_per_second: requests to the API.
    """

    page_size: int
    tags: int | None = None
    pages_per_second: float


@dataclass(frozen=True, kw_only=True)
class AccountFields:
    """How a board takes an account: the names in a query, and what people call the two."""

    key: str = "api_key"
    user: str = "user_id"
    words: str = "the API key and the user id"


class Board(Protocol):
    """The API of a board, which returns posts by their ids.

    Pages follow the ids, not their numbers: new posts push others from page to page while one
    reads, and ids stay.

    Attributes:
        name: value of `[metadata] board`.
        above: part of a query that asks for the posts above an id.
        ascending: part of a query that asks for the oldest posts first.
        newest_first: whether a page, which holds the oldest posts above an id, lists the newest of
            them first.
    """

    name: ClassVar[str]
    above: ClassVar[str]
    ascending: ClassVar[str]
    newest_first: ClassVar[bool]

    @property
    def url(self) -> str:
        """The address of the API."""
        ...

    @property
    def limits(self) -> BoardLimits:
        """The limits of the board."""
        ...

    @property
    def account(self) -> AccountFields:
        """How the board takes an account."""
        ...

    def can_search(self, tag: str) -> bool:
        """Return whether a search for a tag finds the posts that have it."""
        ...

    def page_url(self, tags: Sequence[str], above: int) -> str:
        """Return the URL of the oldest posts above an id that have all the tags."""
        ...

    def older_url(self, tags: Sequence[str], above: int, below: int) -> str:
        """Return the URL of posts below an id, those above the other one if there are any."""
        ...

    def posts(self, body: bytes) -> Any:  # noqa: ANN401 - any JSON
        """Return the list of posts of a page; anything else if it is none.

        Raises:
            ValueError: if it is no JSON.
            RecursionError: if it is nested too deeply.
        """
        ...

    def row(self, post: dict[str, Any]) -> PostRow:
        """Return a post that the board has returned as a row; it may lack any field but its id."""
        ...


def is_plain(tag: str) -> bool:
    """Return whether a tag stands for itself in a search.

    Boards read a `-` or `~` before a tag as "without" and "or": no word finds the tag `-_-`.
    """
    return not tag.startswith(("-", "~"))


def to_query(words: Sequence[str]) -> str:
    """Return the words of a search as they stand in a URL."""
    return quote_plus(" ".join(words))


def post_id(post: object) -> int:
    """Return the id of a post, which may be 7, "7" or 7.0; 0 if it has none."""
    text = str(post.get("id", "")) if isinstance(post, dict) else ""
    whole = _WHOLE.fullmatch(text.strip())
    return int(whole[1]) if whole else 0


def text(post: dict[str, Any], name: str) -> str:
    """Return a field of a post as text; empty if it has none, a list as words."""
    value = post.get(name)
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value).strip()


def part(post: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a field of a post that holds fields; an empty one if it does not."""
    value = post.get(name)
    return value if isinstance(value, dict) else {}


def absolute(address: str, url: str) -> str:
    """Return the address of a file, which boards may give without their host."""
    if not address.startswith("/") or address.startswith("//"):
        return address
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{address}"
