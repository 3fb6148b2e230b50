"""Whether the bytes that a server sent are the picture that the URL promised."""

from __future__ import annotations

import io
import posixpath
import threading
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urlsplit

from PIL.JpegImagePlugin import JpegImageFile

from pipeline.collect.polyglot import second_type
from pipeline.picture import PictureError, decode, header_size, sniff_extension

MOST_ASPECT = 50.0
"""A picture whose long side is more times its short one is refused before it is decoded."""

_TYPES = {".jpg": "jpg", ".jpeg": "jpg", ".png": "png", ".gif": "gif"}
_PAGE_STARTS = (b"<!doctype html", b"<html")
_LARGE = 16_000_000  # pixels, 48 MB decoded: larger pictures are decoded one after the other
_one_large = threading.Lock()


def check_picture(content: bytes, url: str) -> str:
    """Decodes a picture as far as it takes to know that it is whole.

    Args:
        content: what the server sent.
        url: of which the extension, where it is that of a picture, says what to expect.

    Returns:
        Its type by its bytes: `jpg`, `png` or `gif`.

    Raises:
        PictureError: `html`, `wrong_type`, `absurd_aspect`, `polyglot`, or what `decode` finds.
    """
    if content[:64].lstrip().lower().startswith(_PAGE_STARTS):
        raise PictureError("html", "the body is a web page")
    found = sniff_extension(content)
    expected = _TYPES.get(posixpath.splitext(urlsplit(url).path)[1].lower(), found)
    if found != expected:
        raise PictureError("wrong_type", f"{found} in a URL that ends in {expected}")
    width, height = header_size(content)
    if max(width, height) > MOST_ASPECT * min(width, height):
        raise PictureError("absurd_aspect", f"{width} x {height}")
    if other := second_type(content, found):
        raise PictureError("polyglot", f"{found} and {other}")
    turn: AbstractContextManager[object] = nullcontext()
    if width * height > _LARGE:
        turn = _one_large
    with turn:
        if not (found == "jpg" and _reads_to_the_end(content)):
            decode(content)
    return found


def _reads_to_the_end(content: bytes) -> bool:
    """Whether a JPEG holds all of its coefficients; where not, `decode` says what is wrong.

    They are all read, as for a full decode, but only one in 64 is turned into a pixel, which
    takes half of the time.
    """
    try:
        with JpegImageFile(io.BytesIO(content)) as image:
            image.draft("L", (1, 1))
            image.decodermaxblock = len(content)  # at one go: less to and fro between threads
            image.load()
    except Exception:  # noqa: BLE001, RUF100 - whatever it is, `decode` will meet and name it
        return False
    return True
