"""The board that an address belongs to."""

from __future__ import annotations

from urllib.parse import urlsplit

from pipeline.posts.boards.board import Board, BoardLimits
from pipeline.posts.boards.danbooru import Danbooru
from pipeline.posts.boards.dapi import Dapi
from pipeline.posts.boards.e621 import E621
from pipeline.posts.boards.moebooru import Moebooru

AUTO = "auto"
"""Value of `[metadata] board`: the one that the address tells."""

GELBOORU = Dapi.name
"""Value of `[metadata] board`: boards of the program that Safebooru runs."""

_Type = type[Dapi] | type[Danbooru] | type[Moebooru] | type[E621]

_TYPES: dict[str, _Type] = {board.name: board for board in (Dapi, Danbooru, Moebooru, E621)}
_DOMAINS = {
    "safebooru.org": Dapi.name,
    "gelbooru.com": Dapi.name,
    "rule34.xxx": Dapi.name,
    "tbib.org": Dapi.name,
    "donmai.us": Danbooru.name,
    "yande.re": Moebooru.name,
    "konachan.com": Moebooru.name,
    "konachan.net": Moebooru.name,
    "e621.net": E621.name,
    "e926.net": E621.name,
}
_LIMITS = {"gelbooru.com": BoardLimits(page_size=100, pages_per_second=2)}
_PICTURES = {"konachan.net": ("konachan.com",), "e926.net": ("e621.net",)}
"""Domains of a board's pictures besides its own."""

_PATHS = {
    Dapi.name: ("/index.php",),
    Danbooru.name: ("/posts.json",),
    Moebooru.name: ("/post.json",),
    E621.name: ("/posts.json",),
}

BOARDS = (AUTO, *_TYPES)
"""Values of `[metadata] board`."""


def recognise(url: str) -> str:
    """Return the name of the board that an address tells by its host or path; empty if neither."""
    parts = urlsplit(url)
    by_path = (
        name for name, ends in _PATHS.items() if any(parts.path.endswith(end) for end in ends)
    )
    return _DOMAINS.get(_domain(url)) or next(by_path, "")


def find_board(name: str, url: str) -> Board:
    """Return a board.

    Args:
        name: one of `BOARDS`; `auto` only for an address that `recognise` knows.
        url: of its API, or of its start page.
    """
    board_type = _TYPES[recognise(url) if name == AUTO else name]
    api_url = url
    if urlsplit(url).path in ("", "/"):
        api_url = f"{url.rstrip('/')}{_PATHS[board_type.name][0]}"
    if limits := _LIMITS.get(_domain(url)):
        return board_type(url=api_url, limits=limits)
    return board_type(url=api_url)


def picture_hosts(url: str) -> tuple[str, ...]:
    """Return the hosts of a board and of its pictures; they stand for their subdomains, too."""
    domain = _domain(url)
    host = urlsplit(url).hostname or ""
    return tuple(dict.fromkeys((host, *([domain] if domain else []), *_PICTURES.get(domain, ()))))


def _domain(url: str) -> str:
    """Return the known domain of an address; empty if it is another."""
    host = urlsplit(url).hostname or ""
    return next((name for name in _DOMAINS if f".{host}".endswith(f".{name}")), "")
