"""Files of millions of parts, or of scans without end, are refused before a library reads them."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, WebPImagePlugin, features

from benchmarks.harness.fault_pictures import many_codes
from pipeline.collect.check_picture import check_picture
from pipeline.picture import PictureError, check_pixels, decode, header_size
from pipeline.picture_format import FORMATS, sniff_extension
from pipeline.picture_parts import check_parts, is_whole, webp_table_bytes
from tests.pipeline.picture_files import chunk, drawing, encoded, jpeg, jpeg_segment, png

MANY = 25_000
READABLE = [name for name in FORMATS if name != "avif" or features.check("avif")]


def gif(*blocks: bytes, behind: bytes = b"") -> bytes:
    """Return a GIF with these blocks before its frame, or behind it."""
    content = encoded(drawing().convert("P"), "gif")
    start = 13 + 3 * (2 << (content[10] & 7))
    return content[:start] + b"".join(blocks) + content[start:-1] + behind + b";"


def webp(*chunks: bytes) -> bytes:
    body = encoded(drawing(), "webp", exif=b"Exif\0\0II*\0")[12:] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def avif_of_items(number: int) -> bytes:
    """Return an AVIF with a list of further items, whose pixels are not where it says."""
    content = encoded(drawing(), "avif")
    start = content.index(b"iinf") - 4
    (length,) = struct.unpack_from(">I", content, start)
    items = b"".join(
        box(b"infe", struct.pack(">IIH4s2x", 3 << 24, 100 + item, 0, b"mime"))
        for item in range(number)
    )
    head = struct.pack(">II", 1 << 24, content[start + 13] + number)
    table = box(b"iinf", head + content[start + 14 : start + length] + items)
    grown = bytearray(content[:start] + table + content[start + length :])
    meta = content.index(b"meta") - 4
    (meta_length,) = struct.unpack_from(">I", grown, meta)
    struct.pack_into(">I", grown, meta, meta_length + len(table) - length)
    return bytes(grown)


def run_length_bmp(width: int, height: int) -> bytes:
    """Return a BMP of run lengths whose pixels are missing."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 2, 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    return b"BM" + struct.pack("<IHHI", start + 2, 0, 0, start) + header + bytes(1024) + b"\0\1"


TINY_PARTS: dict[str, Callable[[int], bytes]] = {
    "JPEG comments": lambda number: jpeg(jpeg_segment(0xFE, b"") * number),
    "JPEG JFIF": lambda number: jpeg(jpeg_segment(0xE0, bytes(14)) * number),
    "JPEG tables": lambda number: jpeg(jpeg_segment(0xDB, b"") * number),
    "JPEG restart intervals": lambda number: jpeg(jpeg_segment(0xDD, b"\0\0") * number),
    "JPEG restarts": lambda number: jpeg(b"\xff\xd0" * number),
    "PNG text": lambda number: png(chunk(b"tEXt", b"") * number),
    "PNG colour": lambda number: png(chunk(b"tRNS", bytes(6)) * number),
    "PNG of no known type": lambda number: png(chunk(b"ab_1", b"") * number),
    "PNG frames": lambda number: png(chunk(b"fcTL", bytes(26)) * number),
    "PNG behind the pixels": lambda number: png(behind=chunk(b"tEXt", b"") * number),
    "GIF comments": lambda number: gif(b"!\xfe\1a\0" * number),
    "GIF comment": lambda number: gif(b"!\xfe" + b"\1a" * number + b"\0"),
    "GIF control": lambda number: gif(b"!\xf9\4\0\0\0\0\0" * number),
    "GIF application": lambda number: gif(b"!\xff\x0b" + bytes(11) + b"\0", b"!\xff\0" * number),
    "GIF frames": lambda number: gif(behind=b",\0\0\0\0\1\0\1\0\0\2\2D\1\0" * number),
    "GIF junk": lambda number: gif(b"\1" * number),
    "WebP chunks": lambda number: webp(b"ABCD\0\0\0\0" * number),
}
if features.check("avif"):
    TINY_PARTS |= {
        "AVIF boxes": lambda number: encoded(drawing(), "avif") + box(b"free") * number,
        "AVIF items": avif_of_items,
    }


@pytest.mark.parametrize("kind", TINY_PARTS)
def test_file_of_tiny_parts_is_refused_before_a_library_reads_it(kind: str) -> None:
    content = TINY_PARTS[kind](MANY)
    for read in (header_size, decode, check_pixels, lambda content: check_picture(content, "")):
        with pytest.raises(PictureError) as caught:
            read(content)
        assert caught.value.code == "too_complex"


@pytest.mark.parametrize("kind", TINY_PARTS)
def test_file_of_some_tiny_parts_is_not(kind: str) -> None:
    content = TINY_PARTS[kind](500)
    check_parts(content, sniff_extension(content))


def test_pixels_of_a_gif_in_blocks_of_a_byte_are_refused() -> None:
    content = gif()
    start = content.index(b",\0\0\0\0") + 11
    coded = np.ones((200_000, 2), np.uint8)
    with pytest.raises(PictureError, match="too_complex"):
        decode(content[:start] + coded.tobytes() + b"\0;")
    check_parts(gif(behind=b",\0\0\0\0\1\0\1\0\0\2" + (b"\xff" * 256) * 20_000 + b"\0"), "gif")


