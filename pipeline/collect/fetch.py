"""One try to fetch a URL: within the rules and the limits, kept if it is a picture."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import urllib3
from requests.utils import get_environ_proxies
from urllib3.response import BaseHTTPResponse

from pipeline.collect.address import host_of, same_host
from pipeline.collect.check_picture import check_picture
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.options import DownloadOptions
from pipeline.collect.outcome import DownloadOutcome
from pipeline.collect.robots import PRODUCT, Robots, refuses_training
from pipeline.collect.transport import Transport
from pipeline.outcome import OK
from pipeline.picture import PictureError
from sketch_models.closing import Closing

_REDIRECTS = 5
_CHUNK = 256 * 1024  # bytes asked of the socket at once
_FAREWELL = 64 * 1024  # bytes of an unwanted answer that are read so that its connection can stay
_FAREWELL_TIME = 2.0  # seconds
_GRACE = 5.0  # seconds before the speed of a body is judged
_ROBOTS_BYTES = 500 * 1024  # of a robots.txt; RFC 9309, 2.5
_NO_TYPE = {"", "application/octet-stream", "binary/octet-stream"}  # of servers that do not know
_PAGES = {"text/html", "application/xhtml+xml"}


Read = Callable[[BaseHTTPResponse, float], bytes]
"""Checks an answer of status 200, and reads its body until the given time."""


@dataclass(frozen=True)
class Fetched:
    """What became of a URL, and its picture if that is to be kept.

    Attributes:
        outcome: the row.
        part: `jpg`, `png` or `gif`; empty where nothing is kept.
        content: the bytes as the server sent them; empty where nothing is kept.
    """

    outcome: DownloadOutcome
    part: str = ""
    content: bytes = b""


class Turns(Protocol):
    """Who asks what host when; `Schedule` is one."""

    def visit(self, name: str, deadline: float) -> AbstractContextManager[None]:
        """A request to another host than that of the job."""

    def slow_to(self, name: str, delay: float) -> None:
        """A host wants `delay` seconds between two requests."""


class Fetcher(Closing):
    """Fetches URLs, one after the other, over connections that stay open; one per thread.

    Args:
        options: rules and limits.
        hosts: that may be asked, by name, besides `[download] hosts`.
        connect_to: host name to `address:port`: URLs of that host are fetched from there over
            plain http, under their own host name.
        robots: shared by all threads.
        turns: asked before a redirect leads to another host.
    """

    def __init__(
        self,
        options: DownloadOptions,
        *,
        hosts: tuple[str, ...],
        connect_to: Mapping[str, str],
        robots: Robots,
        turns: Turns,
    ) -> None:
        self._options = options
        self._hosts = (*hosts, *options.hosts)
        self._connect_to = connect_to
        self._robots = robots
        self._turns = turns
        self._proxies: dict[str, dict[str, str]] = {}
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._headers = {
            "User-Agent": user_agent(options.contact),
            "Accept-Encoding": "identity",
            "Connection": "keep-alive",
        }
        self._checked = Transport(allow_private=options.allow_private)
        self._direct = Transport(check=False)

    def close(self) -> None:
        """Close its connections."""
        self._checked.close()
        self._direct.close()

    def fetch(self, post_id: int, url: str) -> Fetched:
        """Tries to fetch one picture.

        Raises:
            FetchError: what went wrong.
        """
        content = self.get(url, self._picture)
        try:
            part = check_picture(content, url)
        except PictureError as error:
            raise FetchError(error.code, error.detail, status=200, size=len(content)) from error
        digest = hashlib.sha256(content).hexdigest()
        row = DownloadOutcome(post_id, OK, url=url, status=200, bytes=len(content), sha256=digest)
        return Fetched(row, part, content)

    def get(self, url: str, read: Read) -> bytes:
        """The body that a URL leads to, over at most five redirects.

        Args:
            url: not to be trusted, nor is any that it leads to.
            read: what to make of the answer.

        Raises:
            FetchError: what went wrong.
        """
        return self._follow(url, read, robots=self._options.robots_txt)

    def _follow(self, url: str, read: Read, *, robots: bool) -> bytes:
        first = host = self._admit(url, robots)
        deadline = time.monotonic() + self._options.deadline
        for _ in range(_REDIRECTS + 1):
            turn = self._turns.visit(host, deadline) if host != first else contextlib.nullcontext()
            with turn, self._exchange(url, host, deadline) as answer:
                target = answer.get_redirect_location()
                if not target:
                    _check_status(answer, deadline)
                    return read(answer, deadline)
                with _failures("bad_url"):
                    url = urljoin(url, target)
                _farewell(answer, deadline)
            host = self._admit(url, robots)
        raise FetchError("too_many_redirects", f"the last one to {url[:200]}", status=302)

    def _admit(self, url: str, robots: bool) -> str:
        """The host of a URL that the rules allow; FetchError else."""
        host = host_of(url, self._hosts)
        if robots:
            delay = self._robots.check(
                url, lambda rules: self._follow(rules, _ROBOTS, robots=False)
            )
            if delay:
                self._turns.slow_to(host, delay)
        return host

    @contextlib.contextmanager
    def _exchange(self, url: str, host: str, deadline: float) -> Iterator[BaseHTTPResponse]:
        """The answer to one request, its body unread; the connection ends with the deadline."""
        transport = self._direct if host in self._connect_to else self._checked
        options = self._options
        header_by = time.monotonic() + options.connect_timeout + options.first_byte_timeout
        status = None
        with transport.until(min(deadline, header_by)):
            try:
                with _failures("connection_failed"):
                    answer = self._ask(transport, url, host, deadline)
                with contextlib.closing(answer):
                    if transport.expired:
                        raise FetchError("timeout")
                    status = answer.status
                    transport.end_by(deadline)
                    yield answer
                    if transport.expired:  # what was cut off may look like an end
                        raise FetchError("timeout")
            except FetchError as error:
                error.status = error.status or status
                if transport.expired:
                    error.code = "timeout"
                    error.detail = "past its deadline" if status else "before the whole header"
                raise

    def _ask(self, transport: Transport, url: str, host: str, deadline: float) -> BaseHTTPResponse:
        """Sends one request."""
        parts = urlsplit(url)
        headers, proxies = self._headers, {}
        if address := self._connect_to.get(host):
            headers = {**headers, "Host": parts.netloc}
            url = parts._replace(scheme="http", netloc=address).geturl()
        else:
            proxies = self._proxies_for(f"{parts.scheme}://{parts.netloc}")
            if not same_host(url, host):
                raise FetchError("bad_url", f"{url[:80]!r}")
        left = max(0.001, deadline - time.monotonic())
        return transport.ask(
            url,
            headers,
            connect=min(self._options.connect_timeout, left),
            read=min(self._options.first_byte_timeout, left),
            verify=self._verify,
            proxies=proxies,
        )

    def _proxies_for(self, origin: str) -> dict[str, str]:
        """Those that the environment names; looking them up costs as much as a request."""
        if origin not in self._proxies:
            self._proxies[origin] = get_environ_proxies(origin)
        return self._proxies[origin]

    def _picture(self, answer: BaseHTTPResponse, deadline: float) -> bytes:
        """The whole body of an answer; FetchError where it cannot be that of a picture."""
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in _PAGES:
            _farewell(answer, deadline)
            raise FetchError("html", f"Content-Type: {kind}")
        if kind not in _NO_TYPE and not kind.startswith("image/"):
            raise FetchError("wrong_content_type", f"Content-Type: {kind[:80]}")
        if self._options.x_robots_tag and refuses_training(answer.headers):
            raise FetchError("noai", f"X-Robots-Tag: {answer.headers['X-Robots-Tag'][:80]}")
        most = self._options.max_bytes
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > most:
            raise FetchError("too_many_bytes", "announced", size=int(announced))
        content = _read(answer, most + 1, deadline, self._options.min_speed)
        if len(content) > most:
            raise FetchError("too_many_bytes", "unannounced", size=len(content))
        if not (content or announced):
            raise FetchError("incomplete", "neither a length nor a body")
        return content


def plain(most: int) -> Read:
    """Reads a text: at least its first `most` bytes, where it has as many."""

    def read(answer: BaseHTTPResponse, deadline: float) -> bytes:
        return _read(answer, most, deadline)

    return read


_ROBOTS = plain(_ROBOTS_BYTES)


def user_agent(contact: str) -> str:
    """What requests say of who sends them."""
    version = metadata.version("senga")
    return f"{PRODUCT}/{version} ({contact})" if contact else f"{PRODUCT}/{version}"


def _check_status(answer: BaseHTTPResponse, deadline: float) -> None:
    status = answer.status
    if status != 200:
        _farewell(answer, deadline)
        raise FetchError(f"http_{status}", answer.reason or "", wait=_retry_after(answer))


def _retry_after(answer: BaseHTTPResponse) -> float:
    """Seconds that the server asks for; 0 where it asks for none, or nobody can read it."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    with contextlib.suppress(ValueError):
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())
    return 0.0


