"""A failed attempt to fetch a URL, whatever the cause."""

from __future__ import annotations


class FetchError(Exception):
    """A failed attempt to fetch a URL.

    Attributes:
        code: one of `outcome.MEANINGS`, or `http_<status>`.
        detail: what exactly went wrong, for people.
        status: of the HTTP response; None if there was none.
        size: length of the body in bytes: announced, or received.
        retry_after: seconds that the server asks for before another try.
        host: the host that failed, if a redirect led to another one than that of the URL.
        body: of a response whose status is not 200, as far as it was read.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        size: int = 0,
        retry_after: float = 0.0,
        host: str = "",
        body: bytes = b"",
    ) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail
        self.status, self.size, self.host = status, size, host
        self.retry_after, self.body = retry_after, body

    def without_frames(self) -> FetchError:
        """Forget where it was raised and why: the frames hold what was received, a picture."""
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)
