"""One URL: asked for within limits, tried again where that may help, kept if it is a picture."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from importlib import metadata
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies

from pipeline.admit import Admit, FetchError, http_only
from pipeline.check_picture import check_picture
from pipeline.download_options import DownloadOptions
from pipeline.download_outcome import DownloadOutcome, is_transient
from pipeline.outcome import OK
from pipeline.picture import PictureError

_REDIRECTS = 5
_CHUNK = 256 * 1024  # bytes asked of the socket at once
_FAREWELL = 64 * 1024  # bytes of an unwanted answer that are read so that its connection can stay
_BACK_OFF = 1.0  # seconds before the second try, doubled for each further one


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


class Fetcher:
    """Fetches URLs, one after the other, over connections that stay open; one per thread.

    Args:
        options: limits and retries.
        connect_to: host name to `address:port`: URLs of that host are fetched from there over
            plain http, under their own host name.
        pause: sleeps for that many seconds; true where there shall be no more tries.
        admit: asked before every request.
    """

    def __init__(
        self,
        options: DownloadOptions,
        *,
        connect_to: Mapping[str, str],
        pause: Callable[[float], bool],
        admit: Admit = http_only,
    ) -> None:
        self._options = options
        self._connect_to = connect_to
        self._pause = pause
        self._admit = admit
        self._proxies: dict[str, dict[str, str]] = {}
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._headers = {
            "User-Agent": user_agent(options.contact),
            "Accept-Encoding": "identity",
            "Connection": "keep-alive",
        }
        self._session = requests.Session()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def fetch(self, post_id: int, url: str) -> Fetched:
        """Fetches one picture; whatever its server does ends in an outcome."""
        deadline = time.monotonic() + self._options.deadline
        tries = 0
        while True:
            try:
                return self._try(post_id, url, deadline)
            except FetchError as error:
                failure = error
            wait = max(failure.wait, back_off(tries))
            tries += 1
            if (
                not is_transient(failure.code)
                or tries > self._options.retries
                or time.monotonic() + wait >= deadline
                or self._pause(wait)
            ):
                break
        row = DownloadOutcome(
            post_id,
            failure.code,
            failure.detail,
            url=url,
            status=failure.status,
            bytes=failure.size,
        )
        return Fetched(row)

    def _try(self, post_id: int, url: str, deadline: float) -> Fetched:
        with _failures():
            content = self._follow(url, deadline)
        try:
            part = check_picture(content, url)
        except PictureError as error:
            raise FetchError(error.code, error.detail, status=200, size=len(content)) from error
        digest = hashlib.sha256(content).hexdigest()
        row = DownloadOutcome(post_id, OK, url=url, status=200, bytes=len(content), sha256=digest)
        return Fetched(row, part, content)

    def _follow(self, url: str, deadline: float) -> bytes:
        """The body that a URL leads to, over at most five redirects."""
        for _ in range(_REDIRECTS + 1):
            with self._admit(url), self._ask(url, deadline) as answer:
                if not answer.is_redirect:
                    return self._body(answer, deadline)
                url = urljoin(url, answer.headers["Location"])
                _farewell(answer, deadline)
        raise FetchError("too_many_redirects", f"the last one to {url[:200]}", status=302)

    def _ask(self, url: str, deadline: float) -> requests.Response:
        """The answer to one request, its body unread.

        It is the session's adapter that sends it, since `Session.send` looks up proxies and
        passwords anew each time, and reads the body of a redirect to an end that may not come.
        """
        parts = urlsplit(url)
        headers, proxies = self._headers, {}
        if address := self._connect_to.get(parts.hostname or ""):
            headers = {**headers, "Host": parts.netloc}
            url = parts._replace(scheme="http", netloc=address).geturl()
        else:
            proxies = self._proxies_for(f"{parts.scheme}://{parts.netloc}")
        request = requests.Request("GET", url, headers=headers).prepare()
        return self._session.get_adapter(url).send(
            request,
            stream=True,
            timeout=max(0.001, min(self._options.timeout, deadline - time.monotonic())),
            verify=self._verify,
            proxies=proxies,
        )

    def _proxies_for(self, origin: str) -> dict[str, str]:
        """Those that the environment names; looking them up costs as much as a request."""
        if origin not in self._proxies:
            self._proxies[origin] = get_environ_proxies(origin)
        return self._proxies[origin]

    def _body(self, answer: requests.Response, deadline: float) -> bytes:
        """The whole body of an answer; FetchError where it cannot be that of a picture."""
        status = answer.status_code
        if status != 200:
            _farewell(answer, deadline)
            raise FetchError(
                f"http_{status}", answer.reason or "", status=status, wait=_retry_after(answer)
            )
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in ("text/html", "application/xhtml+xml"):
            _farewell(answer, deadline)
            raise FetchError("html", f"Content-Type: {kind}", status=status)
        most = self._options.max_bytes
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > most:
            raise FetchError("too_many_bytes", "announced", status=status, size=int(announced))
        content = _read(answer, most + 1, deadline)
        if len(content) > most:
            raise FetchError("too_many_bytes", "unannounced", status=status, size=len(content))
        return content


def user_agent(contact: str) -> str:
    """What requests say of who sends them."""
    version = metadata.version("senga")
    return f"Senga/{version} ({contact})" if contact else f"Senga/{version}"


def back_off(tries: int) -> float:
    """Seconds to wait after the given number of earlier tries: 1, 2, 4 ..., less up to a half."""
    return _BACK_OFF * 2.0**tries * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _retry_after(answer: requests.Response) -> float:
    """Seconds that the server asks for; 0 where it asks for none, or nobody can read it."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    with contextlib.suppress(ValueError):
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())
    return 0.0


def _read(answer: requests.Response, most: int, deadline: float) -> bytes:
    """The body, or its first `most` bytes at least."""
    chunks: list[bytes] = []
    size = 0
    with _failures(answer.status_code):
        while size < most and (chunk := answer.raw.read1(_CHUNK)):
            chunks.append(chunk)
            size += len(chunk)
            if time.monotonic() > deadline:
                raise FetchError(
                    "timeout", "past its deadline", status=answer.status_code, size=size
                )
    return b"".join(chunks)


def _farewell(answer: requests.Response, deadline: float) -> None:
    """Reads a short body that nobody wants, so that the connection can be used again."""
    with contextlib.suppress(FetchError):
        _read(answer, _FAREWELL, deadline)


@contextlib.contextmanager
def _failures(status: int | None = None) -> Iterator[None]:
    """Gives what `requests` and `urllib3` raise its code."""
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise FetchError("timeout", _inner(error), status=status) from error
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
        raise FetchError("tls_failed", _inner(error), status=status) from error
    except ValueError as error:  # that of `urllib` and of every kind of URL that `requests` refuses
        raise FetchError("bad_url", _inner(error), status=status) from error
    except requests.RequestException as error:
        raise FetchError("connection_failed", _inner(error), status=status) from error
    except urllib3.exceptions.HTTPError as error:
        raise FetchError("incomplete", _inner(error), status=status) from error


def _inner(error: BaseException) -> str:
    """What the innermost of a chain of exceptions says."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"[:200]
