"""The demo's web server: waitress, with everything in memory and every error as JSON."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]
from waitress.utilities import Error, InternalServerError, RequestEntityTooLarge  # type: ignore[import-untyped]

from pipeline.demo.api_error import ApiError, bad_request, body_too_large, internal_error
from pipeline.demo.guard import SECURITY_HEADERS
from sketch_models.errors import SengaError

_MAX_IN_MEMORY = 1 << 40  # bytes: nothing overflows into a temporary file
_RECEIVE_BYTES = 1 << 18  # read from a connection at once

logging.getLogger("waitress").setLevel(logging.ERROR)  # silence warnings of queues, disconnects


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; clients can connect before it is served.

    Args:
        host: a name, of which the first address is used, or an address.
        port: the port; 0 takes a free one.

    Raises:
        SengaError: If this machine cannot listen there.
    """
    try:
        family, socket_type, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket_type, protocol)
    except (OSError, UnicodeError) as error:
        raise _unknown_host(host) from error
    try:
        if os.name == "posix":  # elsewhere it would share the port with another server
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        raise _listen_error(host, port, error) from error
    return listener


def _unknown_host(host: str) -> SengaError:
    return SengaError(
        f"--host = {host}: this machine has no such address. Use 127.0.0.1 for this machine alone, "
        "or 0.0.0.0 for its network."
    )


def _listen_error(host: str, port: int, error: OSError) -> SengaError:
    if error.errno == errno.EADDRINUSE:
        return SengaError(
            f"--port = {port}: another program listens there already. Stop it, or use another "
            "port; 0 takes a free one."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return SengaError(
            f"--port = {port}: the system does not let you listen there. Use 1024 or more; 0 takes "
            "a free one."
        )
    return _unknown_host(host)


def page_url(listener: socket.socket) -> str:
    """Return the URL of a listening socket for a browser on this machine."""
    host, port = listener.getsockname()[:2]
    address = ip_address(host.partition("%")[0])
    if address.is_unspecified:  # every address of this machine
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


def is_public(listener: socket.socket) -> bool:
    """Return whether other machines can reach a listening socket."""
    return not ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


@contextmanager
def serving(
    app: Callable[..., Any],
    listener: socket.socket,
    *,
    max_body: int,
    threads: int,
    drain_timeout: float = 1.0,
) -> Iterator[str]:
    """Serve an application in background threads while the context is open.

    Args:
        app: a WSGI application.
        listener: from `listen`; closed at the end.
        max_body: bytes that a request may have.
        threads: number of threads that respond to requests.
        drain_timeout: seconds for requests in progress when the context is closed.

    Yields:
        The URL of the page, such as `http://127.0.0.1:7860`.
    """
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        sockets=[listener],
        threads=threads,
        max_request_body_size=max_body + 1,  # waitress refuses from this size on
        inbuf_overflow=_MAX_IN_MEMORY,
        outbuf_overflow=_MAX_IN_MEMORY,
        recv_bytes=_RECEIVE_BYTES,
        channel_request_lookahead=1,  # reads on, to notice when a client disconnects
        asyncore_use_poll=True,
        log_socket_errors=False,
        ident="senga",
    )
    server.channel_class = _Channel
    loop = threading.Thread(target=server.run, name="serve", daemon=True)
    loop.start()
    try:
        yield page_url(listener)
    finally:
        server.task_dispatcher.shutdown(timeout=drain_timeout)
        trigger = server.trigger
        with trigger.lock:  # else a loop that is awake closes the pipe before it is written to
            trigger.thunks.append(lambda: wasyncore.close_all(sockets))  # in the loop's thread
            trigger._physical_pull()
        loop.join(drain_timeout)


class _DrainingParser(HTTPRequestParser):  # type: ignore[misc]
    """A parser that reads a body that is too large to its end, and keeps nothing of it.

    A client does not read the response while it is still sending: without this, it would only see
    a broken connection.
    """

    _unread = 0  # bytes of the body

    def received(self, data: bytes) -> int:
        """Consume some of the received bytes; return their number."""
        if self._unread:
            consumed = min(self._unread, len(data))
            self._unread -= consumed
            self.completed = not self._unread
            return consumed
        consumed = int(super().received(data))
        if isinstance(self.error, RequestEntityTooLarge) and not self.chunked:
            self._unread, self.completed = self.content_length, False
        return consumed


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


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _DrainingParser
    error_task_class = _JsonErrorTask


def _api_error(error: Error, max_body: int) -> ApiError:
    if isinstance(error, RequestEntityTooLarge):
        return body_too_large(max_body)
    if isinstance(error, InternalServerError):
        return internal_error()
    return bad_request()
