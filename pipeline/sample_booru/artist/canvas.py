"""A canvas that draws a colour picture and its line art at the same time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.sample_booru.artist.curve import Points, normals
from pipeline.sample_booru.artist.palette import Color, Material

Transform = Callable[[Points], Points]

OVERSAMPLING = 2
_SHIFT = 4  # fractional bits of the coordinates that OpenCV takes
_PAPER = 255


def _to_fixed_point(points: Points) -> NDArray[np.int32]:
    return np.round(np.clip(points, -8000, 16000) * (1 << _SHIFT)).astype(np.int32)


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A colour picture and its line art, on which every shape is drawn.

    A fill is paper on the line art, so that shapes in front hide the lines of those behind.

    Attributes:
        color: (H, W, 3) uint8 RGB, oversampled.
        line: (H, W) uint8, 0 ink, 255 paper, oversampled.
        transform: maps the units in which shapes are drawn to pixels of the whole picture.
        line_width: width of a normal line, in pixels of the oversampled picture.
        origin: left and top of this canvas in the whole picture, in pixels.
    """

    color: NDArray[np.uint8]
    line: NDArray[np.uint8]
    transform: Transform
    line_width: float
    origin: tuple[int, int] = (0, 0)

    def transformed(self, transform: Transform) -> Canvas:
        """Return the same canvas for shapes in other units, mapped to its own by `transform`."""
        outer = self.transform
        return dataclasses.replace(self, transform=lambda points: outer(transform(points)))

    def clear(self, color: Color) -> None:
        """Fill the whole canvas."""
        height, width = self.line.shape
        cv2.rectangle(self.color, (0, 0), (width, height), color, cv2.FILLED)
        self.line[:] = _PAPER

    def _pixels(self, points: Points) -> Points:
        pixels: Points = self.transform(points) - np.array(self.origin)
        return pixels

    def _paint(self, pixels: Points, color: Color, ink: int | None) -> None:
        polygon = [_to_fixed_point(pixels)]
        cv2.fillPoly(self.color, polygon, color, cv2.LINE_AA, _SHIFT)
        if ink is not None:
            cv2.fillPoly(self.line, polygon, (ink,), cv2.LINE_AA, _SHIFT)

    def fill(self, shape: Points, color: Color) -> None:
        """Fill a shape, and erase the lines under it."""
        self._paint(self._pixels(shape), color, _PAPER)

    def shade(self, shape: Points, color: Color) -> None:
        """Fill a shape in the colour picture alone, keeping the lines under it."""
        self._paint(self._pixels(shape), color, None)

    def ink(self, shape: Points, color: Color) -> None:
        """Fill a shape with ink, such as an eyelash."""
        self._paint(self._pixels(shape), color, 0)

    def stroke(
        self,
        curve: Points,
        color: Color,
        width: float = 1.0,
        ends: tuple[float, float] = (0.55, 0.55),
    ) -> None:
        """Draw a line along a curve, thinner at its ends.

        Args:
            curve: the middle of the line.
            color: colour of the line.
            width: in multiples of `line_width`.
            ends: width at the start and at the end, as shares of `width`.
        """
        pixels = self._pixels(curve)
        steps = np.linalg.norm(np.diff(pixels, axis=0), axis=1)
        length = np.concatenate([[0.0], np.cumsum(steps)])
        if length[-1] < 1:
            return
        u = length / length[-1]
        swell = np.sin(np.pi / 2 * np.minimum(1, np.minimum(u, 1 - u) / 0.38))
        low = np.where(u < 0.5, ends[0], ends[1])
        half = self.line_width * width / 2 * (low + (1 - low) * swell)
        side = normals(pixels) * half[:, None]
        self._paint(np.concatenate([pixels - side, (pixels + side)[::-1]]), color, 0)

    def stroke_paper(self, curve: Points, color: Color, width: float) -> None:
        """Draw a line of paper over a wider stroke, such as the inside of a cord."""
        thickness = max(1, round(self.line_width * width))
        polygon = [_to_fixed_point(self._pixels(curve))]
        cv2.polylines(self.color, polygon, False, color, thickness, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.line, polygon, False, (_PAPER,), thickness, cv2.LINE_AA, _SHIFT)

    def outline(self, shape: Points, color: Color, width: float = 1.0) -> None:
        """Draw a line of constant width around a shape."""
        polygon = [_to_fixed_point(self._pixels(shape))]
        thickness = max(1, round(self.line_width * width))
        cv2.polylines(self.color, polygon, True, color, thickness, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.line, polygon, True, (0,), thickness, cv2.LINE_AA, _SHIFT)

    def shape(self, shape: Points, fill: Color, ink: Color, width: float = 1.0) -> None:
        """Fill a shape and draw its outline."""
        self.fill(shape, fill)
        self.outline(shape, ink, width)

    @contextmanager
    def clipped(self, shape: Points, color: Color | None = None) -> Iterator[Canvas]:
        """Yield a canvas that is clipped to a shape.

        Args:
            shape: the clip.
            color: fills the shape first; None keeps what is there.
        """
        pixels = self._pixels(shape)
        height, width = self.line.shape
        left, top = np.clip(np.floor(pixels.min(axis=0)).astype(int), 0, (width, height))
        right, bottom = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, 0, (width, height))
        if right <= left or bottom <= top:  # wholly off the picture
            left, top, right, bottom = 0, 0, 1, 1
        part = np.s_[top:bottom, left:right]
        inner = dataclasses.replace(
            self,
            color=np.empty_like(self.color[part]) if color else self.color[part].copy(),
            line=np.empty_like(self.line[part]) if color else self.line[part].copy(),
            origin=(self.origin[0] + int(left), self.origin[1] + int(top)),
        )
        if color:
            inner.clear(color)
        yield inner
        mask = np.zeros(inner.line.shape, np.uint8)
        cv2.fillPoly(mask, [_to_fixed_point(pixels - (left, top))], (255,), cv2.LINE_8, _SHIFT)
        cv2.copyTo(inner.color, mask, self.color[part])
        cv2.copyTo(inner.line, mask, self.line[part])

    def gradient(self, top: tuple[float, Color], bottom: tuple[float, Color]) -> None:
        """Fill the colour picture with a vertical gradient between two heights."""
        rows = self._pixels(np.array([[0.0, top[0]], [0.0, bottom[0]]]))[:, 1]
        t = np.clip((np.arange(self.line.shape[0]) - rows[0]) / (rows[1] - rows[0]), 0, 1)
        ramp = np.array(top[1]) + t[:, None] * (np.array(bottom[1], float) - np.array(top[1]))
        column = np.ascontiguousarray(ramp.astype(np.uint8)[:, None])  # (H, 1, 3)
        cv2.repeat(column, 1, self.line.shape[1], self.color)

    def radial_gradient(
        self, x: float, y: float, rx: float, ry: float, color: Color, max_opacity: float
    ) -> None:
        """Blend in a spot of colour, whose opacity falls from `max_opacity` to 0 at its rim."""
        corners = self._pixels(np.array([[x - rx, y], [x + rx, y], [x, y - ry], [x, y + ry]]))
        center = corners.mean(axis=0)
        half = np.array([np.ptp(corners[:, 0]), np.ptp(corners[:, 1])]) / 2 + 1e-6
        low = np.clip(np.floor(center - half), 0, self.line.shape[::-1]).astype(int)
        high = np.clip(np.ceil(center + half), 0, self.line.shape[::-1]).astype(int)
        u = ((np.arange(low[0], high[0]) - center[0]) / half[0]) ** 2
        v = ((np.arange(low[1], high[1]) - center[1]) / half[1]) ** 2
        share = max_opacity * np.clip(1 - (u[None, :] + v[:, None]), 0, 1)[..., None]
        spot = self.color[low[1] : high[1], low[0] : high[0]]
        spot[:] = (spot * (1 - share) + np.array(color) * share).astype(np.uint8)

    def darken(self, shape: Points, fabric: Material) -> None:
        """Shade a shape of fabric with whatever is printed on it."""
        r, g, b = (
            min(255, round(255 * shade / max(1, base)))
            for base, shade in zip(fabric.base, fabric.shade, strict=True)
        )
        self.multiply(shape, (r, g, b))

    def multiply(self, shape: Points, color: Color) -> None:
        """Multiply the colours in a shape by `color` / 255."""
        with self.clipped(shape) as inner:
            levels = np.arange(256)[:, None] * np.array(color) // 255  # of each channel
            inner.color[:] = cv2.LUT(inner.color, levels.astype(np.uint8)[None])
