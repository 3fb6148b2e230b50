"""The strokes of a rough sketch: lines gone over several times, never quite where they belong."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.chance import chance, integer, log_uniform, smooth_noise
from pipeline.sample_booru.artist.canvas import OVERSAMPLING
from pipeline.sample_booru.artist.curve import Points, normals

MEDIA = ("pencil", "ballpoint", "brush", "marker")

_SHIFT = 4


@dataclass(frozen=True, kw_only=True)
class Rough:
    """How a line of a sketch is drawn; lengths in pixels of the page.

    Attributes:
        passes: the most strokes that one place of a line gets.
        jitter: how far a stroke is off the line.
        overshoot: how far a stroke runs beyond its end.
        piece: length of a stroke, after which the next begins.
        width: of a stroke.
        swell: how much the width differs from stroke to stroke, 0 to 1.
        pressure: darkness of a stroke, 0 to 1, the least and the most.
        see_through: share of the shapes that do not hide the lines behind them, 0 to 1.
    """

    passes: int = 2
    jitter: float = 1.0
    overshoot: float = 4.0
    piece: float = 80.0
    width: float = 1.8
    swell: float = 0.25
    pressure: tuple[float, float] = (0.4, 0.9)
    see_through: float = 0.0

    def draw(
        self,
        strokes: NDArray[np.uint8],
        pixels: Points,
        width: float,
        rng: np.random.Generator,
    ) -> None:
        """Draw a line.

        Args:
            strokes: (H, W) uint8, oversampled: darkness of the pencil.
            pixels: the line, in oversampled pixels.
            width: of the line in the drawing, in oversampled pixels; wide ones are drawn darker.
            rng: the source of randomness.
        """
        length = float(np.linalg.norm(np.diff(pixels, axis=0), axis=1).sum()) / OVERSAMPLING
        pieces = max(1, round(length / self.piece))
        bold = float(np.clip(width / (OVERSAMPLING * 3.0), 0.7, 1.3))
        for piece in range(pieces):
            slack = self.overshoot / max(length, 1.0)
            for number in range(integer(rng, 1, self.passes)):
                start = piece / pieces - slack * rng.random()
                end = (piece + 1) / pieces + slack * rng.random()
                path = self._path(
                    pixels, start, end, self.jitter if number else self.jitter / 2, rng
                )
                pressure = float(rng.uniform(*self.pressure)) * (1.0 if number == 0 else 0.8)
                self._stroke(strokes, path, min(1.0, pressure * bold), rng)

    def trace(
        self, strokes: NDArray[np.uint8], lines: NDArray[np.bool_], rng: np.random.Generator
    ) -> None:
        """Draw lines that are known as pixels, not as curves, over and over, each time a bit off.

        Args:
            strokes: (H, W) uint8, oversampled: darkness of the pencil.
            lines: (H, W), the lines, one pixel wide.
            rng: the source of randomness.
        """
        height, width = lines.shape
        distance = cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 3)
        x = np.arange(width, dtype=np.float32)[None]
        y = np.arange(height, dtype=np.float32)[:, None]
        left = np.ones(lines.shape, np.float32)
        for number in range(integer(rng, 1, self.passes)):
            off = self.jitter * OVERSAMPLING * (1.0 if number else 0.5)
            shift = [off * smooth_noise(rng, height, width, 30 * OVERSAMPLING) for _ in range(2)]
            moved = cv2.remap(
                distance,
                x + shift[0],
                y + shift[1],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,  # 0 would be a line along the border
            )
            pressure = rng.uniform(*self.pressure) * np.clip(
                0.8 + 0.35 * smooth_noise(rng, height, width, self.piece), 0, 1
            )
            left *= 1 - pressure * np.clip(self.width * OVERSAMPLING / 2 - moved + 0.5, 0, 1)
        strokes[:] = 255 * (1 - left)

    def _path(
        self, pixels: Points, start: float, end: float, jitter: float, rng: np.random.Generator
    ) -> Points:
        """Return the path of one stroke along a part of a line, in oversampled pixels."""
        steps = np.linalg.norm(np.diff(pixels, axis=0), axis=1)
        at = np.concatenate([[0.0], np.cumsum(steps)])
        count = int(np.clip((end - start) * at[-1] / 6, 6, 200))
        places = np.linspace(start, end, count) * at[-1]
        path = np.stack([np.interp(places, at, pixels[:, axis]) for axis in (0, 1)], axis=1)
        for beyond, edge, inner in ((places < 0, 0, 1), (places > at[-1], -1, -2)):
            if beyond.any():  # straight on, past the end
                tangent = pixels[edge] - pixels[inner]
                tangent = tangent / (np.linalg.norm(tangent) + 1e-9)
                far = np.abs(places - (0 if edge == 0 else at[-1]))
                path = path + np.where(beyond, far, 0)[:, None] * tangent
        knots = max(3, int((end - start) * at[-1] / (40 * OVERSAMPLING)) + 2)
        wobble = np.interp(
            np.linspace(0, 1, count),
            np.linspace(0, 1, knots),
            rng.normal(0, jitter * OVERSAMPLING, knots),
        )
        wobbly: Points = path + normals(path) * wobble[:, None]
        return wobbly

    def _stroke(
        self, strokes: NDArray[np.uint8], path: Points, pressure: float, rng: np.random.Generator
    ) -> None:
        u = np.linspace(0, 1, len(path))
        ends = 0.35 + 0.65 * np.sin(np.pi * np.clip(u, 0.02, 0.98)) ** 0.5
        half = self.width * OVERSAMPLING / 2 * ends * rng.uniform(1 - self.swell, 1 + self.swell)
        side = normals(path) * half[:, None]
        shape = np.concatenate([path - side, (path + side)[::-1]])
        low = np.maximum(np.floor(shape.min(axis=0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(shape.max(axis=0)).astype(int) + 2, strokes.shape[::-1])
        if (high <= low).any():
            return
        part = strokes[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros(part.shape, np.uint8)
        polygon = np.round((shape - low) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(mask, [polygon], (round(255 * pressure),), cv2.LINE_AA, _SHIFT)
        # What a second stroke adds is a share of the paper that is left.
        left = 255 - part.astype(np.uint16)
        part[:] = 255 - (left * (255 - mask) // 255).astype(np.uint8)


def random_rough(rng: np.random.Generator, medium: str) -> Rough:
    """Return a way to draw rough lines with one of `MEDIA`; every property is drawn on its own."""
    darkest = float(rng.uniform(0.35, 1) if medium == "pencil" else rng.uniform(0.75, 1))
    clean = chance(rng, 0.3)
    widths = {"pencil": (0.9, 4.5), "ballpoint": (0.8, 1.8), "brush": (1.5, 7), "marker": (3, 10)}
    return Rough(
        passes=1 if clean else integer(rng, 2, 4),
        jitter=log_uniform(rng, 0.2, 0.6) if clean else log_uniform(rng, 0.5, 2.4),
        overshoot=log_uniform(rng, 0.5, 14),
        piece=log_uniform(rng, 25, 220),
        width=log_uniform(rng, *widths[medium]),
        swell=0.6 if medium == "brush" else 0.25,
        pressure=(darkest * float(rng.uniform(0.45, 0.95)), darkest),
        see_through=float(rng.uniform(0, 0.25)) * chance(rng, 0.3),
    )
