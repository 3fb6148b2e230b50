"""The connections of the demo's web server: no client keeps others out, and all errors are JSON."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]
from waitress.utilities import Error, InternalServerError, RequestEntityTooLarge  # type: ignore[import-untyped]

from pipeline.demo.api_error import (
    ApiError,
    bad_request,
    body_too_large,
    internal_error,
    request_timeout,
)
from pipeline.demo.guard import SECURITY_HEADERS

MAX_PER_ADDRESS = 64
"""Connections of one address; beyond them, those that wait for their client are closed."""

PATIENCE = 5.0
"""Seconds that a connection may wait for its client where there are too many."""

_MAX_DRAINED = 1 << 30  # bytes of a body that is too large; no client sends more in time


class _RequestTimeoutError(Error):  # type: ignore[misc]
    code = 408
    reason = "Request Timeout"


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """A parser that reads a body that is too large to its end, and keeps nothing of it.

    A client does not read the response while it is still sending: without this, it would only see
    a broken connection.

    Attributes:
        started: when the first bytes of the request were there, in seconds of `time.monotonic`.
    """

    path = ""  # waitress logs it, also of a request that has none
    error: Error | None
    expect_continue: bool
    _unread = 0  # bytes of the body

    def __init__(self, adj: Any) -> None:  # noqa: ANN401 - waitress is not typed
        super().__init__(adj)
        self.started = time.monotonic()

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the header; raise ParsingError, which waitress answers, for any fault in it."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # of urlsplit, or of int for thousands of digits
            raise ParsingError(str(error)) from error

    def received(self, data: bytes) -> int:
        """Consume some of the received bytes; return their number."""
        if self._unread:
            consumed = min(self._unread, len(data))
            self._unread -= consumed
            self.completed = not self._unread
            return consumed
        consumed = int(super().received(data))
        if self.completed and self.expect_continue:
            # There is no body, or it is not wanted: waitress would ask for it, and wait for it.
            self.expect_continue = False
            return consumed
        too_large = isinstance(self.error, RequestEntityTooLarge) and not self.chunked
        if too_large and self.content_length <= _MAX_DRAINED:
            self._unread, self.completed = self.content_length, False
        return consumed

    def give_up(self) -> None:
        """Let the request be complete, with an error."""
        self.error = self.error or _RequestTimeoutError("")
        self.completed = True


class _JsonErrorTask(ErrorTask):  # type: ignore[misc]
    """A task that writes the errors of waitress itself as those of the JSON API."""

    def execute(self) -> None:
        """Write the response."""
        error = _api_error(self.request.error, self.channel.adj.max_request_body_size - 1)
        body = json.dumps(error.body).encode()
        self.status = f"{error.status} {HTTPStatus(error.status).phrase}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            *SECURITY_HEADERS.items(),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


def _api_error(error: Error, max_body: int) -> ApiError:
    if isinstance(error, RequestEntityTooLarge):
        return body_too_large(max_body)
    if isinstance(error, InternalServerError):
        return internal_error()
    if isinstance(error, _RequestTimeoutError):
        return request_timeout()
    return bad_request()


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows for how long it has been waiting for its client."""

    parser_class = _Parser
    error_task_class = _JsonErrorTask
    request: _Parser | None  # that is not there as a whole
    total_outbufs_len: int  # bytes of responses that the client has not taken

    def __init__(
        self,
        server: Server,
        sock: object,
        addr: Sequence[Any],
        adj: Any,  # noqa: ANN401
        map: dict[int, Any],  # noqa: A002
    ) -> None:
        super().__init__(server, sock, addr, adj, map)
        self.network = _network(addr[0])
        self._idle_since = self._sending_since = time.monotonic()

    @property
    def waiting_since(self) -> float:
        """When it began to wait for a request, or for its response to be taken; else infinity."""
        if self.total_outbufs_len:
            return self._sending_since
        return math.inf if self.requests else self._idle_since

    def is_overdue(self, now: float) -> bool:
        """Return whether a whole request, or a whole response, has taken too long."""
        since = math.inf
        if self.total_outbufs_len:
            since = self._sending_since
        elif self.request is not None and not self.requests:
            since = self.request.started
        return now - since > float(self.adj.channel_timeout)

    def service(self) -> None:
        """Respond to a request."""
        super().service()
        self._idle_since = time.monotonic()

    def write_soon(self, data: Any) -> int:  # noqa: ANN401
        """Send a part of a response."""
        if not self.total_outbufs_len:
            self._sending_since = time.monotonic()
        return int(super().write_soon(data))

    def give_up(self) -> None:
        """Close the connection; a request that is not there as a whole is answered first."""
        if self.request is None or self.total_outbufs_len:
            self.handle_close()
            return
        with self.requests_lock:
            self.request.give_up()
            self.requests.append(self.request)
            self.request = None
            self.server.add_task(self)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """A server that closes the connections of clients who are slow.

    Silence alone is what waitress limits: a client that sends, or takes, a byte now and then holds
    its connection for ever, and a hundred of them all that there are.
    """

    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        """Close what has taken too long; called every second, in the thread of the loop."""
        clock = time.monotonic()
        channels = list(self.active_channels.values())
        for channel in channels:
            if channel.is_overdue(clock):
                channel.give_up()
        full = len(self._map) >= self.adj.connection_limit
        for channel in _surplus(channels, 0 if full else MAX_PER_ADDRESS):
            if clock - channel.waiting_since > PATIENCE:
                channel.give_up()
        super().maintenance(now)


def _surplus(channels: Sequence[_Channel], limit: int) -> Iterator[_Channel]:
    """Yield what each address has above a limit, of those that wait the ones that wait longest."""
    by_network: dict[object, list[_Channel]] = defaultdict(list)
    for channel in channels:
        by_network[channel.network].append(channel)
    for own in by_network.values():
        waiting = sorted(own, key=lambda channel: channel.waiting_since)
        yield from waiting[: max(0, len(own) - limit)]


def _network(host: str) -> IPv4Address | IPv6Network:
    """Return the address of a client, or the network of 64 bits, which belongs to one customer."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Network((address, 64), strict=False)
