"""Edges between areas of different hue or saturation, which may be equally bright."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SIGMA = 0.8  # standard deviation of the blur, in pixels of half size
_WIDER = 1.6  # of the difference of two blurs: the ratio that comes closest to a Laplacian
_DARK = 30.0  # L of Lab: in dark areas, hue is mostly noise
_NEAR = np.ones((5, 5), np.uint8)  # pixels of half size
_INK = 0.28  # of a line nearby that bounds the areas already


def hue_edges(
    picture: NDArray[np.uint8], ink: NDArray[np.float32], threshold: float
) -> NDArray[np.float32]:
    """Return ink on edges between hues that no line of `ink` is near to.

    The edges are those of `c = (a, b) / (L + 30)` of CIELAB, which a shadow hardly changes. Their
    strength is the local energy of c (Morrone and Burr, "Feature detection in human vision: a
    phase-dependent energy model", 1988), which has one maximum at an edge and at a thin line:
    `E^2 = 2 pi sigma^2 |grad c|^2 + 4 |DoG c|^2`, so that an edge has the strength of its step.
    Ink rises from 0 at the threshold to 1 at half as much again.

    Args:
        picture: (H, W, 3) uint8 RGB, of even sides.
        ink: (H, W) float32 in [0, 1], the lines found by brightness.
        threshold: the smallest step of c.

    Returns:
        (H, W) float32 in [0, 1], 1 = ink. It is made at half the size.
    """
    height, width = ink.shape
    size = (width // 2, height // 2)
    half = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    strength = _energy(half)
    edges = np.clip((strength - threshold) * np.float32(2 / threshold), 0, 1)
    nearby = cv2.dilate(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), _NEAR)
    edges[np.asarray(nearby) > _INK] = 0
    return np.asarray(cv2.resize(edges, (width, height), interpolation=cv2.INTER_LINEAR))


def _energy(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    lightness, *chroma = cv2.split(
        cv2.cvtColor(picture.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    )
    squares = np.zeros(lightness.shape, np.float32)
    slope = np.sqrt(2 * np.pi) * _SIGMA / 8  # Sobel's filter sums up eight times the gradient
    for plane in chroma:
        relative = cv2.divide(plane, lightness + np.float32(_DARK))
        fine = cv2.GaussianBlur(relative, (0, 0), _SIGMA)
        curve = cv2.subtract(fine, cv2.GaussianBlur(relative, (0, 0), _WIDER * _SIGMA))
        cv2.accumulateSquare(cv2.Sobel(fine, cv2.CV_32F, 1, 0, scale=slope), squares)
        cv2.accumulateSquare(cv2.Sobel(fine, cv2.CV_32F, 0, 1, scale=slope), squares)
        cv2.accumulateSquare(2 * curve, squares)
    return np.sqrt(squares)
