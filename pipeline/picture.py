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

MAX_PIXELS = 100_000_000
"""A picture whose header says more is refused before it is decoded: 300 MB of RGB."""

_MAX_MMAP_THRESHOLD = 2**25  # bytes; glibc's DEFAULT_MMAP_THRESHOLD_MAX
_COMPRESSION_LEVEL = 2  # of igzip's 0 to 3; 3 takes longer and saves nothing on line maps
_SIGNATURES = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF8", "gif"))


class PictureError(Exception):
    """A picture cannot be used.

    Attributes:
        code: stable and snake_case: `empty`, `not_a_picture`, `zero_pixels`, `too_large`,
            `truncated` or `broken`.
        detail: what exactly is wrong, for people.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def sniff_extension(content: bytes) -> str:
    """Return the file extension of a picture, by its first bytes.

    Returns:
        `jpg`, `png` or `gif`.

    Raises:
        PictureError: `empty`, or `not_a_picture`.
    """
    if not content:
        raise PictureError("empty", "0 bytes")
    for signature, extension in _SIGNATURES:
        if content.startswith(signature):
            return extension
    raise PictureError("not_a_picture", f"starts with {content[:12]!r}")


def decode(content: bytes) -> NDArray[np.uint8]:
    """Decode a picture to what a viewer shows.

    It is rotated as its EXIF orientation says; transparent pixels become white; of an animation
    the first frame is taken; 16 bits per channel become 8; every colour space becomes RGB.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        PictureError: what is wrong with the picture.
    """
    if _has_zero_side(content, sniff_extension(content)):
        raise PictureError("zero_pixels", "its header says so")
    with _open(content) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _to_rgb(image)


@contextlib.contextmanager
def _open(content: bytes) -> Iterator[ImageFile.ImageFile]:
    """Yield a picture whose header is read; raise PictureError if the block cannot decode it."""
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


def header_size(content: bytes) -> tuple[int, int]:
    """Return width and height in pixels from the header; nothing is decoded.

    Raises:
        PictureError: `empty`, `not_a_picture`, `zero_pixels`, `too_large`, or `broken` if the
            header cannot be read.
    """
    if _has_zero_side(content, sniff_extension(content)):
        raise PictureError("zero_pixels", "its header says so")
    with _open(content) as image:
        return image.size


def decode_grey(content: bytes) -> NDArray[np.uint8]:
    """Decode a sketch or line map that `encode_png` wrote.

    Returns:
        (H, W) uint8.

    Raises:
        PictureError: `empty`, or `broken` if the bytes are not a complete PNG.
    """
    if not content:
        raise PictureError("empty", "0 bytes")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise PictureError("broken", "not a complete PNG")
    return picture.astype(np.uint8, copy=False)


def _has_zero_side(content: bytes, extension: str) -> bool:
    """Return whether a PNG or GIF has a side of zero, which Pillow reports as a broken file."""
    if extension == "png":
        return 0 in struct.unpack(">II", content[16:24].ljust(8, b"\xff"))
    return extension == "gif" and 0 in struct.unpack("<HH", content[6:10].ljust(4, b"\xff"))


def _check_size(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError("too_large", f"{width} x {height}")


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip it
        grey = (np.asarray(image, np.int32) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return _to_array(image if image.mode == "RGB" else image.convert("RGB"))


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    """Return np.asarray(image) in half the time: Pillow keeps RGB in four bytes, cheap to copy."""
    width, height = image.size
    rgbx = np.frombuffer(image.tobytes("raw", "RGBX"), np.uint8).reshape(height, width, 4)
    return cv2.cvtColor(rgbx, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)


def resize_long_side(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize a picture so that its long side is `size` pixels, keeping its aspect.

    By area if it gets smaller, bicubic if it gets larger.

    Args:
        picture: (H, W, 3) or (H, W) uint8.
        size: long side of the result, in pixels.

    Returns:
        uint8 of the same number of dimensions; the short side has at least one pixel.
    """
    height, width = picture.shape[:2]
    scale = size / max(height, width)
    new_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if new_size == (width, height):
        return picture
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, new_size, interpolation=kernel).astype(np.uint8, copy=False)


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA uint8 pixels as a PNG; lossless."""
    if picture.ndim == 2:
        return _encode_grey_png(picture)
    order = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    encoded, content = cv2.imencode(".png", cv2.cvtColor(picture, order))
    assert encoded
    return content.tobytes()


def _encode_grey_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode a line map as a PNG in a quarter of OpenCV's time, no larger.

    Rows are not filtered: paper is long runs of 255, which deflate compresses best as they are.
    """
    height, width = picture.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with its filter, 0 = none
    rows[:, 1:] = picture
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, grey, not interlaced
    pixels = isal_zlib.compress(rows, _COMPRESSION_LEVEL)
    chunks = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", pixels) + _png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _png_chunk(chunk_type: bytes, data: bytes) -> bytes:
    """Return a chunk by the PNG specification, 5.3: length, type, data, and their checksum."""
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(chunk_type))
    return struct.pack(">I", len(data)) + chunk_type + data + struct.pack(">I", checksum)


def keep_freed_memory() -> None:
    """Make the C library keep freed memory for the next picture, up to some 64 MB per thread.

    Pictures take a few MB each, thousands of times. Returning each one to the system and
    faulting the next one in, page by page, takes as long as decoding and resizing it.

    glibc returns blocks unless it has freed larger ones before (mallopt(3), "dynamic mmap
    threshold"), so a large one is allocated and freed, whose pages are never touched. With other
    C libraries this has no effect.
    """
    bytes(_MAX_MMAP_THRESHOLD - 2**16)
