"""Pixels as people have them: grey, colour or transparent, of 8 or 16 bits."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_EXPECTED = (
    "expected a NumPy array of uint8 or uint16, (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, with at "
    "least one pixel"
)


def to_rgb(picture: object) -> NDArray[np.uint8]:
    """Return a picture as the sketch models take it.

    Args:
        picture: uint8 or uint16; (H, W) or (H, W, 1) grey, (H, W, 2) grey and opacity, (H, W, 3)
            RGB, (H, W, 4) RGB and opacity.

    Returns:
        (H, W, 3) uint8 RGB; transparent pixels on white, the upper 8 of 16 bits.

    Raises:
        ValueError: If it is anything else.
    """
    pixels = _to_8_bits(_check(picture))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    channels = pixels.shape[2]
    if channels in (2, 4):
        pixels = _on_white(pixels)
    return np.ascontiguousarray(np.repeat(pixels, 3, axis=2) if channels <= 2 else pixels)


def to_grey(sketch: object) -> NDArray[np.uint8]:
    """Return a sketch as the line models take it.

    Args:
        sketch: as the picture of `to_rgb`.

    Returns:
        (H, W) uint8: the luma of colours; transparent pixels on white, the upper 8 of 16 bits.

    Raises:
        ValueError: If it is anything else.
    """
    pixels = _check(sketch)
    if pixels.ndim == 2:
        return np.ascontiguousarray(_to_8_bits(pixels))
    return cv2.cvtColor(to_rgb(pixels), cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _check(picture: object) -> NDArray[Any]:
    if not isinstance(picture, np.ndarray):
        raise ValueError(f"A picture is a {type(picture).__name__}: {_EXPECTED}.")
    has_shape = picture.ndim == 2 or (picture.ndim == 3 and 1 <= picture.shape[2] <= 4)
    if not has_shape or picture.size == 0 or picture.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"A picture is an array of shape {picture.shape} {picture.dtype}: {_EXPECTED}."
        )
    return picture


def _to_8_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    return (pixels if pixels.dtype == np.uint8 else pixels >> 8).astype(np.uint8, copy=False)


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the colours of (H, W, C + 1) pixels, whose last channel is opacity, on white."""
    opacity = pixels[..., -1:].astype(np.float32) / 255
    colors = pixels[..., :-1] * opacity + 255 * (1 - opacity)
    return np.rint(colors).astype(np.uint8)
