"""Sketches of the artbook: what a line model is given, and the line art that it should make of it.

Lines of a sketch are those of the drawing that it is of. Strokes beside them, construction lines,
hatching, and everything on the paper are none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.canvas import PageCanvas, blank_canvas
from pipeline.artbook.chance import chance, integer, log_uniform, smooth_noise
from pipeline.artbook.damage import Damage, random_damage
from pipeline.artbook.page import Page, draw_page, separable, shrink
from pipeline.artbook.paper import Paper, random_paper
from pipeline.artbook.pen import Pen
from pipeline.artbook.rough import MEDIA, Rough, random_rough
from pipeline.artbook.subjects import draw_subject
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.curve import ellipse

Floats = NDArray[np.float32]

Tracer = Callable[[NDArray[np.uint8]], Floats]
"""Finds lines: (H, W, 3) uint8 RGB to an ink map, (H, W) float32 in [0, 1], 1 = ink."""

SOURCES = ("hand", "filter", "network", "lines", "tracer")
"""Who made a sketch: a hand; a filter, or a network, of a picture; or it is line art already.

The filter and the network are imitated; `tracer` is a network that is there.
"""

_SHARES = (0.5, 0.2, 0.2, 0.1, 0.0)  # of the sources
_SHARES_WITH_TRACER = (0.5, 0.12, 0.08, 0.1, 0.2)

_FAINT = 0.35  # contrast of the darkest pencil and the paper
_COARSE = 0.7  # grain of a paper that breaks black areas into specks


@dataclass(frozen=True, kw_only=True)
class SketchPage:
    """A sketch whose line art is known.

    Attributes:
        sketch: (H, W) uint8, 0 = ink, 255 = paper.
        lines: (H, W) uint8, 0 = ink, 255 = paper; lines are 2 to 3 pixels wide.
        weight: (H, W) uint8, 0 where nobody can say whether there is a line, else 1.
        subject: what is drawn.
        source: one of `SOURCES`.
        medium: one of `MEDIA`, of a hand; else empty.
        has_distractors: whether there is much that looks like a line and is none: rules or creases
            of the paper, construction lines, or grain that breaks areas into specks.
        is_faint: whether a hand's lines are little darker than the paper.
    """

    sketch: NDArray[np.uint8]
    lines: NDArray[np.uint8]
    weight: NDArray[np.uint8]
    subject: str
    source: str
    medium: str = ""
    has_distractors: bool = False
    is_faint: bool = False


def draw_sketch(
    seed: int,
    size: int,
    *,
    subject: str | None = None,
    source: str | None = None,
    medium: str | None = None,
    paper: str | None = None,
    tracer: Tracer | None = None,
) -> SketchPage:
    """Return a sketch; the same on every machine, but for the tracer's rounding.

    Args:
        seed: which of the endless sketches.
        size: side, in pixels.
        subject: what is drawn, one of `SUBJECTS`; None draws by the seed.
        source: one of `SOURCES`; None draws by the seed.
        medium: what a hand draws with, one of `MEDIA`; None draws by the seed.
        paper: what a hand draws on, one of `PAPERS`; None draws by the seed.
        tracer: finds the lines of pictures; without it, no sketch is of the source `tracer`.

    Raises:
        ValueError: If the source is `tracer` and there is none.
    """
    rng = np.random.default_rng((seed, 2))
    shares = _SHARES_WITH_TRACER if tracer else _SHARES
    source = source or str(rng.choice(SOURCES, p=shares))
    if source == "hand":
        return _by_hand(rng, size, subject, medium, paper)
    page = draw_page(seed, size, subject=subject)
    if source == "filter":
        return _by_filter(rng, page)
    if source == "tracer":
        if tracer is None:
            raise ValueError("no tracer is given, and so none can make a sketch")
        return _extracted(rng, page, tracer(page.color), source, page.weight)
    return _clean(rng, page) if source == "lines" else _by_network(rng, page)


def _by_hand(
    rng: np.random.Generator,
    size: int,
    subject: str | None,
    medium: str | None,
    paper: str | None,
) -> SketchPage:
    medium = medium or str(rng.choice(MEDIA, p=(0.5, 0.2, 0.15, 0.15)))
    rough = random_rough(rng, medium)
    canvas = blank_canvas(_nothing(size), Pen(), rng, rough)
    subject = draw_subject(canvas, rng, size, subject)
    if chance(rng, 0.3):
        _hatch(canvas, rough, rng, size)
    has_construction = chance(rng, 0.3)
    if has_construction:
        _construct(canvas, rough, rng, size)
    pencil = shrink(canvas.strokes).astype(np.float32) / np.float32(255)
    lines = shrink(canvas.line)
    sheet = random_paper(rng, paper)
    if medium in ("ballpoint", "marker"):
        sheet = replace(sheet, grain=min(sheet.grain, 0.2))
    page, darker = sheet.lay_under(pencil, rng)
    damage = random_damage(rng)
    if paper == "scan":
        damage = Damage(shrink=float(rng.uniform(0.35, 0.7)), quality=60)
    noise = min(damage.noise, 40 * sheet.contrast)
    deviation = np.hypot(noise / 255, sheet.texture)  # of the paper
    weight = separable(lines) & _visible(lines, darker, deviation) & _apart(lines, pencil, rough)
    if sheet.tilt:
        page, lines, weight = _tilt(page, lines, weight, sheet.tilt, rng)
    sketch = replace(damage, noise=noise, levels=0).apply(page, rng)
    return SketchPage(
        sketch=sketch,
        lines=lines,
        weight=weight,
        subject=subject,
        source="hand",
        medium=medium,
        has_distractors=has_construction or _has_marks(sheet),
        is_faint=sheet.contrast < _FAINT,
    )


def _has_marks(sheet: Paper) -> bool:
    return sheet.rules > 0 or sheet.creases > 0 or sheet.grain > _COARSE


def _visible(lines: NDArray[np.uint8], contrast: Floats, deviation: float) -> NDArray[np.uint8]:
    """Return 0 around lines that can hardly be seen, else 1.

    Args:
        lines: (H, W), the true lines, 0 = ink.
        contrast: (H, W) in [0, 1], by how much the pencil is darker than the paper.
        deviation: of the paper's brightness, 0 to 1.
    """
    seen = cv2.dilate(contrast, np.ones((5, 5), np.uint8)) > 4 / 255 + 1.5 * deviation
    lost = ((lines < 128) & ~seen).astype(np.uint8)
    return np.asarray(1 - cv2.dilate(lost, np.ones((7, 7), np.uint8)), np.uint8)


def _apart(lines: NDArray[np.uint8], pencil: Floats, rough: Rough) -> NDArray[np.uint8]:
    """Return 0 where strokes have run together to a blot, which hides lines, else 1.

    Args:
        lines: (H, W), the true lines, 0 = ink.
        pencil: (H, W) in [0, 1], 1 = darkest.
        rough: how it was drawn.
    """
    ink = (pencil > 0.4 * rough.pressure[0]).astype(np.uint8)
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
    deepest = 0.5 * rough.width * (1 + rough.swell) + rough.jitter + 1
    reach = 2 * round(deepest + 1) + 1
    around = np.ones((reach, reach), np.uint8)
    # A black area has its line at its rim.
    inside = cv2.dilate(((lines < 128) & (depth > 2.5)).astype(np.uint8), around)
    blots = np.asarray((depth > deepest) & (inside > 0), np.uint8)
    return np.asarray(1 - cv2.dilate(blots, around), np.uint8)


def _nothing(size: int) -> NDArray[np.uint8]:
    return np.full((size * OVERSAMPLING, size * OVERSAMPLING, 3), 255, np.uint8)


def _hatch(canvas: PageCanvas, rough: Rough, rng: np.random.Generator, size: int) -> None:
    """Shade a few places with light, close, parallel strokes."""
    light = replace(
        rough,
        passes=1,
        width=min(rough.width, 1.6),
        pressure=(0.12 * rough.pressure[1], 0.5 * rough.pressure[1]),
    )
    for _ in range(integer(rng, 1, 5)):
        x, y = rng.uniform(0, size, 2)
        angle, step = rng.uniform(0, np.pi), rng.uniform(3, 8)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        half = log_uniform(rng, 8, 60)
        for index in range(integer(rng, 4, 20)):
            middle = np.array([x, y]) + index * step * across
            ends = [middle + s * half * rng.uniform(0.7, 1.1) * along for s in (-1, 0.0, 1)]
            light.draw(canvas.strokes, np.stack(ends) * OVERSAMPLING, 3.0, rng)


def _construct(canvas: PageCanvas, rough: Rough, rng: np.random.Generator, size: int) -> None:
    """Draw light construction lines: long axes, and the ellipses of heads and joints."""
    light = replace(
        rough,
        passes=min(rough.passes, 2),
        piece=400,
        pressure=(0.08 * rough.pressure[1], 0.35 * rough.pressure[1]),
    )
    for _ in range(integer(rng, 1, 6)):
        x, y = rng.uniform(0, size, 2)
        if chance(rng, 0.5):
            rx, ry = (log_uniform(rng, 15, size / 2) for _ in range(2))
            path = ellipse(float(x), float(y), rx, ry, 48)
            path = np.concatenate([path, path[:2]])
        else:
            angle = rng.uniform(0, np.pi)
            ends = size * rng.uniform(0.2, 0.9) * np.array([np.cos(angle), np.sin(angle)])
            middle = np.array([x, y])
            path = np.stack([middle - ends, middle, middle + ends])
        light.draw(canvas.strokes, path * OVERSAMPLING, 3.0, rng)


def _tilt(
    page: Floats,
    lines: NDArray[np.uint8],
    weight: NDArray[np.uint8],
    tilt: float,
    rng: np.random.Generator,
) -> tuple[Floats, NDArray[np.uint8], NDArray[np.uint8]]:
    """Photograph a sheet from a slight angle; its lines move with it."""
    height, width = page.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shifts = rng.uniform(-tilt, tilt, (4, 2)).astype(np.float32) * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, (corners + shifts).astype(np.float32))
    size = (width, height)
    warped = cv2.warpPerspective(page, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    moved = cv2.warpPerspective(lines, matrix, size, borderValue=(255,))
    certain = cv2.warpPerspective(weight, matrix, size, flags=cv2.INTER_NEAREST, borderValue=(1,))
    return (
        np.asarray(warped, np.float32),
        np.asarray(moved, np.uint8),
        np.asarray(certain, np.uint8),
    )


def _by_filter(rng: np.random.Generator, page: Page) -> SketchPage:
    """Draw what is darker than its surroundings, as XDoG and sketchKeras do."""
    picture = page.color.astype(np.float32) / 255
    fine = cv2.GaussianBlur(picture, (0, 0), log_uniform(rng, 0.3, 1.2))
    wide = cv2.GaussianBlur(picture, (0, 0), log_uniform(rng, 1.5, 5))
    ink = np.clip((wide - fine).max(axis=2), 0, 1)
    ink /= max(float(np.quantile(ink, 0.995)), 8 / 255)
    ink = np.clip(ink * np.float32(log_uniform(rng, 0.6, 2)), 0, 1)
    # Of a picture, nobody can say what ink beside the lines is.
    from_lines = cv2.distanceTransform((page.lines >= 128).astype(np.uint8), cv2.DIST_L2, 3)
    stray = (from_lines > max(4, page.width)) & (ink > 0.12)
    return _extracted(rng, page, ink, "filter", page.weight & ~stray)


def _by_network(rng: np.random.Generator, page: Page) -> SketchPage:
    """Draw the lines as a network would: soft, of varying strength, with gaps and specks."""
    height, width = page.lines.shape
    ink = np.float32(1) - page.lines.astype(np.float32) / np.float32(255)
    ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), log_uniform(rng, 0.3, 1.6)), np.float32)
    ink /= max(float(ink.max()), 0.05)
    strength = 1 / (1 + np.exp(-2 * smooth_noise(rng, height, width, log_uniform(rng, 12, 60)) - 1))
    ink = np.asarray(ink * strength ** rng.uniform(0, 2.5), np.float32)
    specks = np.clip(smooth_noise(rng, height, width, rng.uniform(1.5, 5)) - 2, 0, 1)
    ink = np.maximum(ink, specks * np.float32(rng.uniform(0, 0.6)))
    return _extracted(rng, page, ink, "network", separable(page.lines))


def _extracted(
    rng: np.random.Generator, page: Page, ink: Floats, source: str, weight: NDArray[np.uint8]
) -> SketchPage:
    """Cut a sketch from an ink map, and leave to judgement where it shows no more of the lines."""
    ink = np.where(ink < rng.choice((0, 0.1, 0.18)), 0, ink).astype(np.float32)
    near = cv2.dilate(ink, np.ones((7, 7), np.uint8))
    unseen = (page.lines < 128) & (near < 0.05)
    doubt = np.asarray(cv2.dilate(unseen.astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)
    sketch = np.rint(255 * (1 - np.clip(ink, 0, 1))).astype(np.uint8)
    return SketchPage(
        sketch=sketch,
        lines=page.lines,
        weight=weight & (1 - doubt),
        subject=page.subject,
        source=source,
    )


def _clean(rng: np.random.Generator, page: Page) -> SketchPage:
    """Draw the lines clean, of any even width, as they are if somebody has inked them."""
    distance = cv2.distanceTransform((page.lines >= 128).astype(np.uint8), cv2.DIST_L2, 5)
    half = log_uniform(rng, 0.6, 3.5)
    ink = np.clip(half - distance + 0.5, 0, 1) * np.float32(rng.uniform(0.4, 1))
    sketch = random_damage(rng).apply(np.asarray(1 - ink, np.float32), rng)
    return SketchPage(
        sketch=sketch,
        lines=page.lines,
        weight=separable(page.lines),
        subject=page.subject,
        source="lines",
    )
