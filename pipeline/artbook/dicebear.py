"""Characters by artists, with outlines of their own, from the package dicebear-styles.

`adventurer` is by Lisa Wischofsky (CC BY 4.0); `lorelei` by Lisa Wischofsky, `open-peeps` by Pablo
Stanley and `notionists` by Zoish are in the public domain (CC0 1.0). `micah`, by Micah Lanier
(CC BY 4.0), is drawn for tests alone.
"""

from __future__ import annotations

import importlib.util
import json
import re
import zlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.canvas import LINE_WIDTH, MAX_STROKE, PageCanvas
from pipeline.artbook.chance import chance, log_uniform
from pipeline.artbook.ink import areas_of_ink, lines_of_ink
from pipeline.artbook.palette import random_palette
from pipeline.sample_booru.artist.canvas import OVERSAMPLING

STYLES = ("adventurer", "lorelei", "open-peeps", "notionists")
PACKAGES = ("dicebear", "dicebear_styles", "resvg")

_HELD_OUT = {"adventurer": ("hair", "eyes", "eyebrows", "mouth", "details")}
_INK = "#000000"
_WHITE = (1 << 15) - 1  # the bin of white
_CHARACTERS = 1000  # of each style; checking the options of one takes longer than drawing it
_WIDEST = 0.03  # of an even stroke, as a share of the drawing's width
_LONG_SIDE = 768  # pixels, of the pictures that lines are usually made of


def is_installed() -> bool:
    """Return whether the packages of the extra `art` are there."""
    return all(importlib.util.find_spec(name) is not None for name in PACKAGES)


def missing_packages(what: str) -> list[str]:
    """Return one sentence if packages of the extra `art` are missing, else nothing.

    Args:
        what: draws with them, as the beginning of the sentence: `TrainLines draws`.
    """
    if is_installed():
        return []
    return [
        f"{what} with dicebear-core, dicebear-styles and resvg, and not all of them are "
        "installed: pip install -e .[art]"
    ]


def is_held_out(style: str, component: str, variant: str) -> bool:
    """Return whether a part of a style is kept for tests: a fifth of the hair and the features."""
    return component in _HELD_OUT.get(style, ()) and zlib.crc32(variant.encode()) % 5 == 0


@lru_cache(maxsize=8)
def _definition(style: str) -> dict[str, Any]:
    text = files("dicebear_styles").joinpath(f"{style}.json").read_text("utf-8")
    definition: dict[str, Any] = json.loads(text)
    return definition


@lru_cache(maxsize=8)
def _style(style: str) -> Any:  # noqa: ANN401 - a class of the package
    from dicebear import Style

    return Style(_definition(style))


def character_svg(style: str, seed: str, *, held_out: bool = False) -> str:
    """Return a character as SVG.

    Args:
        style: of dicebear-styles.
        seed: which character.
        held_out: whether its hair and features are those that are kept for tests, or the others.
    """
    from dicebear import Avatar

    options: dict[str, Any] = {"seed": seed}
    for component in _HELD_OUT.get(style, ()):
        variants = _definition(style)["components"][component]["variants"]
        chosen = [name for name in variants if is_held_out(style, component, name) == held_out]
        options[f"{component}Variant"] = chosen
    return str(Avatar(_style(style), options).to_string())


@lru_cache(maxsize=4 * _CHARACTERS)
def _character(style: str, number: int, held_out: bool) -> str:
    return character_svg(style, str(number), held_out=held_out)


def render_svg(svg: str, side: int, scale: float, corner: tuple[float, float]) -> NDArray[np.uint8]:
    """Return a part of a drawing on white, (side, side, 3) uint8 RGB.

    Args:
        svg: the drawing.
        side: of the part, in pixels.
        scale: pixels of the part per unit of the drawing.
        corner: left and top of the part in the drawing, in pixels of the part.
    """
    from resvg import render, usvg

    start = svg.index('viewBox="')
    end = svg.index('"', start + 9)
    view = f'width="{side}" height="{side}" viewBox="0 0 {side} {side}'
    body = svg.index(">", end) + 1
    last = svg.rindex("</svg>")
    move = f'<g transform="translate({-corner[0]} {-corner[1]}) scale({scale})">'
    part = svg[:start] + view + svg[end:body] + move + svg[body:last] + "</g></svg>"
    tree = usvg.Tree.from_str(part, usvg.Options.default())
    content = bytes(render(tree, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)))
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    rgba = np.asarray(decoded, np.uint8)
    opacity = rgba[..., 3:].astype(np.uint16)
    white = (rgba[..., 2::-1] * opacity + 255 * (255 - opacity)) // 255
    return np.ascontiguousarray(white, np.uint8)


def ink_only(svg: str) -> str:
    """Return a drawing in which all but the ink is white."""
    return re.sub(r"#[0-9a-fA-F]{6}\b", lambda m: m[0] if m[0] == _INK else "#ffffff", svg)


