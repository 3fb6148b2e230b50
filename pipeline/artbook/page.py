"""Pages of the artbook: a picture or a rough sketch, and its lines.

What counts as a line: the outlines of things, lines inside of them, and the edges between areas
that a colourist would fill with different colours, drawn or not. What does not: shadows, lights,
gradients, textures, patterns, screentones, stars, clouds, smoke, glow, beams, grain, and the damage
of files.
An outline, up to 30 pixels wide, is a line along its middle; a black area has the line along its
rim, and so has a dot, such as a pupil.
Where a line can hardly be seen, nobody can say, and the page's weight is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.background import random_background, random_kind
from pipeline.artbook.canvas import MAX_STROKE, PageCanvas, blank_canvas
from pipeline.artbook.chance import chance
from pipeline.artbook.damage import Damage, random_damage
from pipeline.artbook.ink import lines_of_ink
from pipeline.artbook.light import random_lights
from pipeline.artbook.paint import PAINTS, Painted, paint
from pipeline.artbook.pen import plain_pen, random_pen
from pipeline.artbook.subjects import draw_subject
from pipeline.sample_booru.artist.canvas import OVERSAMPLING

Floats = NDArray[np.float32]
Number = TypeVar("Number", np.uint8, np.float32)

_SHARES = (0.18, 0.2, 0.15, 0.11, 0.08, 0.1, 0.08, 0.06, 0.04)  # of the ways to paint

PLAIN_SHARE = 0.2
"""Of the pages that networks of lines are trained on."""
_SQUARE = np.ones((3, 3), np.uint8)
_WIDE = np.ones((5, 5), np.uint8)
_SMALL = np.ones((2, 2), np.uint8)
_STROKE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
_AROUND = np.ones((9, 9), np.uint8)
_BLACK = 28  # of 255, the brightest channel
_PATCH = 15  # pixels
_MOST_TEXTURE = np.float32(0.25)  # black lines are seen among the black dots of a screentone
_DENSEST = 165  # of 255, of ink: lines of two pixels that are less than one apart


@dataclass(frozen=True, kw_only=True)
class Page:
    """A picture whose lines are known.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        lines: (H, W) uint8, 0 = ink, 255 = paper; lines are 2 to 3 pixels wide.
        weight: (H, W) uint8, 0 where nobody can say whether there is a line, else 1.
        subject: what is drawn.
        paint: one of `PAINTS`.
        ink: one of `INKS`.
        width: of a normal outline, in pixels.
        patterned: whether a pattern is printed on something, or on what lies behind everything.
    """

    color: NDArray[np.uint8]
    lines: NDArray[np.uint8]
    weight: NDArray[np.uint8]
    subject: str
    paint: str
    ink: str
    width: float
    patterned: bool


def draw_page(
    seed: int,
    size: int,
    *,
    subject: str | None = None,
    style: str | None = None,
    ink: str | None = None,
    max_width: float = math.inf,
    plain_share: float = PLAIN_SHARE,
    damaged: bool = True,
) -> Page:
    """Return a page; the same on every machine.

    Some are as plain as most pictures: fine dark outlines, no lights, a clean file.

    Args:
        seed: which of the endless pages.
        size: side, in pixels.
        subject: what to draw, one of `SUBJECTS` or `TEST_SUBJECTS`; None draws by the seed.
        style: how to paint it, one of `PAINTS`; None draws by the seed.
        ink: colour of the outlines, one of `INKS`; None draws by the seed.
        max_width: of a normal outline, in pixels.
        plain_share: share of the pages that are plain, 0 to 1; with `ink` none is.
        damaged: whether some pages are blurred, noisy or badly compressed, as files are.
    """
    rng = np.random.default_rng((seed, 1))
    style = style or str(rng.choice(PAINTS, p=_SHARES))
    is_plain = ink is None and chance(rng, plain_share)
    pen = plain_pen(rng) if is_plain else random_pen(rng, ink)
    pen = replace(pen, width=min(pen.width, max_width))
    background = random_kind(rng)
    canvas = blank_canvas(random_background(rng, size, background), pen, rng)
    subject = draw_subject(canvas, rng, size, subject)
    painted = paint(canvas, rng, style)
    lit = painted
    for light in [] if is_plain else random_lights(rng, size):
        lit = replace(lit, whole=light(lit.whole), fills=light(lit.fills))
    damage = random_damage(rng) if damaged and not is_plain else Damage()
    lines, weight = _visible_lines(canvas, painted, lit, damage.noise / 255)
    return Page(
        color=damage.apply(lit.whole, rng),
        lines=lines,
        weight=weight,
        subject=subject,
        paint=style,
        ink=pen.ink,
        width=pen.width,
        patterned=painted.printed or canvas.state.patterned or background == "pattern",
    )


def shrink(layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a layer of a canvas at the size of the page."""
    height, width = layer.shape
    size = (width // OVERSAMPLING, height // OVERSAMPLING)
    return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA), np.uint8)


