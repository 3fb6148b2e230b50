"""Small picture files, whole and broken."""

import io
import struct
import zlib
from random import Random
from typing import Any

import numpy as np
from PIL import Image, features

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", *(["AVIF"] if features.check("avif") else []))


def picture(random: Random, format_: str, mode: str, **options: Any) -> bytes:
    """Return a small picture file."""
    width, height = random.randrange(16, 49), random.randrange(16, 49)
    pixels = np.frombuffer(random.randbytes(width * height * 4), np.uint8)
    image = Image.fromarray(pixels.reshape(height, width, 4), "RGBA").convert(mode)
    if format_ in ("JPEG", "BMP", "AVIF") and mode in ("RGBA", "P", "1"):
        image = image.convert("RGB")
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def broken(random: Random, content: bytes) -> bytes:
    """Return a picture with something wrong, or hardly anything."""
    changed = bytearray(content)
    kind = random.randrange(8)
    if kind == 0:
        return bytes(changed[: random.randrange(len(changed))])
    if kind == 1:
        start, end = sorted(random.choices(range(len(changed)), k=2))
        return bytes(changed[:end] + changed[start:])
    if kind == 2:
        return random.randbytes(random.choice((0, 1, 20, 2000)))
    if kind == 3:
        sides = [random.choice((0, 1, 15, 16, 5000, 2**16, 2**31 - 1, 2**32 - 1)) for _ in "wh"]
        return _png_header(*sides, content)
    if kind == 4:
        exif = b"Exif\0\0" + random.choice((b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b""))
        exif += random.randbytes(random.choice((0, 2, 14, 200)))
        return picture(random, random.choice(("PNG", "JPEG", "WEBP")), "RGB", exif=exif)
    if kind == 5:
        profile = random.randbytes(random.choice((0, 4, 128, 600)))
        return picture(random, random.choice(("PNG", "JPEG")), "RGB", icc_profile=profile)
    for _ in range(random.choice((1, 3, 30))):
        # The first bytes say most.
        where = random.randrange(min(len(changed), random.choice((60, 300, 10**9))))
        changed[where] = random.randrange(256)
    return bytes(changed)


def _png_header(width: int, height: int, content: bytes) -> bytes:
    """Return a PNG that claims to have another size."""
    if not content.startswith(b"\x89PNG"):
        return content[: len(content) // 2]
    header = struct.pack(">II", width, height) + content[24:29]
    check = zlib.crc32(b"IHDR" + header)
    return content[:16] + header + struct.pack(">I", check) + content[33:]
