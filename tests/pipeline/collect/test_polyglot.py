"""Pictures that are also an archive, a script or a program."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from pipeline.collect.polyglot import second_type
from pipeline.picture_format import FORMATS

Files = dict[str, bytes]

READABLE = [extension for extension in FORMATS if extension != "avif" or features.check("avif")]


def archive(picture: bytes) -> bytes:
    """What `cat picture archive.zip` gives, with offsets that zip readers accept."""
    content = io.BytesIO(picture)
    content.seek(0, io.SEEK_END)
    with zipfile.ZipFile(content, "a") as file:
        file.writestr("a.txt", "hello")
    return content.getvalue()


def test_plain_pictures_have_no_second_type(files: Files) -> None:
    for extension, content in files.items():
        assert second_type(content, extension) == ""


@pytest.mark.parametrize("extension", READABLE)
def test_trailing_files_are_found(files: Files, extension: str) -> None:
    content = files[extension]
    assert zipfile.is_zipfile(io.BytesIO(archive(content)))
    assert second_type(archive(content), extension) == "zip"
    assert second_type(content + b"\r\n<script>alert(1)</script>", extension) == "script"
    assert second_type(content + b"<?php system($_GET[0]); ?>", extension) == "script"
    assert second_type(content + b"\0\0%PDF-1.7", extension) == "pdf"
    assert second_type(content + b"\x7fELF\x02\x01", extension) == "elf"
    assert second_type(content + b"Rar!\x1a\x07\x01\0", extension) == "rar"


@pytest.mark.parametrize("extension", READABLE)
def test_harmless_trailing_bytes_are_ignored(files: Files, extension: str) -> None:
    content = files[extension]
    for rest in (b"\n", b"\0" * 5000, b"1234", b"PK", b"PK\x05\x06", bytes(range(256)) * 9):
        assert second_type(content + rest, extension) == ""


def test_pdf_header_in_a_comment_is_found(files: Files) -> None:
    content = files["jpg"]
    comment = b"\xff\xfe\x00\x0b%PDF-1.7\n"
    assert second_type(content[:2] + comment + content[2:], "jpg") == "pdf"


def test_signatures_in_pixel_data_are_ignored() -> None:
    """Compressed pixels hold any bytes, so that a signature there means nothing."""
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    for image_format in ("JPEG", "PNG"):
        content = io.BytesIO()
        Image.fromarray(pixels).save(
            content, image_format, **({"progressive": True} if image_format == "JPEG" else {})
        )
        assert second_type(content.getvalue(), {"JPEG": "jpg", "PNG": "png"}[image_format]) == ""
    noise = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x10tEXt<script>PK\x03\x04....CRC4\0\0\0\0IENDCRC4"
    assert second_type(noise, "png") == ""


@pytest.mark.parametrize("extension", READABLE)
def test_truncated_pictures_raise_nothing(files: Files, extension: str) -> None:
    content = files[extension]
    for end in range(0, len(content), max(1, len(content) // 200)):
        second_type(content[:end], extension)


def test_end_of_an_animated_gif_is_found(tmp_path: Path) -> None:
    frames = [Image.new("P", (20, 20), n) for n in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    content = (tmp_path / "a.gif").read_bytes()
    assert second_type(content, "gif") == ""
    assert second_type(content + b"<html>", "gif") == "script"
