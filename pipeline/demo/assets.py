"""The page's own files, and other content that does not change between two requests."""

from __future__ import annotations

from pathlib import Path

from flask import Response, request
from werkzeug.security import safe_join

from pipeline.demo.api_error import Problem

FOLDER = Path(__file__).parent / "static"

_TYPES = {  # whatever the system says: Windows' registry may call JavaScript plain text
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


def asset(name: str) -> Response:
    """A file of the page.

    Args:
        name: relative to its folder; of anything outside of it, there is none.

    Raises:
        Problem: `not_found`.
    """
    path = safe_join(str(FOLDER), name)
    if path is None or not Path(path).is_file():
        raise Problem("not_found", "There is no such file, expected one of the page's own.")
    kind = _TYPES.get(Path(path).suffix) or "application/octet-stream"
    return lasting(Path(path).read_bytes(), kind)


def lasting(content: bytes, kind: str) -> Response:
    """An answer that browsers keep, and ask for again only to hear that it is the same.

    Args:
        content: the whole body.
        kind: its media type.
    """
    response = Response(content, mimetype=kind)
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response
