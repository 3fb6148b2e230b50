"""Check that the bytes that a server sent are the picture that the URL promised."""

from __future__ import annotations

import posixpath
from urllib.parse import urlsplit

from pipeline.collect.polyglot import second_type
from pipeline.picture import PictureError, check_pixels, header_size
from pipeline.picture_format import EXTENSIONS, sniff_extension

MAX_ASPECT_RATIO = 50.0
"""Long side over short side; more is refused before the picture is decoded."""

_HTML_STARTS = (b"<!doctype html", b"<html")


def check_picture(
    content: bytes, url: str, *, last_url: str = "", drop_wrong_type: bool = False
) -> str:
    """Decode a picture as far as it takes to know that it is complete.

    Args:
        content: what the server sent.
        url: its extension, if it is that of a picture, says which type to expect.
        last_url: where redirects from there have led; empty without any.
        drop_wrong_type: whether to refuse another type than the URL's.

    Returns:
        The extension for the type of its bytes, a key of `picture_format.FORMATS`.

    Raises:
        PictureError: `html`, `wrong_type`, `wrong_redirect`, `absurd_aspect`, `polyglot`, or those
            of `decode`.
    """
    if content[:64].lstrip().lower().startswith(_HTML_STARTS):
        raise PictureError("html", "the body is a web page")
    extension = sniff_extension(content)
    expected, found = _type_of(url), _type_of(last_url)
    if expected not in (None, extension):
        if drop_wrong_type:
            raise PictureError("wrong_type", f"{extension} in a URL that ends in {expected}")
        if found not in (None, expected):
            raise PictureError("wrong_redirect", f"from {expected} to {last_url[:200]}")
    width, height = header_size(content)
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise PictureError("absurd_aspect", f"{width} x {height}")
    if other := second_type(content, extension):
        raise PictureError("polyglot", f"{extension} and {other}")
    check_pixels(content)
    return extension


def _type_of(url: str) -> str | None:
    """Return the type that the extension of a URL says, if it says one."""
    extension = posixpath.splitext(urlsplit(url).path)[1].lower()
    return EXTENSIONS.get(extension.removeprefix("."))
