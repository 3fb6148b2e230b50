"""Check that the bytes that a server sent are the picture that the URL promised."""

from __future__ import annotations

import io
import posixpath
import threading
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urlsplit

from PIL.JpegImagePlugin import JpegImageFile

from pipeline.collect.polyglot import second_type
from pipeline.picture import PictureError, decode, header_size, sniff_extension

MAX_ASPECT_RATIO = 50.0
"""Long side over short side; more is refused before the picture is decoded."""

_EXTENSIONS = {".jpg": "jpg", ".jpeg": "jpg", ".png": "png", ".gif": "gif"}
_HTML_STARTS = (b"<!doctype html", b"<html")
_LARGE = 16_000_000  # pixels, 48 MB decoded: larger pictures are decoded one after the other
_large_picture_lock = threading.Lock()


def check_picture(content: bytes, url: str) -> str:
    """Decode a picture as far as it takes to know that it is complete.

    Args:
        content: what the server sent.
        url: its extension, if it is that of a picture, says which type to expect.

    Returns:
        The extension for the type of its bytes: `jpg`, `png` or `gif`.

    Raises:
        PictureError: `html`, `wrong_type`, `absurd_aspect`, `polyglot`, or those of `decode`.
    """
    if content[:64].lstrip().lower().startswith(_HTML_STARTS):
        raise PictureError("html", "the body is a web page")
    extension = sniff_extension(content)
    expected = _EXTENSIONS.get(posixpath.splitext(urlsplit(url).path)[1].lower(), extension)
    if extension != expected:
        raise PictureError("wrong_type", f"{extension} in a URL that ends in {expected}")
    width, height = header_size(content)
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise PictureError("absurd_aspect", f"{width} x {height}")
    if other := second_type(content, extension):
        raise PictureError("polyglot", f"{extension} and {other}")
    lock: AbstractContextManager[object] = nullcontext()
    if width * height > _LARGE:
        lock = _large_picture_lock
    with lock:
        if not (extension == "jpg" and _is_complete_jpeg(content)):
            decode(content)
    return extension


def _is_complete_jpeg(content: bytes) -> bool:
    """Return whether a JPEG holds all of its coefficients; if not, `decode` says what is wrong.

    They are all read, as for a full decode, but only one in 64 is turned into a pixel, which
    takes half of the time.
    """
    try:
        with JpegImageFile(io.BytesIO(content)) as image:
            image.draft("L", (1, 1))
            image.decodermaxblock = len(content)  # in one call: fewer handovers between threads
            image.load()
    except Exception:  # noqa: BLE001, RUF100 - whatever it is, `decode` will meet and name it
        return False
    return True
