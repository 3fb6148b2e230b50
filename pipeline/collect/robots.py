"""The rules that hosts set for crawlers: robots.txt and X-Robots-Tag."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from protego import Protego

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.outcome import is_transient_status

PRODUCT = "Senga"
"""The product token that robots.txt and X-Robots-Tag may address."""

IN_ROBOTS_TXT = "robots.txt: "
"""Beginning of the detail of an outcome whose cause is the robots.txt of the host."""

_NO_AI = {"noai", "noimageai"}


class Robots:
    """The robots.txt of every host, each fetched once, by whichever thread needs it first.

    After RFC 9309: a missing file (4xx) allows everything; one that cannot be fetched for now
    allows nothing for now.
    """

    def __init__(self) -> None:
        self._rules: dict[str, Protego | None] = {}
        self._locks: dict[str, threading.Lock] = {}

    def check(self, url: str, get: Callable[[str], bytes]) -> float:
        """Return the crawl delay of a URL's host; raise FetchError if robots.txt disallows it.

        Args:
            url: to be requested.
            get: fetches the robots.txt itself, given its URL.

        Returns:
            The crawl delay: seconds that the host wants between two requests; 0 if it sets none.

        Raises:
            FetchError: `robots_txt`, or what `get` raises.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            with self._locks.setdefault(origin, threading.Lock()):
                if origin not in self._rules:
                    self._rules[origin] = _fetch_rules(f"{origin}/robots.txt", get)
        rules = self._rules[origin]
        if rules is None:
            return 0.0
        if not rules.can_fetch(url, PRODUCT):
            raise FetchError("robots_txt", f"{origin}/robots.txt disallows it")
        return float(rules.crawl_delay(PRODUCT) or 0)


def _fetch_rules(url: str, get: Callable[[str], bytes]) -> Protego | None:
    """Return the rules of a host; None if it has none."""
    try:
        content = get(url)
    except FetchError as error:
        status = error.status or 0
        if 400 <= status < 500 and not is_transient_status(status):
            return None
        error.detail = f"{IN_ROBOTS_TXT}{error.detail}"
        raise
    return Protego.parse(content.decode(errors="replace"))


def refuses_training(headers: Mapping[str, str]) -> bool:
    """Return whether X-Robots-Tag says `noai` or `noimageai`, to everybody or to this program."""
    for rule in headers.get("X-Robots-Tag", "").lower().split(","):
        agent, colon, directive = rule.partition(":")
        if not colon:
            agent, directive = "", agent
        if agent.strip() in ("", "*", PRODUCT.lower()) and directive.strip() in _NO_AI:
            return True
    return False