def _read(answer: BaseHTTPResponse, most: int, deadline: float, min_speed: float = 0.0) -> bytes:
    """The body, or its first `most` bytes at least."""
    chunks: list[bytes] = []
    size = 0
    began = time.monotonic()
    with _failures("incomplete", lambda: size):
        while size < most and (chunk := answer.read1(_CHUNK)):
            chunks.append(chunk)
            size += len(chunk)
            now = time.monotonic()
            if now > deadline:
                raise FetchError("timeout", "past its deadline", size=size)
            if now - began > _GRACE and size < min_speed * (now - began):
                raise FetchError("too_slow", f"{size / (now - began):.0f} bytes/s", size=size)
    return b"".join(chunks)


def _farewell(answer: BaseHTTPResponse, deadline: float) -> None:
    """Reads a short body that nobody wants, so that the connection can be used again."""
    with contextlib.suppress(FetchError):
        _read(answer, _FAREWELL, min(deadline, time.monotonic() + _FAREWELL_TIME))


@contextlib.contextmanager
def _failures(code: str, size: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """Gives what `requests` and `urllib3` raise a code: this one, unless it is a special one."""
    try:
        yield
    except urllib3.exceptions.NewConnectionError as error:  # a TimeoutError, by its class
        raise FetchError(code, _inner(error), size=size()) from error
    except urllib3.exceptions.TimeoutError as error:
        raise FetchError("timeout", _inner(error), size=size()) from error
    except urllib3.exceptions.SSLError as error:
        raise FetchError("tls_failed", _inner(error), size=size()) from error
    except ValueError as error:  # that of `urllib` and of every kind of URL that `requests` refuses
        raise FetchError("bad_url", _inner(error), size=size()) from error
    except urllib3.exceptions.HTTPError as error:
        raise FetchError(code, _inner(error), size=size()) from error


def _inner(error: BaseException) -> str:
    """What the innermost of a chain of exceptions says."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"[:200]
