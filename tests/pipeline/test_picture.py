"""Decoding, encoding and resizing of pictures; whatever cannot be decoded has an error code."""

import contextlib
import io
import platform
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, features

from benchmarks.harness.fault_pictures import many_codes
from pipeline import picture
from pipeline.color_profile import CONVERTED
from pipeline.memory_budget import MemoryBudget
from pipeline.picture import (
    PictureError,
    check_pixels,
    decode,
    decode_grey,
    decode_rgba,
    encode_drawing_png,
    encode_png,
    header_size,
    read_file,
    read_picture,
    read_thumbnail,
    resize_long_side,
)
from pipeline.picture_format import FORMATS
from tests.pipeline.icc_profiles import rgb_profile
from tests.pipeline.picture_files import drawing

COUNT_PAGE_FAULTS = """
import resource, sys, threading
from pipeline.picture import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()

def work():
    for _ in range(100):
        blocks = [bytes([1]) * 1_000_000 * size for size in (4, 3, 4, 3)]
        del blocks

thread = threading.Thread(target=work)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""

READABLE = [name for name in FORMATS.values() if name != "AVIF" or features.check("avif")]
RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, file_format: str = "png", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def painted(mode: str = "RGB", color: object = RED) -> Image.Image:
    return Image.new(mode, (8, 6), color)  # type: ignore[arg-type]


def noise(side: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side), np.uint8))


def chunk(chunk_type: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(chunk_type + data)
    return struct.pack(">I", len(data)) + chunk_type + data + struct.pack(">I", crc)


def png_of_size(width: int, height: int) -> bytes:
    """Return a PNG whose header has this size and whose pixels are missing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def animated() -> bytes:
    frames = [painted(), painted(color=(0, 0, 255))]
    return encoded(frames[0], "gif", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("content", "color"),
    [
        (encoded(painted()), RED),
        *((encoded(painted(), name), RED) for name in ("gif", "bmp")),
        (encoded(painted(), "webp", lossless=True), RED),
        (encoded(painted("RGBA", (255, 0, 0, 0)), "webp", lossless=True), WHITE),
        (animated(), RED),
        (encoded(painted("RGBA", (255, 0, 0, 0))), WHITE),
        (encoded(painted("RGBA", (0, 0, 0, 128))), (127, 127, 127)),
        (encoded(painted("LA", (0, 0))), WHITE),
        (encoded(painted("P", 0).convert("P"), transparency=0), WHITE),
        (encoded(painted("1", 1)), WHITE),
        (encoded(painted("L", 77)), (77, 77, 77)),
        (encoded(Image.fromarray(np.full((6, 8), 0x80FF, np.uint16))), (128, 128, 128)),
    ],
)
def test_every_format_and_mode_is_decoded_to_rgb(
    content: bytes, color: tuple[int, int, int]
) -> None:
    pixels = decode(content)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (6, 8, 3)
    assert np.abs(pixels.astype(int) - color).max() <= 1


def test_cmyk_jpeg_is_decoded_to_rgb() -> None:
    pixels = decode(encoded(painted("CMYK", (0, 255, 255, 0)), "jpeg", quality=95))
    assert pixels.shape == (6, 8, 3)
    red, green, blue = pixels.reshape(-1, 3).mean(0)
    assert red > 180 > 100 > max(green, blue)


