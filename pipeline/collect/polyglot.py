"""Files that are a picture to one program, and something else to another."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

_HEAD = 1024  # bytes in which PDF readers look for their mark
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 22 + 65535  # bytes: the end record of a zip file, with the longest comment
_BEHIND = {  # what begins another file, where it stands behind the end of a picture
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


def second_type(content: bytes, kind: str) -> str:
    """What else a picture file is.

    Bytes behind the end of a picture are common and harmless: a camera's, a line end. They are
    named here only where they are known to be read by other programs.

    Args:
        content: of the whole file.
        kind: `jpg`, `png` or `gif`.

    Returns:
        `zip`, `rar`, `7z`, `gzip`, `pdf`, `elf`, `exe`, `class` or `script`; empty for a picture
        alone.
    """
    if _is_zip(content):
        return "zip"
    if b"%PDF-" in content[:_HEAD]:
        return "pdf"
    behind = content[_ENDS[kind](content) :]
    if not behind:
        return ""
    start = behind.lstrip(b"\0\r\n\t ")
    for mark, name in _BEHIND.items():
        if start.startswith(mark):
            return name
    text = behind[: 64 * 1024].lower()
    return "script" if any(script in text for script in _SCRIPTS) else ""


def _is_zip(content: bytes) -> bool:
    """Whether an end record stands where zip readers look for it, and reaches to the end."""
    tail = content[-_ZIP_TAIL:]
    at = tail.rfind(_ZIP_END)
    if at < 0 or at + 22 > len(tail):
        return False
    (comment,) = struct.unpack_from("<H", tail, at + 20)
    return bool(at + 22 + comment == len(tail))


def _jpg_end(content: bytes) -> int:
    """Behind the first end-of-image mark after the scan began: none occurs inside coded data."""
    at: int = 2
    while content[at : at + 1] == b"\xff" and at + 4 <= len(content):
        mark = content[at + 1]
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
        if mark == 0xDA:  # start of scan
            end = _END_OF_IMAGE.search(content, at)
            return end.end() if end else len(content)
    return len(content)


def _png_end(content: bytes) -> int:
    """Behind the chunk IEND."""
    at: int = 8
    while at + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        at += 12 + length
        if name == b"IEND":
            return at
    return len(content)


def _gif_end(content: bytes) -> int:
    """Behind the trailer, over all blocks."""
    at = 13 + _gif_colors(content[10:11])
    while at < len(content):
        kind = content[at]
        if kind == 0x3B:
            return at + 1
        if kind == 0x21:  # extension
            at += 2
        elif kind == 0x2C:  # image
            at += 11 + _gif_colors(content[at + 9 : at + 10])
        else:
            break
        while at < len(content) and content[at]:
            at += 1 + content[at]
        at += 1
    return len(content)


def _gif_colors(flags: bytes) -> int:
    """Bytes of a colour table."""
    return 3 * (2 << (flags[0] & 7)) if flags and flags[0] & 0x80 else 0


_ENDS: dict[str, Callable[[bytes], int]] = {"jpg": _jpg_end, "png": _png_end, "gif": _gif_end}
