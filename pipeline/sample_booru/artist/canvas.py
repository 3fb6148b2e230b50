"""A canvas that keeps the colour picture and its line art in step."""

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

Frame = Callable[[Points], Points]

OVERSAMPLING = 2
_SHIFT = 4  # fractional bits of the coordinates that OpenCV takes
_PAPER = 255


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.round(np.clip(points, -8000, 16000) * (1 << _SHIFT)).astype(np.int32)


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """Draws every shape on the colour picture and on the line art.

    A fill is paper on the line art, so that near shapes hide the lines of far ones.

    Attributes:
        color: (H, W, 3) uint8 RGB, oversampled.
        line: (H, W) uint8, 0 ink, 255 paper, oversampled.
        frame: takes the units shapes are drawn in to pixels of the whole picture.
        pen: width of a normal line, in pixels of the oversampled picture.
        origin: where this canvas lies in the whole picture.
    """

    color: NDArray[np.uint8]
    line: NDArray[np.uint8]
    frame: Frame
    pen: float
    origin: tuple[int, int] = (0, 0)

    def within(self, frame: Frame) -> Canvas:
        """The same canvas, whose shapes are given in the units of a frame inside this one."""
        outer = self.frame
        return dataclasses.replace(self, frame=lambda points: outer(frame(points)))

    def clear(self, color: Color) -> None:
        """Fills the whole canvas."""
        height, width = self.line.shape
        cv2.rectangle(self.color, (0, 0), (width, height), color, cv2.FILLED)
        self.line[:] = _PAPER

    def _pixels(self, points: Points) -> Points:
        pixels: Points = self.frame(points) - np.array(self.origin)
        return pixels

    def _paint(self, pixels: Points, color: Color, ink: int | None) -> None:
        polygon = [_fixed(pixels)]
        cv2.fillPoly(self.color, polygon, color, cv2.LINE_AA, _SHIFT)
        if ink is not None:
            cv2.fillPoly(self.line, polygon, (ink,), cv2.LINE_AA, _SHIFT)

    def fill(self, shape: Points, color: Color) -> None:
        """A flat shape that hides what lies under it."""
        self._paint(self._pixels(shape), color, _PAPER)

    def shade(self, shape: Points, color: Color) -> None:
        """A patch of another colour on what lies under it; its lines stay in the line art."""
        self._paint(self._pixels(shape), color, None)

    def ink(self, shape: Points, color: Color) -> None:
        """A shape of solid ink, such as an eyelash."""
        self._paint(self._pixels(shape), color, 0)

    def stroke(
        self,
        curve: Points,
        color: Color,
        width: float = 1.0,
        ends: tuple[float, float] = (0.55, 0.55),
    ) -> None:
        """A line along a curve.

        Args:
            curve: where it runs.
            color: of the ink.
            width: in pens.
            ends: how much of the width is left at the start and at the end.
        """
        pixels = self._pixels(curve)
        steps = np.linalg.norm(np.diff(pixels, axis=0), axis=1)
        way = np.concatenate([[0.0], np.cumsum(steps)])
        if way[-1] < 1:
            return
        u = way / way[-1]
        swell = np.sin(np.pi / 2 * np.minimum(1, np.minimum(u, 1 - u) / 0.38))
        low = np.where(u < 0.5, ends[0], ends[1])
        half = self.pen * width / 2 * (low + (1 - low) * swell)
        side = normals(pixels) * half[:, None]
        self._paint(np.concatenate([pixels - side, (pixels + side)[::-1]]), color, 0)

    def stroke_over(self, curve: Points, color: Color, width: float) -> None:
        """The inside of a cord: paper in the line art, over a wider stroke."""
        thickness = max(1, round(self.pen * width))
        polygon = [_fixed(self._pixels(curve))]
        cv2.polylines(self.color, polygon, False, color, thickness, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.line, polygon, False, (_PAPER,), thickness, cv2.LINE_AA, _SHIFT)

    def outline(self, shape: Points, color: Color, width: float = 1.0) -> None:
        """An even line around a shape."""
        polygon = [_fixed(self._pixels(shape))]
        thickness = max(1, round(self.pen * width))
        cv2.polylines(self.color, polygon, True, color, thickness, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.line, polygon, True, (0,), thickness, cv2.LINE_AA, _SHIFT)

    def shape(self, shape: Points, fill: Color, ink: Color, width: float = 1.0) -> None:
        """A filled shape with an even line around it."""
        self.fill(shape, fill)
        self.outline(shape, ink, width)

    @contextmanager
    def inside(self, shape: Points, color: Color | None = None) -> Iterator[Canvas]:
        """A canvas of which only what lies inside the shape will show.

        Args:
            shape: the clip.
            color: flat fill to start with; None keeps what is there.
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
        cv2.fillPoly(mask, [_fixed(pixels - (left, top))], (255,), cv2.LINE_8, _SHIFT)
        cv2.copyTo(inner.color, mask, self.color[part])
        cv2.copyTo(inner.line, mask, self.line[part])

    def wash(self, top: tuple[float, Color], bottom: tuple[float, Color]) -> None:
        """A vertical gradient over the whole canvas, between two heights in units of the frame."""
        rows = self._pixels(np.array([[0.0, top[0]], [0.0, bottom[0]]]))[:, 1]
        t = np.clip((np.arange(self.line.shape[0]) - rows[0]) / (rows[1] - rows[0]), 0, 1)
        ramp = np.array(top[1]) + t[:, None] * (np.array(bottom[1], float) - np.array(top[1]))
        column = np.ascontiguousarray(ramp.astype(np.uint8)[:, None])  # (H, 1, 3)
        cv2.repeat(column, 1, self.line.shape[1], self.color)

    def glow(self, x: float, y: float, rx: float, ry: float, color: Color, most: float) -> None:
        """A soft spot of colour; `most` is its share of the colour in the middle."""
        corners = self._pixels(np.array([[x - rx, y], [x + rx, y], [x, y - ry], [x, y + ry]]))
        center = corners.mean(axis=0)
        half = np.array([np.ptp(corners[:, 0]), np.ptp(corners[:, 1])]) / 2 + 1e-6
        low = np.clip(np.floor(center - half), 0, self.line.shape[::-1]).astype(int)
        high = np.clip(np.ceil(center + half), 0, self.line.shape[::-1]).astype(int)
        u = ((np.arange(low[0], high[0]) - center[0]) / half[0]) ** 2
        v = ((np.arange(low[1], high[1]) - center[1]) / half[1]) ** 2
        share = most * np.clip(1 - (u[None, :] + v[:, None]), 0, 1)[..., None]
        spot = self.color[low[1] : high[1], low[0] : high[0]]
        spot[:] = (spot * (1 - share) + np.array(color) * share).astype(np.uint8)

    def darken(self, shape: Points, cloth: Material) -> None:
        """The shade of a cloth over whatever is printed on it."""
        r, g, b = (
            min(255, round(255 * shade / max(1, base)))
            for base, shade in zip(cloth.base, cloth.shade, strict=True)
        )
        self.multiply(shape, (r, g, b))

    def multiply(self, shape: Points, color: Color) -> None:
        """A shadow over whatever lies under the shape: colours times color / 255."""
        with self.inside(shape) as inner:
            levels = np.arange(256)[:, None] * np.array(color) // 255  # of each channel
            inner.color[:] = cv2.LUT(inner.color, levels.astype(np.uint8)[None])
