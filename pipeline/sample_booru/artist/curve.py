"""Curves through points, and shapes along them.

Curves and shapes are (N, 2) float64 arrays of x, y in the units of their canvas, y downwards.
A shape is a curve that is closed implicitly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Point = tuple[float, float]


def spline(*points: Point, closed: bool = False, steps: int = 8) -> Points:
    """Return a centripetal Catmull-Rom spline through the points.

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


def arc(start: Point, end: Point, bulge: float, steps: int = 10) -> Points:
    """Return an arc from start to end that bends to the left by `bulge` times its length."""
    a, b = np.asarray(start), np.asarray(end)
    direction = b - a
    control = (a + b) / 2 + 2 * bulge * np.array([direction[1], -direction[0]])
    t = np.linspace(0, 1, steps)[:, None]
    curve: Points = (1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * b
    return curve


def polyline(*points: Point) -> Points:
    """Return a curve with a corner at every point."""
    return np.asarray(points, dtype=np.float64)


def join(*curves: Points) -> Points:
    """Concatenate curves."""
    return np.concatenate(curves)


def mirror(curve: Points) -> Points:
    """Mirror a curve at the axis x = 0, and reverse it."""
    mirrored: Points = curve[::-1] * np.array([-1.0, 1.0])
    return mirrored


def to_side(curve: Points, side: float) -> Points:
    """Return a curve for one side of the body: as given for side 1, mirrored for side -1."""
    placed: Points = curve * np.array([side, 1.0])
    return placed


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 36) -> Points:
    """Return an ellipse around (x, y)."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def normals(curve: Points) -> Points:
    """Return the unit normals of a curve, to its right (y downwards: right of +x is +y)."""
    direction = np.gradient(curve, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
    return np.stack([-direction[:, 1], direction[:, 0]], axis=1)


def offset_curve(spine: Points, widths: Sequence[float], offset: float) -> Points:
    """Return a curve beside a spine.

    Args:
        spine: the middle of the limb or of the lock of hair.
        widths: half widths, evenly spaced along the spine.
        offset: 0 on the spine, 1 on its right edge, -1 on its left.
    """
    at = np.linspace(0, 1, len(widths))
    half = np.interp(np.linspace(0, 1, len(spine)), at, widths)
    edge: Points = spine + normals(spine) * (half * offset)[:, None]
    return edge


def ribbon(
    spine: Points, widths: Sequence[float], left: float = -1.0, right: float = 1.0
) -> Points:
    """Return the shape between two offset curves of a spine, see `offset_curve`."""
    return join(offset_curve(spine, widths, left), offset_curve(spine, widths, right)[::-1])
