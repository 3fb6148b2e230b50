"""Curves: smooth lines through points, and the shapes that follow them.

Curves and shapes are (N, 2) float64 arrays of x, y in the units of the frame they are drawn in,
y downwards. A shape is a curve that is closed implicitly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Point = tuple[float, float]


def smooth(*points: Point, closed: bool = False, steps: int = 8) -> Points:
    """A centripetal Catmull-Rom spline through the points.

    Args:
        points: two or more, none equal to its neighbour.
        closed: whether the curve returns to the first point.
        steps: samples per piece.
    """
    p = np.asarray(points, dtype=np.float64)
    if closed:
        p = np.concatenate([p[-1:], p, p[:2]])
    else:
        p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    d = np.sqrt(np.linalg.norm(np.diff(p, axis=0), axis=1, keepdims=True)) + 1e-9
    slope = np.diff(p, axis=0) / d
    tangent = (slope[:-1] * d[1:] + slope[1:] * d[:-1]) / (d[:-1] + d[1:])
    start, end, span = p[1:-2], p[2:-1], d[1:-1]
    t = (np.arange(steps) / steps)[None, :, None]
    curve = (
        start[:, None] * (2 * t**3 - 3 * t**2 + 1)
        + (tangent[:-1] * span)[:, None] * (t**3 - 2 * t**2 + t)
        + end[:, None] * (3 * t**2 - 2 * t**3)
        + (tangent[1:] * span)[:, None] * (t**3 - t**2)
    ).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, end[-1:]])


def bow(start: Point, end: Point, bulge: float, steps: int = 10) -> Points:
    """A curve from start to end that bends `bulge` times its length to the left of the way."""
    a, b = np.asarray(start), np.asarray(end)
    way = b - a
    control = (a + b) / 2 + 2 * bulge * np.array([way[1], -way[0]])
    t = np.linspace(0, 1, steps)[:, None]
    curve: Points = (1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * b
    return curve


def line(*points: Point) -> Points:
    """A curve with a corner at every point."""
    return np.asarray(points, dtype=np.float64)


def join(*curves: Points) -> Points:
    """Curves one after the other, as one."""
    return np.concatenate(curves)


def mirror(curve: Points) -> Points:
    """The curve on the other side of the axis x = 0, run through backwards."""
    mirrored: Points = curve[::-1] * np.array([-1.0, 1.0])
    return mirrored


def sided(curve: Points, side: float) -> Points:
    """The curve for one side of the body: drawn for side 1, mirrored for side -1."""
    placed: Points = curve * np.array([side, 1.0])
    return placed


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 36) -> Points:
    """An ellipse around (x, y)."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def normals(curve: Points) -> Points:
    """Unit vectors to the right of the way (y downwards: right of +x is +y), one per point."""
    way = np.gradient(curve, axis=0)
    way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-9
    return np.stack([-way[:, 1], way[:, 0]], axis=1)


def edge(spine: Points, widths: Sequence[float], offset: float) -> Points:
    """The curve beside a spine.

    Args:
        spine: where the limb or the lock of hair runs.
        widths: half widths, evenly spread along the spine.
        offset: 0 on the spine, 1 on its right edge, -1 on its left.
    """
    at = np.linspace(0, 1, len(widths))
    half = np.interp(np.linspace(0, 1, len(spine)), at, widths)
    edge: Points = spine + normals(spine) * (half * offset)[:, None]
    return edge


def ribbon(
    spine: Points, widths: Sequence[float], left: float = -1.0, right: float = 1.0
) -> Points:
    """The shape between two edges of a spine, see `edge`."""
    return join(edge(spine, widths, left), edge(spine, widths, right)[::-1])
