"""What a picture file holds beside its pixels: read what changes the look, and skip the rest.

Decoders of pixels also parse metadata, and some of it, odd or large, makes them fail or fill the
memory. So they are given the file without it.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from isal import isal_zlib

_MAX_EXIF_BYTES = 1 << 16  # of a TIFF structure in which the orientation is looked for
_MAX_PROFILE_BYTES = 1 << 22  # of a colour profile; those of presses have up to 3 MB
_ORIENTATION = 274  # tag
_SHORT = 3  # type of an entry: 16 bits

_PNG_HEADER = 8  # bytes
_PNG_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_CHUNK_TYPE = re.compile(b"[A-Za-z]{4}")
_EXIF_ITEM = re.compile(rb"(infe.{4}(?:.{4}|.{6}))Exif", re.DOTALL)  # AVIF: of ISO/IEC 14496-12
_MAX_EXIF_ITEMS = 100  # of an AVIF; files have one
_RAW_EXIF = (b"Raw profile type exif", b"Raw profile type APP1")  # of ImageMagick and ExifTool

_MARKER = re.compile(b"\xff[^\0\xff]")  # what else begins with 255 is fill, or junk
_EXIF_MARKER = b"Exif\0\0"
_ICC_MARKER = b"ICC_PROFILE\0"
_JPEG_COLORS = {0xE0: 14, 0xEE: 12}
"""Markers by which a decoder knows the colour space, JFIF and Adobe, and their least bytes."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a file says about the look of its pixels.

    Attributes:
        orientation: how to turn them, 1 to 8 as in EXIF; 1: not at all.
        profile: ICC profile of their colours; empty without one.
        damaged_profile: whether there was one that cannot be read.
    """

    orientation: int = 1
    profile: bytes = b""
    damaged_profile: bool = False


def split_metadata(content: bytes, extension: str) -> tuple[bytes, Metadata]:
    """Return a JPEG, PNG or AVIF file without metadata, and what it says about the look.

    Whatever is wrong with the pixels is left to their decoder. Files of other formats are returned
    as they are.

    Args:
        content: of the file.
        extension: a key of `picture_format.FORMATS`.
    """
    match extension:
        case "jpg":
            return _split_jpeg(content)
        case "png":
            return _split_png(content)
        case "avif":
            return _hide_avif_exif(content), Metadata()
    return content, Metadata()


def read_metadata(exif: bytes, profile: bytes) -> Metadata:
    """Return what EXIF and an ICC profile say about the look; empty ones say nothing."""
    return _metadata(read_orientation(exif), profile, has_profile=bool(profile))


def read_orientation(exif: bytes) -> int:
    """Return the orientation in a TIFF structure, 1 to 8; 1 if there is none that is valid.

    No other entry is looked at.
    """
    tiff = exif.removeprefix(_EXIF_MARKER)[:_MAX_EXIF_BYTES]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _ORIENTATION:
                return value if (kind, count) == (_SHORT, 1) and 1 <= value <= 8 else 1
    except struct.error:  # it ends too early
        pass
    return 1


def _split_jpeg(content: bytes) -> tuple[bytes, Metadata]:
    kept: list[bytes] = []
    orientation: int | None = None
    profile_parts: dict[int, bytes] = {}
    total_parts = begin = 0
    junk = 2  # where it begins, if there is any
    for start, end, marker, payload in _jpeg_segments(content):
        if start > junk:
            kept.append(content[begin:junk])
            begin = start
        junk = end
        is_metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE
        if not is_metadata or end - payload >= _JPEG_COLORS.get(marker, len(content)):
            continue
        kept.append(content[begin:start])
        begin = end
        if marker == 0xE1 and orientation is None and content.startswith(_EXIF_MARKER, payload):
            orientation = read_orientation(content[payload:end])
        elif marker == 0xE2 and content.startswith(_ICC_MARKER, payload):
            number, total_parts = content[payload + 12 : payload + 14].ljust(2, b"\0")
            profile_parts[number] = content[payload + 14 : end]
    clean = b"".join([*kept, content[begin:]]) if kept else content
    complete = sorted(profile_parts) == list(range(1, total_parts + 1))
    profile = b"".join(part for _, part in sorted(profile_parts.items())) if complete else b""
    metadata = _metadata(orientation or 1, profile, has_profile=bool(profile_parts))
    return clean, metadata


def _metadata(orientation: int, profile: bytes, *, has_profile: bool) -> Metadata:
    profile = profile if len(profile) <= _MAX_PROFILE_BYTES else b""
    return Metadata(
        orientation=orientation,
        profile=profile,
        damaged_profile=has_profile and not profile,
    )


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield the segments up to the first scan: their start and end, marker, start of payload."""
    end = 2
    while found := _MARKER.search(content, end):
        start, marker = found.start(), content[found.start() + 1]
        if marker == 0xDA:  # scan, which is as long as the rest
            yield start, len(content), marker, start + 4
            return
        end = start + 2
        if not (0xD0 <= marker <= 0xD9 or marker == 0x01):  # these have no payload
            end += int.from_bytes(content[start + 2 : start + 4], "big")
        if end > len(content):
            return
        yield start, end, marker, start + 4


