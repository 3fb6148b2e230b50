"""The rules that hosts set for crawlers: robots.txt and X-Robots-Tag."""

from __future__ import annotations

import threading
from collections import OrderedDict
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
_MAX_BYTES = 4_000_000  # of the files whose rules are kept: these take up to 16 times as much
_MIN_BYTES = 1000  # that a host counts for


class Robots:
    """The robots.txt of every host, each fetched once, by whichever thread needs it first.

    After RFC 9309: a missing file (4xx) allows everything; one that cannot be fetched for now
    allows nothing for now. Of very many hosts, those that were not needed for longest are fetched
    again.
    """

    def __init__(self) -> None:
        self._rules: OrderedDict[str, tuple[Protego | None, int]] = OrderedDict()
        self._bytes = 0
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

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
        rules = self._rules_of(origin, get)
        if rules is None:
            return 0.0
        if not rules.can_fetch(url, PRODUCT):
            raise FetchError("robots_txt", f"{origin}/robots.txt disallows it")
        return float(rules.crawl_delay(PRODUCT) or 0)

    def _rules_of(self, origin: str, get: Callable[[str], bytes]) -> Protego | None:
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:
            with self._lock:
                if origin in self._rules:
                    self._rules.move_to_end(origin)
                    return self._rules[origin][0]
            rules, size = _fetch_rules(f"{origin}/robots.txt", get)
            with self._lock:
                self._keep(origin, rules, max(size, _MIN_BYTES))
        return rules

    def _keep(self, origin: str, rules: Protego | None, size: int) -> None:
        """Keep the rules of a host, instead of those that were not needed for longest."""
        self._bytes += size - self._rules.pop(origin, (None, 0))[1]
        self._rules[origin] = rules, size
        while self._bytes > _MAX_BYTES:
            oldest, (_, size) = self._rules.popitem(last=False)
            self._locks.pop(oldest, None)
            self._bytes -= size


def _fetch_rules(url: str, get: Callable[[str], bytes]) -> tuple[Protego | None, int]:
    """Return the rules of a host, None if it has none, and the bytes of their file."""
    try:
        content = get(url)
    except FetchError as error:
        status = error.status or 0
        if 400 <= status < 500 and not is_transient_status(status):
            return None, 0
        error.detail = f"{IN_ROBOTS_TXT}{error.detail}"
        raise
    return Protego.parse(content.decode(errors="replace")), len(content)


def refuses_training(headers: Mapping[str, str]) -> bool:
    """Return whether X-Robots-Tag says `noai` or `noimageai`, to everybody or to this program."""
    for rule in headers.get("X-Robots-Tag", "").lower().split(","):
        agent, colon, directive = rule.partition(":")
        if not colon:
            agent, directive = "", agent
        if agent.strip() in ("", "*", PRODUCT.lower()) and directive.strip() in _NO_AI:
            return True
    return False
