"""The file formats of pictures that Senga reads: one set, for every stage and command."""

from __future__ import annotations

import re
import struct
from functools import cache

from pipeline.picture_error import PictureError

FORMATS = {
    "jpg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "webp": "WEBP",
    "bmp": "BMP",
    "avif": "AVIF",
}
"""Pillow's name of each format, by the extension of its files in a shard."""

FORMAT_NAMES = "PNG, JPEG, GIF, WebP, BMP or AVIF"
"""The formats, for people; AVIF with a Pillow that reads it."""

EXTENSIONS = {
    "jpg": "jpg",
    "jpeg": "jpg",
    "jpe": "jpg",
    "jfif": "jpg",
    "png": "png",
    "gif": "gif",
    "webp": "webp",
    "bmp": "bmp",
    "avif": "avif",
}
"""The key of `FORMATS` by each extension, in lower case, that files of it have."""

UNREADABLE_SUFFIXES = frozenset((".tif", ".tiff", ".heic", ".heif", ".jxl", ".psd"))
"""Suffixes of pictures, in lower case, whose formats Senga does not read."""

SUFFIXES = frozenset(f".{extension}" for extension in EXTENSIONS) | UNREADABLE_SUFFIXES
"""The suffixes of the files in a folder that count as pictures; some of them are errors."""

_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "jpg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    (re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL), "webp"),
    # Its own header, then the size of the next, one of six: two letters alone are too few.
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x6c\x7c]\0\0\0", re.DOTALL), "bmp"),
    # Brands, the file's own or a compatible one, in a box of at most 256 bytes.
    (re.compile(rb"\0\0[\0\x01].ftyp(?:.{4}){0,60}?avi[fs]", re.DOTALL), "avif"),
)


def sniff_extension(content: bytes) -> str:
    """Return the file extension of a picture, by its first bytes.

    Returns:
        One of the keys of `FORMATS`.

    Raises:
        PictureError: `empty`, or `not_a_picture`.
    """
    if not content:
        raise PictureError("empty", "0 bytes")
    for signature, extension in _SIGNATURES:
        if signature.match(content):
            if extension == "avif" and not _reads_avif():
                raise PictureError(
                    "not_a_picture", "AVIF, which this Pillow cannot read: update it"
                )
            return extension
    raise PictureError("not_a_picture", f"starts with {content[:12]!r}")


@cache
def _reads_avif() -> bool:
    from PIL import features  # not loaded by those who need no more than names of formats

    return bool(features.check("avif"))  # from Pillow 11.3 on


def claimed_size(content: bytes, extension: str) -> tuple[int, int] | None:
    """Return width and height by the first bytes, before a decoder sees the file.

    Pillow reports a side of 0 as a broken file, and makes room for a WebP before its size is known.

    Returns:
        Pixels; None for a JPEG or an AVIF, or if the file is too short.
    """
    try:
        match extension:
            case "png":
                return struct.unpack_from(">II", content, 16)
            case "gif":
                return struct.unpack_from("<HH", content, 6)
            case "bmp":
                return _bmp_size(content)
            case "webp":
                return _webp_size(content)
    except (struct.error, IndexError):
        pass
    return None


def _bmp_size(content: bytes) -> tuple[int, int]:
    if content[14] == 12:  # of OS/2
        width, height = struct.unpack_from("<HH", content, 18)
    else:
        width, height = struct.unpack_from("<ii", content, 18)
    return width, abs(height)  # negative if the first row is the upper one


def _webp_size(content: bytes) -> tuple[int, int]:
    """Return the size in the first chunk: of the canvas, of a lossless or of a lossy picture."""
    match content[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
            return 1 + width, 1 + height
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF
