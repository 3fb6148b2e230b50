"""Colours that go together."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

Color = tuple[int, int, int]


def rgb(code: str) -> Color:
    """Return the colour of a hexadecimal code such as `"ffe8dc"`."""
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def mix(a: Color, b: Color, share: float) -> Color:
    """Mix two colours: a at share 0, b at share 1."""
    r, g, c = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return r, g, c


def shade(color: Color, strength: float = 1.0) -> Color:
    """Return the colour in the shade: darker, a little cooler and richer."""
    h, s, v = colorsys.rgb_to_hsv(*(c / 255 for c in color))
    pale = v * (1 - s)  # white fabric throws a pale blue shadow, not a grey one
    s = min(1.0, s + strength * (0.10 * (1 - abs(2 * s - 1)) + 0.03))
    v *= 1 - strength * (0.24 - 0.13 * pale)
    r, g, b = (round(255 * c) for c in colorsys.hsv_to_rgb(h, s, v))
    return mix((r, g, b), (110, 104, 190), 0.12 * strength)


def ink(color: Color) -> Color:
    """Return the colour of the lines around a surface: dark, with a hint of its colour."""
    h, s, v = colorsys.rgb_to_hsv(*(c / 255 for c in color))
    r, g, b = (round(255 * c) for c in colorsys.hsv_to_rgb(h, min(0.55, s), min(0.22, v)))
    return mix((r, g, b), (40, 26, 40), 0.45)


@dataclass(frozen=True)
class Material:
    """The four colours of a surface."""

    base: Color
    shade: Color
    light: Color
    ink: Color


def material(color: Color, gloss: float = 0.4) -> Material:
    """Return the material of a colour; `gloss` is the share of white in its light."""
    share = gloss * (0.4 + 0.6 * max(color) / 255)
    return Material(color, shade(color), mix(color, (255, 252, 255), share), ink(color))


SKINS = {
    "fair": Material(rgb("fff0e6"), rgb("f4cfc2"), rgb("fffaf5"), rgb("5a2f30")),
    "warm": Material(rgb("ffe4d2"), rgb("eebfa8"), rgb("fff3e8"), rgb("572c28")),
    "tan": Material(rgb("e8b792"), rgb("c98e6c"), rgb("f2cba9"), rgb("482419")),
    "dark": Material(rgb("b47c59"), rgb("8d5a41"), rgb("c89370"), rgb("351a14")),
}

HAIR = {
    "black_hair": ("4a4753", "434961", "574b50"),
    "brown_hair": ("7d5642", "9a6a4a", "6b4a44", "b08060"),
    "blonde_hair": ("f3d58b", "ecc877", "f6e0a8"),
    "blue_hair": ("5d83c4", "7ba7d9", "465f9e"),
    "aqua_hair": ("74c9c9", "8fd6d2"),
    "pink_hair": ("f2a8bb", "eb93ad", "f6bfca"),
    "purple_hair": ("9a7fc4", "7d66a8", "b39ad4"),
    "red_hair": ("b8453f", "c75a4c", "9e3a44"),
    "green_hair": ("7fb08a", "5f9a7c", "a3c78f"),
    "orange_hair": ("e39a5b", "dc8748"),
    "grey_hair": ("b5b5c3", "a4a8b8"),
    "white_hair": ("eceaf2", "f1ece8"),
}

EYES = {
    "blue_eyes": "3f7fd0",
    "aqua_eyes": "35b0bd",
    "green_eyes": "4ba566",
    "brown_eyes": "a5683f",
    "red_eyes": "cf3b45",
    "purple_eyes": "8a5fc9",
    "yellow_eyes": "e0a92e",
    "pink_eyes": "e06a94",
    "grey_eyes": "8490a3",
}

# Clothes: main, second, accent. The names are those of Danbooru's colours.
OUTFITS = (
    ("navy", "white", "red"),
    ("charcoal", "white", "blue"),
    ("brown", "cream", "red"),
    ("white", "navy", "red"),
    ("white", "teal", "yellow"),
    ("rose", "white", "brown"),
    ("sage", "cream", "brown"),
    ("lilac", "white", "navy"),
    ("sky", "white", "yellow"),
    ("wine", "cream", "charcoal"),
    ("mustard", "cream", "navy"),
    ("cream", "brown", "teal"),
    ("grey", "white", "rose"),
    ("teal", "cream", "orange"),
    ("red", "white", "charcoal"),
    ("charcoal", "grey", "red"),
)

FABRICS = {
    "navy": rgb("3c4a78"),
    "white": rgb("f7f5f3"),
    "red": rgb("c8434a"),
    "charcoal": rgb("5b5966"),
    "blue": rgb("5479b8"),
    "brown": rgb("8a6450"),
    "cream": rgb("f5e8d2"),
    "teal": rgb("4f8f94"),
    "yellow": rgb("efc75e"),
    "rose": rgb("eaa5ae"),
    "sage": rgb("9db68f"),
    "lilac": rgb("b7a6d6"),
    "sky": rgb("9cc4e4"),
    "wine": rgb("8c3d50"),
    "mustard": rgb("d8a64a"),
    "grey": rgb("b3b4be"),
    "orange": rgb("e0884f"),
}

# What Danbooru calls the colours above.
NAMES = {
    "navy": "blue",
    "charcoal": "black",
    "cream": "white",
    "teal": "green",
    "rose": "pink",
    "sage": "green",
    "lilac": "purple",
    "sky": "blue",
    "wine": "red",
    "mustard": "yellow",
}
