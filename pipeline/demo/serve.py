"""The demo's web server: waitress, with everything in memory and every refusal as JSON."""

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

from pipeline.demo.api_error import Problem
from pipeline.demo.guard import HEADERS
from sketch_models.errors import SengaError

_IN_MEMORY = 1 << 40  # bytes: nothing overflows into a temporary file
_RECEIVE = 1 << 18  # bytes that are read from a connection at once
_PATIENCE = 1.0  # seconds for answers that are on their way when the server ends

logging.getLogger("waitress").setLevel(logging.ERROR)  # queues and hang-ups are no news


def listen(host: str, port: int) -> socket.socket:
    """A socket on which clients can line up already.

    Args:
        host: name or address; of a name, its first address.
        port: 0 takes a free one.

    Raises:
        SengaError: where it cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise _no_host(host) from error
    try:
        if os.name == "posix":  # elsewhere it would share the port with another server
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        raise _cannot(host, port, error) from error
    return listener


def _no_host(host: str) -> SengaError:
    return SengaError(
        f"--host = {host}: this machine has no such address, expected one of its own: 127.0.0.1 "
        "for this machine alone, or 0.0.0.0 for its network."
    )


def _cannot(host: str, port: int, error: OSError) -> SengaError:
    if error.errno == errno.EADDRINUSE:
        return SengaError(
            f"--port = {port}: something listens there already, expected a free port: end that, "
            "or choose another; 0 takes a free one."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return SengaError(
            f"--port = {port}: the system does not let you listen there, expected 1024 or more; "
            "0 takes a free one."
        )
    return _no_host(host)


def url(listener: socket.socket) -> str:
    """Where a browser on this machine finds a listening socket."""
    host, port = listener.getsockname()[:2]
    address = ip_address(host.partition("%")[0])
    if address.is_unspecified:  # every address of this machine
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


def is_public(listener: socket.socket) -> bool:
    """Whether other machines can reach a listening socket."""
    return not ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


@contextmanager
def serving(
    app: Callable[..., Any], listener: socket.socket, *, max_body: int, threads: int
) -> Iterator[str]:
    """Serves an application from threads of its own.

    Args:
        app: a WSGI application.
        listener: from `listen`; it is closed in the end.
        max_body: bytes that a request may have.
        threads: that answer requests.

    Yields:
        The address, such as `http://127.0.0.1:7860`.
    """
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        sockets=[listener],
        threads=threads,
        max_request_body_size=max_body + 1,  # the first size that is refused
        inbuf_overflow=_IN_MEMORY,
        outbuf_overflow=_IN_MEMORY,
        recv_bytes=_RECEIVE,
        channel_request_lookahead=1,  # reads on, and so learns that a client has gone
        asyncore_use_poll=True,
        log_socket_errors=False,
        ident="senga",
    )
    server.channel_class = _Channel
    loop = threading.Thread(target=server.run, name="serve", daemon=True)
    loop.start()
    try:
        yield url(listener)
    finally:
        server.task_dispatcher.shutdown(timeout=_PATIENCE)
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))  # by the loop's thread
        loop.join(_PATIENCE)


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a body that is too large to its end, and keeps nothing of it.

    A client that is still sending hears no answer: it sees that the connection breaks.
    """

    _unread = 0  # bytes

    def received(self, data: bytes) -> int:
        """Takes some of the bytes that have come; returns how many."""
        if self._unread:
            taken = min(self._unread, len(data))
            self._unread -= taken
            self.completed = not self._unread
            return taken
        taken = int(super().received(data))
        if isinstance(self.error, RequestEntityTooLarge) and not self.chunked:
            self._unread, self.completed = self.content_length, False
        return taken


class _Refusal(ErrorTask):  # type: ignore[misc]
    """What waitress refuses by itself, in the demo's words."""

    def execute(self) -> None:
        """Writes the answer."""
        problem = _problem(self.request.error, self.channel.adj.max_request_body_size - 1)
        body = json.dumps(problem.body).encode()
        self.status = f"{problem.status} {HTTPStatus(problem.status).phrase}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            *HEADERS.items(),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
    error_task_class = _Refusal


def _problem(error: Error, max_body: int) -> Problem:
    if isinstance(error, RequestEntityTooLarge):
        return Problem(
            "body_too_large",
            f"The request is too large, expected at most {max_body:,} bytes; send a smaller "
            "picture.",
        )
    if isinstance(error, InternalServerError):
        return Problem("failed", "The demo failed; its terminal says where. Please report it.")
    return Problem("bad_request", "The request cannot be understood, expected proper HTTP.")
