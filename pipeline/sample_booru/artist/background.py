"""Backgrounds: soft shapes without line art."""

from __future__ import annotations

import numpy as np

from pipeline.sample_booru.artist.canvas import Canvas
from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.curve import Points, ellipse, join, spline
from pipeline.sample_booru.artist.palette import FABRICS, Color, mix, rgb

PLAIN = {
    "grey_background": rgb("d8d9de"),
    "blue_background": rgb("c7dcf0"),
    "pink_background": rgb("f7dbe0"),
    "yellow_background": rgb("f8ebc6"),
    "green_background": rgb("d5e8d6"),
}


def plain_color(person: Character) -> str:
    """Return the tag of the colour of a plain background."""
    names = list(PLAIN)
    return names[int(person.generator("plain").integers(len(names)))]


def draw_background(canvas: Canvas, person: Character, size: tuple[int, int]) -> None:
    """Draw the background.

    Args:
        canvas: the canvas, in pixels of the finished picture.
        person: the character.
        size: width and height, in pixels.
    """
    background = person.background
    tone = PLAIN[plain_color(person)]
    canvas.clear((255, 255, 255) if background == "white" else tone)
    draw = {
        "gradient": _gradient,
        "dots": _dots,
        "sky": _sky,
        "stripes": _stripes,
        "petals": _falling_petals,
    }
    if background in draw:
        draw[background](canvas, person, size, tone)


def _gradient(canvas: Canvas, person: Character, size: tuple[int, int], tone: Color) -> None:
    canvas.gradient(
        (0, mix(tone, FABRICS[person.outfit.colors[2]], 0.4)), (size[1], (255, 255, 255))
    )


def _dots(canvas: Canvas, _person: Character, size: tuple[int, int], tone: Color) -> None:
    step = size[0] / 9
    light = mix(tone, (255, 255, 255), 0.55)
    for row in range(int(size[1] / step) + 2):
        for column in range(10):
            x = (column + 0.5 * (row % 2)) * step
            canvas.shade(ellipse(x, row * step, step * 0.22, step * 0.22, 28), light)


def _stripes(canvas: Canvas, _person: Character, size: tuple[int, int], tone: Color) -> None:
    step = size[0] / 7
    light = mix(tone, (255, 255, 255), 0.5)
    for index in range(-12, 9):
        x = index * step
        canvas.shade(
            np.array(
                [
                    [x, 0],
                    [x + step / 2, 0],
                    [x + step / 2 + size[1] * 0.6, size[1]],
                    [x + size[1] * 0.6, size[1]],
                ],
                float,
            ),
            light,
        )


def _sky(canvas: Canvas, person: Character, size: tuple[int, int], _tone: Color) -> None:
    width, height = size
    canvas.gradient((0, rgb("7fb6e6")), (height, rgb("e4f2fb")))
    rng = person.generator("clouds")
    for _ in range(4):
        x, y = rng.uniform(0, width), rng.uniform(height * 0.08, height * 0.7)
        scale = width * rng.uniform(0.10, 0.2)
        for dx, dy, r in (
            (-1.1, 0.1, 0.5),
            (-0.4, -0.2, 0.75),
            (0.5, -0.1, 0.65),
            (1.2, 0.15, 0.42),
        ):
            canvas.shade(
                ellipse(
                    float(x + dx * scale),
                    float(y + dy * scale),
                    float(r * scale),
                    float(r * scale * 0.72),
                    40,
                ),
                rgb("f7fbff"),
            )


def _falling_petals(canvas: Canvas, person: Character, size: tuple[int, int], _tone: Color) -> None:
    width, height = size
    canvas.gradient((0, rgb("fdeef1")), (height, rgb("fff8f3")))
    rng = person.generator("petals")
    for _ in range(34):
        x, y, a = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 6.3)
        canvas.shade(
            _petal(float(x), float(y), float(a), float(width * rng.uniform(0.012, 0.026))),
            mix(rgb("f5b5c4"), rgb("fad5dd"), float(rng.random())),
        )


def _petal(x: float, y: float, angle: float, size: float) -> Points:
    shape = join(
        spline((0.0, 1.0), (0.62, 0.1), (0.3, -0.9), (0.0, -0.6)),
        spline((0.0, -0.6), (-0.3, -0.9), (-0.62, 0.1), (0.0, 1.0)),
    )
    c, s = np.cos(angle), np.sin(angle)
    placed: Points = shape @ np.array([[c, s], [-s, c]]) * size + np.array([x, y])
    return placed
