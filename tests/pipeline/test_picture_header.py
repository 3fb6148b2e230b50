"""Sizes from the first bytes of files."""

import contextlib
import io
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from pipeline.picture import header_size
from pipeline.picture_error import PictureError
from pipeline.picture_header import picture_size

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "BMP"] + ["AVIF"] * bool(features.check("avif"))


def encoded(name: str, width: int, height: int, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(file, name, **options)
    return file.getvalue()


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=20)
@given(width=st.integers(1, 200), height=st.integers(1, 200))
def test_size_is_that_of_the_whole_file(name: str, width: int, height: int) -> None:
    content = encoded(name, width, height)
    assert picture_size(io.BytesIO(content)) == header_size(content) == (width, height)


@pytest.mark.parametrize("orientation", range(9))
def test_a_photograph_is_turned(orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    content = encoded("JPEG", 40, 20, exif=exif, progressive=True)
    assert picture_size(io.BytesIO(content)) == header_size(content)


def test_large_metadata_come_before_the_size() -> None:
    exif = Image.Exif()
    exif[270] = "x" * 60_000
    content = encoded("JPEG", 40, 20, exif=exif, icc_profile=bytes(200_000), comment=b"y" * 60_000)
    assert picture_size(io.BytesIO(content)) == (40, 20)


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def exif_of(orientation: int) -> bytes:
    entry = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)


@pytest.mark.parametrize(
    ("before", "size"),
    [
        (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0") + segment(0xE1, exif_of(6)), (20, 40)),
        (segment(0xE1, exif_of(6)) + segment(0xE1, exif_of(1)), (20, 40)),
        (segment(0xC4, bytes(20)) + segment(0xCC, bytes(9)) + segment(0xC8, bytes(9)), (40, 20)),
        (b"\xff\x01" + b"\xff\xd0" + b"\xff" * 9 + segment(0xFE, b"comment"), (40, 20)),
        (b"\xff\xd8", (40, 20)),
        (segment(0xFE, b"") + b"junk", None),
        (segment(0xFE, b"")[:2] + b"\0\1", None),
    ],
)
def test_whatever_precedes_the_frame_of_a_jpeg(before: bytes, size: tuple[int, int] | None) -> None:
    content = encoded("JPEG", 40, 20)
    assert picture_size(io.BytesIO(content[:2] + before + content[2:])) == size


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_has_no_size_or_some(data: st.DataObject) -> None:
    content = bytearray(encoded(data.draw(st.sampled_from(FORMATS)), 30, 20))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    size: tuple[int, int] | None = None
    with contextlib.suppress(PictureError):
        size = picture_size(io.BytesIO(cut))
    assert size is None or min(size) > 0


def test_what_is_no_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"<html>")
    with (tmp_path / "a.jpg").open("rb") as file, pytest.raises(PictureError, match="starts with"):
        picture_size(file)