def draw_dicebear(
    canvas: PageCanvas,
    rng: np.random.Generator,
    size: int,
    *,
    style: str = "",
    held_out: bool = False,
) -> None:
    """Draw a part of a character.

    Args:
        canvas: in pixels of the page.
        rng: the source of randomness.
        size: side of the page, in pixels.
        style: of dicebear-styles; empty draws one of `STYLES`.
        held_out: whether its hair and features are those that are kept for tests.
    """
    style = style or str(rng.choice(STYLES, p=(0.5, 0.15, 0.15, 0.2)))
    svg = _character(style, int(rng.integers(_CHARACTERS)), held_out)
    side = size * OVERSAMPLING
    units = float(_definition(style)["canvas"]["width"])
    scale = OVERSAMPLING * _LONG_SIDE / units * log_uniform(rng, 0.4, 1.6)
    corner = rng.uniform(0.2, 0.8, 2) * units * scale - side / 2
    at = (float(corner[0]), float(corner[1]))
    ink = 255 - render_svg(ink_only(svg), side, scale, at)[..., 0]
    lines = lines_of_ink(ink > 127, MAX_STROKE)
    distance = cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 5)
    canvas.line[:] = 255 * np.clip(distance - LINE_WIDTH * OVERSAMPLING / 2 + 0.5, 0, 1)
    if canvas.rough is not None:
        canvas.rough.trace(canvas.strokes, lines, rng)
        return
    _paint_fills(canvas, render_svg(svg, side, scale, at), ink, rng)
    area = areas_of_ink(ink > 127, MAX_STROKE)
    if chance(rng, 0.4):
        canvas.strokes[:] = ink
    else:  # one even stroke, and what the artist has filled
        half = min(canvas.pen.width * OVERSAMPLING, _WIDEST * units * scale) / 2
        from_stroke = cv2.distanceTransform((~lines | area).astype(np.uint8), cv2.DIST_L2, 5)
        even = 255 * np.clip(half - from_stroke + 0.5, 0, 1)
        canvas.strokes[:] = np.where(area, ink, even)
    tone = canvas.color.astype(np.float64).reshape(-1, 3)
    shade = canvas.pen.shade if canvas.pen.ink == "colored" else 0.0
    canvas.stroke_color[:] = (tone * shade).reshape(canvas.color.shape)
    if canvas.pen.ink in ("black", "dark"):
        canvas.stroke_color[:] = canvas.pen.color
    if canvas.pen.ink == "absent":
        canvas.strokes[:] = np.where(area, ink, 0)
        near_ink = cv2.dilate(canvas.strokes, np.ones((5, 5), np.uint8)) > 0
        canvas.edge[:] = np.where(near_ink, 0, 255 - canvas.line)


def _paint_fills(
    canvas: PageCanvas,
    picture: NDArray[np.uint8],
    ink: NDArray[np.uint8],
    rng: np.random.Generator,
) -> None:
    """Paint the areas of a drawing, each up to the middle of the outlines around it."""
    is_fill = cv2.erode((ink < 24).astype(np.uint8), np.ones((5, 5), np.uint8))
    if not is_fill.any():
        return
    _, labels = cv2.distanceTransformWithLabels(
        1 - is_fill, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = is_fill > 0
    bins = (picture >> 3).astype(np.int32) @ np.array([1024, 32, 1], np.int32)
    nearest = np.zeros(int(labels.max()) + 1, np.int32)
    nearest[labels[inside]] = bins[inside]
    counts = np.bincount(nearest[labels[inside]], minlength=1 << 15)
    common = np.argsort(counts)[::-1][:12]
    number = _nearest_bins(common)[nearest][labels]
    table = _bin_colors(common)
    outside = (common == _WHITE)[number]  # the paper around the character, or a white area
    recolored = table.astype(np.uint8)
    if chance(rng, 0.6):
        palette = random_palette(rng)
        recolored = np.array([palette[int(rng.integers(len(palette)))] for _ in table], np.uint8)
    keeps_white = chance(rng, 0.5)
    color = recolored[number]
    paper = _outer(outside)
    canvas.color[:] = np.where(paper[..., None], canvas.color, color)
    if keeps_white:
        canvas.color[outside & ~paper] = 255
    canvas.area[:] = np.where(paper, 0, number + 1)
    canvas.state.areas = len(table)


def _bin_colors(bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the colours, (N, 3) in [0, 255], of bins of 8 levels a channel."""
    colors = np.stack([bins >> 10, bins >> 5 & 31, bins & 31], axis=1) * 255 // 31
    return np.asarray(colors, np.int64)


def _nearest_bins(bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for every bin there is, which of these bins has the nearest colour."""
    every = _bin_colors(np.arange(1 << 15))
    distances = [np.abs(every - color).sum(axis=1) for color in _bin_colors(bins)]
    nearest: NDArray[np.int64] = np.argmin(np.stack(distances), axis=0)
    return nearest


def _outer(white: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the white around a character, without the white inside of it."""
    count, labels = cv2.connectedComponents(white.astype(np.uint8), connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    outer = np.zeros(count, bool)
    outer[rim] = True
    outer[0] = False
    return np.asarray(outer[labels], np.bool_)
