"""Sketches without their paper: a scan or photograph of a drawing becomes ink on white."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_WHITE = 250  # level of white paper: a page of which at least half is as bright is clean
_BLOCK = 8  # pixels: the tone of the paper is measured in blocks of this side
_STROKE = 13  # blocks; strokes and filled areas below that width are no paper
_FITS = 4  # of a parabola to the light
_DARKEST = 0.4  # tone of the paper, of the brightest there is: wider filled areas are darker
_SIGMA = 1.0  # standard deviation of the blur against grain, in pixels
_NOISE = 2.5  # standard deviations of the paper's noise that are no ink
_MAX_NOISE = 0.1  # ink; what is darker in half of the page is no paper
_TYPICAL = 60  # percentile of the strokes' ink
_INK = 0.6  # typical ink of strokes after flattening, at least
_MAX_GAIN = 12.0
_FAINTEST = 0.04  # ink, of strokes at all
_FAINTEST_PAGE = 0.12  # ink, of the darkest stroke of a page that is not blank
_MAD = 1.4826  # standard deviation of a normal distribution, in median absolute deviations


def flatten(sketch: NDArray[np.uint8], strong: float) -> NDArray[np.uint8]:
    """Return a sketch on white paper; a clean page is returned as it is.

    The tone of the paper is followed through uneven light: a parabola fitted to a small version of
    the page, and a morphological closing of what remains. Ink is what is darker, as a share of the
    tone. It is blurred a little, the paper's noise (estimated from the median absolute deviation)
    is taken off, and faint pencil is strengthened.

    Args:
        sketch: (H, W) uint8, 0 = ink.
        strong: ink, 0 to 1, that a clean page has somewhere; white paper with fainter pencil is
            not clean.

    Returns:
        (H, W) uint8, 0 = ink, 255 = paper.
    """
    if _is_clean(sketch, strong):
        return sketch
    tone = _tone(sketch)
    ink = cv2.GaussianBlur((tone - sketch) / np.maximum(tone, 1), (0, 0), _SIGMA)
    sample = ink[::2, ::2]  # a quarter of the pixels is plenty
    middle = min(float(np.median(sample)), _MAX_NOISE)
    noise = min(_MAD * float(np.median(np.abs(sample - middle))), _MAX_NOISE)
    return _strengthen(np.asarray(ink - np.float32(middle + _NOISE * noise)))


def _is_clean(sketch: NDArray[np.uint8], strong: float) -> bool:
    if 2 * np.count_nonzero(sketch >= _WHITE) < sketch.size:
        return False
    darkest = 1 - float(sketch.min()) / 255
    return darkest >= strong or darkest < _FAINTEST_PAGE


def _strengthen(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return ink, of which what is below 0 is paper, as a sketch with strokes easy to see."""
    strokes = ink[ink > _FAINTEST]
    gain = 1.0
    if strokes.size:
        gain = float(np.clip(_INK / np.percentile(strokes, _TYPICAL), 1, _MAX_GAIN))
    return np.asarray(np.rint(255 * (1 - np.clip(gain * ink, 0, 1))), np.uint8)


def _tone(sketch: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the brightness of the paper, (H, W) float32 in [0, 255]."""
    height, width = sketch.shape
    size = (-(-width // _BLOCK), -(-height // _BLOCK))
    small = cv2.resize(sketch, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    light = _light(small)  # taken off first: at a border, a closing cannot follow a slope
    square = np.ones((_STROKE, _STROKE), np.uint8)
    closed = cv2.morphologyEx(small - light, cv2.MORPH_CLOSE, square)
    smooth = (light + cv2.blur(closed, (5, 5))).clip(0, 255)
    smooth = np.maximum(smooth, _DARKEST * smooth.max())
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))


def _light(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the parabola that fits the page best, without what is darker than it: the strokes."""
    rows, columns = np.indices(small.shape, np.float64).reshape(2, -1) / max(small.shape)
    terms = np.stack(
        [np.ones_like(rows), rows, columns, rows**2, rows * columns, columns**2], axis=1
    )
    values = small.ravel().astype(np.float64)
    is_paper = np.ones(values.shape, bool)
    for _ in range(_FITS):
        factors, *_ = np.linalg.lstsq(terms[is_paper], values[is_paper])
        difference = values - terms @ factors
        is_paper = difference >= -(1 + difference[is_paper].std())  # a level for rounding
    return np.asarray((terms @ factors).reshape(small.shape), np.float32)
