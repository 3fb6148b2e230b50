"""From the bytes that users send to pixels."""

import io
import struct
import threading
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.demo import pictures
from pipeline.demo.api_error import Problem
from pipeline.demo.pictures import Limits, read_grey, read_hints, read_rgb

LIMITS = Limits(pixels=40_000, smallest_side=16)


def png(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def claims(width: int, height: int) -> bytes:
    """A PNG whose header claims a size; it holds a few pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def code_of(content: bytes, limits: Limits = LIMITS) -> str:
    """What is wrong, whichever way it is read."""
    codes = set()
    for read in (read_rgb, read_grey, read_hints):
        with pytest.raises(Problem) as refused:
            read("picture", content, limits)
        codes.add(refused.value.code)
        assert refused.value.message.startswith("`picture` ")
        assert refused.value.message.endswith(".")
    assert len(codes) == 1
    return codes.pop()


NOISE = np.random.default_rng(0).integers(0, 256, (40, 30, 4), dtype=np.uint8)


def test_what_is_transparent_shows_white() -> None:
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[:10, :, 3] = 255
    read = read_rgb("image", png(pixels), LIMITS)
    assert (read[:10] == 0).all()
    assert (read[10:] == 255).all()
    assert (read_grey("line", png(pixels), LIMITS) == read[..., 0]).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_grey_stays_as_it_is(kind: str) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(2, axis=0)
    assert (read_grey("line", png(ramp, kind), LIMITS) == ramp).all()


def test_hints_are_the_opaque_pixels() -> None:
    hints = read_hints("hints", png(NOISE), LIMITS)
    assert (hints.mask == (NOISE[..., 3] > 127)).all()
    assert (hints.color[hints.mask] == NOISE[..., :3][hints.mask]).all()
    assert (hints.color[~hints.mask] == 0).all()
    assert hints.color.dtype == np.uint8


def test_hints_from_a_palette() -> None:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(0, (0, 0, 20, 5))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0)
    hints = read_hints("hints", buffer.getvalue(), LIMITS)
    assert not hints.mask[:5].any()
    assert (hints.color[5:] == [255, 0, 0]).all()


@pytest.mark.parametrize("content", [png(NOISE[..., :3]), png(NOISE[..., :3], "JPEG")])
def test_hints_need_an_alpha_channel(content: bytes) -> None:
    with pytest.raises(Problem, match="bad_field: `hints` has no alpha channel"):
        read_hints("hints", content, LIMITS)


@pytest.mark.parametrize("content", [b"", b"hello", b"<svg/>", b"\x89PN", b"RIFF....WEBPVP8 "])
def test_no_picture(content: bytes) -> None:
    assert code_of(content) == "not_a_picture"


@pytest.mark.parametrize("size", [(50_000, 50_000), (10_000, 10_000), (201, 200), (2**31 - 1, 1)])
def test_a_bomb_is_known_by_its_header(size: tuple[int, int]) -> None:
    content = claims(*size)
    tracemalloc.start()
    assert code_of(content) == "picture_too_large"
    assert tracemalloc.get_traced_memory()[1] < 2_000_000  # bytes
    tracemalloc.stop()


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (200, 15), (0, 16)])
def test_a_small_picture(size: tuple[int, int]) -> None:
    assert code_of(claims(*size)) == "picture_too_small"


def test_pixels_that_unpack_to_more_than_the_header_claims() -> None:
    much = zlib.compress(bytes(200_000_000), 9)  # 200 kB
    whole = png(np.zeros((100, 100), np.uint8))
    at = whole.index(b"IDAT") - 4
    body = b"IDAT" + much
    grown = whole[:at] + struct.pack(">I", len(much)) + body + struct.pack(">I", zlib.crc32(body))
    tracemalloc.start()
    assert read_rgb("image", grown + whole[-12:], LIMITS).shape == (100, 100, 3)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000  # bytes: the rest is not unpacked
    tracemalloc.stop()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_half_a_picture(kind: str, share: float) -> None:
    whole = png(NOISE if kind == "PNG" else NOISE[..., 0], kind)
    with pytest.raises(Problem) as refused:
        read_rgb("image", whole[: int(len(whole) * share)], LIMITS)
    assert refused.value.code == "broken_picture"


def test_half_of_hints() -> None:
    whole = png(NOISE)
    assert code_of(whole[: len(whole) // 2]) == "broken_picture"


def test_the_limits_are_inclusive() -> None:
    edge = np.full((200, 200), 255, np.uint8)
    assert read_grey("line", png(edge), LIMITS).shape == (200, 200)
    assert read_grey("line", png(edge[:16, :16]), LIMITS).shape == (16, 16)


def test_no_more_are_decoded_at_once_than_memory_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, lock = 0, 0, threading.Lock()
    third = threading.Event()  # a third one has come in beside two

    def decode(_: bytes) -> np.ndarray:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        if most > 2:
            third.set()
        third.wait(0.05)
        with lock:
            inside -= 1
        return np.zeros((20, 20, 3), np.uint8)

    monkeypatch.setattr(pictures, "decode", decode)
    monkeypatch.setattr(pictures, "_DECODING", threading.BoundedSemaphore(2))
    content = png(np.zeros((20, 20, 3), np.uint8))
    threads = [threading.Thread(target=read_rgb, args=("image", content, LIMITS)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
