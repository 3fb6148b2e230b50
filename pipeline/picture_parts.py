"""The parts of a picture file, counted before a library reads them.

Segments, chunks and blocks of a few bytes cost a decoder as much as large ones, and every scan of
a JPEG goes over all of its pixels: a small file may take hours. No program writes such files.
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator

from pipeline.picture_error import PictureError

_FREE_PARTS = 10_000
_BYTES_PER_PART = 1024  # on average, of further ones
_BYTES_PER_BLOCK = 64  # of the coded pixels of a GIF, whose blocks have at most 255
_MAX_SCANNED = 4_000_000_000  # pixels times scans and colours: 40 times the largest picture
_MAX_RUN_PIXELS = 16_000_000  # of a run-length BMP, which Pillow decodes in Python
_MAX_RUN_BYTES = 2_000_000
_MAX_TABLE_BYTES = 1 << 16  # of an AVIF's table, whose rows libavif compares with one another

_BLOCK = 8  # pixels
_ARITHMETIC_COST = 8  # times that of a scan of Huffman codes: more steps for a coefficient
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers of frame headers
_MARKER = re.compile(b"\xff[^\0\xff]")
_MARKER_AFTER_SCAN = re.compile(b"\xff[^\0\xff\xd0-\xd7]")  # restarts belong to the coded pixels
_MAX_WEBP_CODES = 1 << 16  # sets of Huffman codes, each for some blocks of 4 x 4 pixels or more
_WEBP_CODE_BYTES = 6000  # of memory, for a set of the shortest
_WEBP_CODE_BITS = 28  # in the file, for such a set: five codes, and the block that has it
_WEBP_TABLE_BYTES = 256  # of memory, for a byte that describes longer ones

_RUN_LENGTHS = (1, 2)  # compressions of a BMP
_AVIF_PARENTS = {b"meta": 4, b"iprp": 0}
"""Boxes whose boxes matter, and the bytes before the first of these."""
_AVIF_TABLES = {b"iinf", b"iloc", b"iref", b"ipma"}


def check_parts(content: bytes, extension: str) -> None:
    """Raise an error if a file has more parts than a picture of its size needs.

    Args:
        content: of the file, whole or damaged.
        extension: a key of `picture_format.FORMATS`.

    Raises:
        PictureError: `too_complex`.
    """
    parts = _Parts(len(content), _BYTES_PER_PART)
    try:
        match extension:
            case "jpg":
                _count_jpeg(content, parts)
            case "png":
                _count_png(content, parts)
            case "gif":
                _count_gif(content, parts)
            case "webp":
                _count_webp(content, parts)
            case "bmp":
                _check_runs(content)
            case "avif":
                _count_avif(content, parts)
    except (struct.error, IndexError):  # it ends too early, which its decoder says
        pass


class _Parts:
    """The number of parts found so far, which is limited by the size of the file."""

    def __init__(self, size: int, bytes_per_part: int) -> None:
        self._left = self._limit = _FREE_PARTS + size // bytes_per_part

    def add(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise PictureError("too_complex", f"a file of more than {self._limit:,} parts")


def _count_jpeg(content: bytes, parts: _Parts) -> None:
    offset, pattern = 2, _MARKER
    pixels = colors = scanned = 0
    progressive = False
    while found := pattern.search(content, offset):
        parts.add()
        marker, offset = content[found.start() + 1], found.end()
        if marker == _END_OF_IMAGE and scanned:
            return
        if marker < 0xC0 or 0xD0 <= marker <= 0xD9:  # these have no payload
            continue
        (length,) = struct.unpack_from(">H", content, offset)
        if marker in _FRAMES:
            height, width, colors = struct.unpack_from(">HHB", content, offset + 3)
            pixels = -(-width // _BLOCK) * -(-height // _BLOCK) * _BLOCK**2
            pixels *= _ARITHMETIC_COST if marker > 0xC8 else 1
            progressive = marker % 4 == 2
        elif marker == _START_OF_SCAN:
            pattern = _MARKER_AFTER_SCAN
            scanned += pixels * content[offset + 2]  # colours in this scan
            if scanned > _MAX_SCANNED:
                raise PictureError("too_complex", f"scans over {scanned:,} pixels or more")
            if not progressive and content[offset + 2] >= colors:  # a decoder reads no other one
                return
        offset += length


def _count_png(content: bytes, parts: _Parts) -> None:
    offset = 8
    while offset + 12 <= len(content):
        parts.add()
        length, kind = struct.unpack_from(">I4s", content, offset)
        if kind == b"IEND":
            return
        offset += 12 + length


def _count_gif(content: bytes, parts: _Parts) -> None:
    coded = _Parts(len(content), _BYTES_PER_BLOCK)
    offset = 13 + _gif_palette(content[10])
    while (kind := content[offset]) != ord(";"):
        parts.add()
        offset += 1
        if kind == ord("!"):  # extension
            blocks, offset = parts, offset + 1
        elif kind == ord(","):  # frame
            blocks, offset = coded, offset + 10 + _gif_palette(content[offset + 8])
        else:  # what is between them is skipped
            continue
        while length := content[offset]:
            blocks.add()
            offset += 1 + length
        offset += 1


def _gif_palette(flags: int) -> int:
    """Return the size of a palette in bytes."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _count_webp(content: bytes, parts: _Parts) -> None:
    for _ in _webp_chunks(content):
        parts.add()


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield type and length of every chunk of a WebP."""
    offset = 12
    while offset + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, offset)
        yield kind, length
        offset += 8 + length + length % 2


def webp_table_bytes(content: bytes, pixels: int) -> int:
    """Return how much memory the Huffman tables of a WebP may take, of its lossless parts.

    A file of 300 KB can ask for 360 MB: for 65,536 sets of tables, which its pixels need not use.
    """
    lossy = (b"VP8 ", b"VP8X", b"ICCP", b"EXIF", b"XMP ")
    size = sum(length for kind, length in _webp_chunks(content) if kind not in lossy)
    size = min(size, len(content))
    codes = min(_MAX_WEBP_CODES, pixels // 16 + 1, 8 * size // _WEBP_CODE_BITS)
    return codes * _WEBP_CODE_BYTES + size * _WEBP_TABLE_BYTES


def _check_runs(content: bytes) -> None:
    header, width, height = struct.unpack_from("<Iii", content, 14)
    if header < 40 or struct.unpack_from("<I", content, 30)[0] not in _RUN_LENGTHS:
        return
    if width * abs(height) > _MAX_RUN_PIXELS or len(content) > _MAX_RUN_BYTES:
        raise PictureError("too_complex", f"run lengths of {width} x {abs(height)} pixels")


def _count_avif(content: bytes, parts: _Parts) -> None:
    for kind, length, _ in _boxes(content):
        parts.add()
        if kind in _AVIF_TABLES and length > _MAX_TABLE_BYTES:
            raise PictureError("too_complex", f"a table of {length:,} bytes")


def _boxes(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, length and end of every box of an AVIF, and of the boxes in `_AVIF_PARENTS`."""
    offset = 0
    while offset + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, offset)
        start = offset + 8
        if length == 1:  # a larger one follows the type
            (length,) = struct.unpack_from(">Q", content, start)
            start += 8
        length = length or len(content) - offset  # 0: up to the end
        if length < 8:
            return
        yield kind, length, offset + length
        offset = start + _AVIF_PARENTS[kind] if kind in _AVIF_PARENTS else offset + length


def is_whole(content: bytes, extension: str) -> bool:
    """Return whether a JPEG, PNG, WebP or AVIF goes on to the end that its format marks.

    Nothing is decoded. Bytes behind the end do not matter; of other formats it is not known.
    """
    match extension:
        case "jpg":
            return content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda")
        case "png":
            return b"IEND\xae\x42\x60\x82" in content
        case "webp":
            return 8 + int.from_bytes(content[4:8], "little") <= len(content)
        case "avif":
            with contextlib.suppress(struct.error):
                ends = [end for kind, _, end in _boxes(content) if kind == b"mdat"]
                return bool(ends) and max(ends) <= len(content)
    return False