def test_picture_is_rotated_as_its_exif_says() -> None:
    image = painted()
    image.putpixel((0, 0), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    pixels = decode(encoded(image, exif=exif))
    assert pixels.shape == (8, 6, 3)
    assert tuple(pixels[0, -1]) == (0, 0, 255)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<html>404</html>", "not_a_picture"),
        (b"RIFF\x00\x00\x00\x00WEBP", "not_a_picture"),
        (encoded(noise(64), "jpeg")[:-600], "truncated"),
        (encoded(noise(64))[:-600], "truncated"),
        (b"\xff\xd8\xff" + bytes(40), "broken"),
        (b"\x89PNG\r\n\x1a\n", "broken"),
        (encoded(noise(64), "webp", lossless=True)[:-600], "broken"),
        (encoded(noise(64), "bmp")[:-600], "truncated"),
        (b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff" * 6, "too_large"),
        (png_of_size(0, 5), "zero_pixels"),
        (png_of_size(20_000, 20_000), "too_large"),
        (png_of_size(11_000, 10_000), "too_large"),
    ],
)
def test_undecodable_content_has_a_code(content: bytes, code: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(content)
    assert caught.value.code == code


@pytest.mark.parametrize("error", [AttributeError, KeyError, RuntimeError, MemoryError, TypeError])
@pytest.mark.parametrize("place", ["open", "load"])
def test_whatever_a_library_raises_is_an_error_of_the_picture(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], place: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    content = encoded(painted(), "jpeg")
    monkeypatch.setattr(
        *((Image, "open") if place == "open" else (ImageFile.ImageFile, "load")), fail
    )
    for read in (decode, read_thumbnail, decode_rgba):
        with pytest.raises(PictureError, match=f"broken: {error.__name__}"):
            read(content)


CODES = {"empty", "not_a_picture", "zero_pixels", "too_large", "truncated", "broken"}


def code_of(read: Callable[[bytes], object], content: bytes) -> str:
    try:
        read(content)
    except PictureError as error:
        return error.code
    return "ok"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_file_is_decoded_or_has_a_code(data: st.DataObject) -> None:
    file_format = data.draw(st.sampled_from(READABLE))
    content = bytearray(encoded(noise(24), file_format))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    for read in (decode, read_thumbnail, header_size, decode_rgba):
        assert code_of(read, bytes(content)) in CODES | {"ok", "no_alpha"}


def test_what_the_first_frame_of_a_gif_leaves_free_is_white() -> None:
    content = bytearray(encoded(painted(), "gif"))
    content[6:10] = struct.pack("<HH", 20, 10)
    at = content.index(b"\x2c\0\0\0\0")
    content[at + 1 : at + 5] = struct.pack("<HH", 5, 2)
    pixels = decode(bytes(content))
    assert pixels.shape == (10, 20, 3)
    assert (pixels[2:8, 5:13] == RED).all()
    pixels[2:8, 5:13] = 255
    assert (pixels == 255).all()
    assert decode_rgba(bytes(content))[..., 3].sum() == 255 * 8 * 6


def test_opacity_is_turned_with_the_picture() -> None:
    layers = np.zeros((4, 6, 4), np.uint8)
    layers[0, :2, 3] = (255, 90)
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    content = encoded(Image.fromarray(layers), exif=exif)
    picture = read_picture(content)
    assert picture.alpha is not None
    assert (picture.alpha == decode_rgba(content)[..., 3]).all()
    assert picture.alpha[:2, -1].tolist() == [255, 90]
    assert picture.alpha.sum() == 345
    assert read_picture(encoded(painted())).alpha is None


def test_picture_without_transparency_has_no_alpha() -> None:
    with pytest.raises(PictureError, match="no_alpha"):
        decode_rgba(encoded(painted()))


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(16, 96))
@settings(max_examples=60, deadline=None)
def test_resizing_keeps_the_aspect(height: int, width: int, size: int) -> None:
    resized = resize_long_side(np.zeros((height, width), np.uint8), size)
    assert max(resized.shape) == size
    scale = size / max(height, width)
    expected = (max(1, height * scale), max(1, width * scale))
    assert np.abs(np.array(resized.shape) - expected).max() <= 0.5