def scans(width: int, height: int, number: int) -> bytes:
    """Return a progressive JPEG of one colour whose last scan is there several times."""
    content = encoded(Image.new("L", (width, height), 128), "jpeg", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * number + content[-2:]


def test_scans_are_limited_by_the_pixels_they_go_over() -> None:
    assert decode(scans(64, 64, 1000)).shape == (64, 64, 3)
    assert header_size(scans(4000, 4000, 10)) == (4000, 4000)
    for read in (header_size, decode, check_pixels):
        with pytest.raises(PictureError) as caught:
            read(scans(4000, 4000, 300))
        assert caught.value.code == "too_complex"


@pytest.mark.parametrize("progressive", [False, True])
def test_what_stands_behind_a_jpeg_is_not_counted(progressive: bool) -> None:
    content = encoded(drawing(), "jpeg", progressive=progressive)
    check_parts(content + b"\xff\xda\xff\xfe" * MANY, "jpg")


def test_restarts_between_coded_pixels_are_not_counted() -> None:
    content = encoded(drawing(2000, 1600), "jpeg", restart_marker_blocks=1)
    assert content.count(b"\xff\xd3") > 1000
    assert decode(content).shape == (1600, 2000, 3)


def test_tables_of_a_webp_are_those_that_its_lossless_parts_have_room_for() -> None:
    assert webp_table_bytes(many_codes(), 1024**2) > 360_000_000  # as it was measured
    assert webp_table_bytes(many_codes(64), 64**2) < 2_000_000
    assert webp_table_bytes(encoded(drawing(), "webp"), 24 * 16) == 0
    clear = drawing(300, 200)
    clear.putalpha(drawing(300, 200).getchannel("G"))
    assert 0 < webp_table_bytes(encoded(clear, "webp"), 300 * 200) < 20_000_000
    lossless = encoded(drawing(300, 200), "webp", lossless=True)
    assert 0 < webp_table_bytes(lossless, 300 * 200) < 20_000_000


def test_webp_of_many_tables_is_not_decoded_by_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("decoded")

    content = many_codes()
    monkeypatch.setattr(Image.Image, "load", fail)
    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "load", fail)
    check_pixels(content)
    with pytest.raises(PictureError, match="decoded"):
        check_pixels(many_codes(64))


@pytest.mark.parametrize("size", [(10_000, 10_000), (5000, -5000)])
def test_large_bmp_of_run_lengths_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match="too_complex"):
        decode(run_length_bmp(*size))
    with pytest.raises(PictureError, match="truncated|broken"):
        decode(run_length_bmp(1000, 1000))


@given(st.sampled_from(READABLE), st.data())
def test_whatever_a_file_holds_it_is_counted(extension: str, data: st.DataObject) -> None:
    whole = encoded(drawing(), FORMATS[extension])
    start = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.binary(max_size=64))
    content = whole[:start] + junk + whole[data.draw(st.integers(start, len(whole))) :]
    check_parts(content, extension)
    assert is_whole(content, extension) in (True, False)


@pytest.mark.parametrize("extension", sorted({"jpg", "png", "webp", "avif"} & {*READABLE}))
def test_file_is_whole_up_to_its_last_byte(extension: str) -> None:
    content = encoded(drawing(300, 200), FORMATS[extension])
    assert is_whole(content, extension)
    assert is_whole(content + b"\0junk", extension)
    for length in range(12, len(content), 7):
        assert not is_whole(content[:length], extension)


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file that is cut, or has other bytes at a few places."""
    if rng.random() < 0.3:
        return content[: rng.integers(1, len(content))]
    changed = bytearray(content)
    for place in rng.integers(0, len(changed), 3):
        changed[place] = rng.integers(256)
    return bytes(changed)


@pytest.mark.parametrize("extension", READABLE)
def test_check_finds_what_a_decoder_finds(extension: str) -> None:
    rng = np.random.default_rng(7)
    options = [{"progressive": False}, {"progressive": True}] if extension == "jpg" else [{}]
    for option in options:
        whole = encoded(drawing(64, 48), FORMATS[extension], **option)
        for _ in range(60):
            content = damaged(whole, rng)
            assert code_of(check_pixels, content) == code_of(decode, content)


def code_of(read: Callable[[bytes], object], content: bytes) -> str:
    try:
        read(content)
    except PictureError as error:
        return error.code
    return "ok"


def jpeg_of_scans(width: int, height: int, scans: int, *, frame: int = 0xC2) -> bytes:
    """Return a JPEG without coded pixels, whose scans have one colour each."""
    header = struct.pack(">BHHB", 8, height, width, 1)
    return b"\xff\xd8" + jpeg_segment(frame, header) + jpeg_segment(0xDA, b"\1") * scans


@pytest.mark.parametrize(
    ("width", "height", "frame", "allowed"),
    [
        (40_000, 10_000, 0xC2, 10),  # 4,000 million pixels
        (39_993, 9_993, 0xC2, 10),  # sides count in blocks of 8
        (40_000, 10_000, 0xCA, 1),  # arithmetic codes cost as much as eight scans
    ],
)
def test_limit_of_scans_is_exact(width: int, height: int, frame: int, allowed: int) -> None:
    check_parts(jpeg_of_scans(width, height, allowed, frame=frame), "jpg")
    with pytest.raises(PictureError, match="scans over 4,[48]00,000,000 pixels or more|6,400"):
        check_parts(jpeg_of_scans(width, height, allowed + 1, frame=frame), "jpg")


def test_scans_of_a_jpeg_that_is_not_progressive_end_with_the_colours() -> None:
    check_parts(jpeg_of_scans(40_000, 10_000, 100, frame=0xC0), "jpg")
