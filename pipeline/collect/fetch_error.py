"""A try to fetch a URL that failed, whatever stood in its way."""

from __future__ import annotations


class FetchError(Exception):
    """A try to fetch a URL that failed.

    Attributes:
        code: one of those of `download_outcome`.
        detail: what was seen, for people.
        status: of the HTTP answer; None where there was none.
        size: length of the body in bytes: announced, or received.
        wait: seconds that the server asks for before another try.
        host: that failed, where it is another than that of the URL, after a redirect.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        size: int = 0,
        wait: float = 0.0,
        host: str = "",
    ) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail
        self.status, self.size, self.wait, self.host = status, size, wait, host
