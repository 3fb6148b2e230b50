"""Colour hints: patches of one colour that a user puts on the line art, and their simulation.

The simulation follows "Real-Time User-Guided Image Colorization" (Zhang et al. 2017), section 3.1:
how many patches there are is geometric, where they are is normal around the centre, and their
colour is that of the picture below.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sketch_models.option import Options, option

Box = tuple[int, int, int, int]
"""Left, top, right, bottom, half-open, in pixels."""


@dataclass(frozen=True, kw_only=True)
class HintOptions(Options, section="hints"):
    """How hints are simulated."""

    chance_of_end: float = option(
        0.125,
        "chance that no further patch follows; 1/8 is 7 patches on average",
        above=0,
        at_most=1,
    )
    min_patch: int = option(
        2, "smallest side of a hint patch, in pixels at 256 x 256", at_least=1, unit="pixels"
    )
    max_patch: int = option(
        20, "largest side of a hint patch, in pixels at 256 x 256", at_least=1, unit="pixels"
    )
    patch_step: int = option(
        2,
        "sides of hint patches are min_patch, min_patch + patch_step, ... max_patch",
        at_least=1,
        unit="pixels",
    )
    color: str = option(
        "mean",
        "colour of a hint patch: mean or median of the picture below it",
        choices=("mean", "median"),
    )

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self.require(self.max_patch >= self.min_patch, "max_patch", "min_patch or more pixels")

    def sides(self, size: int) -> NDArray[np.int64]:
        """Sides that a patch may have on a picture of `size` x `size`, in pixels."""
        at_256 = np.arange(self.min_patch, self.max_patch + 1, self.patch_step)
        return np.maximum(1, np.rint(at_256 * size / 256)).astype(np.int64)


def _mean(patch: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.array(cv2.mean(patch)[:3])  # a quarter of the time of np.mean


def _median(patch: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(np.median(patch, axis=(0, 1)))


_COLORS = {"mean": _mean, "median": _median}


@dataclass(frozen=True)
class Hints:
    """What a user put on the line art.

    Attributes:
        color: (H, W, 3) uint8 RGB; 0 where nothing was put.
        mask: (H, W) bool; True where something was put.
    """

    color: NDArray[np.uint8]
    mask: NDArray[np.bool_]

    @classmethod
    def none(cls, height: int, width: int) -> Hints:
        """No hint at all, on a picture of this size."""
        return cls(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), bool))


def simulate(
    picture: NDArray[np.uint8],
    box: Box,
    options: HintOptions,
    random: np.random.Generator,
    patches: int | None = None,
) -> Hints:
    """Puts the hints that a user might put.

    Args:
        picture: (S, S, 3) uint8 RGB, the truth whose colours are hinted at.
        box: its content; hints are put nowhere else.
        options: number, sides and colour of patches.
        random: what the hints are drawn from.
        patches: how many; as the options say where None.

    Returns:
        Hints of the picture's size.
    """
    count = int(random.geometric(options.chance_of_end)) - 1 if patches is None else patches
    hints = Hints.none(*picture.shape[:2])
    left, top, right, bottom = box
    color_of = _COLORS[options.color]
    sides = random.choice(options.sides(picture.shape[0]), count)
    lefts = _places(left, right, sides, random)
    tops = _places(top, bottom, sides, random)
    for side, x, y in zip(sides.tolist(), lefts.tolist(), tops.tolist(), strict=True):
        area = slice(y, min(y + side, bottom)), slice(x, min(x + side, right))
        hints.color[area] = np.rint(color_of(picture[area]))
        hints.mask[area] = True
    return hints


def _places(
    start: int, end: int, sides: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    """Where patches begin: normal around the centre, sigma a quarter of the free side, clipped."""
    free = np.maximum(0, end - start - sides)
    return start + np.rint(random.normal(free / 2, free / 4)).clip(0, free).astype(np.int64)


def overlay(line: NDArray[np.uint8], hints: Hints) -> NDArray[np.uint8]:
    """Hints on faint line art, for people: (H, W) uint8 -> (H, W, 3) uint8 RGB."""
    faint = (255 - (255 - line.astype(np.float32)) * 0.35).astype(np.uint8)
    shown = np.repeat(faint[..., None], 3, axis=2)
    shown[hints.mask] = hints.color[hints.mask]
    return shown
