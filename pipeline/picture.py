"""Pictures: from the bytes of a file to pixels, and back."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

# Pillow's remarks on odd metadata; what matters is the code of a PictureError.
warnings.filterwarnings("ignore", module=r"PIL\.")

MOST_PIXELS = 100_000_000
"""A picture that claims more is refused before it is decoded: 300 MB of RGB."""


_LARGEST_BLOCK = 2**25  # bytes; glibc learns from nothing larger
_LEVEL = 2  # of igzip's 0 to 3; 3 takes longer and saves nothing on line maps


class PictureError(Exception):
    """A picture cannot be used.

    Attributes:
        code: stable and snake_case: `empty`, `not_a_picture`, `zero_pixels`, `too_large`,
            `truncated` or `broken`.
        detail: what was seen, for people.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def sniff(content: bytes) -> str:
    """The type of a picture, by its first bytes.

    Returns:
        `jpg`, `png` or `gif`.

    Raises:
        PictureError: `empty`, or `not_a_picture`.
    """
    if not content:
        raise PictureError("empty", "0 bytes")
    for head, kind in ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF8", "gif")):
        if content.startswith(head):
            return kind
    raise PictureError("not_a_picture", f"starts with {content[:12]!r}")


def decode(content: bytes) -> NDArray[np.uint8]:
    """Decodes a whole picture, as a person sees it.

    It is turned as its EXIF orientation says; what is transparent shows white; of an animation
    it is the first frame; 16 bits a channel become 8; every colour space becomes RGB.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        PictureError: what is wrong with the picture.
    """
    if _claims_no_pixels(content, sniff(content)):
        raise PictureError("zero_pixels", "its header says so")
    with _open(content) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _rgb(image)


@contextlib.contextmanager
def _open(content: bytes) -> Iterator[ImageFile.ImageFile]:
    """A picture of which the header is read, and what is wrong with it by its code."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF")) as image:
            _check_size(image)
            yield image
    except Image.DecompressionBombError as error:
        raise PictureError("too_large", str(error)) from error
    except UnidentifiedImageError as error:
        raise PictureError("broken", "its header cannot be read") from error
    except (OSError, SyntaxError, EOFError, ValueError, struct.error, IndexError) as error:
        code = "truncated" if "truncated" in str(error) else "broken"
        raise PictureError(code, str(error)) from error


def stated_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the header says: nothing is decoded.

    Raises:
        PictureError: `empty`, `not_a_picture`, `zero_pixels`, `too_large`, or `broken` where the
            header cannot be read.
    """
    if _claims_no_pixels(content, sniff(content)):
        raise PictureError("zero_pixels", "its header says so")
    with _open(content) as image:
        return image.size


def decode_grey(content: bytes) -> NDArray[np.uint8]:
    """Decodes a sketch or line map that `encode_png` wrote.

    Returns:
        (H, W) uint8.

    Raises:
        PictureError: `empty`, or `broken` where the bytes are not a whole PNG.
    """
    if not content:
        raise PictureError("empty", "0 bytes")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise PictureError("broken", "not a whole PNG")
    return picture.astype(np.uint8, copy=False)


def _claims_no_pixels(content: bytes, kind: str) -> bool:
    """Whether a PNG or GIF has a side of zero, which Pillow takes for a broken file."""
    if kind == "png":
        return 0 in struct.unpack(">II", content[16:24].ljust(8, b"\xff"))
    return kind == "gif" and 0 in struct.unpack("<HH", content[6:10].ljust(4, b"\xff"))


def _check_size(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PictureError("too_large", f"{width} x {height}")


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip it
        grey = (np.asarray(image, np.int32) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return _array(image if image.mode == "RGB" else image.convert("RGB"))


def _array(image: Image.Image) -> NDArray[np.uint8]:
    """What np.asarray gives, in half the time: Pillow keeps RGB in four bytes, cheap to copy."""
    width, height = image.size
    rgbx = np.frombuffer(image.tobytes("raw", "RGBX"), np.uint8).reshape(height, width, 4)
    return cv2.cvtColor(rgbx, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)


def fit(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resizes a picture so that its long side is `size` pixels, keeping its aspect.

    By area where it shrinks, bicubic where it grows.

    Args:
        picture: (H, W, 3) or (H, W) uint8.
        size: in pixels.

    Returns:
        uint8 of the same number of dimensions; the short side has at least one pixel.
    """
    height, width = picture.shape[:2]
    scale = size / max(height, width)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    if (wide, high) == (width, height):
        return picture
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, (wide, high), interpolation=how).astype(np.uint8, copy=False)


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """A PNG of (H, W) grey or (H, W, 3) RGB uint8 pixels; lossless."""
    if picture.ndim == 2:
        return _encode_grey(picture)
    done, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return content.tobytes()


def _encode_grey(picture: NDArray[np.uint8]) -> bytes:
    """A PNG of a line map: a quarter of OpenCV's time, and no larger.

    Rows are not filtered: paper is long runs of 255, which deflate packs best as they are.
    """
    height, width = picture.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with its filter, 0 = none
    rows[:, 1:] = picture
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, grey, not interlaced
    pixels = isal_zlib.compress(rows, _LEVEL)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    """PNG specification, 5.3: length, kind, body, and the checksum of kind and body."""
    checksum = isal_zlib.crc32(body, isal_zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def keep_freed_memory() -> None:
    """Makes the C library keep what is freed, for the next picture, up to some 64 MB a thread.

    Pictures take a few MB each, thousands of times. Handing every one back to the system and
    faulting the next one in, page by page, takes as long as decoding and resizing it.

    glibc gives blocks back unless it has seen larger ones come and go (mallopt(3), "dynamic mmap
    threshold"), so it is shown one, whose pages are never touched. Elsewhere it does nothing.
    """
    bytes(_LARGEST_BLOCK - 2**16)
