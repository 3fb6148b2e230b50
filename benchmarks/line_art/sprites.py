"""Sprites of the games `renpy-demo` and `renpy-thequestion` (Expat): anime without known lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.line_art import fetch
from benchmarks.line_art.truth import SIZE
from benchmarks.line_art.vector import over
from pipeline.picture import resize_long_side

SPRITES = {"renpy-demo": ("eileen *.png", "lucy *.png"), "renpy-thequestion": ("sylvie *.png",)}
"""The files of each package of Debian."""

_PAPERS = ((255, 255, 255), (128, 142, 150))  # white, and a tone as of a room


def sprites(package: str) -> Iterator[NDArray[np.uint8]]:
    """Yield the sprites of a game, by turns on white and on a tone.

    Returns:
        (H, W, 3) uint8 RGB, with a long side of 768.
    """
    folder = fetch.debian(package)
    paths = sorted(path for pattern in SPRITES[package] for path in folder.rglob(pattern))
    for path, paper in zip(paths, cycle(_PAPERS), strict=False):
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGBA"))
        background = np.full((*pixels.shape[:2], 3), paper, np.uint8)
        yield resize_long_side(over(pixels, background), SIZE)
