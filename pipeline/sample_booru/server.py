"""The server of the sample booru, on the loopback: its API, and pictures drawn on request."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pipeline.sample_booru.apis import danbooru, gelbooru, moebooru
from pipeline.sample_booru.apis.answer import Answer
from pipeline.sample_booru.catalogue import POSTS, Post, post, post_ids
from pipeline.sample_booru.pictures import pictures_of_process

_CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_PAGE_TEMPLATE = "<!DOCTYPE html><title>{title}</title><h1>{title}</h1><p>Safebooru (sample)</p>\n"
_STATUS = {
    "missing": HTTPStatus.NOT_FOUND,
    "gone": HTTPStatus.GONE,
    "page": HTTPStatus.OK,  # an error page with the status of a success
}
_APIS: dict[str, Callable[[Iterable[Post], str], Answer]] = {
    "/index.php": gelbooru.respond,
    "/gelbooru/index.php": gelbooru.respond_025,
    "/danbooru/posts.json": danbooru.respond,
    "/moebooru/post.json": moebooru.respond,
    "/e621/posts.json": danbooru.respond_e621,
}
_MAX_SECONDS_TO_STOP = 20.0  # several pictures may be drawn at once
_ROBOTS = b"User-agent: *\nDisallow: /admin/\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, posts: int, seed: int, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.seed = seed
        self._busy = 0  # threads that make a response
        self._changed = threading.Condition()
        self.rows: dict[str, Post] = {}
        for post_id in post_ids(posts, seed):
            row = post(post_id, seed)
            self.rows[row.path] = row

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Say that a thread makes a response while the context is open."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def wait_until_idle(self) -> None:
        """Wait until no thread makes a response.

        A thread that is in a library's C++ while the interpreter ends aborts the process.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, _MAX_SECONDS_TO_STOP)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes: the second must not wait
    server: _Server

    def do_GET(self) -> None:
        """Respond with the picture of a live post, else with a page."""
        with self.server.busy():
            self._respond(with_body=True)

    def do_HEAD(self) -> None:
        """Respond as to GET, without the body."""
        with self.server.busy():
            self._respond(with_body=False)

    def _respond(self, *, with_body: bool) -> None:
        path, _, query = self.path.partition("?")
        path = "/" + path.lstrip("/")
        if path == "/robots.txt":
            self._send(HTTPStatus.OK, "text/plain", _ROBOTS, with_body)
            return
        if api := _APIS.get(path):
            answer = api(self.server.rows.values(), query)
            self._send(HTTPStatus(answer.status), "application/json", answer.body, with_body)
            return
        row = self.server.rows.get(path)
        response = row.response if row else "missing"
        if row is None or response in _STATUS:
            status = _STATUS[response]
            title = "Not found" if status == HTTPStatus.OK else status.phrase
            body, content_type = (
                _PAGE_TEMPLATE.format(title=title).encode(),
                "text/html; charset=utf-8",
            )
        else:
            body = pictures_of_process(os.getpid()).read(row.id, self.server.seed)
            status, content_type = HTTPStatus.OK, _CONTENT_TYPES[row.file_format[:3]]
        self._send(status, content_type, body, with_body)

    def _send(self, status: HTTPStatus, content_type: str, body: bytes, with_body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
        """Log nothing."""


@contextmanager
def serve(posts: int = POSTS, seed: int = 0, port: int = 0) -> Iterator[str]:
    """Serve the first posts, on the loopback only.

    Args:
        posts: number of posts.
        seed: seed of the catalogue.
        port: the port; 0 for a free one.

    Yields:
        The address of the server, as `127.0.0.1:port`.
    """
    with _Server(posts, seed, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.wait_until_idle()
