"""Painting: what the areas of a page look like inside, which makes no line."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.chance import chance, integer, log_uniform, smooth_noise
from pipeline.artbook.palette import random_color
from pipeline.artbook.pattern import random_pattern
from pipeline.sample_booru.artist.canvas import OVERSAMPLING

Floats = NDArray[np.float32]

_LARGE = 0.12  # of the page

PAINTS = (
    "flat",
    "cel",
    "soft",
    "gradient",
    "watercolor",
    "airbrush",
    "texture",
    "screentone",
    "line_art",
)


@dataclass(frozen=True, kw_only=True)
class Painted:
    """A painted page; pictures are (H, W, 3) float32 RGB in [0, 1].

    Attributes:
        whole: with its outlines.
        fills: without them.
        printed: whether some areas have a pattern.
    """

    whole: Floats
    fills: Floats
    printed: bool


def paint(canvas: PageCanvas, rng: np.random.Generator, style: str) -> Painted:
    """Return the page in one of the styles of `PAINTS`."""
    color = canvas.color.astype(np.float32) / np.float32(255)
    printed = style not in ("screentone", "line_art") and chance(rng, 0.2)
    if printed:
        color = _printed(canvas, color, rng)
    color = _STYLES[style](canvas, color, rng)
    if style not in ("screentone", "line_art") and chance(rng, 0.25):
        color = _highlights(canvas, color, rng)
    opacity = _opacity(canvas, rng)[..., None]
    ink = canvas.stroke_color.astype(np.float32) / 255
    whole = color + opacity * (ink - color)
    return Painted(whole=_shrink(whole), fills=_shrink(color), printed=printed)


def _shrink(picture: Floats) -> Floats:
    height, width = picture.shape[:2]
    size = (width // OVERSAMPLING, height // OVERSAMPLING)
    smaller = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(smaller, 0, 1), np.float32)


def _opacity(canvas: PageCanvas, rng: np.random.Generator) -> Floats:
    """Return the opacity of the outlines, (H, W) in [0, 1], oversampled."""
    pen = canvas.pen
    opacity = canvas.strokes.astype(np.float32) * np.float32(pen.opacity / 255)
    if pen.grain:
        height, width = opacity.shape
        grain = smooth_noise(rng, height, width, rng.uniform(1.5, 4))
        opacity *= 1 - np.float32(pen.grain) * np.clip(0.5 + grain, 0, 1)
    if pen.blur:
        opacity = cv2.GaussianBlur(opacity, (0, 0), pen.blur * OVERSAMPLING)
    return np.asarray(opacity, np.float32)


def _per_area(
    canvas: PageCanvas, rng: np.random.Generator, low: float, high: float, share: float = 1.0
) -> Floats:
    """Return a random number for every area, as (H, W); 0 for some areas and the background."""
    count = canvas.state.areas + 1
    values = rng.uniform(low, high, count) * (rng.random(count) < share)
    values[0] = 0
    return values.astype(np.float32)[canvas.area]


def _forms(canvas: PageCanvas, rng: np.random.Generator) -> Floats:
    """Return a smooth field, (H, W), that differs from area to area: which side is in shadow."""
    height, width = canvas.area.shape
    scale = log_uniform(rng, 110, 400) * OVERSAMPLING  # smaller ones look like camouflage
    first, second = (smooth_noise(rng, height, width, scale) for _ in range(2))
    field = _per_area(canvas, rng, -1, 1) * first + _per_area(canvas, rng, -1, 1) * second
    return field + _per_area(canvas, rng, -0.5, 0.5)


def _shadow(color: Floats, share: Floats, rng: np.random.Generator) -> Floats:
    """Darken a picture where `share`, (H, W) in [0, 1], is not 0, and tint it."""
    strength = np.float32(rng.uniform(0.15, 0.6))
    tint = 1 - strength * rng.uniform(0.6, 1.2, 3).astype(np.float32)
    return np.asarray(color * (1 + share[..., None] * (np.clip(tint, 0.1, 1) - 1)), np.float32)


def _flat(_canvas: PageCanvas, color: Floats, _rng: np.random.Generator) -> Floats:
    return color


def _cel(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Cast shadows with sharp rims, of one or two tones."""
    if chance(rng, 0.65):
        return _shadow(color, _shadow_sides(canvas, rng), rng)
    forms = _forms(canvas, rng) * _things(canvas)
    color = _shadow(color, (forms > 0.25).astype(np.float32), rng)
    if chance(rng, 0.35):
        color = _shadow(color, (forms > 0.7).astype(np.float32), rng)
    return color


