"""Pictures to choose a checkpoint by: neither trained on nor reported.

Characters of four styles of `dicebear-styles` which the benchmark has in no row: `toon-head` (Johan
Melin, CC BY 4.0), `big-smile` (Ashley Seo, CC BY 4.0), `big-ears` (The Visual Team, CC BY 4.0) and
`marbles` (DiceBear, CC0). Their outlines are redrawn in several widths and colours or left out, and
the pictures are spoilt in the ways that pictures of the web are.

`python -m benchmarks.line_art.choosing FOLDER` writes the folder that `[lines] validation` takes:
pictures for the tracer, and sketches of others for the inker, by `tracer` and `xdog` in turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import islice, product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line_art.dicebear import character
from benchmarks.line_art.vector import Drawing, over
from pipeline.picture import encode_png
from sketch_models import STYLES, ink_to_sketch, load

Pixels = NDArray[np.uint8]
Spoil = Callable[[Pixels, np.random.Generator], Pixels]

_PICTURES, _SKETCHES = 28, 20

OUTLINES: dict[str, tuple[tuple[float, str | None], ...]] = {
    # pixels and colour; 0 leaves the outlines out
    "toon-head": ((4, None), (2, "#4a2a2a"), (9, "#20242c"), (6, "#7a3b52"), (16, "#000000")),
    "big-smile": ((4, "#000000"), (0, None), (3, "#5a2e3a"), (10, "#1c1c30"), (6, "#6b3f1d")),
    "big-ears": ((6, "#000000"), (3, "#38211b"), (0, None), (12, "#000000"), (4, "#5c2f4d")),
    "marbles": ((20, None), (8, None), (4, "#39304a"), (3, "#000000"), (12, "#5a1f2c")),
}


def pairs(count: int) -> Iterator[tuple[str, Pixels, NDArray[np.bool_]]]:
    """Yield pictures with their lines, the same ones every time.

    Styles and ways to spoil take turns, so that a part of the pictures has all of them.

    Returns:
        what it is, such as `toon-head, dark`; colour (768, 768, 3) uint8; lines one pixel wide,
        (768, 768) bool.
    """
    for number, (spoil, style) in enumerate(islice(_turns(), count)):
        randomness = np.random.default_rng(number)
        drawing = _drawing(style, number)
        background = _sky(randomness) if spoil == "night sky" else _plain(randomness)
        color = SPOILS[spoil](over(drawing.pixels(), background), randomness)
        yield f"{style}, {spoil}", color, drawing.lines()


def _turns() -> Iterator[tuple[str, str]]:
    while True:
        yield from product(SPOILS, OUTLINES)


def _drawing(style: str, number: int) -> Drawing:
    outlines = OUTLINES[style]
    width, color = outlines[(number // len(OUTLINES)) % len(outlines)]
    plain = character(style, number)
    return plain.outlined(width, color, add=style != "marbles") if width else plain


def _plain(randomness: np.random.Generator) -> Pixels:
    color = randomness.choice([[255, 255, 255], [236, 230, 220], [188, 208, 220], [120, 130, 138]])
    return np.full((768, 768, 3), color, np.uint8)


def _sky(randomness: np.random.Generator) -> Pixels:
    """Draw a night sky: a gradient with a glow and stars, none of which is a line."""
    down, across = np.mgrid[:768, :768].astype(np.float32) / 768
    top, bottom = np.array([18, 20, 52]), np.array([96, 62, 110])
    sky = top + (bottom - top) * down[..., None]
    x, y = randomness.uniform(0.1, 0.9), randomness.uniform(0.1, 0.5)
    glow = np.exp(-((across - x) ** 2 + (down - y) ** 2) / 0.03)[..., None]
    sky = sky + glow * np.array([90, 80, 60])
    stars = np.zeros((768, 768, 3), np.float32)
    for _ in range(120):
        at = (int(randomness.integers(768)), int(randomness.integers(768)))
        brightness = float(randomness.uniform(60, 220))
        cv2.circle(stars, at, int(randomness.integers(1, 3)), (brightness,) * 3, -1)
    return np.clip(sky + cv2.GaussianBlur(stars, (0, 0), 0.8), 0, 255).astype(np.uint8)


def _as_it_is(color: Pixels, _randomness: np.random.Generator) -> Pixels:
    return color


def _dark(color: Pixels, randomness: np.random.Generator) -> Pixels:
    return (color * randomness.uniform(0.12, 0.3)).astype(np.uint8)


def _soft(color: Pixels, randomness: np.random.Generator) -> Pixels:
    return np.asarray(cv2.GaussianBlur(color, (0, 0), randomness.uniform(1.2, 2.2)))


def _noisy(color: Pixels, randomness: np.random.Generator) -> Pixels:
    noise = randomness.normal(0, randomness.uniform(6, 14), color.shape)
    return np.clip(color + noise, 0, 255).astype(np.uint8)


def _jpeg(color: Pixels, randomness: np.random.Generator) -> Pixels:
    quality = int(randomness.integers(20, 60))
    _, encoded = cv2.imencode(".jpg", color[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1].copy()


def _tinted(color: Pixels, randomness: np.random.Generator) -> Pixels:
    tint = randomness.uniform((0.9, 0.55, 0.3), (1.0, 0.8, 0.7))
    if randomness.random() < 0.5:
        tint = tint[::-1]
    down = np.linspace(0, 1, len(color))[:, None, None]
    light = np.array([70, 45, 30]) * (1 - down)  # a haze from above
    return np.clip(color * tint * 0.85 + light, 0, 255).astype(np.uint8)


def _at_night(color: Pixels, _randomness: np.random.Generator) -> Pixels:
    return np.clip(color * np.array([0.55, 0.6, 0.8]), 0, 255).astype(np.uint8)


SPOILS: dict[str, Spoil] = {
    "as it is": _as_it_is,
    "dark": _dark,
    "night sky": _at_night,
    "soft": _soft,
    "JPEG": _jpeg,
    "tinted": _tinted,
    "noise": _noisy,
}


def write_folder(folder: Path) -> None:
    """Write pictures, or sketches of them, and their lines, as `[lines] validation` takes them."""
    models = load("tracer"), load("xdog")
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, color, truth) in enumerate(pairs(_PICTURES + _SKETCHES)):
        stem = f"{name.replace(', ', '-').replace(' ', '-')}-{number}"
        thick = cv2.dilate(truth.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
        (folder / f"{stem}.lines.png").write_bytes(encode_png(_ink_on_paper(thick)))
        if number < _PICTURES:
            (folder / f"{stem}.color.png").write_bytes(encode_png(color))
            continue
        (ink,) = models[number % 2].lines([color])
        sketch = ink_to_sketch(ink, STYLES[0])
        (folder / f"{stem}.sketch.png").write_bytes(encode_png(sketch))


def _ink_on_paper(ink: NDArray[np.bool_]) -> Pixels:
    return np.where(ink, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write_folder(parser.parse_args().folder)
