"""Colours become sRGB by the profile in the file; one that cannot be used costs no picture."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.color_profile import CONVERTED, IGNORED, NO_PROFILE, SRGB, to_srgb
from pipeline.picture import decode, decode_rgba, read_picture, read_thumbnail
from tests.pipeline.icc_profiles import (
    SRGB_COLORANTS,
    cmyk_profile,
    grey_profile,
    rgb_profile,
    rounded_srgb_profile,
)
from tests.pipeline.picture_files import chunk, drawing, encoded, jpeg, jpeg_segment, png

SCREEN = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = rgb_profile()


def converted(image: Image.Image, profile: bytes) -> np.ndarray:
    """Return the pixels in sRGB, as Pillow converts a whole picture."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.ImageCmsProfile(io.BytesIO(SCREEN))
    result = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    assert result is not None
    return np.asarray(result)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).max())


@pytest.mark.parametrize("file_format", ["png", "jpeg", "webp"])
def test_profile_of_a_wide_screen_is_converted(file_format: str) -> None:
    image = drawing(64, 48)
    quality = {"webp": {"lossless": True}, "jpeg": {"quality": 100, "subsampling": 0}}
    options = quality.get(file_format, {})
    content = encoded(image, file_format, icc_profile=P3, **options)
    with Image.open(io.BytesIO(content)) as stored:
        expected = converted(stored.convert("RGB"), P3)
    picture = read_picture(content)
    assert picture.color_profile == CONVERTED
    assert difference(picture.pixels, expected) <= 1
    assert difference(expected, np.asarray(image)) > 20


def test_thumbnail_of_a_jpeg_is_converted_too() -> None:
    flat = Image.new("RGB", (160, 80), (200, 40, 30))
    thumbnail = read_thumbnail(encoded(flat, "jpeg", quality=95, icc_profile=P3))
    assert thumbnail.pixels.shape == (10, 20, 3)
    assert thumbnail.color_profile == CONVERTED
    assert difference(thumbnail.pixels, converted(flat, P3)[0, 0]) <= 4


@pytest.mark.parametrize("profile", [SCREEN, rgb_profile(SRGB_COLORANTS, gamma=2.2)])
def test_pixels_in_srgb_are_left_alone_or_hardly_changed(profile: bytes) -> None:
    picture = read_picture(encoded(drawing(), icc_profile=profile))
    assert picture.color_profile == (SRGB if profile == SCREEN else CONVERTED)
    limit = 0 if profile == SCREEN else 10  # of a plain gamma, in the shadows
    assert difference(picture.pixels, np.asarray(drawing())) <= limit


def test_srgb_as_its_maker_rounds_it_changes_no_pixel() -> None:
    profile = rounded_srgb_profile()
    pixels = np.asarray(drawing())
    assert 0 < difference(converted(drawing(), profile), pixels) <= 2
    picture = read_picture(encoded(drawing(), icc_profile=profile))
    assert picture.color_profile == SRGB
    assert difference(picture.pixels, pixels) == 0


@pytest.mark.parametrize("chunk_type", [b"gAMA", b"cHRM", b"cICP"])
def test_colour_chunks_of_a_png_that_are_no_profile_are_ignored(chunk_type: bytes) -> None:
    content = png(chunk(chunk_type, bytes(range(1, 5))))
    picture = read_picture(content)
    assert picture.color_profile == NO_PROFILE
    assert (picture.pixels == read_picture(png(b"")).pixels).all()


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "L", "1"])
def test_every_mode_is_converted(mode: str) -> None:
    image = Image.new("RGB", (4, 4), (180, 180, 180)).convert(mode)
    profile = grey_profile() if mode in ("LA", "L", "1") else P3
    picture = read_picture(encoded(image, icc_profile=profile))
    assert picture.color_profile == CONVERTED
    colors = image.convert("L" if mode in ("LA", "L", "1") else "RGB")
    assert difference(picture.pixels, converted(colors, profile)) <= 1


