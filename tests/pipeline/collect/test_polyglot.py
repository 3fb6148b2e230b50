"""Pictures that are something else besides."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.collect.polyglot import second_type

Files = dict[str, bytes]


def archive(picture: bytes) -> bytes:
    """What `cat picture archive.zip` gives, with offsets that zip readers accept."""
    content = io.BytesIO(picture)
    content.seek(0, io.SEEK_END)
    with zipfile.ZipFile(content, "a") as file:
        file.writestr("a.txt", "hello")
    return content.getvalue()


def test_pictures_alone(files: Files) -> None:
    for kind, content in files.items():
        assert second_type(content, kind) == ""


@pytest.mark.parametrize("kind", ["jpg", "png", "gif"])
def test_what_stands_behind_the_end(files: Files, kind: str) -> None:
    content = files[kind]
    assert zipfile.is_zipfile(io.BytesIO(archive(content)))
    assert second_type(archive(content), kind) == "zip"
    assert second_type(content + b"\r\n<script>alert(1)</script>", kind) == "script"
    assert second_type(content + b"<?php system($_GET[0]); ?>", kind) == "script"
    assert second_type(content + b"\0\0%PDF-1.7", kind) == "pdf"
    assert second_type(content + b"\x7fELF\x02\x01", kind) == "elf"
    assert second_type(content + b"Rar!\x1a\x07\x01\0", kind) == "rar"


@pytest.mark.parametrize("kind", ["jpg", "png", "gif"])
def test_harmless_leftovers_are_none(files: Files, kind: str) -> None:
    content = files[kind]
    for rest in (b"\n", b"\0" * 5000, b"1234", b"PK", b"PK\x05\x06", bytes(range(256)) * 9):
        assert second_type(content + rest, kind) == ""


def test_a_pdf_that_begins_as_a_picture(files: Files) -> None:
    content = files["jpg"]
    comment = b"\xff\xfe\x00\x0b%PDF-1.7\n"
    assert second_type(content[:2] + comment + content[2:], "jpg") == "pdf"


def test_coded_data_is_not_searched() -> None:
    """Compressed pixels hold any bytes, so that what looks like a mark there is none."""
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    for kind in ("JPEG", "PNG"):
        content = io.BytesIO()
        Image.fromarray(pixels).save(
            content, kind, **({"progressive": True} if kind == "JPEG" else {})
        )
        assert second_type(content.getvalue(), {"JPEG": "jpg", "PNG": "png"}[kind]) == ""
    noise = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x10tEXt<script>PK\x03\x04....CRC4\0\0\0\0IENDCRC4"
    assert second_type(noise, "png") == ""


@pytest.mark.parametrize("kind", ["jpg", "png", "gif"])
def test_any_cut_is_survived(files: Files, kind: str) -> None:
    content = files[kind]
    for end in range(0, len(content), max(1, len(content) // 200)):
        second_type(content[:end], kind)


def test_gifs_of_many_frames(tmp_path: Path) -> None:
    frames = [Image.new("P", (20, 20), n) for n in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    content = (tmp_path / "a.gif").read_bytes()
    assert second_type(content, "gif") == ""
    assert second_type(content + b"<html>", "gif") == "script"
