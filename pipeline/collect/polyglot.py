"""Polyglots: files that are a picture to one program, and something else to another."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

_PDF_HEAD = 1024  # bytes in which PDF readers look for their signature
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 22 + 65535  # bytes: the end record of a zip file, with the longest comment
_SIGNATURES = {  # of files that may be appended to a picture
    b"PK\x03\x04": "zip",
    b"Rar!\x1a\x07": "rar",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x1f\x8b\x08": "gzip",
    b"%PDF-": "pdf",
    b"\x7fELF": "elf",
    b"MZ\x90\x00": "exe",
    b"\xca\xfe\xba\xbe": "class",
}
_END_OF_IMAGE = re.compile(b"\xff\xd9")  # a third faster than `bytes.find`
_SCRIPTS = (b"<script", b"<?php", b"<html", b"<svg", b"<!doctype")


def second_type(content: bytes, extension: str) -> str:
    """Return the other type that a picture file has, if it is a polyglot.

    Bytes behind the end of a picture are common and harmless: a camera's, a line end. They
    count only if other programs are known to read them.

    Args:
        content: of the whole file.
        extension: a key of `picture_format.FORMATS`.

    Returns:
        `zip`, `rar`, `7z`, `gzip`, `pdf`, `elf`, `exe`, `class` or `script`; empty for a plain
        picture.
    """
    if _is_zip(content):
        return "zip"
    if b"%PDF-" in content[:_PDF_HEAD]:
        return "pdf"
    trailing = content[_ENDS[extension](content) :]
    if not trailing:
        return ""
    start = trailing.lstrip(b"\0\r\n\t ")
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature):
            return name
    text = trailing[: 64 * 1024].lower()
    return "script" if any(script in text for script in _SCRIPTS) else ""


def _is_zip(content: bytes) -> bool:
    """Return whether there is an end record that zip readers find, and it reaches to the end."""
    tail = content[-_ZIP_TAIL:]
    offset = tail.rfind(_ZIP_END)
    if offset < 0 or offset + 22 > len(tail):
        return False
    (comment_length,) = struct.unpack_from("<H", tail, offset + 20)
    return bool(offset + 22 + comment_length == len(tail))


def _jpg_end(content: bytes) -> int:
    """Return the offset after the first end-of-image marker of a scan; coded data holds none."""
    offset: int = 2
    while content[offset : offset + 1] == b"\xff" and offset + 4 <= len(content):
        marker = content[offset + 1]
        (length,) = struct.unpack_from(">H", content, offset + 2)
        offset += 2 + length
        if marker == 0xDA:  # start of scan
            end = _END_OF_IMAGE.search(content, offset)
            return end.end() if end else len(content)
    return len(content)


def _png_end(content: bytes) -> int:
    """Return the offset after the chunk IEND."""
    offset: int = 8
    while offset + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, offset)
        offset += 12 + length
        if name == b"IEND":
            return offset
    return len(content)


def _gif_end(content: bytes) -> int:
    """Return the offset after the trailer, which follows all blocks."""
    offset = 13 + _gif_colors(content[10:11])
    while offset < len(content):
        block_type = content[offset]
        if block_type == 0x3B:  # trailer
            return offset + 1
        if block_type == 0x21:  # extension
            offset += 2
        elif block_type == 0x2C:  # image
            offset += 11 + _gif_colors(content[offset + 9 : offset + 10])
        else:
            break
        while offset < len(content) and content[offset]:
            offset += 1 + content[offset]
        offset += 1
    return len(content)


def _gif_colors(flags: bytes) -> int:
    """Return the size of a colour table in bytes."""
    return 3 * (2 << (flags[0] & 7)) if flags and flags[0] & 0x80 else 0


def _webp_end(content: bytes) -> int:
    """Return the offset after the RIFF container, whose length is even."""
    length = int.from_bytes(content[4:8], "little")
    return 8 + length + length % 2


def _bmp_end(content: bytes) -> int:
    """Return the length of the file by its header; 0 there means that it was not written."""
    return int.from_bytes(content[2:6], "little") or len(content)


def _avif_end(content: bytes) -> int:
    """Return the offset after the last box that fits in the file."""
    offset: int = 0
    while offset + 8 <= len(content):
        length = int.from_bytes(content[offset : offset + 4], "big")
        if length == 1:  # a larger one follows the type
            length = int.from_bytes(content[offset + 8 : offset + 16], "big")
        elif length == 0:  # up to the end
            return len(content)
        if length < 8 or offset + length > len(content):
            return offset
        offset += length
    return offset


_ENDS: dict[str, Callable[[bytes], int]] = {
    "jpg": _jpg_end,
    "png": _png_end,
    "gif": _gif_end,
    "webp": _webp_end,
    "bmp": _bmp_end,
    "avif": _avif_end,
}
