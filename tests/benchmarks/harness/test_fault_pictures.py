"""Pictures that cost much are what their names say, and pictures all the same."""

import io
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.harness.child import in_child
from benchmarks.harness.fault_pictures import (
    MILLIONS,
    ZIP_END,
    bomb,
    endless_gzip,
    many_codes,
    noise,
    picture,
    scans,
    tiny_parts,
)

DECODE = """
import re, sys
from pathlib import Path
from PIL import Image
Image.open(sys.argv[1]).load()
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1e3)
"""


def pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


def test_every_number_has_its_picture() -> None:
    assert picture(1) == picture(1) != picture(2)
    assert Image.open(io.BytesIO(picture(1, "GIF"))).format == "GIF"


def test_noise_takes_three_bytes_for_a_pixel() -> None:
    assert 0 < len(noise(100)) - 3 * 100**2 < 1000


def test_bomb_is_a_small_file_of_400_million_pixels() -> None:
    content = bomb()
    assert 390_000 < len(content) < 450_000
    assert struct.unpack_from(">II", content, 16) == (20_000, 20_000)
    length, kind = struct.unpack_from(">I4s", content, 33)
    assert kind == b"IDAT"
    stream = content[41 : 41 + length]
    block = stream[2:-6][: (length - 8) // 200]
    assert stream == b"\x78\x9c" + block * 200 + stream[-6:]
    small = b"\x78\x9c" + block + b"\3\0" + struct.pack(">HH", 2_000_100 % 65521, 1)
    assert zlib.decompress(small) == bytes(2_000_100)
    assert stream[-4:] == struct.pack(">HH", 400_020_000 % 65521, 1)  # Adler-32 of zeros


def test_scans_are_as_many_as_asked_for() -> None:
    content = scans(1000)
    assert content.count(b"\xff\xda") == 1000
    assert 90_000 < len(content) < 100_000
    assert Image.open(io.BytesIO(content)).size == (4000, 4000)
    small = scans(40, side=64)
    assert small.count(b"\xff\xda") == 40
    assert {*pixels(small)} == {128}


@pytest.mark.parametrize(
    ("extension", "file_format", "part"),
    [
        ("jpg", "JPEG", b"\xff\xfe\0\2"),
        ("png", "PNG", b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))),
        ("gif", "GIF", b"!\xfe\1a\0"),
    ],
)
def test_tiny_parts_are_comments_of_a_picture(
    extension: str, file_format: str, part: bytes
) -> None:
    content = tiny_parts(extension, 100)
    whole = picture(1, file_format)
    assert content.count(part) == 100
    assert len(content) == len(whole) + 100 * len(part)
    assert pixels(content) == pixels(whole)
    size = len(whole) + MILLIONS[extension] * len(part)
    assert 30_000_000 < size < 30_500_000


def test_gzip_goes_on_after_every_megabyte() -> None:
    content = endless_gzip(5)
    unpacker = zlib.decompressobj(wbits=31)
    assert unpacker.decompress(content) == bytes(5_000_000)
    assert not unpacker.eof
    assert len(endless_gzip(1000)) < 1_000_000


def test_end_of_a_zip_is_a_zip_file() -> None:
    assert zipfile.ZipFile(io.BytesIO(picture(1) + ZIP_END)).namelist() == []


def test_codes_are_many_for_a_few_pixels() -> None:
    small = many_codes(128)
    with Image.open(io.BytesIO(small)) as image:
        assert (image.format, image.size) == ("WEBP", (128, 128))
        assert {*image.convert("RGB").tobytes()} == {0}
    # 16 bits for the number of a block, and 20 for its codes.
    assert len(many_codes()) - len(small) == (256**2 - 32**2) * 36 // 8


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_one_of_the_codes_takes_memory(tmp_path: Path) -> None:
    script, file = tmp_path / "script.py", tmp_path / "file"
    script.write_text(DECODE)
    peaks = []
    for content in (many_codes(64), many_codes()):
        file.write_bytes(content)
        peaks.append(float(in_child(str(script), str(file))))
    assert 330 < peaks[1] - peaks[0] < 420  # MB