def test_transparency_is_kept_and_lies_on_white() -> None:
    image = Image.new("RGBA", (2, 1), (200, 40, 30, 255))
    image.putpixel((0, 0), (200, 40, 30, 0))
    content = encoded(image, icc_profile=P3)
    shown = converted(image.convert("RGB"), P3)[0, 1].tolist()
    assert decode_rgba(content)[0].tolist() == [[*shown, 0], [*shown, 255]]
    assert decode(content)[0].tolist() == [[255, 255, 255], shown]


def test_cmyk_is_converted_by_its_profile() -> None:
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    profile = cmyk_profile()
    picture = read_picture(encoded(image, "jpeg", quality=100, icc_profile=profile))
    assert picture.color_profile == CONVERTED
    assert difference(picture.pixels, converted(image, profile)) <= 2
    red, green, blue = picture.pixels[0, 0].tolist()
    assert max(red, green, blue) - min(red, green, blue) <= 2  # this press has grey inks


@pytest.mark.parametrize(
    ("inks", "shown"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (0, 174, 239)),
        ((0, 255, 0, 0), (236, 0, 140)),
        ((0, 0, 255, 0), (255, 242, 0)),
        ((0, 255, 255, 0), (237, 28, 36)),
        ((0, 0, 0, 255), (35, 31, 32)),
        ((0, 0, 0, 127), (147, 149, 152)),
    ],
)
def test_cmyk_without_a_profile_looks_printed(
    inks: tuple[int, ...], shown: tuple[int, int, int]
) -> None:
    image = Image.new("CMYK", (16, 16), inks)
    picture = read_picture(encoded(image, "jpeg", quality=100))
    assert picture.color_profile == NO_PROFILE
    assert difference(picture.pixels, np.array(shown)) <= 10


@pytest.mark.parametrize(
    ("mode", "wrong"),
    [
        *((mode, wrong) for mode in ("RGB", "L", "CMYK") for wrong in (b"garbage" * 40, P3[:200])),
        ("RGB", cmyk_profile()),
        ("RGB", grey_profile()),
        ("L", P3),
        ("CMYK", P3),
    ],
)
def test_profile_that_cannot_be_used_is_ignored_and_counted(mode: str, wrong: bytes) -> None:
    image = drawing(16, 16).convert(mode)
    content = encoded(image, "jpeg", icc_profile=wrong)
    picture = read_picture(content)
    assert picture.color_profile == IGNORED
    assert (picture.pixels == decode(encoded(image, "jpeg"))).all()
    assert read_thumbnail(content).color_profile == IGNORED


@pytest.mark.parametrize(
    "content",
    [
        png(chunk(b"iCCP", b"icc\0\0broken")),
        png(chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(5_000_000)))),
        jpeg(jpeg_segment(0xE2, b"ICC_PROFILE\0\1\2" + P3)),
        encoded(drawing(), "webp", icc_profile=bytes(5_000_000)),
    ],
)
def test_damaged_profile_is_counted(content: bytes) -> None:
    assert read_picture(content).color_profile == IGNORED


def test_random_damage_to_a_profile_costs_no_picture() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        profile = bytearray((P3, cmyk_profile(), grey_profile(2.2))[seed % 3])
        for at in rng.integers(0, len(profile), rng.integers(1, 12)):
            profile[at] = rng.integers(256)
        image = drawing(6, 4).convert(("RGB", "CMYK", "L")[seed % 3])
        result, outcome = to_srgb(image, bytes(profile))
        assert result.size == image.size
        assert result.mode in ("RGB", "L")
        assert outcome in (SRGB, CONVERTED, IGNORED)


def test_large_cmyk_picture_is_printed_strip_by_strip() -> None:
    inks = np.random.default_rng(0).integers(0, 256, (7, 2000, 4), np.uint8)
    small = Image.fromarray(inks, "CMYK")
    large = Image.fromarray(np.tile(inks, (100, 1, 1)), "CMYK")
    printed = np.asarray(to_srgb(large, b"")[0])
    assert (printed == np.tile(np.asarray(to_srgb(small, b"")[0]), (100, 1, 1))).all()