def separable(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 1 where lines are far enough apart to be told from one another, else 0."""
    return (cv2.blur(255 - lines, (9, 9)) < _DENSEST).astype(np.uint8)


def _range_around(picture: Floats) -> Floats:
    """Return by how much the colours within two pixels differ, (H, W) in [0, 1]."""
    return _largest(np.asarray(cv2.dilate(picture, _WIDE) - cv2.erode(picture, _WIDE), np.float32))


def _largest(picture: NDArray[Number]) -> NDArray[Number]:
    """Return the largest of the three channels, (H, W); ten times as fast as `max(axis=2)`."""
    red, green, blue = cv2.split(picture)
    return np.asarray(cv2.max(cv2.max(red, green), blue), picture.dtype)


def _visible_lines(
    canvas: PageCanvas, painted: Painted, lit: Painted, noise: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the lines that can be seen, and where that is certain.

    Args:
        canvas: has all lines.
        painted: the page before the light.
        lit: the page in its light.
        noise: standard deviation of the file's noise, 0 to 1.
    """
    lines = shrink(canvas.line)
    limit = np.maximum(max(2.5 / 255, 1.3 * noise), _texture_of(lit.fills))
    # Of the outline and what is under it, and of what it parts.
    contrast = cv2.dilate(_largest(np.abs(lit.whole - lit.fills)), _SQUARE)
    ink = (shrink(canvas.strokes) > 127) & (contrast > limit)
    contrast = np.maximum(contrast, _range_around(lit.fills))
    seen, clear = contrast > limit, contrast > 2.5 * limit
    # Between areas without an outline, only a change of colour that no shadow would make is a line.
    fine = shrink(canvas.edge)
    edge = cv2.dilate(fine, _SQUARE) > 64
    step = np.minimum(_range_around(painted.fills), _range_around(_flat(canvas)))
    seen &= ~edge | (step > 0.05)
    clear &= ~edge | (step > 0.16)
    apart = _strokes_apart(ink, lines < 128, canvas.pen.width)
    apart &= _strokes_apart(_black(canvas), lines < 128, canvas.pen.width)
    apart &= ~_narrow(fine > 64)
    clear &= apart
    doubtful = (seen & ~clear & (lines < 250)) | ~apart
    lines[~seen] = 255
    doubt = np.asarray(cv2.dilate(doubtful.astype(np.uint8), _SQUARE), np.uint8)
    return lines, (1 - doubt) & separable(lines)


def _texture_of(fills: Floats) -> Floats:
    """Return the contrast below which a line vanishes in the texture around it, (H, W).

    It is twice the median of what a blur takes away: edges, which are few, do not count.
    """
    brightest = _largest(np.asarray(np.rint(fills * 255), np.uint8))
    fine = cv2.absdiff(brightest, cv2.GaussianBlur(brightest, (0, 0), 1.5))
    usual = np.asarray(cv2.medianBlur(fine, _PATCH), np.float32)
    return np.asarray(np.minimum(usual * np.float32(2 / 255), _MOST_TEXTURE), np.float32)


def _narrow(edge: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where two edges without an outline are so close that it could be one bright stroke.

    Args:
        edge: (H, W), where areas meet without an outline.
    """
    lines = edge.astype(np.uint8)
    closed = np.asarray(cv2.morphologyEx(lines, cv2.MORPH_CLOSE, _STROKE), np.uint8)
    between = cv2.morphologyEx(closed - lines, cv2.MORPH_OPEN, _SMALL)  # no corners
    return np.asarray(cv2.dilate(between, _AROUND) > 0, np.bool_)


def _flat(canvas: PageCanvas) -> Floats:
    """Return the colours of the areas without shadow and texture, (H, W, 3) in [0, 1]."""
    height, width = canvas.area.shape
    size = (width // OVERSAMPLING, height // OVERSAMPLING)
    smaller = cv2.resize(canvas.color, size, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller / np.float32(255), np.float32)


def _black(canvas: PageCanvas) -> NDArray[np.bool_]:
    """Return where things are black: if they are narrow, one cannot tell areas from outlines."""
    inked = canvas.strokes > 127
    brightest = np.where(inked, _largest(canvas.stroke_color), _largest(canvas.color))
    brightest[(canvas.area == 0) & ~inked] = 255
    return shrink(brightest) < _BLACK


def _strokes_apart(
    ink: NDArray[np.bool_], lines: NDArray[np.bool_], width: float
) -> NDArray[np.bool_]:
    """Return False where the lines of ink are not the true ones.

    There outlines have run together, which hides where they came from, or areas are as black.

    Args:
        ink: (H, W), the outlines, or all that is black.
        lines: (H, W), the true lines.
        width: of a normal outline, in pixels.
    """
    border = int(width) + 2  # ink goes on beyond the page, without a fork at its border
    padded = lines_of_ink(np.pad(ink, border, mode="edge"), MAX_STROKE / OVERSAMPLING)
    seen = padded[border:-border, border:-border]
    off = 0.1 * width + 2.5
    wrong = (ink & lines & (_distance_to(seen) > off)) | (seen & (_distance_to(lines) > off))
    return np.asarray(_distance_to(wrong) > width / 2 + 1, np.bool_)


def _distance_to(mask: NDArray[np.bool_]) -> Floats:
    """Return the distance of every pixel to the nearest one of the mask, in pixels."""
    inverse = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inverse, cv2.DIST_L2, 3), np.float32)
