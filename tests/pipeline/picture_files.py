"""Picture files with metadata of any kind, such as programs and people make them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of a value, by the type of a TIFF entry."""

TAGS = (256, 259, 270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 513, 514, 531, 33432, 34665)
TAGS += (34853, 36864, 37500, 37510, 40961, 40962, 40963, 41486, 50341, 65535)
CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME")
CHUNKS += (b"bKGD", b"hIST", b"sPLT", b"sBIT", b"acTL", b"fcTL", b"fdAT", b"cICP", b"prVt", b"oFFs")
Entry = tuple[int, int, bytes]  # tag, type, value


def encoded(image: Image.Image, file_format: str = "png", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def drawing(width: int = 24, height: int = 16) -> Image.Image:
    """Return a drawing without any symmetry, smooth enough for a JPEG."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    channels = [x, y * y, x * y]
    return Image.fromarray((255 * np.stack(channels, axis=-1)).astype(np.uint8))


def tiff(*entries: Entry, order: str = "<", count: int | None = None) -> bytes:
    """Return a TIFF structure; `count` is the number of entries that it claims to have."""
    at, table, rest = 8 + 2 + 12 * len(entries) + 4, b"", b""
    for tag, kind, value in entries:
        inline = value.ljust(4, b"\0")
        if len(value) > 4:
            inline = struct.pack(f"{order}I", at + len(rest))
            rest += value
        table += struct.pack(f"{order}HHI", tag, kind, len(value) // SIZES.get(kind, 1)) + inline
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries_claimed = len(entries) if count is None else count
    return head + struct.pack(f"{order}IH", 8, entries_claimed) + table + bytes(4) + rest


def turned(orientation: int, *entries: Entry, order: str = "<") -> bytes:
    """Return a TIFF structure with an orientation besides other entries."""
    value = struct.pack(f"{order}H", orientation)
    return tiff(*sorted([(274, 3, value), *entries]), order=order)


def random_exif(rng: np.random.Generator) -> bytes:
    """Return a TIFF structure with entries of any type, claims of any size, and cuts."""
    order = "<" if rng.random() < 0.5 else ">"
    entries = [
        (
            int(rng.choice(TAGS)),
            int(rng.integers(0, 15)),
            rng.bytes(int(rng.choice((0, 1, 2, 3, 4, 8, 40)))),
        )
        for _ in range(rng.integers(0, 6))
    ]
    content = turned(int(rng.integers(0, 10)), *entries, order=order)
    if rng.random() < 0.3:
        content = content[: rng.integers(0, len(content))]
    if rng.random() < 0.5:
        damaged = bytearray(content)
        for at in rng.integers(0, max(1, len(damaged)), 3):
            damaged[at : at + 1] = rng.bytes(1)
        content = bytes(damaged)
    return content


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    return b"\xff" + bytes((marker,)) + struct.pack(">H", len(payload) + 2) + payload


def jpeg(*segments: bytes, image: Image.Image | None = None) -> bytes:
    """Return a JPEG with these segments behind its first two bytes."""
    content = encoded(image or drawing(), "jpeg", quality=95)
    return content[:2] + b"".join(segments) + content[2:]


def jpeg_exif(exif: bytes) -> bytes:
    return jpeg_segment(0xE1, b"Exif\0\0" + exif)


def chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png(*chunks: bytes, image: Image.Image | None = None, behind: bytes = b"") -> bytes:
    """Return a PNG with these chunks behind its header, and others behind its pixels."""
    content = encoded(image or drawing())
    return content[:33] + b"".join(chunks) + content[33:-12] + behind + content[-12:]


def raw_profile(exif: bytes) -> bytes:
    """Return the text chunk in which ImageMagick and ExifTool put EXIF."""
    text = f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode()
    return chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))


def random_chunk(rng: np.random.Generator) -> bytes:
    kind = CHUNKS[rng.integers(len(CHUNKS))]
    body = rng.bytes(int(rng.choice((0, 1, 2, 6, 13, 32, 300))))
    choice = rng.random()
    if choice < 0.4:
        body = b"Raw profile type exif\0\0" + (zlib.compress(body) if choice < 0.2 else body)
    elif choice < 0.6:
        body = b"name\0\0" + zlib.compress(body)
    content = chunk(kind, body)
    return content[:-4] + rng.bytes(4) if rng.random() < 0.2 else content
