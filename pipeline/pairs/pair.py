"""One drawn picture with its line art from several sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.page import Page, draw_page
from pipeline.artbook.paint import PAINTS
from pipeline.pack.square import resample
from pipeline.pairs.known_lines import ROUGHNESS, known_lines
from sketch_models import STYLES, ink_to_sketch, load

SOURCES = ("known", "tracer", "xdog")
"""Where line art comes from: the lines that were drawn; our networks; our filters."""

_SUBJECTS = {"composition": 0.3, "booru": 0.42, "dicebear": 0.28}
_PAINTS = tuple(name for name in PAINTS if name not in ("line_art", "screentone"))  # have colour
_SCALES = {1.5: 0.35, 2.0: 0.45, 4.0: 0.2}  # of the page, in pixels per pixel of the result
_PLAIN_SHARE = 0.6  # most drawings that people colour are plain
_MAX_WIDTH = 1.5  # pixels of the result, of an outline: line art does not tell wider ones
_ATTEMPTS = 64  # pages of a number
_MIN_RANGE = 40  # of 255, between the darkest and the brightest parts of a page
_MIN_LINES = 0.004  # share of the pixels


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A picture and its line art, all S x S pixels.

    Attributes:
        color: (S, S, 3) uint8 RGB.
        lines: by name, a style and a source such as `original_known`: (S, S) uint8, 0 = ink.
        tags: what it shows and how it was painted.
    """

    color: NDArray[np.uint8]
    lines: Mapping[str, NDArray[np.uint8]]
    tags: str


class PairArtist:
    """Draws pairs; holds the models that find lines, on the CPU."""

    def __init__(self) -> None:
        self._tracer, self._inker = load("tracer", device="cpu"), load("inker", device="cpu")
        self._xdog, self._centerline = load("xdog"), load("centerline")

    def draw(self, seed: int, size: int, subject: str = "") -> Pair:
        """Return a pair; it depends on these arguments and the weights of the networks alone.

        Args:
            seed: which of the endless pairs, 0 or more.
            size: side, in pixels.
            subject: of `SUBJECTS` or `TEST_SUBJECTS`; random if empty.

        Raises:
            RuntimeError: If no page of this seed shows anything, which does not happen.
        """
        for attempt in range(_ATTEMPTS):
            rng = np.random.default_rng((seed, attempt, 4))
            page = _random_page(rng, seed * _ATTEMPTS + attempt, size, subject)
            if not _shows_something(page):
                continue
            pair = self._pair(page, size, rng)
            if all(line.min() < 200 for line in pair.lines.values()):
                return pair
        raise RuntimeError(f"The artbook has no picture of seed {seed} and subject {subject!r}.")

    def _pair(self, page: Page, size: int, rng: np.random.Generator) -> Pair:
        scale = page.lines.shape[0] / size
        (traced,) = self._tracer.lines([page.color])
        (filtered,) = self._xdog.lines([page.color])
        found = {
            "known": [known_lines(page.lines, scale, ROUGHNESS[name], rng) for name in STYLES],
            "tracer": self._inker.simplify([ink_to_sketch(traced, name) for name in STYLES]),
            "xdog": self._centerline.simplify([ink_to_sketch(filtered, name) for name in STYLES]),
        }
        return Pair(
            color=resample(page.color, size, size),
            lines={
                f"{style}_{source}": resample(line, size, size)
                for source in SOURCES
                for style, line in zip(STYLES, found[source], strict=True)
            },
            tags=f"{page.subject} {page.paint} {page.ink}_outlines",
        )


def _random_page(rng: np.random.Generator, seed: int, size: int, subject: str) -> Page:
    """Return a page of some colour, some of them as large as drawings are before they shrink."""
    scale = float(rng.choice(list(_SCALES), p=list(_SCALES.values())))
    shares = list(_SUBJECTS.values())
    return draw_page(
        seed,
        max(round(size * scale), 64),
        subject=subject or str(rng.choice(list(_SUBJECTS), p=shares)),
        style=str(rng.choice(_PAINTS)),
        max_width=_MAX_WIDTH * scale,
        plain_share=_PLAIN_SHARE,
        damaged=False,
    )


def _shows_something(page: Page) -> bool:
    dark, bright = np.percentile(page.color, (2, 98))
    return bool(bright - dark >= _MIN_RANGE and (page.lines < 128).mean() >= _MIN_LINES)
