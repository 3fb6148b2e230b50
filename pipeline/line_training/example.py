"""Examples: what a network of lines is shown, and the lines that it should find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.artbook.page import Page, draw_page
from pipeline.artbook.sketch import Tracer, draw_sketch
from pipeline.line_training import validation
from pipeline.line_training.validation import Pair
from pipeline.picture import PictureError, decode
from sketch_models.errors import ConfigError

TRAINING, VALIDATION = 0, 1
"""Kinds of pages: no page is of both."""

_WIDE_PEN = 10.0  # pixels
_HARDEST = 3  # times that pages count if outlines are wide, which are one line, or have patterns
_HARD = 2  # bright outlines, which are easily taken for areas


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example.

    Attributes:
        rows: of the table of metrics in which it counts, such as `subject/booru`.
        picture: (H, W, 3) uint8 RGB for the tracer; for the inker a sketch, (H, W) uint8, 0 = ink.
        lines: (H, W) uint8, 0 = ink, 255 = paper.
        weight: (H, W) uint8, 0 where nobody can say whether there is a line, else how much a pixel
            counts in the losses.
    """

    rows: tuple[str, ...]
    picture: NDArray[np.uint8]
    lines: NDArray[np.uint8]
    weight: NDArray[np.uint8]


def page_seed(seed: int, kind: int, index: int) -> int:
    """Return the seed of a page: a number of 63 bits that depends on all three.

    Args:
        seed: of the training.
        kind: `TRAINING` or `VALIDATION`.
        index: of the page, from 0.
    """
    state = np.random.SeedSequence((seed, kind, index)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def draw_example(network: str, seed: int, size: int, tracer: Tracer | None = None) -> Example:
    """Draw a page of the artbook: a picture for the tracer, a rough sketch for the inker.

    Args:
        network: tracer or inker.
        seed: of the page.
        size: its side, in pixels.
        tracer: makes some of the sketches; None for none of them.
    """
    if network == "tracer":
        page = draw_page(seed, size)
        return Example(
            rows=(f"subject/{page.subject}", f"paint/{page.paint}", f"ink/{page.ink}"),
            picture=page.color,
            lines=page.lines,
            weight=page.weight * np.uint8(_importance(page)),
        )
    sketch = draw_sketch(seed, size, tracer=tracer)
    is_hard = sketch.has_distractors or sketch.is_faint
    medium = (f"medium/{sketch.medium}",) if sketch.medium else ()
    return Example(
        rows=(f"subject/{sketch.subject}", f"source/{sketch.source}", *medium),
        picture=sketch.sketch,
        lines=sketch.lines,
        weight=sketch.weight * np.uint8(_HARDEST if is_hard else 1),
    )


def _importance(page: Page) -> int:
    """Return how many times a page counts in the losses: what is hard to learn counts more."""
    if page.width > _WIDE_PEN or page.patterned:
        return _HARDEST
    return _HARD if page.ink == "light" else 1


def read_example(pair: Pair, network: str) -> Example:
    """Read a picture of the validation folder.

    Args:
        pair: its files.
        network: tracer or inker.

    Raises:
        ConfigError: If a file cannot be read, or both are not of one size.
    """
    picture, lines = _read(pair.picture), _read(pair.lines)
    if picture.shape != lines.shape:
        raise ConfigError(
            f"[lines] validation: {pair.picture} and {pair.lines.name} have different sizes. Make "
            "them equal."
        )
    return Example(
        rows=(f"picture/{pair.group}",),
        picture=picture if network == "tracer" else _grey(picture),
        lines=_grey(lines),
        weight=np.ones(lines.shape[:2], np.uint8),
    )


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        return decode(validation.read(path))
    except PictureError as error:
        raise validation.unreadable(path, error) from error


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mean of three equal channels, or of nearly equal ones."""
    grey: NDArray[np.uint8] = picture.mean(axis=2).round().astype(np.uint8)
    return grey
