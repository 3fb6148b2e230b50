"""Metrics of a colorized picture.

Pictures are (H, W, 3) float32 sRGB in [0, 1], cropped to their content box; line art is (H, W)
uint8 with 0 for ink. Higher is better, except for `hint_difference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.morphology import skeletonize

from pipeline.picture import resize_long_side
from sketch_models.xdog import PLAIN, Xdog

Picture = NDArray[np.float32]

_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, finest first
_SIGMA, _WINDOW = 1.5, 11  # of SSIM's Gaussian (Wang et al. 2004), in pixels
_C1, _C2 = 0.01**2, 0.03**2
_LINE_SIZE = 384  # long side at which lines are detected, in pixels
_INK = 0.3  # threshold of an ink map, above which a pixel is a line
_TOLERANCE = _LINE_SIZE / 128  # pixels within which a line counts as kept
_XDOG = Xdog(PLAIN)  # what it draws does not change, so that results can be compared


def psnr(result: Picture, truth: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB; 99 for equal pictures."""
    if np.array_equal(result, truth):
        return 99.0
    return float(peak_signal_noise_ratio(truth, result, data_range=1))


def ssim(result: Picture, truth: Picture) -> float:
    """Return the structural similarity (Wang et al. 2004), Gaussian, mean over RGB: up to 1."""
    return float(
        structural_similarity(
            truth,
            result,
            data_range=1,
            channel_axis=2,
            gaussian_weights=True,
            sigma=_SIGMA,
            use_sample_covariance=False,
        )
    )


def ms_ssim(result: Picture, truth: Picture) -> float:
    """Return the multi-scale structural similarity (Wang et al. 2003), mean over RGB: 0 to 1.

    Pictures of fewer than 176 pixels are too small for five scales: they are compared at those
    that keep 11 pixels, with their weights scaled to a sum of 1.
    """
    scales = 1
    while scales < len(_SCALE_WEIGHTS) and min(truth.shape[:2]) >> scales >= _WINDOW:
        scales += 1
    weights = np.array(_SCALE_WEIGHTS[:scales]) / sum(_SCALE_WEIGHTS[:scales])
    product = np.ones(3)
    for scale, weight in enumerate(weights):
        luminance, contrast = _similarity(result, truth)
        last = scale == scales - 1
        product *= (
            np.maximum((luminance * contrast if last else contrast).mean((0, 1)), 0) ** weight
        )
        result, truth = _halve(result), _halve(truth)
    return float(product.mean())


def _similarity(a: Picture, b: Picture) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return luminance, and contrast times structure, of all whole windows: (h, w, 3) each."""

    def blurred(x: Picture) -> Picture:
        half = _WINDOW // 2
        out = cv2.GaussianBlur(x, (_WINDOW, _WINDOW), _SIGMA)
        inside = out[half:-half, half:-half] if min(x.shape[:2]) > 2 * half else out
        return np.asarray(inside, np.float32)

    mean_a, mean_b = blurred(a), blurred(b)
    variance_a, variance_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    covariance = blurred(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return luminance, (2 * covariance + _C2) / (variance_a + variance_b + _C2)


def _halve(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    even = np.ascontiguousarray(picture[: height // 2 * 2, : width // 2 * 2])
    half = (max(1, width // 2), max(1, height // 2))
    return np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.float32)


def hint_difference(result: Picture, truth: Picture, mask: NDArray[np.bool_]) -> float:
    """Return the mean CIEDE2000 to the truth inside the hints; NaN without hints.

    It shows whether colours are where the user put them. Below 1 nobody sees a difference; above 10
    anybody does at a glance.
    """
    if not mask.any():
        return float("nan")
    return float(np.mean(deltaE_ciede2000(rgb2lab(truth[mask]), rgb2lab(result[mask]))))


def line_f1(result: Picture, line: NDArray[np.uint8]) -> float:
    """Return F1 of the lines that XDoG detects in the result, 0 to 1: whether lines are kept.

    A pixel of a centre line is right if the other centre line is within 1/128 of the long side.
    Edges between colours are detected too, so that the truth itself does not reach 1.
    """
    (ink,) = _XDOG.lines([resize_long_side(np.uint8(np.rint(result * 255)), _LINE_SIZE)])
    detected = skeletonize(ink > _INK)
    expected = skeletonize(resize_long_side(line, _LINE_SIZE) < 128)
    if not detected.any() or not expected.any():
        return 0.0
    precision = float((_distance_to(expected)[detected] <= _TOLERANCE).mean())
    recall = float((_distance_to(detected)[expected] <= _TOLERANCE).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of every pixel to the nearest one of the mask, in pixels."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def diversity(results: Sequence[Picture]) -> float:
    """Return the mean CIEDE2000 between all pairs of results of one line drawing."""
    lab = [rgb2lab(result[::2, ::2]) for result in results]  # every fourth pixel is plenty
    return float(np.mean([deltaE_ciede2000(a, b).mean() for a, b in combinations(lab, 2)]))
