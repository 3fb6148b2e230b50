"""Colour hints: patches of one colour that a user puts on line art, and their simulation.

The simulation follows "Real-Time User-Guided Image Colorization" (Zhang et al. 2017), section 3.1:
the number of patches is geometrically distributed, their positions are normally distributed around
the centre, and their colour is that of the picture below.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sketch_models.option import Options, option

Box = tuple[int, int, int, int]
"""Left, top, right, bottom, half-open, in pixels."""

_DOTS = 0.35  # share of the strokes that are dots
_LONGEST = 0.3  # of the picture's side
_SAME_COLOR = 24  # of 255: the most that a channel differs within one area
_TRIES = 4  # places of which a stroke starts at the one farthest from edges
_OPAQUE = 127  # alpha above which a pixel of an RGBA picture is a hint


@dataclass(frozen=True, kw_only=True)
class HintOptions(Options, section="hints"):
    """The simulation of hints."""

    stop_probability: float = option(
        0.125,
        "chance that no further patch follows; 1/8 is 7 patches on average",
        above=0,
        at_most=1,
        renamed_from="chance_of_end",
    )
    none_share: float = option(
        0.0,
        "share of the training pictures that have no hint, besides those without a first patch",
        at_least=0,
        at_most=1,
    )
    min_patch: int = option(
        2,
        "smallest side of a hint patch, in pixels at 256 x 256; strokes are half as wide",
        at_least=1,
        unit="pixels",
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
    shape: str = option(
        "patch",
        "patch: squares wherever, as in the paper; stroke: strokes and dots that stay in one area, "
        "as people put them",
        choices=("patch", "stroke"),
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
        """Return the sides that a patch may have on a picture of `size` x `size`, in pixels."""
        at_256 = np.arange(self.min_patch, self.max_patch + 1, self.patch_step)
        return np.maximum(1, np.rint(at_256 * size / 256)).astype(np.int64)


@dataclass(frozen=True)
class Hints:
    """The colours that a user put on the line art.

        >>> from senga import Hints
        >>> hints = Hints.none(256, 256)
        >>> hints.mask[100:110, 40:50] = True
        >>> hints.color[100:110, 40:50] = (255, 220, 190)

    Attributes:
        color: (H, W, 3) uint8 RGB; 0 where there is no hint.
        mask: (H, W) bool; True where there is a hint.

    Raises:
        ValueError: If the arrays have other shapes or dtypes, or differ in size.
    """

    color: NDArray[np.uint8]
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Raise ValueError unless both arrays have the documented shape and dtype."""
        color, mask = self.color, self.mask
        fits = mask.ndim == 2 and color.shape == (*mask.shape, 3)
        if not fits or color.dtype != np.uint8 or mask.dtype != np.bool_:
            raise ValueError(
                f"The hints are a color of shape {color.shape} {color.dtype} and a mask of shape "
                f"{mask.shape} {mask.dtype}: expected (H, W, 3) uint8 and (H, W) bool."
            )

    @classmethod
    def none(cls, height: int, width: int) -> Hints:
        """Return hints without any patch, for a picture of this size."""
        return cls(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), bool))

    @classmethod
    def from_rgba(cls, picture: NDArray[np.uint8] | Image.Image) -> Hints:
        """Return the opaque pixels of a picture as hints.

        Args:
            picture: (H, W, 4) uint8 RGBA, or a PIL image that has transparency. Pixels with an
                alpha above 127 are hints.

        Raises:
            ValueError: If the picture has no alpha channel.
        """
        if isinstance(picture, Image.Image):
            if not picture.has_transparency_data:
                raise ValueError(
                    f"The hints are a picture of mode {picture.mode}, which has no alpha channel: "
                    "expected RGBA, with the hints opaque and everything else transparent."
                )
            picture = np.asarray(picture.convert("RGBA"))
        if picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
            raise ValueError(
                f"The hints are an array of shape {picture.shape} {picture.dtype}: expected "
                "(H, W, 4) uint8 RGBA."
            )
        mask = picture[..., 3] > _OPAQUE
        return cls(picture[..., :3] * mask[..., None], mask)

    def within(self, area: tuple[slice, slice]) -> Hints:
        """Return the hints of a part of the picture: rows and columns."""
        return Hints(self.color[area], self.mask[area])


