"""Picture files that cost a downloader much, and files that are not what they seem."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, features

ZIP_END = b"PK\x05\x06" + bytes(18)
"""An empty zip file, which is its end record."""

MILLIONS = {"jpg": 7_500_000, "png": 2_500_000, "gif": 6_000_000}
"""Parts of a file of 30 MB, by its extension; see `tiny_parts`."""


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def picture(number: int, file_format: str = "JPEG") -> bytes:
    """Return a small picture file; another for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (40, 30, 3), np.uint8)
    return encoded(Image.fromarray(pixels).resize((300, 400)), file_format)


def flat(side: int, mode: str = "RGB") -> Image.Image:
    """Return a square of one colour."""
    return Image.new(mode, (side, side), 128)


def noise(side: int) -> bytes:
    """Return a PNG whose pixels cannot be compressed: three bytes for each."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    return encoded(Image.fromarray(pixels), "PNG", compress_level=0)


def bomb() -> bytes:
    """Return a PNG of 400 million pixels, all of one colour."""
    side = 20_000
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    size = side * (1 + side)  # each row begins with its filter
    pixels = b"\x78\x9c" + _zeros(size, 200) + b"\3\0" + struct.pack(">HH", size % 65521, 1)
    chunks = _chunk(b"IHDR", header), _chunk(b"IDAT", pixels), _chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _zeros(size: int, parts: int) -> bytes:
    """Return deflate blocks of zeros, without the last one; the same block again and again."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(size // parts)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * parts


def _chunk(kind: bytes, body: bytes = b"") -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def scans(number: int, side: int = 4000) -> bytes:
    """Return a progressive JPEG of this many scans, each of which goes over all its pixels."""
    content = encoded(flat(side, "L"), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    further = number - content.count(b"\xff\xda")
    return content[:last] + content[last:-2] * (further + 1) + content[-2:]


def tiny_parts(extension: str, number: int) -> bytes:
    """Return a small picture that has this many empty comments before its pixels.

    Args:
        extension: jpg, png or gif.
        number: of comments: of 4 bytes in a JPEG, 12 in a PNG, and 5 in a GIF.
    """
    file_format, start, part = {
        "jpg": ("JPEG", 2, b"\xff\xfe\0\2"),
        "png": ("PNG", 33, _chunk(b"tEXt")),
        "gif": ("GIF", 13 + 3 * 256, b"!\xfe\1a\0"),
    }[extension]
    content = picture(1, file_format)
    return content[:start] + part * number + content[start:]


def many_codes(side: int = 1024) -> bytes:
    """Return a lossless WebP whose every block of 4 x 4 pixels has Huffman codes of its own.

    Args:
        side: in pixels, a multiple of 64, up to 1024.
    """

    def bits(value: int, count: int) -> list[int]:
        return [value >> n & 1 for n in range(count)]

    def code_of_bytes(symbols: int) -> list[int]:
        lengths = [1] * 256 + [0] * (symbols - 256)  # 1: eight bits, 0: none
        some = [0, 0, 1] + [0] * 8 + [1]  # lengths that there are, in the order of the format
        return [
            0,
            *bits(len(some) - 4, 4),
            *(b for each in some for b in bits(each, 3)),
            0,
            *lengths,
        ]

    blocks = np.arange((side // 4) ** 2)
    simple = [1, 0, 0, 0]  # a code of one symbol, which takes no bits
    head = bits(0x2F, 8) + 2 * bits(side - 1, 14) + bits(0, 4)
    head += [0, 0, 1, *bits(0, 3)]  # no transform, no colour cache; many codes, for 4 x 4 each
    head += [0, *code_of_bytes(280), *code_of_bytes(256), *(3 * simple)]
    numbers = np.unpackbits(np.stack([blocks & 255, blocks >> 8], axis=-1).astype(np.uint8))
    codes = np.tile(np.array(simple * 5, np.uint8), len(blocks))
    stream = np.packbits(np.concatenate([head, numbers, codes, bits(0, 64)]), bitorder="little")
    body = stream.tobytes() + bytes(len(stream) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def endless_gzip(megabytes: int) -> bytes:
    """Return the beginning of a gzip file of zeros: each of its megabytes takes a kilobyte."""
    return b"\x1f\x8b\x08" + bytes(7) + _zeros(megabytes * 1_000_000, megabytes)


WORST: dict[str, Callable[[], bytes]] = {
    # It is read and decoded, and not written.
    "32 MB PNG that ends too early": lambda: noise(3260)[:-50_000],
    "PNG of 10,000 x 10,000, 256 colours": lambda: encoded(
        flat(10_000, "P"), "PNG", compress_level=1
    ),
    "PNG of 7,000 x 7,000": lambda: encoded(flat(7000), "PNG", compress_level=1),
    "progressive JPEG of 4,000 x 4,000": lambda: encoded(
        flat(4000), "JPEG", progressive=True, subsampling=0
    ),
    "GIF of 10,000 x 10,000": lambda: encoded(flat(10_000, "P"), "GIF"),
    "WebP of 2,500 x 2,500": lambda: encoded(flat(2500), "WEBP", method=0),
    "WebP of 6,000 x 6,000": lambda: encoded(flat(6000), "WEBP", method=0),
    "300 KB WebP of 1,024 x 1,024 with 65,536 codes": many_codes,
}
"""The pictures that take most memory of those that the default options admit, and their makers."""

if features.check("avif"):
    WORST["AVIF of 2,500 x 2,500"] = lambda: encoded(flat(2500), "AVIF", speed=10)
