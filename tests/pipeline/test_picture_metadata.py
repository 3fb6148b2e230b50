"""Metadata turns a picture or is skipped, whatever it is; the pixels are never lost over it."""

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, features

from pipeline.collect.check_picture import check_picture
from pipeline.picture import decode, header_size, read_thumbnail
from pipeline.picture_metadata import read_orientation, split_metadata
from tests.pipeline.picture_files import (
    chunk,
    drawing,
    encoded,
    jpeg,
    jpeg_exif,
    jpeg_segment,
    png,
    random_chunk,
    random_exif,
    raw_profile,
    tiff,
    turned,
)

Array = np.ndarray

TURNS: dict[int, Callable[[Array], Array]] = {
    1: lambda seen: seen,
    2: lambda seen: seen[:, ::-1],
    3: lambda seen: seen[::-1, ::-1],
    4: lambda seen: seen[::-1],
    5: lambda seen: seen.transpose(1, 0, 2),
    6: lambda seen: np.rot90(seen, 1),
    7: lambda seen: np.rot90(seen, 2).transpose(1, 0, 2),
    8: lambda seen: np.rot90(seen, -1),
}
"""How to store a picture so that a viewer who turns it by its orientation shows it upright."""

WITH_EXIF: dict[str, Callable[[Image.Image, bytes], bytes]] = {
    "jpg": lambda image, exif: jpeg(jpeg_exif(exif), image=image),
    "png": lambda image, exif: png(chunk(b"eXIf", exif), image=image),
    "png, behind its pixels": lambda image, exif: png(image=image, behind=chunk(b"eXIf", exif)),
    "png, as text": lambda image, exif: png(raw_profile(exif), image=image),
    "webp": lambda image, exif: encoded(image, "webp", exif=exif, lossless=True),
}


def seen_by_all_stages(content: bytes, url: str = "http://x/a") -> Array:
    """Return a picture after every function that reads one has read it."""
    check_picture(content, url)
    pixels = decode(content)
    height, width = pixels.shape[:2]
    assert header_size(content) == (width, height)
    thumbnail = read_thumbnail(content)
    assert (thumbnail.width, thumbnail.height) == (width, height)
    assert thumbnail.pixels.shape in {pixels.shape, (-(-height // 8), -(-width // 8), 3)}
    return pixels


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", WITH_EXIF)
def test_picture_is_turned_by_its_orientation(kind: str, orientation: int, order: str) -> None:
    upright = np.asarray(drawing())
    stored = Image.fromarray(np.ascontiguousarray(TURNS[orientation](upright)))
    pixels = seen_by_all_stages(WITH_EXIF[kind](stored, turned(orientation, order=order)))
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 4  # a JPEG is not exact


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize("odd", [(271, 5, struct.pack("<II", 1, 1)), (282, 2, b"72\0")])
def test_avif_is_turned_whatever_its_exif_holds(odd: tuple[int, int, bytes]) -> None:
    upright = drawing(64, 48)
    stored = Image.fromarray(np.ascontiguousarray(TURNS[6](np.asarray(upright))))
    maker = (271, 2, b"a camera of some make, and its model\0")
    content = encoded(stored, "avif", exif=turned(6, maker), quality=95)
    start, end = content.index(b"II*\0"), content.index(maker[2]) + len(maker[2])
    content = content[:start] + turned(1, odd).ljust(end - start, b"\0") + content[end:]
    pixels = seen_by_all_stages(content)
    assert np.abs(pixels.astype(int) - np.asarray(upright)).mean() < 8


@pytest.mark.parametrize("kind", WITH_EXIF)
def test_no_exif_costs_a_picture(kind: str) -> None:
    image = drawing()
    for seed in range(400):
        exif = random_exif(np.random.default_rng(seed))
        content = WITH_EXIF[kind](image, exif)
        expected = image.size if read_orientation(exif) < 5 else image.size[::-1]
        height, width = decode(content).shape[:2]
        assert (width, height) == header_size(content) == expected
        if seed < 40:
            seen_by_all_stages(content)


def test_no_chunk_beside_the_pixels_costs_a_picture() -> None:
    expected = {drawing().size, drawing().size[::-1]}
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        chunks = [random_chunk(rng) for _ in range(rng.integers(1, 4))]
        content = png(*chunks[1:], behind=chunks[0])
        assert header_size(content) in expected
        assert decode(content).shape in {(16, 24, 3), (24, 16, 3)}
        if seed < 100:
            seen_by_all_stages(content)


def test_no_segment_before_the_pixels_costs_a_picture() -> None:
    starts = (b"Exif\0\0", b"JFIF\0", b"Adobe", b"ICC_PROFILE\0", b"MPF\0", b"Photoshop 3.0\0")
    starts += (b"http://ns.adobe.com/xap/1.0/\0", b"FPXR\0", b"")
    for seed in range(500):
        rng = np.random.default_rng(seed)
        segments = [
            jpeg_segment(
                int(rng.choice((*range(0xE0, 0xEE), 0xEF, 0xFE))),
                starts[rng.integers(len(starts))] + rng.bytes(int(rng.choice((0, 2, 9, 40)))),
            )
            for _ in range(rng.integers(1, 4))
        ]
        content = jpeg(*segments, b"\xff" * int(rng.integers(3)))
        assert decode(content).shape in {(16, 24, 3), (24, 16, 3)}
        if seed < 100:
            seen_by_all_stages(content)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<a/>" * 500_000)),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000))),
        chunk(b"eXIf", b"garbage!"),
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(80_000_000))),
        chunk(b"iCCP", b"icc\0\0broken"),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 10\nzz45\n")),
        chunk(b"eXIf", turned(1))[:-1] + b"?",
        chunk(b"acTL", b"\0"),
    ],
)
def test_large_or_broken_chunk_is_skipped_in_bounded_memory(extra: bytes) -> None:
    content = png(extra, image=drawing(60, 40))
    tracemalloc.start()
    pixels = seen_by_all_stages(content)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000  # bytes
    tracemalloc.stop()
    assert (pixels == np.asarray(drawing(60, 40))).all()


