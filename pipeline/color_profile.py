"""Colours as a screen shows them: from a picture's colour profile, or from CMYK, to sRGB."""

from __future__ import annotations

import io
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageFilter

NO_PROFILE = "none"
SRGB = "srgb"
CONVERTED = "converted"
IGNORED = "ignored"

_SAME_LEVELS = 2  # of 255: profiles that change no colour by more are sRGB, as rounded by its maker
_GRID = 17  # levels per channel at which profiles are compared
_COLOR_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}
"""The colour space of a profile, as ICC writes it, by the mode of pictures that it is for."""

# What eight solid inks of a press show, US Web Coated (SWOP) in sRGB: bare paper, cyan, magenta,
# both, yellow, yellow with cyan, with magenta, with both. The black ink is dark grey.
_INKS = (
    (255, 255, 255), (0, 174, 239), (236, 0, 140), (46, 49, 146),
    (255, 242, 0), (0, 166, 81), (237, 28, 36), (54, 54, 57),
)  # fmt: skip
_BLACK_INK = (35, 31, 32)
_STRIP_PIXELS = 1 << 20  # printed at once, to bound the memory


def to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    """Return a picture in sRGB, and what became of its profile.

    Args:
        image: of mode L, RGB or CMYK.
        profile: ICC profile of its colours; empty without one.

    Returns:
        The picture, of mode RGB, or L if it needed no conversion; and `NO_PROFILE`, `SRGB` if it
        was in sRGB already, `CONVERTED`, or `IGNORED` if the profile is damaged or is for another
        colour space.
    """
    outcome = NO_PROFILE
    if profile:
        try:
            transform = _transform(profile, image.mode)
            outcome = CONVERTED if transform else SRGB
            if transform:
                return transform.apply(image), outcome
        except Exception:  # noqa: BLE001, RUF100 - whatever it is, the pixels are good without it
            outcome = IGNORED
    return print_cmyk(image) if image.mode == "CMYK" else image, outcome


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the conversion of pictures of a mode to sRGB; None if it would change nothing.

    Made once for the pictures of one program or press, since it takes longer than to use it.

    Raises:
        ValueError: If the profile is for another colour space.
        Exception: Whatever Little CMS raises.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space != _COLOR_SPACES[mode]:
        raise ValueError(f"a profile of {source.profile.xcolor_space} for {mode}")
    transform = ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    if mode == "CMYK":
        return transform
    before = _colors(mode)
    after = transform.apply(before)
    difference = np.asarray(ImageChops.difference(before.convert("RGB"), after))
    return transform if difference.max() > _SAME_LEVELS else None


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _colors(mode: str) -> Image.Image:
    """Return a picture of all greys, or of colours on a grid."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, _GRID).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    return Image.fromarray(grid.reshape(_GRID, -1, 3))


def print_cmyk(image: Image.Image) -> Image.Image:
    """Return what a press makes of a CMYK picture without a profile, in RGB.

    Every pixel is a mean of the solid inks, weighted by their amounts (Neugebauer), and the black
    ink darkens it.
    """
    width, height = image.size
    printed = Image.new("RGB", image.size)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = (0, top, width, min(top + rows, height))
        printed.paste(_print_strip(image.crop(strip)), strip)
    return printed


def _print_strip(image: Image.Image) -> Image.Image:
    *inks, black = image.split()
    printed = Image.merge("RGB", inks).filter(_press())
    darkness = [
        black.point([round(255 - level * (255 - ink) / 255) for level in range(256)])
        for ink in _BLACK_INK
    ]
    return ImageChops.multiply(printed, Image.merge("RGB", darkness))


@cache
def _press() -> ImageFilter.Color3DLUT:
    return ImageFilter.Color3DLUT(2, [level / 255 for color in _INKS for level in color])
