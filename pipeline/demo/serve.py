"""The demo's web server: waitress, with everything in memory and every error as JSON."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]

from pipeline.demo.connections import Server
from sketch_models.errors import SengaError

_MAX_IN_MEMORY = 1 << 40  # bytes: nothing overflows into a temporary file
_RECEIVE_BYTES = 1 << 18  # read from a connection at once
_MAX_HEADER = 1 << 16  # bytes of the header of a request
_SPARE_CONNECTIONS = 120  # that wait for their client, besides one for each thread

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
    timeout: int = 120,
    drain_timeout: float = 1.0,
) -> Iterator[str]:
    """Serve an application in background threads while the context is open.

    Args:
        app: a WSGI application.
        listener: from `listen`; closed at the end.
        max_body: bytes that a request may have.
        threads: number of threads that respond to requests.
        timeout: seconds in which a client must send a whole request, and take a whole response,
            and for which it may be silent in between.
        drain_timeout: seconds for requests in progress when the context is closed.

    Yields:
        The URL of the page, such as `http://127.0.0.1:7860`.
    """
    sockets: dict[int, Any] = {}
    server = Server(
        app,
        map=sockets,
        _sock=listener,
        bind_socket=False,
        sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        threads=threads,
        connection_limit=threads + _SPARE_CONNECTIONS,
        channel_timeout=timeout,
        cleanup_interval=1,
        max_request_header_size=_MAX_HEADER,
        max_request_body_size=max_body + 1,  # waitress refuses from this size on
        inbuf_overflow=_MAX_IN_MEMORY,
        outbuf_overflow=_MAX_IN_MEMORY,
        recv_bytes=_RECEIVE_BYTES,
        channel_request_lookahead=1,  # reads on, to notice when a client disconnects
        asyncore_use_poll=True,
        log_socket_errors=False,
        ident="senga",
    )
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
