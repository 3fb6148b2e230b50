"""A canvas whose outlines can be drawn in any way, or left out, while the true lines are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import chance
from pipeline.artbook.ink import lines_of_ink
from pipeline.artbook.palette import random_color
from pipeline.artbook.pen import Pen, half_widths, open_gaps
from pipeline.artbook.rough import Rough
from pipeline.sample_booru.artist.canvas import OVERSAMPLING, Canvas
from pipeline.sample_booru.artist.curve import Points, normals
from pipeline.sample_booru.artist.palette import Color

LINE_WIDTH = 2.0
"""Width of the true lines, in pixels of the page, without their soft edges."""

_THICKNESS = round(LINE_WIDTH * OVERSAMPLING)
MAX_STROKE = 30 * OVERSAMPLING
"""Width from which ink is an area, in oversampled pixels."""

_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THICKNESS, _THICKNESS))
_SHIFT = 4  # fractional bits of the coordinates that OpenCV takes
_LAYERS = ("color", "line", "edge", "strokes", "stroke_color", "area")


@dataclass(kw_only=True)
class DrawingState:
    """What changes while a page is drawn.

    Attributes:
        areas: number of shapes that have been filled.
        outlined: whether the last of them gets an outline.
        patterned: whether what is drawn has a pattern behind it.
    """

    areas: int = 0
    outlined: bool = True
    patterned: bool = False


@dataclass(frozen=True, kw_only=True)
class PageCanvas(Canvas):
    """The sample booru's canvas, with fills and outlines apart; all layers are oversampled.

    Of the layers of `Canvas`, `color` has the fills alone, and `line` the true lines, all of one
    width.

    Attributes:
        edge: (H, W) uint8, 255 along true lines that have no outline: two areas meet there.
        strokes: (H, W) uint8, opacity of the outlines, or the pencil of a rough sketch.
        stroke_color: (H, W, 3) uint8, colour of the outlines.
        area: (H, W) int32, a number for every filled shape, 0 for the background.
        pen: how outlines are drawn.
        rng: the source of randomness.
        rough: how a rough sketch is drawn; None if this is a picture.
        state: what changes while it is drawn.
    """

    edge: NDArray[np.uint8]
    strokes: NDArray[np.uint8]
    stroke_color: NDArray[np.uint8]
    area: NDArray[np.int32]
    pen: Pen
    rng: np.random.Generator
    rough: Rough | None = None
    state: DrawingState = field(default_factory=DrawingState)

    def clear(self, color: Color) -> None:
        """Fill the whole canvas."""
        height, width = self.line.shape
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        self._fill(corners, color)

    def fill(self, shape: Points, color: Color) -> None:
        """Fill a shape, and erase the lines under it."""
        self._fill(self._pixels(shape), color)

    def _is_off(self, pixels: Points, margin: float = 0.0) -> bool:
        """Return whether a shape lies wholly beside this canvas."""
        height, width = self.line.shape
        left, top = pixels.min(axis=0) - margin
        right, bottom = pixels.max(axis=0) + margin
        return bool(right < 0 or bottom < 0 or left > width or top > height)

    def _fill(self, pixels: Points, color: Color) -> None:
        if self._is_off(pixels):
            return
        polygon = [_fixed_point(pixels)]
        self.state.areas += 1
        self.state.outlined = not chance(self.rng, self.pen.absent)
        cv2.fillPoly(self.line, polygon, (255,), cv2.LINE_AA, _SHIFT)
        if self.rough is not None:
            if not chance(self.rng, self.rough.see_through):
                cv2.fillPoly(self.strokes, polygon, (0,), cv2.LINE_AA, _SHIFT)
            return
        cv2.fillPoly(self.color, polygon, color, cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self.strokes, polygon, (0,), cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self.edge, polygon, (0,), cv2.LINE_8, _SHIFT)
        cv2.fillPoly(self.area, polygon, (self.state.areas,), cv2.LINE_8, _SHIFT)

    def shade(self, shape: Points, color: Color) -> None:
        """Fill a shape in the colour picture alone, keeping the lines under it."""
        if self.rough is None and not self._is_off(self._pixels(shape)):
            super().shade(shape, color)

    def ink(self, shape: Points, color: Color) -> None:
        """Fill a shape with ink, such as an eyelash."""
        pixels = self._pixels(shape)
        self._line_along(pixels)
        polygon = [_fixed_point(pixels)]
        cv2.fillPoly(self.strokes, polygon, (255,), cv2.LINE_AA, _SHIFT)
        if self.rough is None:
            cv2.fillPoly(self.edge, polygon, (0,), cv2.LINE_8, _SHIFT)
            self._color_strokes(polygon, self._ink_on(color))

    def _line_along(self, pixels: Points) -> None:
        """Draw the true line of a shape of ink: along its middle."""
        height, width = self.line.shape
        low = np.clip(np.floor(pixels.min(axis=0)).astype(int) - 4, 0, (width, height))
        high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 5, 0, (width, height))
        if (high <= low).any():
            return
        shape = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        cv2.fillPoly(shape, [_fixed_point(pixels - low)], (1,), cv2.LINE_8, _SHIFT)
        line = 255 * cv2.dilate(lines_of_ink(shape > 0, MAX_STROKE).astype(np.uint8), _DISC)
        part = self.line[low[1] : high[1], low[0] : high[0]]
        np.minimum(part, 255 - line, out=part)

    def _ink_on(self, color: Color) -> Color:
        return color if self.pen.ink == "absent" else self.pen.ink_on(color)

    def _color_strokes(self, polygon: list[NDArray[np.int32]], ink: Color) -> None:
        """Set the colour of the strokes in a shape, and a little around it for soft edges."""
        cv2.fillPoly(self.stroke_color, polygon, ink, cv2.LINE_8, _SHIFT)
        cv2.polylines(self.stroke_color, polygon, True, ink, 5, cv2.LINE_8, _SHIFT)

    def stroke(
        self,
        curve: Points,
        color: Color,
        width: float = 1.0,
        ends: tuple[float, float] = (0.55, 0.55),
    ) -> None:
        """Draw a line along a curve; arguments as for `Canvas.stroke`."""
        self._line(self._pixels(curve), color, width, thinnest=min(ends), closed=False)

    def outline(self, shape: Points, color: Color, width: float = 1.0) -> None:
        """Draw a line around a shape."""
        self._line(self._pixels(shape), color, width, thinnest=1.0, closed=True)

    def stroke_paper(self, curve: Points, color: Color, width: float) -> None:
        """Draw a line of paper over a wider stroke, such as the inside of a cord."""
        thickness = max(1, round(self.line_width * width))
        polygon = [_fixed_point(self._pixels(curve))]
        for layer, value in ((self.line, 255), (self.strokes, 0), (self.edge, 0)):
            cv2.polylines(layer, polygon, False, (value,), thickness, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.color, polygon, False, color, thickness, cv2.LINE_AA, _SHIFT)

    def _line(
        self, pixels: Points, color: Color, width: float, *, thinnest: float, closed: bool
    ) -> None:
        if self._is_off(pixels, 2 * width * self.line_width + _THICKNESS):
            return
        if closed:
            pixels = np.concatenate([pixels, pixels[:1]])
        steps = np.linalg.norm(np.diff(pixels, axis=0), axis=1)
        if steps.sum() < 1:
            return
        fixed = [_fixed_point(pixels)]
        cv2.polylines(self.line, fixed, False, (0,), _THICKNESS, cv2.LINE_AA, _SHIFT)
        width *= self.line_width
        if self.rough is not None:
            self.rough.draw(self.strokes, pixels, width, self.rng)
            return
        shown = self.state.outlined
        cv2.polylines(
            self.edge, fixed, False, (0 if shown else 255,), _THICKNESS, cv2.LINE_8, _SHIFT
        )
        if not shown:
            return
        at = np.concatenate([[0.0], np.cumsum(steps)])
        own = random_color(self.rng) if chance(self.rng, self.pen.accents) else None
        for start, end in open_gaps(self.pen, at[-1] / OVERSAMPLING, self.rng):
            part = _part(pixels, at, start, end)
            half = half_widths(self.pen, len(part), width / 2, thinnest, closed, self.rng)
            side = normals(part) * half[:, None]
            polygon = [_fixed_point(np.concatenate([part - side, (part + side)[::-1]]))]
            ink = own or self._ink_on(color)
            self._color_strokes(polygon, ink)
            cv2.fillPoly(self.strokes, polygon, (255,), cv2.LINE_AA, _SHIFT)
            if self.pen.round_joins:
                self._round_joins(part, 2 * float(half.min()), ink)

    def _round_joins(self, part: Points, width: float, ink: Color) -> None:
        """Round the corners and the ends of a stroke, which is at least as wide everywhere."""
        thickness, path = round(width), [_fixed_point(part)]
        if thickness > 1:
            cv2.polylines(self.stroke_color, path, False, ink, thickness + 3, cv2.LINE_8, _SHIFT)
            cv2.polylines(self.strokes, path, False, (255,), thickness, cv2.LINE_AA, _SHIFT)

    @contextmanager
    def clipped(self, shape: Points, color: Color | None = None) -> Iterator[Canvas]:
        """Yield a canvas that is clipped to a shape; arguments as for `Canvas.clipped`."""
        pixels = self._pixels(shape)
        height, width = self.line.shape
        left, top = np.clip(np.floor(pixels.min(axis=0)).astype(int), 0, (width, height))
        right, bottom = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, 0, (width, height))
        if right <= left or bottom <= top:  # wholly off the page
            left, top, right, bottom = 0, 0, 1, 1
        part = np.s_[top:bottom, left:right]
        layers = {name: getattr(self, name)[part] for name in _LAYERS}
        inner = dataclasses.replace(
            self,
            **{name: layer.copy() for name, layer in layers.items()},
            origin=(self.origin[0] + int(left), self.origin[1] + int(top)),
        )
        if color:
            inner.clear(color)
        yield inner
        mask = np.zeros(inner.line.shape, np.uint8)
        cv2.fillPoly(mask, [_fixed_point(pixels - (left, top))], (255,), cv2.LINE_8, _SHIFT)
        for name, layer in layers.items():
            cv2.copyTo(getattr(inner, name), mask, layer)

    def gradient(self, top: tuple[float, Color], bottom: tuple[float, Color]) -> None:
        """Fill the colours with a vertical gradient between two heights."""
        if self.rough is None:
            super().gradient(top, bottom)

    def radial_gradient(
        self, x: float, y: float, rx: float, ry: float, color: Color, max_opacity: float
    ) -> None:
        """Blend in a spot of colour; arguments as for `Canvas.radial_gradient`."""
        if self.rough is None:
            super().radial_gradient(x, y, rx, ry, color, max_opacity)

    def multiply(self, shape: Points, color: Color) -> None:
        """Multiply the colours in a shape by `color` / 255."""
        if self.rough is None:
            super().multiply(shape, color)


def blank_canvas(
    background: NDArray[np.uint8],
    pen: Pen,
    rng: np.random.Generator,
    rough: Rough | None = None,
) -> PageCanvas:
    """Return an empty canvas, in units of the page's pixels.

    Args:
        background: (H, W, 3) uint8, oversampled, which is painted on.
        pen: how outlines are drawn.
        rng: the source of randomness.
        rough: how a rough sketch is drawn; None draws a picture.
    """
    shape = background.shape[:2]
    return PageCanvas(
        color=background,
        line=np.full(shape, 255, np.uint8),
        transform=lambda points: points * OVERSAMPLING,
        line_width=pen.width * OVERSAMPLING,
        edge=np.zeros(shape, np.uint8),
        strokes=np.zeros(shape, np.uint8),
        stroke_color=np.zeros((*shape, 3), np.uint8),
        area=np.zeros(shape, np.int32),
        pen=pen,
        rng=rng,
        rough=rough,
    )


def _fixed_point(points: Points) -> NDArray[np.int32]:
    return np.round(np.clip(points, -8000, 16000) * (1 << _SHIFT)).astype(np.int32)


def _part(pixels: Points, at: NDArray[np.float64], start: float, end: float) -> Points:
    """Return the part of a curve between two shares of its length `at[-1]`."""
    if start <= 0 and end >= 1:
        return pixels
    low, high = start * at[-1], end * at[-1]
    inside = (at > low) & (at < high)
    places = np.concatenate([[low], at[inside], [high]])
    return np.stack([np.interp(places, at, pixels[:, axis]) for axis in (0, 1)], axis=1)
