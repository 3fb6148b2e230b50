"""The page's static files, and other content that browsers may keep and revalidate."""

from __future__ import annotations

from pathlib import Path

from flask import Response, request
from werkzeug.security import safe_join

from pipeline.demo.api_error import ApiError

FOLDER = Path(__file__).parent / "static"

_MEDIA_TYPES = {  # not `mimetypes`: Windows' registry may call JavaScript plain text
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
    """Return a file of the page.

    Args:
        name: relative to `FOLDER`.

    Raises:
        ApiError: `not_found`, for files outside of `FOLDER` too.
    """
    path = safe_join(str(FOLDER), name)
    try:
        content = None if path is None else Path(path).read_bytes()
    except (OSError, ValueError):  # a folder, or a name that is longer than names can be
        content = None
    if content is None:
        raise ApiError("not_found", "There is no such file. The page is at /.")
    media_type = _MEDIA_TYPES.get(Path(name).suffix) or "application/octet-stream"
    return etag_response(content, media_type)


def etag_response(content: bytes, media_type: str) -> Response:
    """Return a response that browsers keep and revalidate: 304 if the content is the same.

    Args:
        content: the whole body.
        media_type: such as `image/png`.
    """
    response = Response(content, mimetype=media_type)
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response
