"""Pictures: from the bytes of a file to pixels, and back."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from pipeline.color_profile import IGNORED, to_srgb
from pipeline.malloc import set_malloc
from pipeline.memory_budget import MemoryBudget
from pipeline.picture_error import PictureError as PictureError  # part of this module, for users
from pipeline.picture_format import FORMATS, claimed_size, sniff_extension
from pipeline.picture_metadata import Metadata, png_chunk, read_metadata, split_metadata
from pipeline.picture_parts import check_parts, is_whole, webp_table_bytes

# Pillow's remarks on odd metadata; what matters is the code of a PictureError.
warnings.filterwarnings("ignore", module=r"PIL\.")

MAX_PIXELS = 100_000_000
"""A picture whose header says more is refused before it is decoded: 300 MB of RGB."""

_MAX_BYTES = 1 << 28  # of a file
_CHECK_BYTES = 100_000_000  # of memory that `check_pixels` takes
_CANVAS_BYTES = {"webp": 16, "avif": 16}  # per pixel: their decoders keep several copies
_MAX_MMAP_THRESHOLD = 2**25  # bytes; glibc's DEFAULT_MMAP_THRESHOLD_MAX
_COMPRESSION_LEVEL = 2  # of igzip's 0 to 3; 3 takes longer and saves nothing on line maps
_check_memory = MemoryBudget(_CHECK_BYTES)
_DECODE_BYTES_PER_PIXEL = 20  # of memory at most: what decoders and conversions hold at a time
_decode_memory = MemoryBudget(MAX_PIXELS * _DECODE_BYTES_PER_PIXEL)  # of all threads together
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What an EXIF orientation asks for; from 5 on, width and height change places."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A picture as a person sees it, on white.

    Attributes:
        pixels: (h, w, 3) uint8 RGB in sRGB: all of it, or a thumbnail.
        width: width of the whole picture, in pixels.
        height: height of the whole picture, in pixels.
        color_profile: what became of its colour profile: see `color_profile.to_srgb`.
        alpha: (h, w) uint8: opacity of the pixels before they were put on white; None if no pixel
            can be transparent.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    color_profile: str
    alpha: NDArray[np.uint8] | None


def read_file(path: Path) -> bytes:
    """Return the bytes of a file that a person calls a picture.

    Raises:
        PictureError: `unreadable`, also if it is no file, or `too_large`.
    """
    try:
        if not path.is_file():
            raise PictureError("unreadable", "not a file")
        if path.stat().st_size > _MAX_BYTES:
            raise PictureError("too_large", f"a file of more than {_MAX_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise PictureError("unreadable", error.strerror or type(error).__name__) from error


def decode(content: bytes) -> NDArray[np.uint8]:
    """Decode a picture to what a viewer shows.

    It is turned as its EXIF orientation says; its colours become sRGB by its colour profile, those
    of CMYK without one as a press shows them; transparent pixels become white; of an animation the
    first frame is taken; 16 bits per channel become 8. Threads that together would take more memory
    than the largest picture alone wait for one another.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        PictureError: what is wrong with the picture, whatever a library says of it.
    """
    return read_picture(content).pixels


def read_picture(content: bytes) -> Decoded:
    """Decode a picture, as `decode` does."""
    with _open(content) as file, _decode_memory.hold(_memory_of_decode(file)):
        return _decoded(file, *file.size)


def read_thumbnail(content: bytes) -> Decoded:
    """Decode a JPEG at 1/8, sides rounded up, in a quarter of the time; any other file as a whole.

    A turned JPEG is decoded as a whole, too: when it is turned, its sides are not rounded up on the
    right and at the bottom, but anywhere.

    Raises:
        PictureError: as `decode` raises it.
    """
    with contextlib.suppress(PictureError), _open(content) as file:
        if file.extension == "jpg" and file.orientation == 1:
            width, height = file.size
            file.image.draft("RGB", (1, 1))
            file.image.decodermaxblock = len(content)  # in one call: fewer switches of threads
            return _decoded(file, width, height)
    return read_picture(content)


def check_pixels(content: bytes) -> None:
    """Decode a picture as far as it takes to know that it is complete.

    All coefficients of a JPEG are read, but only one in 64 is turned into a pixel, which takes half
    of the time. All threads together take some 100 MB; a picture that alone would take more is not
    decoded, but looked at for its end.

    Raises:
        PictureError: as `decode` raises it.
    """
    with _open(content) as file:
        size = _memory_of_check(file)
        if file.extension == "jpg":
            file.image.draft("L", (1, 1))
            file.image.decodermaxblock = len(content)  # in one call: fewer switches of threads
        if size <= _CHECK_BYTES or file.extension in ("gif", "bmp"):  # those take little
            with _check_memory.hold(size), contextlib.closing(file.image):  # frees its pixels
                file.image.load()
        elif not is_whole(file.content, file.extension):
            raise PictureError("truncated", "the end of the file is missing")


def _memory_of_check(file: _File) -> int:
    """Return how many bytes of memory `check_pixels` takes for a file."""
    image = file.image
    pixels = image.width * image.height
    if file.extension != "jpg":
        bytes_per_pixel = 1 if image.mode in ("1", "L", "P") else 4
        return pixels * _CANVAS_BYTES.get(file.extension, bytes_per_pixel) + _table_bytes(file)
    if image.info.get("progressive") or file.content.count(b"\xff\xda") > 1:
        return pixels * 2 * len(image.getbands())  # all coefficients, until the last scan
    return pixels // 64


def _memory_of_decode(file: _File) -> int:
    """Return how many bytes of memory it takes at most to decode a file."""
    image = file.image
    return image.width * image.height * _DECODE_BYTES_PER_PIXEL + _table_bytes(file)


def _table_bytes(file: _File) -> int:
    if file.extension != "webp":
        return 0
    return webp_table_bytes(file.content, file.image.width * file.image.height)


def decode_rgba(content: bytes) -> NDArray[np.uint8]:
    """Decode a picture with transparency, turned and in sRGB as by `decode`.

    Returns:
        (H, W, 4) uint8 RGBA.

    Raises:
        PictureError: as `decode` raises it; `no_alpha` if no pixel can be transparent.
    """
    with _open(content) as file, _decode_memory.hold(_memory_of_decode(file)):
        colors, alpha, _ = _read_layers(file)
        if alpha is None:
            mode = file.image.mode
            raise PictureError(
                "no_alpha", f"a picture of mode {mode}, which has no alpha channel: expected RGBA"
            )
        rgba = colors.convert("RGB")
        rgba.putalpha(alpha)
        return np.asarray(_turn(rgba, file.orientation))


def header_size(content: bytes) -> tuple[int, int]:
    """Return width and height in pixels, as a person sees it, from the header; nothing is decoded.

    Raises:
        PictureError: `empty`, `not_a_picture`, `zero_pixels`, `too_large`, `too_complex`, or
            `broken` if the header cannot be read.
    """
    with _open(content) as file:
        return file.size


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file whose header is read.

    Attributes:
        image: Pillow's image, as it is stored.
        extension: of its format.
        content: what Pillow reads: the file, of some formats without metadata.
        metadata: what it says about the look of the pixels.
    """

    image: ImageFile.ImageFile
    extension: str
    content: bytes
    metadata: Metadata

    @property
    def orientation(self) -> int:
        """How to turn it, 1 to 8."""
        return self.metadata.orientation

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as a person sees it."""
        width, height = self.image.size
        return (height, width) if self.orientation >= 5 else (width, height)


@contextlib.contextmanager
def _open(content: bytes) -> Iterator[_File]:
    """Yield a file whose header is read; raise PictureError if the block cannot decode it."""
    extension = sniff_extension(content)
    size = claimed_size(content, extension)
    if size and min(size) <= 0:
        raise PictureError("zero_pixels", "its header says so")
    if size and extension == "webp":  # whose decoder makes room for the pixels at once
        _check_size(*size)
    check_parts(content, extension)
    try:
        pixels, metadata = split_metadata(content, extension)
        with Image.open(io.BytesIO(pixels), formats=(FORMATS[extension],)) as image:
            _check_size(*image.size)
            if extension in ("webp", "avif"):
                info = image.info
                metadata = read_metadata(info.get("exif", b""), info.get("icc_profile", b""))
            yield _File(image=image, extension=extension, content=pixels, metadata=metadata)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError("too_large", str(error)) from error
    except UnidentifiedImageError as error:
        raise PictureError("broken", "its header cannot be read") from error
    except Exception as error:  # whatever a library raises
        code = "truncated" if "truncated" in str(error) else "broken"
        raise PictureError(code, str(error) or type(error).__name__) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PictureError("too_large", f"{width} x {height}")


def _decoded(file: _File, width: int, height: int) -> Decoded:
    """Decode a file, or what is left of it after `draft`."""
    colors, alpha, color_profile = _read_layers(file)
    if alpha is not None:
        paper = Image.new("RGB", colors.size, "white")
        colors = Image.composite(colors.convert("RGB"), paper, alpha)
    return Decoded(
        pixels=_to_array(_turn(colors, file.orientation)),
        width=width,
        height=height,
        color_profile=color_profile,
        alpha=None if alpha is None else np.asarray(_turn(alpha, file.orientation)),
    )


def _read_layers(file: _File) -> tuple[Image.Image, Image.Image | None, str]:
    """Decode a file as it is stored.

    Returns:
        Its colours in sRGB, of mode L or RGB; the opacity of its pixels, of mode L, or None if all
        of them are opaque; and what became of the colour profile.
    """
    image = file.image
    frame = image.tile[0][1] if file.extension == "gif" else None  # left, top, right, bottom
    image.load()
    colors, alpha = _split_alpha(image)
    if frame and frame != (0, 0, *image.size):  # what the first frame leaves free is transparent
        shown = Image.new("L", image.size)
        shown.paste(alpha.crop(frame) if alpha else 255, frame)
        alpha = shown
    colors, color_profile = to_srgb(colors, file.metadata.profile)
    return colors, alpha, IGNORED if file.metadata.damaged_profile else color_profile


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return colours, of mode L, RGB or CMYK, and opacity, of mode L, or None if there is none."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip it
        return _split_grey16(image)
    opaque = {"1": "L", "LA": "L", "L": "L", "CMYK": "CMYK"}.get(image.mode, "RGB")
    if not image.has_transparency_data:
        return image if image.mode == opaque else image.convert(opaque), None
    transparent = "LA" if opaque == "L" else "RGBA"
    layers = image if image.mode == transparent else image.convert(transparent)
    return layers.convert(opaque), layers.getchannel("A")


def _split_grey16(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    levels = np.asarray(image, np.int32)
    colors = Image.fromarray((levels >> 8).clip(0, 255).astype(np.uint8))
    clear = image.info.get("transparency")
    if clear is None:
        return colors, None
    return colors, Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8))


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    """Return np.asarray(image) in half the time: Pillow keeps RGB in four bytes, cheap to copy."""
    image = image if image.mode == "RGB" else image.convert("RGB")
    width, height = image.size
    rgbx = np.frombuffer(image.tobytes("raw", "RGBX"), np.uint8).reshape(height, width, 4)
    return cv2.cvtColor(rgbx, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)


def decode_grey(content: bytes) -> NDArray[np.uint8]:
    """Decode a sketch or line map that `encode_png` wrote.

    Returns:
        (H, W) uint8.

    Raises:
        PictureError: `empty`, or `broken` if the bytes are not a complete PNG.
    """
    if not content:
        raise PictureError("empty", "0 bytes")
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:  # its header gives a size that OpenCV refuses
        raise PictureError("broken", str(error)) from error
    if picture is None:
        raise PictureError("broken", "not a complete PNG")
    return picture.astype(np.uint8, copy=False)


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
        return encode_drawing_png(picture)
    order = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    encoded, content = cv2.imencode(".png", cv2.cvtColor(picture, order))
    assert encoded
    return content.tobytes()


def encode_drawing_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode a line map as a PNG in a quarter of OpenCV's time, no larger.

    Rows are not filtered: paper is long runs of 255, which deflate compresses best as they are.

    Args:
        picture: (H, W) grey or (H, W, 3) RGB uint8.
    """
    height, width, *channels = picture.shape
    pixels_of_row = picture.reshape(height, -1)
    rows = np.zeros((height, pixels_of_row.shape[1] + 1), np.uint8)  # first its filter, 0 = none
    rows[:, 1:] = pixels_of_row
    color_type = 2 if channels else 0
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)  # 8 bits, one pass
    pixels = isal_zlib.compress(rows, _COMPRESSION_LEVEL)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def keep_freed_memory() -> None:
    """Make the C library keep freed memory for the next picture, up to some 64 MB per thread.

    Pictures take a few MB each, thousands of times. Returning each one to the system and
    faulting the next one in, page by page, takes as long as decoding and resizing it.

    With other C libraries than glibc this has no effect; parameters that the user has set stay.
    """
    _set_thresholds(mmap=_MAX_MMAP_THRESHOLD, trim=2 * _MAX_MMAP_THRESHOLD)


def return_freed_memory() -> None:
    """Make the C library return freed memory to the system at once, all but 2 MB per thread.

    For work on many threads that wait for other things than memory: what each of them would keep
    adds up. With other C libraries than glibc this has no effect.
    """
    _set_thresholds(mmap=1_000_000, trim=2_000_000)


def _set_thresholds(*, mmap: int, trim: int) -> None:
    """Set the bytes from which a block is returned once freed, and the end of a heap trimmed."""
    set_malloc({"MALLOC_MMAP_THRESHOLD_": (-3, mmap), "MALLOC_TRIM_THRESHOLD_": (-1, trim)})
