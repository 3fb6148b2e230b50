"""One try to fetch a URL: within the rules and the limits, kept if it is a picture."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import urllib3
from requests.utils import get_environ_proxies
from urllib3.response import BaseHTTPResponse

from pipeline.collect.address import check_url, urllib3_agrees
from pipeline.collect.check_picture import check_picture
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.headers import read_headers
from pipeline.collect.host import Clock
from pipeline.collect.options import DownloadOptions
from pipeline.collect.outcome import DownloadOutcome
from pipeline.collect.robots import PRODUCT, Robots, refuses_training
from pipeline.collect.transport import Transport
from pipeline.memory_budget import Claim, MemoryBudget
from pipeline.outcome import OK
from pipeline.picture import PictureError
from pipeline.unexpected import UNEXPECTED, as_picture_error
from pipeline.unexpected import log as log_unexpected
from sketch_models.closing import Closing
from sketch_models.errors import SengaError

_MAX_REDIRECTS = 5
_CHUNK_BYTES = 256 * 1024  # requested from the socket at once
_FIRST_BYTES = 1_000_000  # of memory for a body whose length is unknown
_MAX_DRAIN_BYTES = 64 * 1024
_MAX_DRAIN_SECONDS = 2.0
_SPEED_GRACE = 5.0  # seconds before the speed of a body is checked
_MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5
_UNKNOWN_TYPES = {"", "application/octet-stream", "binary/octet-stream"}  # of careless servers
_HTML_TYPES = {"text/html", "application/xhtml+xml"}

_ReadBody = Callable[[BaseHTTPResponse, float], bytes]
"""Checks a response of status 200, and reads its body until a deadline."""


@dataclass(frozen=True)
class Fetched:
    """The outcome of a URL, and its picture if that is kept.

    Attributes:
        outcome: the row.
        extension: a key of `picture_format.FORMATS`; empty if nothing is kept.
        content: the bytes as the server sent them; empty if nothing is kept.
    """

    outcome: DownloadOutcome
    extension: str = ""
    content: bytes = b""


class RateLimiter(Protocol):
    """Decides when which host gets a request; `Schedule` is one."""

    def slot(self, name: str, deadline: float) -> AbstractContextManager[None]:
        """Hold a slot of another host than that of the job, for one request."""

    def set_crawl_delay(self, name: str, seconds: float) -> None:
        """Lower the rate of a host to what its robots.txt asks for."""


class Fetcher(Closing):
    """Fetches URLs, one after the other, over connections that stay open; one per thread.

    Args:
        options: rules and limits.
        allowed_hosts: that may be requested, by name, besides `[download] hosts`.
        connect_to: host name to `address:port`: URLs of that host are fetched from there over
            plain http, under their own host name.
        robots: shared by all threads.
        rate_limiter: asked for a slot before a redirect leads to another host.
        memory: for the bodies of pictures, shared by all threads.
        clock: for the deadlines.
    """

    def __init__(
        self,
        options: DownloadOptions,
        *,
        allowed_hosts: tuple[str, ...],
        connect_to: Mapping[str, str],
        robots: Robots,
        rate_limiter: RateLimiter,
        memory: MemoryBudget,
        clock: Clock = time.monotonic,
    ) -> None:
        self._options = options
        self._allowed_hosts = (*allowed_hosts, *options.hosts)
        self._connect_to = connect_to
        self._robots = robots
        self._rate_limiter = rate_limiter
        self._memory = memory
        self._held = contextlib.ExitStack()
        self._clock = clock
        self._proxies: dict[str, dict[str, str]] = {}
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._headers = {
            "User-Agent": user_agent(options.contact),
            "Accept-Encoding": "identity",
            "Connection": "keep-alive",
        }
        self._checked = Transport(allow_private=options.allow_private, clock=clock)
        self._direct = Transport(check_addresses=False, clock=clock)

    def close(self) -> None:
        """Close its connections."""
        self.release()
        self._checked.close()
        self._direct.close()

    def abort(self) -> None:
        """Cut off the request in flight; called by another thread."""
        self._checked.abort()
        self._direct.abort()

    def fetch(self, post_id: int, url: str) -> Fetched:
        """Try to fetch one picture; `release` must follow, once nothing refers to it any more.

        Args:
            post_id: of the picture.
            url: untrusted, and so is any that it redirects to.

        Raises:
            FetchError: what went wrong.
        """
        content, last_url = self._follow(url, self._read_picture, robots=self._options.robots_txt)
        try:
            with as_picture_error(post_id):
                extension = check_picture(
                    content,
                    url,
                    last_url=last_url,
                    drop_wrong_type=self._options.wrong_type == "drop",
                )
        except PictureError as error:
            raise FetchError(error.code, error.detail, status=200, size=len(content)) from error
        digest = hashlib.sha256(content).hexdigest()
        row = DownloadOutcome(post_id, OK, url=url, status=200, bytes=len(content), sha256=digest)
        return Fetched(row, extension, content)

    def release(self) -> None:
        """Let other threads have the memory that the last picture took."""
        self._held.close()

    def get(self, url: str, max_bytes: int) -> bytes:
        """Return the body that a URL leads to; a longer one is cut, at `max_bytes` or later.

        Raises:
            FetchError: what went wrong.
        """
        return self._get(url, max_bytes, robots=self._options.robots_txt)

    def _get(self, url: str, max_bytes: int, *, robots: bool) -> bytes:
        body, _ = self._follow(
            url,
            lambda response, deadline: self._read(response, max_bytes, deadline),
            robots=robots,
        )
        return body

    def _follow(self, url: str, read_body: _ReadBody, *, robots: bool) -> tuple[bytes, str]:
        """Return the body that a URL leads to, over at most five redirects, and its own URL."""
        first_host = host = self._check_url(url, robots)
        deadline = self._clock() + self._options.total_timeout
        for _ in range(_MAX_REDIRECTS + 1):
            slot: AbstractContextManager[None] = contextlib.nullcontext()  # the job has one
            if host != first_host:
                slot = self._rate_limiter.slot(host, deadline)
            with slot, self._exchange(url, host, deadline) as response:
                location = response.get_redirect_location()
                if not location:
                    self._check_status(response, deadline)
                    return read_body(response, deadline), url
                with _translated_errors("bad_url"):
                    url = urljoin(url, location)
                self._drain(response, deadline)
            host = self._check_url(url, robots)
        raise FetchError("too_many_redirects", f"the last one to {url[:200]}", status=302)

    def _check_url(self, url: str, robots: bool) -> str:
        """Return the host of a URL; raise FetchError if the rules do not allow it.

        The first URL of a host may fetch its robots.txt, and lower its rate to the crawl delay.
        """
        host = check_url(url, self._allowed_hosts)
        if robots:
            crawl_delay = self._robots.check(
                url, lambda robots_url: self._get(robots_url, _MAX_ROBOTS_BYTES, robots=False)
            )
            if crawl_delay:
                self._rate_limiter.set_crawl_delay(host, crawl_delay)
        return host

    @contextlib.contextmanager
    def _exchange(self, url: str, host: str, deadline: float) -> Iterator[BaseHTTPResponse]:
        """Send one request; yield the response, its body unread, and end it by the deadline."""
        transport = self._direct if host in self._connect_to else self._checked
        options = self._options
        header_deadline = self._clock() + options.connect_timeout + options.first_byte_timeout
        status = None
        with transport.timeout_at(min(deadline, header_deadline)):
            try:
                with _translated_errors("connection_failed"):
                    response = self._send(transport, url, host, deadline)
                with contextlib.closing(response):
                    if transport.expired:
                        raise FetchError("timeout")
                    status = response.status
                    transport.reschedule(deadline)
                    yield response
                    if transport.expired:  # a body that was cut off may look complete
                        raise FetchError("timeout")
            except FetchError as error:
                error.status = error.status or status
                if transport.expired:
                    error.code = "timeout"
                    error.detail = "past the deadline" if status else "before the complete header"
                raise
            except (SengaError, MemoryError):
                raise
            except Exception as error:
                detail = log_unexpected(url[:200], error)
                raise FetchError(UNEXPECTED, detail, status=status) from error

    def _send(self, transport: Transport, url: str, host: str, deadline: float) -> BaseHTTPResponse:
        """Send one request; return the response, its body unread."""
        parts = urlsplit(url)
        headers, proxies = self._headers, {}
        if address := self._connect_to.get(host):
            headers = {**headers, "Host": parts.netloc}
            url = parts._replace(scheme="http", netloc=address).geturl()
        else:
            proxies = self._proxies_for(f"{parts.scheme}://{parts.netloc}")
            if not urllib3_agrees(url, host):
                raise FetchError("bad_url", f"{url[:80]!r}")
        remaining = max(0.001, deadline - self._clock())
        return transport.get(
            url,
            headers,
            connect_timeout=min(self._options.connect_timeout, remaining),
            read_timeout=min(self._options.first_byte_timeout, remaining),
            verify=self._verify,
            proxies=proxies,
        )

    def _proxies_for(self, origin: str) -> dict[str, str]:
        """Return the proxies of the environment; looking them up takes as long as a request."""
        if origin not in self._proxies:
            self._proxies[origin] = get_environ_proxies(origin)
        return self._proxies[origin]

    def _check_status(self, response: BaseHTTPResponse, deadline: float) -> None:
        """Raise FetchError unless the status is 200."""
        status = response.status
        if status != 200:
            body = self._drain(response, deadline)
            raise FetchError(
                f"http_{status}",
                (response.reason or "")[:200],
                retry_after=read_headers(response.headers).retry_after,
                body=body,
            )

    def _read_picture(self, response: BaseHTTPResponse, deadline: float) -> bytes:
        """Read a complete body; raise FetchError if it cannot be that of a picture."""
        headers = read_headers(response.headers)
        media_type = headers.media_type
        if media_type in _HTML_TYPES:
            self._drain(response, deadline)
            raise FetchError("html", f"Content-Type: {media_type}")
        if media_type not in _UNKNOWN_TYPES and not media_type.startswith("image/"):
            raise FetchError("wrong_content_type", f"Content-Type: {media_type[:80]}")
        if self._options.x_robots_tag and refuses_training(response.headers):
            raise FetchError("noai", f"X-Robots-Tag: {response.headers['X-Robots-Tag'][:80]}")
        max_bytes = self._options.max_bytes
        if headers.length is not None and headers.length > max_bytes:
            raise FetchError("too_many_bytes", "announced", size=headers.length)
        most = max_bytes if headers.length is None else headers.length
        claim = self._claim(most if headers.length is not None else _FIRST_BYTES, most, deadline)
        content = self._read(response, max_bytes + 1, deadline, self._options.min_speed, claim)
        if len(content) > max_bytes:
            raise FetchError("too_many_bytes", "unannounced", size=len(content))
        if not content and headers.length is None:
            raise FetchError("incomplete", "neither a length nor a body")
        return content

    def _claim(self, size: int, most: int, deadline: float) -> Claim:
        """Wait for memory for a body: all of it, or as much as a short one takes."""
        try:
            seconds = max(0.0, deadline - self._clock())
            return self._held.enter_context(self._memory.claim(size, most, seconds))
        except TimeoutError as error:
            raise _no_memory(size) from error

    def _read(
        self,
        response: BaseHTTPResponse,
        max_bytes: int,
        deadline: float,
        min_speed: float = 0.0,
        claim: Claim | None = None,
    ) -> bytes:
        """Read a body; a longer one is cut, at `max_bytes` or later.

        A claim to memory grows with it, twice as large each time.
        """
        body = io.BytesIO()  # not a list: a server may send a few bytes at a time
        size = 0
        started = self._clock()
        with _translated_errors("incomplete", lambda: size):
            while size < max_bytes and (chunk := response.read1(_CHUNK_BYTES)):
                size += len(chunk)
                if claim and size > claim.held:
                    started += self._grow(claim, max(size, 2 * claim.held), deadline)
                body.write(chunk)
                now = self._clock()
                if now > deadline:
                    raise FetchError("timeout", "past the deadline", size=size)
                seconds = now - started
                if seconds > _SPEED_GRACE and size < min_speed * seconds:
                    raise FetchError("too_slow", f"{size / seconds:.0f} bytes/s", size=size)
        return body.getvalue()

    def _grow(self, claim: Claim, size: int, deadline: float) -> float:
        """Wait for more memory; return the seconds, in which the server has sent nothing."""
        before = self._clock()
        try:
            claim.grow(size, max(0.0, deadline - before))
        except TimeoutError as error:
            raise _no_memory(size) from error
        return self._clock() - before

    def _drain(self, response: BaseHTTPResponse, deadline: float) -> bytes:
        """Read a short body that is no picture, so that the connection can be used again.

        Returns:
            The body as far as it was read; empty if it did not end in time.
        """
        with contextlib.suppress(FetchError):
            return self._read(
                response, _MAX_DRAIN_BYTES, min(deadline, self._clock() + _MAX_DRAIN_SECONDS)
            )
        return b""


def user_agent(contact: str) -> str:
    """Return the user agent that requests carry."""
    version = metadata.version("senga")
    return f"{PRODUCT}/{version} ({contact})" if contact else f"{PRODUCT}/{version}"


def _no_memory(size: int) -> FetchError:
    return FetchError("timeout", "waited for other large pictures", size=size)


@contextlib.contextmanager
def _translated_errors(code: str, size: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """Turn errors of `requests` and `urllib3` into FetchErrors, of this code or a special one."""
    try:
        yield
    except urllib3.exceptions.NewConnectionError as error:  # a TimeoutError, by its class
        raise FetchError(code, _root_cause(error), size=size()) from error
    except urllib3.exceptions.TimeoutError as error:
        raise FetchError("timeout", _root_cause(error), size=size()) from error
    except urllib3.exceptions.SSLError as error:
        raise FetchError("tls_failed", _root_cause(error), size=size()) from error
    except ValueError as error:  # of `urllib`, and of every URL that `requests` refuses
        code = "incomplete" if code == "incomplete" else "bad_url"
        raise FetchError(code, _root_cause(error), size=size()) from error
    except urllib3.exceptions.HTTPError as error:
        raise FetchError(code, _root_cause(error), size=size()) from error


def _root_cause(error: BaseException) -> str:
    """Return the innermost of a chain of exceptions, as text."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return f"{type(error).__name__}: {error}"[:200]
