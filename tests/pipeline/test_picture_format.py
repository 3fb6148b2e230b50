"""Formats are told by the first bytes of a file, and sizes read from them."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, features
from PIL.Image import registered_extensions

from pipeline.picture import PictureError, decode
from pipeline.picture_format import EXTENSIONS, FORMATS, claimed_size, sniff_extension

READABLE = [extension for extension in FORMATS if extension != "avif" or features.check("avif")]


def content_of(extension: str, width: int = 13, height: int = 7, **options: object) -> bytes:
    file = io.BytesIO()
    picture = Image.fromarray(np.zeros((height, width, 3), np.uint8))
    picture.save(file, FORMATS[extension], **options)
    return file.getvalue()


@pytest.mark.parametrize("extension", READABLE)
def test_extension_is_sniffed_from_the_first_bytes(extension: str) -> None:
    assert sniff_extension(content_of(extension)) == extension
    assert decode(content_of(extension)).shape == (7, 13, 3)


def test_extensions_are_those_of_their_formats() -> None:
    registered = registered_extensions()
    for extension, kind in EXTENSIONS.items():
        assert registered.get(f".{extension}", FORMATS[kind]) == FORMATS[kind]
    assert set(FORMATS) == set(EXTENSIONS.values())


@pytest.mark.parametrize(
    "content",
    [
        b"BM is a text about bitmaps, no picture",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"GIF8.8",
    ],
)
def test_other_files_are_no_pictures(content: bytes) -> None:
    with pytest.raises(PictureError, match="not_a_picture"):
        sniff_extension(content)


def test_avif_is_named_if_pillow_cannot_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.picture_format._reads_avif", lambda: False)
    with pytest.raises(PictureError, match="not_a_picture: AVIF, which this Pillow cannot read"):
        sniff_extension(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1")


@pytest.mark.parametrize(
    "content",
    [
        content_of("png"),
        content_of("gif"),
        content_of("bmp"),
        content_of("webp"),
        content_of("webp", lossless=True),
        content_of("webp", exif=b"II*\0"),
    ],
)
def test_size_is_read_from_the_first_bytes(content: bytes) -> None:
    extension = sniff_extension(content)
    assert claimed_size(content, extension) == (13, 7)
    for end in range(len(content[:40])):
        claimed_size(content[:end], extension)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-3, 5)])
def test_bmp_without_pixels_has_a_code(size: tuple[int, int]) -> None:
    content = content_of("bmp")
    with pytest.raises(PictureError, match="zero_pixels"):
        decode(content[:18] + struct.pack("<ii", *size) + content[26:])


def test_rows_of_a_bmp_may_begin_at_the_top() -> None:
    content = content_of("bmp")
    assert claimed_size(content[:22] + struct.pack("<i", -7) + content[26:], "bmp") == (13, 7)
