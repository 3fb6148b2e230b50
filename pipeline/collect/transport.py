"""HTTP connections to checked addresses only, none of which outlives its deadline."""

from __future__ import annotations

import contextlib
import io
import math
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import BaseHTTPResponse
from urllib3.response import HTTPResponse as Urllib3Response
from urllib3.util import Timeout
from urllib3.util.connection import create_connection

from pipeline.collect.address import resolve
from pipeline.collect.host import Clock

_MAX_ADDRESSES = 2  # of one host that are tried
_WATCHDOG_INTERVAL = 0.25  # seconds; deadlines are kept to within this
_MAX_HEADER_BYTES = 256 * 1024  # as in browsers; with the headers of interim responses
_MAX_CHUNK_LINES = 4_000_000  # bytes of the lines between chunks, and behind the last one


class Transport(HTTPAdapter):
    """Sends the requests of one thread, one after the other.

    A name is resolved once per connection, its addresses are checked, and a checked one is
    connected to: what it resolves to a moment later does not matter. Timeouts of a socket are
    per read, so that a server can drip for ever; here a second thread ends the connection at the
    deadline.

    Args:
        check_addresses: False for addresses that come from the program itself.
        allow_private: see `address.resolve`.
        clock: for the deadlines.

    Attributes:
        socket: of the request in flight; None if there is none.
        expired: whether the last request was ended at its deadline.
    """

    def __init__(
        self,
        *,
        check_addresses: bool = True,
        allow_private: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        self.allow_private = allow_private
        self.socket: socket.socket | None = None
        self._check_addresses = check_addresses
        self._clock = clock
        self._deadline = math.inf
        self._cached_pool: tuple[object, Any] = (None, None)  # and its key
        self._lock = threading.Lock()
        self.expired = False
        super().__init__(max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **settings: Any
    ) -> None:
        """Make the pools; called by requests."""
        self.poolmanager = PoolManager(connections, maxsize=maxsize, block=block, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools(self._check_addresses)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        """Make pools behind a proxy, which resolves the hosts itself; called by requests."""
        manager = super().proxy_manager_for(proxy, **settings)
        manager.pool_classes_by_scheme = self._pools(False)
        return manager

    def get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        connect_timeout: float,
        read_timeout: float,
        verify: bool | str,
        proxies: Mapping[str, str],
    ) -> BaseHTTPResponse:
        """Send one GET request; return the response, its body unread.

        This is `send` of requests without the cookies, the history and the like of each response,
        which take a quarter of a request's time.

        Args:
            url: http or https.
            headers: all that are sent, but for `Host` if it is that of the URL.
            connect_timeout: seconds to connect.
            read_timeout: seconds between two reads.
            verify: as in requests.
            proxies: as in requests.

        Raises:
            ValueError: if the URL is not valid.
            HTTPError: of urllib3.
            FetchError: if its addresses are refused.
        """
        request = PreparedRequest()
        request.prepare_method("GET")
        request.prepare_url(url, None)
        pool = self.get_connection_with_tls_context(request, verify, proxies)
        self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
        response: BaseHTTPResponse = pool.urlopen(
            "GET",
            self.request_url(request, proxies),
            headers=headers,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=False,
            timeout=Timeout(connect=connect_timeout, read=read_timeout),
        )
        return response

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool of a host; kept, as requests takes long to find it again."""
        if proxies:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        parts = urlsplit(request.url or "")
        key = (parts.scheme, parts.netloc, verify)
        if self._cached_pool[0] != key:
            pool = super().get_connection_with_tls_context(request, verify, None, cert)
            self._cached_pool = key, pool
        return self._cached_pool[1]

    def _pools(self, check_addresses: bool) -> dict[str, Callable[..., HTTPConnectionPool]]:
        def http(*args: Any, **settings: Any) -> HTTPConnectionPool:
            pool = HTTPConnectionPool(*args, **settings)
            pool.ConnectionCls = partial(_CheckedHTTP, self, check_addresses)  # type: ignore[assignment]
            return pool

        def https(*args: Any, **settings: Any) -> HTTPSConnectionPool:
            pool = HTTPSConnectionPool(*args, **settings)
            pool.ConnectionCls = partial(_CheckedHTTPS, self, check_addresses)  # type: ignore[assignment]
            return pool

        return {"http": http, "https": https}

    @contextlib.contextmanager
    def timeout_at(self, deadline: float) -> Iterator[None]:
        """Close the connection in use if the block is not done by then, and set `expired`."""
        _watchdog.watch(self)
        self.expired = False
        self._deadline = deadline
        try:
            yield
        finally:
            with self._lock:  # the next request must not meet the end of this one
                self._deadline = math.inf
                self.socket = None

    def reschedule(self, deadline: float) -> None:
        """Replace the deadline of the block."""
        self._deadline = deadline

    def enforce_deadline(self) -> None:
        """Close the connection in use if it is past its deadline; called by the watchdog."""
        now = self._clock()
        if now <= self._deadline:
            return
        with self._lock:
            if now > self._deadline:
                self._cut_off()

    def abort(self) -> None:
        """Close the connection in use, whenever its deadline is."""
        with self._lock:
            self._cut_off()

    def _cut_off(self) -> None:
        if self.socket is not None:
            self.expired = True
            with contextlib.suppress(OSError):  # it has been closed meanwhile
                # Not the method of TLS sockets, which takes away what a read still uses.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class _Lines(io.BufferedReader):
    """What a server sends: its lines, which are all but the body, are limited.

    Attributes:
        left: bytes that further lines may have.
    """

    left = _MAX_HEADER_BYTES

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.left -= len(line)
        if self.left < 0:
            raise HTTPException("too many bytes that are not the body")
        return line


class _Response(HTTPResponse):
    """A response that cannot fill the memory, or a thread's time, with anything but a body."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._lines = self.fp = _Lines(self.fp.detach())

    def begin(self) -> None:
        """Read the header; called by http.client."""
        super().begin()
        self._lines.left = _MAX_CHUNK_LINES


class _CheckedHTTP(HTTPConnection):
    """A connection to a checked address, which its transport can close."""

    response_class = _Response

    def __init__(
        self, transport: Transport, check_addresses: bool, *args: Any, **settings: Any
    ) -> None:
        self._transport = transport
        self._check_addresses = check_addresses
        super().__init__(*args, **settings)

    def _new_conn(self) -> socket.socket:
        if not self._check_addresses:
            return super()._new_conn()
        try:
            addresses = resolve(self.host, self.port, allow_private=self._transport.allow_private)
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, reason) from error
        failure = OSError("no address")
        for address in addresses[:_MAX_ADDRESSES]:
            try:
                return create_connection(
                    (address, self.port),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:  # noqa: PERF203 - twice at most
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, f"{self.host} does not respond") from failure
        raise NewConnectionError(self, str(failure)) from failure

    def getresponse(self) -> Urllib3Response:  # type: ignore[override]
        """Hand the socket to the transport, then wait for the header."""
        self._transport.socket = self.sock
        return super().getresponse()


class _CheckedHTTPS(_CheckedHTTP, HTTPSConnection):
    pass


class _Watchdog:
    """One thread that enforces the deadlines of all transports."""

    def __init__(self) -> None:
        self._transports: weakref.WeakSet[Transport] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, transport: Transport) -> None:
        if transport in self._transports and self._thread and self._thread.is_alive():
            return
        with self._lock:
            self._transports.add(transport)
            if self._thread is None or not self._thread.is_alive():  # nor does it survive a fork
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(_WATCHDOG_INTERVAL)
            with self._lock:
                transports = list(self._transports)
            for transport in transports:
                transport.enforce_deadline()


_watchdog = _Watchdog()
