"""Read the size of a picture from the first bytes of its file, many files in a second.

Nothing is decoded and nothing is checked: a file whose header is odd has no size here, and what is
wrong with it is found when it is read whole.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from PIL import Image

from pipeline.picture_format import claimed_size, sniff_extension
from pipeline.picture_metadata import read_orientation

_HEAD = 300  # bytes: the first brand of an AVIF may be that far from its beginning
_MAX_SEGMENTS = 1000  # of a JPEG, before its size
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers: start of a frame
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a segment
_EXIF = b"Exif\0\0"
_MAX_EXIF_BYTES = 1 << 16


def picture_size(file: BinaryIO) -> tuple[int, int] | None:
    """Return width and height in pixels as a person sees the picture; None if they are unknown.

    Args:
        file: at its beginning, and able to seek.

    Raises:
        PictureError: `empty`, or `not_a_picture`.
        OSError: if it cannot be read.
    """
    head = file.read(_HEAD)
    extension = sniff_extension(head)
    if extension == "jpg":
        file.seek(2)
        return _jpeg_size(file)
    if extension == "avif":
        file.seek(0)
        return _avif_size(file)
    size = claimed_size(head, extension)
    return size if size and min(size) > 0 else None


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    """Return the size that the first frame has, turned as EXIF says."""
    orientation: int | None = None
    for _ in range(_MAX_SEGMENTS):
        marker = _next_marker(file)
        if marker is None:
            return None
        if marker in _ALONE:
            continue
        length = int.from_bytes(file.read(2), "big") - 2
        if length < 0:
            return None
        if marker in _FRAMES:
            frame = file.read(5)
            if len(frame) < 5:
                return None
            height, width = struct.unpack_from(">HH", frame, 1)
            if not width or not height:
                return None
            return (height, width) if (orientation or 1) >= 5 else (width, height)
        if marker == 0xE1 and orientation is None:
            payload = file.read(length)
            if payload.startswith(_EXIF):
                orientation = read_orientation(payload[:_MAX_EXIF_BYTES])
        else:
            file.seek(length, 1)
    return None


def _next_marker(file: BinaryIO) -> int | None:
    """Return the next marker, which fill bytes may precede; None where there is none."""
    if file.read(1) != b"\xff":
        return None
    marker = file.read(1)
    while marker == b"\xff":
        marker = file.read(1)
    return marker[0] if marker else None


def _avif_size(file: BinaryIO) -> tuple[int, int] | None:
    try:
        with Image.open(file, formats=("AVIF",)) as image:
            width, height = image.size
            return width, height
    except Exception:  # noqa: BLE001, RUF100 - whatever a library raises: the download says what
        return None
