"""XDoG: lines by an extended difference of Gaussians, in pictures of any light and line width.

Winnemoeller, "XDoG: advanced image stylization with extended difference-of-Gaussians" (2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sketch_models.cores import available_cores
from sketch_models.hue_edge import hue_edges
from sketch_models.option import Options, option
from sketch_models.wide_line import wide_lines

_BLOCK = 8  # pixels: surroundings are measured in blocks of this side
_BLOCKS = 9  # side of the box blur, applied twice, that makes up the surroundings
_FLAT = 4 / 255  # deviation that noise has too: it is added, so that noise stays small
_MAX_GAIN = 8.0
_WHOLE = 0.5  # deviation of the whole picture that surroundings have at least


@dataclass(frozen=True, kw_only=True)
class XdogOptions(Options, section="xdog"):
    """The sketch model that needs no weights."""

    sigma: float = option(
        0.6,
        "standard deviation of the finer blur, in pixels",
        at_least=0.1,
        at_most=20,
        unit="pixels",
    )
    k: float = option(
        4.0, "standard deviation of the wider blur, in multiples of sigma", above=1, at_most=20
    )
    p: float = option(20.0, "how much the difference of the two blurs counts", above=0)
    eps: float = option(-0.1, "level above which a pixel is paper; below 0, dark areas stay empty")
    phi: float = option(
        0.2, "how steeply what is darker than eps turns into ink; small values keep greys", above=0
    )
    contrast: float = option(
        0.22,
        "contrast, 0 to 1, to which dark and pale surroundings are raised; 0: as in the picture",
        at_least=0,
        at_most=1,
    )
    max_width: float = option(
        30.0,
        "width of the widest outline that becomes one line, in pixels; "
        "0: wide outlines become two lines",
        at_least=0,
        at_most=200,
        unit="pixels",
    )
    hue_threshold: float = option(
        0.2,
        "difference of hue, about 0 to 1, that is a line even between equally bright areas; "
        "0: brightness alone counts",
        at_least=0,
        at_most=10,
    )


PLAIN = XdogOptions(contrast=0, max_width=0, hue_threshold=0)
"""The paper's filter: of the brightness as it is, at one scale."""


class Xdog:
    """XDoG as a sketch model.

    Args:
        options: parameters of the filter.
    """

    batch_size = 2
    threads = available_cores()

    def __init__(self, options: XdogOptions) -> None:
        self._options = options

    def lines(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return ink maps: the strongest of three kinds of line.

        Lines of a pen: with `d = (1 + p) G(sigma) - p G(k sigma)` of the grey picture in [0, 1],
        the paper's output is `T = 1` if `d >= eps`, else `1 + tanh(phi (d - eps))`; ink is
        `1 - T`, limited to 1. Instead of d, this is of `m + g (d - m)`, where m and s are mean and
        deviation of the surroundings, about 40 pixels in each direction, and `g = contrast / s`,
        from 1 to 8: where contrast is high already, that is d.

        Besides: wide outlines (`wide_lines`) and edges between hues (`hue_edges`).

        Args:
            pictures: (H, W, 3) uint8 RGB, of any sizes.

        Returns:
            (H, W) float32 in [0, 1], 1 = ink, one per picture.
        """
        return [self._ink_map(picture) for picture in pictures]

    def _ink_map(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return an ink map, made of whole blocks, whose halves and blocks are fast to compute."""
        options = self._options
        height, width = picture.shape[:2]
        below, beside = -height % _BLOCK, -width % _BLOCK
        picture = np.asarray(
            cv2.copyMakeBorder(picture, 0, below, 0, beside, cv2.BORDER_REFLECT_101), np.uint8
        )
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
        mean, gain = _surroundings(grey, options.contrast)
        ink = self._pen_lines(grey, mean, gain)
        if options.max_width:
            ink = np.maximum(ink, wide_lines(picture, grey, gain, options.max_width))
        if options.hue_threshold:
            ink = np.maximum(ink, hue_edges(picture, ink, options.hue_threshold))
        return np.ascontiguousarray(ink[:height, :width])

    def _pen_lines(
        self,
        grey: NDArray[np.float32],
        mean: NDArray[np.float32],
        gain: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        options = self._options
        fine = cv2.GaussianBlur(grey, (0, 0), options.sigma)
        wide = cv2.GaussianBlur(grey, (0, 0), options.k * options.sigma)
        difference = cv2.addWeighted(fine, 1 + options.p, wide, -options.p, 0)
        relative = mean + gain * (difference - mean)
        return np.asarray(-np.tanh(options.phi * np.minimum(relative - options.eps, 0)), np.float32)


def _surroundings(
    grey: NDArray[np.float32], contrast: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean of the surroundings, and the factor that raises their deviation to `contrast`.

    Args:
        grey: (H, W) float32 in [0, 1], of whole blocks.
        contrast: 0 to 1.

    Returns:
        (H, W) float32 each.
    """
    height, width = grey.shape
    size = (width // _BLOCK, height // _BLOCK)
    means, squares = (
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
        for plane in (grey, grey * grey)
    )
    mean, square = _blur(means), _blur(squares)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    of_all = np.sqrt(max(float(squares.mean()) - float(means.mean()) ** 2, 0))
    gain = np.clip(contrast / (np.maximum(deviation, _WHOLE * of_all) + _FLAT), 1, _MAX_GAIN)
    full = (cv2.resize(np.asarray(plane, np.float32), (width, height)) for plane in (mean, gain))
    full_mean, full_gain = full
    return np.asarray(full_mean), np.asarray(full_gain)


def _blur(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    side = (_BLOCKS, _BLOCKS)
    return np.asarray(cv2.blur(cv2.blur(plane, side), side), np.float32)