def _mean(patch: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.array(cv2.mean(patch)[:3])  # a quarter of the time of np.mean


def _median(patch: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(np.median(patch, axis=(0, 1)))


_COLORS = {"mean": _mean, "median": _median}


def simulate_hints(
    picture: NDArray[np.uint8],
    box: Box,
    options: HintOptions,
    rng: np.random.Generator,
    patches: int | None = None,
) -> Hints:
    """Return random hints, as a user might put them: patches, or strokes by `options.shape`.

    Args:
        picture: (S, S, 3) uint8 RGB, the ground truth, whose colours become the hints.
        box: of its content; hints are put nowhere else.
        options: number, sides and colour of patches.
        rng: source of all randomness.
        patches: number of patches; random, by the options, if None.

    Returns:
        Hints of the picture's size.
    """
    count = _random_count(options, rng) if patches is None else patches
    hints = Hints.none(*picture.shape[:2])
    if options.shape == "stroke":
        for _ in range(count):
            _put_stroke(hints, picture, box, options, rng)
        return hints
    left, top, right, bottom = box
    color_of = _COLORS[options.color]
    sides = rng.choice(options.sides(picture.shape[0]), count)
    lefts = _positions(left, right, sides, rng)
    tops = _positions(top, bottom, sides, rng)
    for side, x, y in zip(sides.tolist(), lefts.tolist(), tops.tolist(), strict=True):
        area = slice(y, min(y + side, bottom)), slice(x, min(x + side, right))
        hints.color[area] = np.rint(color_of(picture[area]))
        hints.mask[area] = True
    return hints


def _random_count(options: HintOptions, rng: np.random.Generator) -> int:
    """Return the number of patches of a training picture."""
    if options.none_share and rng.random() < options.none_share:
        return 0
    return int(rng.geometric(options.stop_probability)) - 1


def _positions(
    start: int, end: int, sides: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the lefts or the tops of patches, in pixels.

    They are normally distributed around the centre, with a sigma of a quarter of the free length,
    and clipped.
    """
    free = np.maximum(0, end - start - sides)
    return start + np.rint(rng.normal(free / 2, free / 4)).clip(0, free).astype(np.int64)


def _put_stroke(
    hints: Hints,
    picture: NDArray[np.uint8],
    box: Box,
    options: HintOptions,
    rng: np.random.Generator,
) -> None:
    """Put a stroke or a dot in one area: it ends where the colour changes."""
    left, top, right, bottom = box
    start = _inside_an_area(picture, box, rng)
    width = max(1, int(rng.choice(options.sides(picture.shape[0]))) // 2)
    length = 0.0 if rng.random() < _DOTS else rng.uniform(0, _LONGEST) * picture.shape[0]
    path = _path(start, int(length), box, rng)
    off = np.abs(picture[path[:, 1], path[:, 0]].astype(np.int16) - picture[start[1], start[0]])
    beyond = np.flatnonzero(off.max(axis=1) > _SAME_COLOR)
    path = path[: beyond[0]] if beyond.size else path
    x0, y0 = np.maximum(path.min(axis=0) - width, (left, top))
    x1, y1 = np.minimum(path.max(axis=0) + width + 1, (right, bottom))
    shape = np.zeros((y1 - y0, x1 - x0), np.uint8)
    points = np.concatenate([path, path[-1:]]) - (x0, y0)  # OpenCV draws nothing of one point
    cv2.polylines(shape, [points.astype(np.int32)], False, (1,), width)
    shown = picture[y0:y1, x0:x1]
    off = np.abs(shown.astype(np.int16) - picture[start[1], start[0]]).max(axis=2)
    put = (shape > 0) & (off <= _SAME_COLOR)
    color_of = np.mean if options.color == "mean" else np.median
    hints.color[y0:y1, x0:x1][put] = np.rint(color_of(shown[put], axis=0))
    hints.mask[y0:y1, x0:x1] |= put


def _inside_an_area(
    picture: NDArray[np.uint8], box: Box, rng: np.random.Generator
) -> tuple[int, int]:
    """Return a random pixel, (x, y), of several that with the most even surroundings.

    Half of them are anywhere, the others near the centre.
    """
    left, top, right, bottom = box
    if rng.random() < 0.5:
        xs, ys = rng.integers(left, right, _TRIES), rng.integers(top, bottom, _TRIES)
    else:
        sides = np.ones(_TRIES, np.int64)
        xs, ys = _positions(left, right, sides, rng), _positions(top, bottom, sides, rng)
    ranges = []
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        around = picture[max(top, y - 2) : min(bottom, y + 3), max(left, x - 2) : min(right, x + 3)]
        flat = around.reshape(-1, 3)
        ranges.append(int((flat.max(axis=0).astype(np.int16) - flat.min(axis=0)).max()))
    best = int(np.argmin(ranges))
    return int(xs[best]), int(ys[best])


def _path(
    start: tuple[int, int], length: int, box: Box, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the pixels of a curve, (N, 2) as x and y, up to the rim of the box."""
    left, top, right, bottom = box
    angles = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.08, length))
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = start + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    path = np.rint(points).astype(np.int64)
    outside = (path < (left, top)).any(axis=1) | (path >= (right, bottom)).any(axis=1)
    return path[: np.argmax(outside)] if outside.any() else path


def overlay(line: NDArray[np.uint8], hints: Hints) -> NDArray[np.uint8]:
    """Draw hints on faint line art, for people: (H, W) uint8 -> (H, W, 3) uint8 RGB."""
    faint = (255 - (255 - line.astype(np.float32)) * 0.35).astype(np.uint8)
    overlaid = np.repeat(faint[..., None], 3, axis=2)
    overlaid[hints.mask] = hints.color[hints.mask]
    return overlaid
