"""What a picture is like, in a few numbers that depend on neither its size nor its file format."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 96  # pixels: long side on which colours and outlines are measured
_LONGEST = 160  # pixels: long side above which a thumbnail is halved; a JPEG of 1280 at 1/8
_CELLS = 32  # a side of the square that the hash sees
BITS = 256  # of the hash
_HUSH = 1.0  # coefficients up to here are rounding, so that a blank picture has no bits
_PAPER = 240  # lowest channel of a pixel that counts as paper
_ENOUGH = 2000  # pixels to fit colours to
_COLORFUL = 16  # levels between the channels of a pixel, above which it counts as colourful
_UNIFORM = 8  # levels from the mean colour, up to which a pixel counts as like it
# Y / 255, R - Y and B - Y of ITU-R BT.601, as in JPEG.
_LUMA_RED_BLUE = np.array(
    [[0.299 / 255, 0.587 / 255, 0.114 / 255], [0.701, -0.587, -0.114], [-0.299, -0.587, 0.886]]
)

# The lowest frequencies (v down, u across), by u + v and without the mean.
_FREQUENCIES = sorted(
    ((v, u) for v in range(_CELLS) for u in range(_CELLS) if v + u), key=lambda at: (sum(at), at)
)[:BITS]
_DOWN, _ACROSS = np.array(_FREQUENCIES).T
_HIGHEST = 1 + int(max(_DOWN.max(), _ACROSS.max()))


@dataclass(frozen=True, kw_only=True)
class Measures:
    """One picture in numbers.

    Attributes:
        width: of the real picture, in pixels.
        height: of the real picture, in pixels.
        phash: 64 hex digits; the more of their 256 bits differ, the less two pictures look alike.
            All 0 where there is nothing to see.
        chroma: share of the pixels that are colourful, 0 to 1; also of a sepia print.
        hues: how far colours stray from those that brightness alone would give them: the mean over
            what is not paper, in levels of 8 bits. About 0 for grey and for prints in one ink.
        paper: share of the pixels that are about white, 0 to 1.
        uniform: share of the pixels that are about of the mean colour, 0 to 1.
        outline: changes of brightness per darkness: high where all darkness is thin lines.
    """

    width: int
    height: int
    phash: str
    chroma: float
    hues: float
    paper: float
    uniform: float
    outline: float


def measure(thumbnail: NDArray[np.uint8], width: int, height: int) -> Measures:
    """Measures a picture by its thumbnail.

    Args:
        thumbnail: (h, w, 3) uint8 RGB: the picture at any scale. At 1/2, 1/4, 1/8 and so
            on it may have its sides rounded up, as JPEG decoders leave them.
        width: of the real picture, in pixels.
        height: of the real picture, in pixels; turned as the thumbnail is.
    """
    while max(thumbnail.shape) > _LONGEST:
        thumbnail = _halved(thumbnail)
    small = _shrunk(thumbnail, _SIDE)
    red, green, blue = cv2.split(small)
    lowest = cv2.min(cv2.min(red, green), blue)
    highest = cv2.max(cv2.max(red, green), blue)
    inked = np.flatnonzero(lowest < _PAPER)
    some = inked[:: 1 + len(inked) // _ENOUGH]
    mean = np.array(cv2.mean(small)[:3])
    near = cv2.inRange(small, mean - _UNIFORM, mean + _UNIFORM)
    return Measures(
        width=width,
        height=height,
        phash=_phash(thumbnail, width, height),
        chroma=_rounded(np.count_nonzero(highest - lowest > _COLORFUL) / lowest.size),
        hues=_rounded(_hues(small.reshape(-1, 3).take(some, axis=0))),
        paper=_rounded(1 - len(inked) / lowest.size),
        uniform=_rounded(cv2.countNonZero(near) / lowest.size),
        outline=_rounded(_outline(small)),
    )


def _rounded(value: float) -> float:
    """Without the last digits: they differ from run to run, as sums are made in another order.

    Sums are of doubles, so that it is digits far behind those that stay.
    """
    return round(float(value), 4)


def _halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The means of 2 x 2 pixels each, its sides rounded up: ten times faster than by any factor."""
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        border = cv2.BORDER_REPLICATE
        picture = np.asarray(
            cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, border), np.uint8
        )
    size = ((width + 1) // 2, (height + 1) // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shrunk(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture with a long side of `side` pixels."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _hues(pixels: NDArray[np.uint8]) -> float:
    """Mean distance of R - Y and B - Y from their quadratic fit over Y; pixels are (N, 3).

    A print in one ink, or in inks from dark to light, has its colour by brightness.
    """
    if not len(pixels):
        return 0.0
    luma, red, blue = _LUMA_RED_BLUE @ pixels.astype(np.float64).T  # (N,) each
    powers = np.stack([np.ones_like(luma), luma, luma * luma])  # (3, N)
    colors = np.stack([red, blue])
    normal = powers @ powers.T + 1e-3 * np.eye(3)  # else singular if flat
    strayed = colors - np.linalg.solve(normal, powers @ colors.T).T @ powers
    return float(cv2.magnitude(strayed[0], strayed[1]).mean())


def _outline(small: NDArray[np.uint8]) -> float:
    """Sum of the gradients (Sobel, not normalised) per sum of the darkness; 0 if all is white."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    darkness = 255.0 * grey.size - cv2.sumElems(grey)[0]
    return cv2.sumElems(cv2.magnitude(across, down))[0] / darkness if darkness else 0.0


def _phash(thumbnail: NDArray[np.uint8], width: int, height: int) -> str:
    """The signs of the lowest frequencies of the grey picture, squeezed into a square.

    After pHash (Zauner 2010), which has 64 bits: too few where most pictures are a figure in the
    middle of a white page. Of 6,300 different drawings of the sample booru the closest two of the
    same aspect differ in 31 of 256 bits; with 64 bits it is 4 among 1,300 already.
    """
    grey = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float64)  # see _rounded
    down = _waves(grey.shape[0], _shown(grey.shape[0], height))
    across = _waves(grey.shape[1], _shown(grey.shape[1], width))
    spectrum = down @ grey @ across.T  # (_HIGHEST, _HIGHEST)
    return np.packbits(spectrum[_DOWN, _ACROSS] > _HUSH).tobytes().hex()


def _shown(pixels: int, length: int) -> float:
    """The share of a thumbnail's side that shows something.

    750 pixels at 1/8 are 94, of which the last is filled for a quarter of it to 752. To stretch
    the 752 where the same picture in half the size stretches 375 costs up to 20 bits.
    """
    for scale in (1, 2, 4, 8, 16, 32, 64):
        if pixels == -(-length // scale):
            return length / (scale * pixels)
    return 1.0


@lru_cache(maxsize=1024)  # up to 30 KB each
def _waves(pixels: int, shown: float) -> NDArray[np.float64]:
    """(_HIGHEST, pixels): the DCT-II of the means over `_CELLS` equal parts of a side."""
    bounds = np.linspace(0, pixels * shown, _CELLS + 1)
    edges = np.arange(pixels + 1)
    upper = np.minimum(bounds[1:, None], edges[None, 1:])
    lower = np.maximum(bounds[:-1, None], edges[None, :-1])
    means = (upper - lower).clip(0) * (_CELLS / (pixels * shown))  # (_CELLS, pixels)
    cells = np.arange(_CELLS) + 0.5
    waves = np.cos(np.pi / _CELLS * np.arange(_HIGHEST)[:, None] * cells)
    waves *= np.sqrt(np.where(np.arange(_HIGHEST) > 0, 2, 1) / _CELLS)[:, None]
    product: NDArray[np.float64] = waves @ means
    return product
