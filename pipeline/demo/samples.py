"""Drawings that a user can start from; no colorizer was trained on them.

They are pictures of the sample booru, and scenes without people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.areas import find_areas_in_square, middle
from pipeline.demo.scenes import SCENES, draw_scene, scene_size
from pipeline.pack.square import Placement, resample
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.artist.draw import draw

MAX_TRAINING_POSTS = 20_000
"""Posts of the sample booru that colorizers train on; the samples come after these."""

POST_IDS = (1790400, 1790474, 1790561, 1791240, 1791394, 1791587, 1792131, 1792430)
"""Posts of the sample booru: `white_background solo upper_body`, as different as possible."""

NAMES = (*map(str, POST_IDS[:1]), *SCENES, *map(str, POST_IDS[1:]))
"""Names of all samples, in the order in which the page shows them; the page opens the first."""

PICTURES = ("line", "color", "hints")
"""Names of the pictures of a sample."""

LONG_SIDE = 900
"""The long side of the samples, in pixels."""

_SMALLEST = 5e-4  # of the picture: areas from here on get a hint
_REDUCTION = 4  # sides of a sample over those of the drawing that its areas are found in
_RADIUS = 8  # pixels, of the largest dot

_LOCKS = {name: Lock() for name in NAMES}


@dataclass(frozen=True, kw_only=True)
class DemoSample:
    """A sample drawing, as PNG files."""

    line: bytes  # PNG, (H, W) grey, 0 ink, 255 paper
    color: bytes  # PNG, (H, W, 3) RGB
    hints: bytes  # PNG, (H, W, 4) RGBA, opaque where there is a hint


def load_sample(name: str) -> DemoSample:
    """Return one of `NAMES`, drawn in 0.2 seconds on first use and kept in memory."""
    with _LOCKS[name]:
        return _draw_sample(name)


@lru_cache(len(NAMES))
def _draw_sample(name: str) -> DemoSample:
    drawing = draw_scene(name, LONG_SIDE) if name in SCENES else draw(int(name))
    width, height = sample_size(name)
    line, color = (resample(each, width, height) for each in (drawing.line, drawing.color))
    return DemoSample(
        line=encode_png(line),
        color=encode_png(color),
        hints=encode_png(_put_hints(line, color)),
    )


def _put_hints(line: NDArray[np.uint8], color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a dot of its colour in the middle of every area, (H, W, 4) uint8 RGBA.

    Areas are those of the drawing as small as colorizers see it.
    """
    height, width = line.shape
    size = round(width / _REDUCTION), round(height / _REDUCTION)
    small_line, small_color = (resample(each, *size) for each in (line, color))
    areas = find_areas_in_square(small_line)
    hints = np.zeros((height, width, 4), np.uint8)
    for number in np.flatnonzero(np.bincount(areas.ravel())[1:] >= _SMALLEST * areas.size) + 1:
        inside = areas == number
        x, y, depth = middle(inside)
        x, y = (int((place + 0.5) * _REDUCTION) for place in (x, y))
        radius = min(_RADIUS, int(depth * 0.6 * _REDUCTION))
        shown = np.median(small_color[inside], axis=0).astype(int).tolist()
        cv2.circle(hints, (x, y), radius, (*shown, 255), -1)
    return hints


def sample_size(name: str) -> tuple[int, int]:
    """Return width and height of a sample in pixels, without drawing it."""
    if name in SCENES:
        return scene_size(name, LONG_SIDE)
    person = character(int(name))
    placement = Placement.of(person.width, person.height, LONG_SIDE, "pad")
    return placement.width, placement.height


def list_samples() -> list[dict[str, int | str]]:
    """Return the samples as `/api/models` lists them."""
    return [_describe(name, *sample_size(name)) for name in NAMES]


def _describe(name: str, width: int, height: int) -> dict[str, int | str]:
    folder = f"/api/samples/{name}"
    return {
        "id": name,
        "width": width,
        "height": height,
        "line": f"{folder}/line.png",
        "color": f"{folder}/color.png",
        "hints": f"{folder}/hints.png",
    }
