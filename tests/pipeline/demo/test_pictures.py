"""Reading the pictures that users send."""

import io
import struct
import threading
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.demo import pictures
from pipeline.demo.api_error import ApiError
from pipeline.demo.pictures import PictureLimits, read_grey, read_hints, read_rgb
from tests.pipeline.picture_files import chunk, jpeg, jpeg_exif, png, turned

LIMITS = PictureLimits(max_pixels=40_000, min_side=16)


def encode(pixels: np.ndarray, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **options)
    return buffer.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size; it holds a few pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def error_code(content: bytes) -> str:
    """The error of a file, which is the same however it is read."""
    codes = set()
    for read in (read_rgb, read_grey, read_hints):
        with pytest.raises(ApiError) as refused:
            read("picture", content, LIMITS)
        codes.add(refused.value.code)
        assert refused.value.message.startswith("`picture` ")
        assert refused.value.message.endswith(".")
    assert len(codes) == 1
    return codes.pop()


NOISE = np.random.default_rng(0).integers(0, 256, (40, 30, 4), dtype=np.uint8)


def test_transparent_pixels_become_white() -> None:
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[:10, :, 3] = 255
    read = read_rgb("image", encode(pixels), LIMITS)
    assert (read[:10] == 0).all()
    assert (read[10:] == 255).all()
    assert (read_grey("line", encode(pixels), LIMITS) == read[..., 0]).all()


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_grey_picture_is_unchanged(file_format: str) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(2, axis=0)
    assert (read_grey("line", encode(ramp, file_format), LIMITS) == ramp).all()


def test_hints_are_the_opaque_pixels() -> None:
    hints = read_hints("hints", encode(NOISE), LIMITS)
    assert (hints.mask == (NOISE[..., 3] > 127)).all()
    assert (hints.color[hints.mask] == NOISE[..., :3][hints.mask]).all()
    assert (hints.color[~hints.mask] == 0).all()
    assert hints.color.dtype == np.uint8


def test_hints_of_a_palette_png_are_read() -> None:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(0, (0, 0, 20, 5))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0)
    hints = read_hints("hints", buffer.getvalue(), LIMITS)
    assert not hints.mask[:5].any()
    assert (hints.color[5:] == [255, 0, 0]).all()


@pytest.mark.parametrize("content", [encode(NOISE[..., :3]), encode(NOISE[..., :3], "JPEG")])
def test_hints_without_an_alpha_channel_are_refused(content: bytes) -> None:
    with pytest.raises(ApiError, match="bad_field: `hints` has no alpha channel"):
        read_hints("hints", content, LIMITS)


@pytest.mark.parametrize(
    "odd",
    [(271, 5, struct.pack("<II", 1, 1)), (282, 2, b"72\0"), (296, 4, struct.pack("<I", 70000))],
)
def test_odd_exif_is_no_error(odd: tuple[int, int, bytes]) -> None:
    exif = turned(6, odd)
    for content in (jpeg(jpeg_exif(exif)), png(chunk(b"eXIf", exif))):
        assert read_rgb("image", content, LIMITS).shape == (24, 16, 3)
    hints = png(chunk(b"eXIf", exif), image=Image.new("RGBA", (24, 16), "red"))
    assert read_hints("hints", hints, LIMITS).mask.shape == (24, 16)


def test_limits_are_those_of_the_picture_that_a_person_sees() -> None:
    limits = PictureLimits(max_pixels=1000, min_side=16)
    assert read_rgb("image", jpeg(jpeg_exif(turned(6))), limits).shape == (24, 16, 3)


def test_every_format_is_read() -> None:
    for file_format in ("WEBP", "BMP", "GIF"):
        assert read_rgb("image", encode(NOISE, file_format), LIMITS).shape == (*NOISE.shape[:2], 3)


@pytest.mark.parametrize("content", [b"", b"hello", b"<svg/>", b"\x89PN", b"RIFF....WAVEfmt "])
def test_bytes_of_no_picture_are_refused(content: bytes) -> None:
    assert error_code(content) == "not_a_picture"


@pytest.mark.parametrize("size", [(50_000, 50_000), (10_000, 10_000), (201, 200), (2**31 - 1, 1)])
def test_huge_picture_is_refused_by_its_header(size: tuple[int, int]) -> None:
    content = png_claiming(*size)
    tracemalloc.start()
    assert error_code(content) == "picture_too_large"
    assert tracemalloc.get_traced_memory()[1] < 2_000_000  # bytes
    tracemalloc.stop()


def test_picture_of_too_many_parts_is_refused() -> None:
    whole = encode(np.zeros((100, 100), np.uint8))
    text = struct.pack(">I", 0) + b"tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    content = whole[:33] + text * 20_000 + whole[33:]
    assert error_code(content) == "picture_too_complex"
    with pytest.raises(ApiError, match="Save it anew"):
        read_hints("hints", content, LIMITS)


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (200, 15), (0, 16)])
def test_small_picture_is_refused(size: tuple[int, int]) -> None:
    assert error_code(png_claiming(*size)) == "picture_too_small"


def test_pixels_beyond_the_headers_size_are_not_unpacked() -> None:
    surplus = zlib.compress(bytes(200_000_000), 9)  # 200 kB
    whole = encode(np.zeros((100, 100), np.uint8))
    at = whole.index(b"IDAT") - 4
    body = b"IDAT" + surplus
    grown = (
        whole[:at] + struct.pack(">I", len(surplus)) + body + struct.pack(">I", zlib.crc32(body))
    )
    tracemalloc.start()
    assert read_rgb("image", grown + whole[-12:], LIMITS).shape == (100, 100, 3)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000  # bytes: the rest is not unpacked
    tracemalloc.stop()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF"])
def test_truncated_picture_is_refused(file_format: str, share: float) -> None:
    whole = encode(NOISE if file_format == "PNG" else NOISE[..., 0], file_format)
    with pytest.raises(ApiError) as refused:
        read_rgb("image", whole[: int(len(whole) * share)], LIMITS)
    assert refused.value.code == "broken_picture"


def test_truncated_hints_are_refused() -> None:
    whole = encode(NOISE)
    assert error_code(whole[: len(whole) // 2]) == "broken_picture"


def test_limits_are_inclusive() -> None:
    edge = np.full((200, 200), 255, np.uint8)
    assert read_grey("line", encode(edge), LIMITS).shape == (200, 200)
    assert read_grey("line", encode(edge[:16, :16]), LIMITS).shape == (16, 16)


def test_concurrent_decoding_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, maximum, lock = 0, 0, threading.Lock()
    third = threading.Event()  # set if a third thread decodes beside two

    def decode(_: bytes) -> np.ndarray:
        nonlocal inside, maximum
        with lock:
            inside += 1
            maximum = max(maximum, inside)
        if maximum > 2:
            third.set()
        third.wait(0.05)
        with lock:
            inside -= 1
        return np.zeros((20, 20, 3), np.uint8)

    monkeypatch.setattr(pictures, "decode", decode)
    monkeypatch.setattr(pictures, "LARGE_SLOTS", threading.BoundedSemaphore(2))
    content = encode(np.zeros((20, 20, 3), np.uint8))
    threads = [threading.Thread(target=read_rgb, args=("image", content, LIMITS)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert maximum == 2