def _things(canvas: PageCanvas) -> NDArray[np.bool_]:
    """Return where areas are small, (H, W): part of a shadow on a large one looks like an area."""
    sizes = np.bincount(canvas.area.ravel(), minlength=canvas.state.areas + 1)
    small = sizes < _LARGE * canvas.area.size
    small[0] = False  # the background
    return np.asarray(small[canvas.area], np.bool_)


def _shadow_sides(canvas: PageCanvas, rng: np.random.Generator) -> Floats:
    """Return 1 on the side of every area that is turned away from the light, (H, W), else 0.

    Its rim runs along that of the area, as painters make it.
    """
    height, width = canvas.area.shape
    angle, reach = rng.uniform(0, 2 * np.pi), log_uniform(rng, 3, 40) * OVERSAMPLING
    sway = np.float32(rng.uniform(0, 0.4) * reach)
    scale = log_uniform(rng, 20, 120) * OVERSAMPLING
    x = np.arange(width, dtype=np.float32)[None] + np.float32(reach * np.cos(angle))
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(reach * np.sin(angle))
    beside = cv2.remap(
        canvas.area.astype(np.float32),
        x + sway * smooth_noise(rng, height, width, scale),
        y + sway * smooth_noise(rng, height, width, scale),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    sides = (beside != canvas.area) & (canvas.area > 0)
    return np.asarray(sides * _per_area(canvas, rng, 1, 1, share=0.8), np.float32)


def _soft(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Cast shadows with soft rims."""
    steepness = np.float32(log_uniform(rng, 1, 12))
    share = 1 / (1 + np.exp(-steepness * (_forms(canvas, rng) - np.float32(0.2))))
    return _shadow(color, share.astype(np.float32) * (canvas.area > 0), rng)


def _gradient(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Let every area change its brightness and hue from one side to the other."""
    height, width = canvas.area.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = _per_area(canvas, rng, -1, 1) * x + _per_area(canvas, rng, -1, 1) * y
    tint = rng.uniform(0.2, 0.9, 3).astype(np.float32)
    return np.asarray(np.clip(color * (1 + slope[..., None] * tint), 0, 1), np.float32)


def _airbrush(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Darken or lighten every area towards its rim, softly."""
    sigma = log_uniform(rng, 2, 14) * OVERSAMPLING
    small = cv2.resize(255 - canvas.line, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    rim = cv2.GaussianBlur(small.astype(np.float32), (0, 0), sigma / 4)
    height, width = canvas.line.shape
    large = cv2.resize(rim, (width, height), interpolation=cv2.INTER_LINEAR)
    rim = np.asarray(large, np.float32) * (canvas.area > 0) / max(float(large.max()), 1e-3)
    if chance(rng, 0.2):
        return np.asarray(color + (1 - color) * 0.5 * rim[..., None], np.float32)
    return _shadow(color, np.asarray(rim, np.float32), rng)


def _watercolor(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Let pigment gather in blotches and at rims, and run a little across the lines."""
    height, width = canvas.area.shape
    blotches = smooth_noise(rng, height, width, log_uniform(rng, 16, 80) * OVERSAMPLING)
    wash = _per_area(canvas, rng, 0.05, 0.3) * blotches
    rim = cv2.GaussianBlur((255 - canvas.line).astype(np.float32), (0, 0), 3 * OVERSAMPLING)
    wash += np.float32(rng.uniform(0, 0.5)) * rim / max(float(rim.max()), 1e-3)
    wash += np.float32(rng.uniform(0, 0.06)) * smooth_noise(rng, height, width, 3)
    pale = 1 - (1 - color) * np.float32(rng.uniform(0.4, 1))
    washed = np.clip(pale * (1 - wash[..., None]), 0, 1)
    run = rng.uniform(0, 2.5) * OVERSAMPLING
    shifts = [smooth_noise(rng, height, width, 16 * OVERSAMPLING) * run for _ in range(2)]
    x = np.arange(width, dtype=np.float32)[None] + shifts[0]
    y = np.arange(height, dtype=np.float32)[:, None] + shifts[1]
    moved = cv2.remap(washed, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _texture(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Give some areas the texture of cloth, wood, paper or brush strokes."""
    height, width = canvas.area.shape
    kind = int(rng.integers(4))
    if kind == 0:  # a weave
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        step = log_uniform(rng, 2, 7) * OVERSAMPLING
        grain = np.sin(2 * np.pi * x / step)[None] * np.sin(2 * np.pi * y / step)[:, None]
    else:
        grain = smooth_noise(rng, height, width, log_uniform(rng, 1, 6) * OVERSAMPLING)
        if kind > 1:  # drawn out to one side
            length = round(log_uniform(rng, 6, 40) * OVERSAMPLING)
            size = (length, 1) if kind == 2 else (1, length)
            grain = cv2.blur(grain, size) * np.sqrt(length / 6)
    strength = _per_area(canvas, rng, 0.03, 0.2, share=0.7)
    if chance(rng, 0.4):
        strength = np.full_like(strength, rng.uniform(0.03, 0.15))
    return np.asarray(np.clip(color * (1 + (strength * grain)[..., None]), 0, 1), np.float32)


def _screentone(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Print grey areas with dots or lines, as in comics."""
    height, width = canvas.area.shape
    step = log_uniform(rng, 2.5, 9) * OVERSAMPLING
    turn = rng.uniform(0, np.pi / 2)
    x = np.arange(width, dtype=np.float32)[None]
    y = np.arange(height, dtype=np.float32)[:, None]
    u = np.float32(2 * np.pi / step) * (np.float32(np.cos(turn)) * x + np.float32(np.sin(turn)) * y)
    v = np.float32(2 * np.pi / step) * (np.float32(np.cos(turn)) * y - np.float32(np.sin(turn)) * x)
    screen = (np.sin(u) + np.sin(v)) / 2 if chance(rng, 0.75) else np.sin(u)
    tone = _per_area(canvas, rng, -0.9, 0.7, share=0.8)
    if chance(rng, 0.3):  # tones that fade out
        tone += _per_area(canvas, rng, 0.2, 0.8) * smooth_noise(rng, height, width, height / 3)
    dots = np.clip((screen - 0.5 + tone) * step / 3, 0, 1)
    dots *= canvas.area > 0
    tint = rng.uniform(0, 0.6)
    if chance(rng, 0.7):
        grey = color.mean(axis=2, keepdims=True)
        color = np.repeat(np.where(grey < 0.15, grey, np.float32(1)), 3, axis=2)
    return np.asarray(color * (1 - dots[..., None] * np.float32(1 - tint)), np.float32)


def _line_art(_canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Leave all areas as they were: there is nothing but lines, on one tone."""
    tone = 1.0 if chance(rng, 0.7) else rng.uniform(0.6, 1)
    return np.full_like(color, tone)


def _printed(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Print patterns on a few areas."""
    for _ in range(integer(rng, 1, 3)):
        shown = random_pattern(rng, len(color), log_uniform(rng, 6, 60) * OVERSAMPLING)
        shown = shown * _per_area(canvas, rng, 0.1, 0.8, share=0.3)
        other = np.array(random_color(rng), np.float32) / 255
        color = np.asarray(color + shown[..., None] * (other - color), np.float32)
    return color


def _highlights(canvas: PageCanvas, color: Floats, rng: np.random.Generator) -> Floats:
    """Put sharp or soft lights on some areas."""
    forms = _forms(canvas, rng)
    edge = np.float32(log_uniform(rng, 4, 60))
    share = np.clip((forms - np.float32(rng.uniform(0.5, 1.0))) * edge, 0, 1)
    share *= np.float32(rng.uniform(0.2, 0.9)) * _things(canvas)
    return np.asarray(color + share[..., None] * (1 - color), np.float32)


_STYLES = {
    "flat": _flat,
    "cel": _cel,
    "soft": _soft,
    "gradient": _gradient,
    "watercolor": _watercolor,
    "airbrush": _airbrush,
    "texture": _texture,
    "screentone": _screentone,
    "line_art": _line_art,
}