def _split_png(content: bytes) -> tuple[bytes, Metadata]:
    kept: list[bytes] = []
    begin, header = 0, b""
    exif = raw_exif = profile = b""
    has_profile = False
    for start, end, kind in _png_chunks(content):
        if kind in _PNG_PIXELS:
            header = header or content[start + 8 : end - 4]
            continue
        kept.append(content[begin:start])
        begin = end
        if kind == b"iCCP" and not has_profile:
            has_profile = True
            stream = _intact(content[start:end]).partition(b"\0")[2][1:]
            profile = _inflate(stream, _MAX_PROFILE_BYTES + 1)
        elif kind == b"tRNS":
            kept.append(_transparency(_intact(content[start:end]), header))
        elif kind == b"eXIf":
            exif = exif or _intact(content[start:end])
        elif content.startswith(_RAW_EXIF, start + 8):
            raw_exif = raw_exif or _raw_exif(_intact(content[start:end]), kind)
    clean = b"".join([*kept, content[begin:]]) if kept else content
    return clean, _metadata(read_orientation(exif or raw_exif), profile, has_profile=has_profile)


def _png_chunks(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield start, end and type of every chunk up to the end of the picture."""
    start = _PNG_HEADER
    while start + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, start)
        end = start + 12 + length
        if end > len(content) or kind == b"IEND" or not _CHUNK_TYPE.fullmatch(kind):
            return
        yield start, end, kind
        start = end


def _intact(chunk: bytes) -> bytes:
    """Return what a chunk holds; nothing if its checksum says that it is damaged."""
    (checksum,) = struct.unpack_from(">I", chunk, len(chunk) - 4)
    return chunk[8:-4] if zlib.crc32(chunk[4:-4]) == checksum else b""


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk by the PNG specification, 5.3: length, type, data, and their checksum."""
    checksum = isal_zlib.crc32(body, isal_zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _transparency(body: bytes, header: bytes) -> bytes:
    """Return the chunk of the transparent colour or of the palette's alpha; nothing if invalid.

    The colour is in levels of 8 bits, as Pillow's pixels are, but for grey of 16 bits. Bits beyond
    the depth do not count.
    """
    match header[8:10], len(body):
        case (b"\x10\0", 2):
            return png_chunk(b"tRNS", body)
        case (b"\x01\0" | b"\x02\0" | b"\x04\0" | b"\x08\0", 2):
            highest = (1 << header[8]) - 1
            return png_chunk(b"tRNS", bytes((0, (body[1] & highest) * 255 // highest)))
        case (b"\x08\2", 6):
            return png_chunk(b"tRNS", bytes((0, body[1], 0, body[3], 0, body[5])))
        case (b"\x10\2", 6):
            return png_chunk(b"tRNS", bytes((0, body[0], 0, body[2], 0, body[4])))
        case (_, length) if header[9:10] == b"\3" and 1 <= length <= 256:
            return png_chunk(b"tRNS", body)
    return b""


def _inflate(stream: bytes, max_bytes: int) -> bytes:
    """Return the first bytes that a zlib stream holds; nothing if it is broken."""
    try:
        return zlib.decompressobj().decompress(stream, max_bytes)
    except zlib.error:
        return b""


def _raw_exif(body: bytes, kind: bytes) -> bytes:
    """Return the TIFF structure in a text chunk: its name, its length, then hexadecimal digits."""
    text = body.partition(b"\0")[2]
    if kind == b"zTXt":
        text = _inflate(text[1:], 4 * _MAX_EXIF_BYTES)
    words = text[: 4 * _MAX_EXIF_BYTES].split()
    digits = b"".join(words[2:])
    try:
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
    except ValueError:
        return b""


def _hide_avif_exif(content: bytes) -> bytes:
    """Return an AVIF whose EXIF no decoder finds: properties of its own say how to turn it."""
    return _EXIF_ITEM.sub(rb"\1skip", content, count=_MAX_EXIF_ITEMS)