def test_shrinking_averages_areas() -> None:
    stripes = np.zeros((16, 16), np.uint8)
    stripes[:, ::4] = 200  # at a quarter of the size, interpolation would miss them
    assert (resize_long_side(stripes, 4) == 50).all()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_is_lossless(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    content = encode_png(pixels)
    assert (decode(encode_drawing_png(pixels)) == pixels.reshape(5, 7, -1)).all()
    if len(shape) == 2:
        assert (decode_grey(content) == pixels).all()
    else:
        assert (decode(content) == pixels).all()


@pytest.mark.parametrize(("content", "code"), [(b"\x89PNG", "broken"), (b"", "empty")])
def test_undecodable_line_map_has_a_code(content: bytes, code: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode_grey(content)
    assert caught.value.code == code


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc's allocator")
def test_kept_memory_causes_fewer_page_faults() -> None:
    command = [sys.executable, "-c", COUNT_PAGE_FAULTS]
    kept, returned = (
        int(subprocess.run([*command, mode], check=True, stdout=subprocess.PIPE).stdout)
        for mode in ("keep", "return")
    )
    assert kept < returned / 5


class RecordedBudget:
    """A budget without a limit, which records what is taken from it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.is_held = False

    @contextlib.contextmanager
    def hold(self, size: int) -> Iterator[None]:
        self.sizes.append(size)
        self.is_held = True
        yield
        self.is_held = False


def test_memory_is_held_while_a_picture_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    budget, read_layers = RecordedBudget(), picture._read_layers

    def read(file: object) -> object:
        assert budget.is_held
        return read_layers(file)

    monkeypatch.setattr(picture, "_decode_memory", budget)
    monkeypatch.setattr(picture, "_read_layers", read)
    clear = drawing()
    clear.putalpha(drawing().getchannel("R"))
    for decode_one, content in (
        (decode, encoded(drawing())),
        (read_thumbnail, encoded(drawing())),
        (decode_rgba, encoded(clear)),
    ):
        decode_one(content)
        assert budget.sizes.pop() == 24 * 16 * 20
    decode(many_codes(64))
    assert budget.sizes.pop() > 64 * 64 * 20 + 1_000_000


def test_threads_decode_no_more_at_a_time_than_the_largest_picture() -> None:
    hold = picture._decode_memory.hold
    with hold(20 * picture.MAX_PIXELS - 1), hold(1, 0), pytest.raises(TimeoutError), hold(1, 0):
        pass


def test_metadata_of_webp_is_heeded() -> None:
    image = painted()
    image.putpixel((0, 0), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = {"exif": exif.tobytes(), "icc_profile": rgb_profile()}
    found = read_picture(encoded(image, "webp", lossless=True, **wide))
    assert (found.width, found.height, found.pixels.shape) == (6, 8, (8, 6, 3))
    assert found.color_profile == CONVERTED
    assert found.pixels[0, -1, 2] > 200 > 50 > found.pixels[0, -1, 0]


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (encoded(noise(64), "jpeg"), 64),  # one pixel in 64
        (encoded(noise(64), "jpeg", progressive=True), 64 * 64 * 2),  # all coefficients
        (encoded(noise(64).convert("RGB"), "jpeg", progressive=True), 64 * 64 * 2 * 3),
        (encoded(noise(64)), 64 * 64),
        (encoded(noise(64).convert("RGB")), 64 * 64 * 4),
        (encoded(noise(64), "gif"), 64 * 64),
        (encoded(noise(64), "webp"), 64 * 64 * 16),
    ],
)
def test_memory_of_a_check(monkeypatch: pytest.MonkeyPatch, content: bytes, size: int) -> None:
    held = []

    class Budget(MemoryBudget):
        def hold(self, size: int, timeout: float | None = None) -> AbstractContextManager[None]:
            held.append(size)
            return super().hold(size, timeout)

    monkeypatch.setattr("pipeline.picture._check_memory", Budget(10**6))
    check_pixels(content)
    assert held == [size]


def test_picture_that_needs_too_much_memory_is_looked_at_for_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.picture._CHECK_BYTES", 64 * 64 - 1)
    content = encoded(noise(64))
    flipped = content[:100] + bytes([content[100] ^ 1]) + content[101:]
    check_pixels(flipped)  # not decoded
    with pytest.raises(PictureError, match="truncated: the end of the file is missing"):
        check_pixels(content[:-12])
    with pytest.raises(PictureError, match="truncated"):
        check_pixels(encoded(noise(64), "gif")[:-600])  # takes little memory whatever its size


def test_file_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_file(tmp_path / "a") == b"12345"
    for wrong in (tmp_path, tmp_path / "none"):
        with pytest.raises(PictureError, match="unreadable: not a file"):
            read_file(wrong)
    monkeypatch.setattr("pipeline.picture._MAX_BYTES", 5)
    assert read_file(tmp_path / "a") == b"12345"
    monkeypatch.setattr("pipeline.picture._MAX_BYTES", 4)
    with pytest.raises(PictureError, match="too_large"):
        read_file(tmp_path / "a")


def test_thumbnail_is_an_eighth_of_a_jpeg_and_all_of_other_files() -> None:
    content = encoded(noise(100), "jpeg")
    thumbnail = read_thumbnail(content)
    assert (thumbnail.pixels.shape, thumbnail.width, thumbnail.height) == ((13, 13, 3), 100, 100)
    assert read_thumbnail(encoded(noise(100))).pixels.shape == (100, 100, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_thumbnail(encoded(noise(100), "jpeg", exif=exif)).pixels.shape == (100, 100, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(orientation: int) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(pixels), exif=exif)
    upright = [
        pixels,
        pixels[:, ::-1],
        pixels[::-1, ::-1],
        pixels[::-1],
        pixels.transpose(1, 0, 2),
        np.rot90(pixels, -1),
        np.rot90(pixels.transpose(1, 0, 2), 2),
        np.rot90(pixels),
    ][orientation - 1]
    assert (decode(content) == upright).all()
    assert header_size(content) == (upright.shape[1], upright.shape[0])
    assert (
        decode_rgba(encoded(Image.fromarray(pixels).convert("RGBA"), exif=exif))
        == np.dstack([upright, np.full(upright.shape[:2], 255)])
    ).all()


def test_transparent_grey_of_16_bits() -> None:
    levels = np.array([[0, 0x1234, 0xFFFF]], np.uint16)
    content = encoded(Image.fromarray(levels), transparency=0x1234)
    assert decode(content)[0, :, 0].tolist() == [0, 255, 255]
    assert decode_rgba(content)[0].tolist() == [
        [0, 0, 0, 255],
        [0x12, 0x12, 0x12, 0],
        [255, 255, 255, 255],
    ]


@pytest.mark.parametrize(("size", "side"), [(5, 5), (11, 11), (10, 10)])
def test_resized_to_the_long_side(size: int, side: int) -> None:
    pixels = np.full((10, 4, 3), 9, np.uint8)
    resized = resize_long_side(pixels, size)
    assert resized.shape == (side, max(1, round(4 * size / 10)), 3)
    assert (resized == 9).all()
    assert (resize_long_side(np.zeros((100, 1), np.uint8), 10)).shape == (10, 1)


def test_png_of_every_number_of_channels() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 4), np.uint8)
    for each in (pixels[..., 0], pixels[..., :3], pixels):
        found = Image.open(io.BytesIO(encode_png(np.ascontiguousarray(each))))
        assert (np.asarray(found) == each).all()
