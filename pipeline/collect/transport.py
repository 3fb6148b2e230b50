"""Connections to checked addresses only, none of which outlives its deadline."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import BaseHTTPResponse, HTTPResponse
from urllib3.util import Timeout
from urllib3.util.connection import create_connection

from pipeline.collect.address import resolve

_ADDRESSES = 2  # of one host that are tried
_SWEEP = 0.25  # seconds; deadlines are kept to within this


class Transport(HTTPAdapter):
    """What sends the requests of one thread, one after the other.

    A name is resolved once per connection, its addresses are checked, and a checked one is
    connected to: what the name stands for a moment later does not matter. Timeouts of a socket are
    per read, so that a server can drip for ever; here a second thread ends the connection at the
    deadline.

    Args:
        check: whether addresses are checked; not those that come from the program itself.
        allow_private: see `address.resolve`.
    """

    def __init__(self, *, check: bool = True, allow_private: bool = False) -> None:
        self.check = check
        self.allow_private = allow_private
        self.socket: socket.socket | None = None
        self._deadline = math.inf
        self._last: tuple[object, Any] = (None, None)
        self._lock = threading.Lock()
        self.expired = False
        super().__init__(max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **settings: Any
    ) -> None:
        """Called by requests: makes the pools."""
        self.poolmanager = PoolManager(connections, maxsize=maxsize, block=block, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools(self.check)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        """Called by requests: pools behind a proxy, which alone sees the addresses of hosts."""
        manager = super().proxy_manager_for(proxy, **settings)
        manager.pool_classes_by_scheme = self._pools(False)
        return manager

    def ask(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        connect: float,
        read: float,
        verify: bool | str,
        proxies: Mapping[str, str],
    ) -> BaseHTTPResponse:
        """Sends one GET request; returns the answer, its body unread.

        What `send` does, without the cookies, the history and the like that it makes for each
        answer, and that take a quarter of a request's time.

        Args:
            url: http or https.
            headers: all that are sent, but for `Host` where it is that of the URL.
            connect: seconds to connect.
            read: seconds of silence.
            verify: as in requests.
            proxies: as in requests.

        Raises:
            ValueError: where the URL is none.
            HTTPError: of urllib3.
            FetchError: where its addresses are refused.
        """
        request = PreparedRequest()
        request.prepare_method("GET")
        request.prepare_url(url, None)
        pool = self.get_connection_with_tls_context(request, verify, proxies)
        self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
        answer: BaseHTTPResponse = pool.urlopen(
            "GET",
            self.request_url(request, proxies),
            headers=headers,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=False,
            timeout=Timeout(connect=connect, read=read),
        )
        return answer

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Called by requests: the pool of a host, which takes it long to find again."""
        if proxies:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        parts = urlsplit(request.url or "")
        key = (parts.scheme, parts.netloc, verify)
        if self._last[0] != key:
            self._last = key, super().get_connection_with_tls_context(request, verify, None, cert)
        return self._last[1]

    def _pools(self, check: bool) -> dict[str, Callable[..., HTTPConnectionPool]]:
        def http(*args: Any, **settings: Any) -> HTTPConnectionPool:
            pool = HTTPConnectionPool(*args, **settings)
            pool.ConnectionCls = partial(_Http, self, check)  # type: ignore[assignment]
            return pool

        def https(*args: Any, **settings: Any) -> HTTPSConnectionPool:
            pool = HTTPSConnectionPool(*args, **settings)
            pool.ConnectionCls = partial(_Https, self, check)  # type: ignore[assignment]
            return pool

        return {"http": http, "https": https}

    @contextlib.contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Ends the connection in use where the block takes longer; `expired` says so then.

        Args:
            deadline: on the clock of `time.monotonic`.
        """
        _watchdog.watch(self)
        self.expired = False
        self._deadline = deadline
        try:
            yield
        finally:
            with self._lock:  # the next request must not meet the end of this one
                self._deadline = math.inf
                self.socket = None

    def end_by(self, deadline: float) -> None:
        """Another deadline for the block of `until`."""
        self._deadline = deadline

    def sweep(self, now: float) -> None:
        """Called by the watchdog, from its thread."""
        if now <= self._deadline:
            return
        with self._lock:
            if self.socket is not None and now > self._deadline:
                self.expired = True
                with contextlib.suppress(OSError):  # it has been closed meanwhile
                    # Not the method of TLS sockets, which takes away what a read still uses.
                    socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class _Checked(HTTPConnection):
    """A connection to a checked address, which its transport knows of."""

    def __init__(self, transport: Transport, check: bool, *args: Any, **settings: Any) -> None:
        self._transport = transport
        self._check = check
        super().__init__(*args, **settings)

    def _new_conn(self) -> socket.socket:
        if not self._check:
            return super()._new_conn()
        try:
            addresses = resolve(self.host, self.port, allow_private=self._transport.allow_private)
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, reason) from error
        failure = OSError("no address")
        for address in addresses[:_ADDRESSES]:
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
            raise ConnectTimeoutError(self, f"{self.host} does not answer") from failure
        raise NewConnectionError(self, str(failure)) from failure

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """Lets the transport know what to end, then waits for the header."""
        self._transport.socket = self.sock
        return super().getresponse()


class _Http(_Checked):
    pass


class _Https(_Checked, HTTPSConnection):
    pass


class _Watchdog:
    """One thread that looks after all transports."""

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
                self._thread = threading.Thread(target=self._sweep, name="watchdog", daemon=True)
                self._thread.start()

    def _sweep(self) -> None:
        while True:
            time.sleep(_SWEEP)
            with self._lock:
                transports = list(self._transports)
            now = time.monotonic()
            for transport in transports:
                transport.sweep(now)


_watchdog = _Watchdog()
