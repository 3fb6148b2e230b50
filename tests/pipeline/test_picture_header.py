"""Sizes from the first bytes of files."""

import contextlib
import io
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