@pytest.mark.parametrize("fill", [b"\xff", b"\0", b"\xff\0"])
def test_junk_between_segments_is_skipped_at_once(fill: bytes) -> None:
    started = time.process_time()
    junk, comment = fill * 10_000_000, jpeg_segment(0xFE, b"a comment")
    content = jpeg(comment, junk, jpeg_exif(turned(6)), junk)
    assert decode(content).shape == (24, 16, 3)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_entries_that_claim_the_whole_file_do_not_fill_the_memory(kind: str) -> None:
    entries = 4000
    entry = struct.pack("<HHII", 37500, 7, 60_000, 8)
    exif = b"II*\0" + struct.pack("<IH", 8, entries) + entry * entries + bytes(10_000)
    content = WITH_EXIF[kind](drawing(), exif)
    tracemalloc.start()
    seen_by_all_stages(content)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000  # bytes; each entry is 60,000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"MM*\0" + bytes(20),
        tiff((271, 2, b"a camera\0")),
        tiff((274, 3, struct.pack("<H", 9))),
        tiff((274, 3, struct.pack("<HH", 6, 6))),
        tiff((274, 2, b"6\0")),
        tiff((271, 2, b"a"), count=60_000),
    ],
)
def test_orientation_is_1_if_there_is_no_valid_one(exif: bytes) -> None:
    assert read_orientation(exif) == 1
    assert read_orientation(b"Exif\0\0" + turned(8)) == 8


@pytest.mark.parametrize("parts", [1, 3])
def test_profile_of_a_jpeg_is_put_together_from_its_parts(parts: int) -> None:
    pieces = [
        jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes((number + 1, parts)) + b"piece%d" % number)
        for number in range(parts)
    ]
    _, metadata = split_metadata(jpeg(*reversed(pieces)), "jpg")
    assert metadata.profile == b"".join(b"piece%d" % number for number in range(parts))
    if parts > 1:
        _, metadata = split_metadata(jpeg(*pieces[1:]), "jpg")
        assert (metadata.profile, metadata.damaged_profile) == (b"", True)


@pytest.mark.parametrize(
    ("depth", "color_type", "key", "clear"),
    [
        (1, 0, b"\0\1", {1}),
        (2, 0, b"\0\2", {2}),
        (4, 0, b"\0\5", {5}),
        (8, 0, b"\0\7", {7}),
        (16, 0, b"\1\0", {1}),  # the pixel 0x0100
        (8, 2, b"\0\7\0\7\0\7", {7}),
        (16, 2, b"\1\0\1\0\1\0", {1}),
        (8, 0, b"\0", set()),  # too short: of no effect
        (8, 2, b"\0\7", set()),
        (8, 6, b"\0\7", set()),
    ],
)
def test_transparent_colour_becomes_white_at_every_depth(
    depth: int, color_type: int, key: bytes, clear: set[int]
) -> None:
    values = list(range(min(1 << depth, 8)))
    channels = {0: 1, 2: 3, 6: 4}[color_type]
    if depth < 8:
        row = int("".join(f"{value:0{depth}b}" for value in values).ljust(64, "0"), 2)
        packed = row.to_bytes(8, "big")[: -(-len(values) * depth // 8)]
    else:
        pixels = [bytes([value, 0][: depth // 8]) for value in values]
        packed = b"".join(pixel * (channels if color_type == 2 else 1) for pixel in pixels)
        if color_type == 6:
            packed = b"".join(pixel * 3 + b"\xff" for pixel in pixels)
    header = struct.pack(">IIBBBBB", len(values), 1, depth, color_type, 0, 0, 0)
    image = chunk(b"IDAT", zlib.compress(b"\0" + packed))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tRNS", key) + image
    shown = decode(content + chunk(b"IEND", b""))[0, :, 0]
    highest = (1 << min(depth, 8)) - 1
    expected = [255 if value in clear else value * 255 // highest for value in values]
    assert shown.tolist() == expected
