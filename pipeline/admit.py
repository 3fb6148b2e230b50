"""What stands before every request: whether it may be sent, and when."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit


class FetchError(Exception):
    """A try to fetch a URL that failed.

    Attributes:
        code: one of those of `download_outcome`.
        detail: what was seen, for people.
        status: of the HTTP answer; None where there was none.
        size: length of the body in bytes: announced, or received.
        wait: seconds that the server asks for before another try.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        size: int = 0,
        wait: float = 0.0,
    ) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail
        self.status, self.size, self.wait = status, size, wait


Admit = Callable[[str], AbstractContextManager[None]]
"""Called with a URL before it is requested, those that a redirect names included, by any thread.

It may refuse it by raising `FetchError`, and may wait before it lets it through. The request and
the reading of its answer happen inside the context, which sees the `FetchError` of one that fails.
"""


@contextlib.contextmanager
def http_only(url: str) -> Iterator[None]:
    """An `Admit` that lets every http and https URL through at once."""
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise FetchError("wrong_scheme", f"{url[:80]!r}")
    yield
