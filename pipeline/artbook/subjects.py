"""What the pages show."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from pipeline.artbook.booru import draw_booru
from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.composition import draw_composition
from pipeline.artbook.dicebear import draw_dicebear

Draw = Callable[[PageCanvas, np.random.Generator, int], None]
"""Draws on a canvas, by a source of randomness, for a page of a size in pixels."""

SUBJECTS: dict[str, tuple[float, Draw]] = {
    "composition": (0.5, draw_composition),
    "booru": (0.3, draw_booru),
    "dicebear": (0.2, draw_dicebear),
}
"""Every subject, how often it is drawn, and by what."""

TEST_SUBJECTS: dict[str, Draw] = {
    "adventurer": partial(draw_dicebear, style="adventurer", held_out=True),
    "micah": partial(draw_dicebear, style="micah"),
}
"""Characters that nothing is trained on: the unseen hair and features of a style, and a style."""


def draw_subject(
    canvas: PageCanvas, rng: np.random.Generator, size: int, subject: str | None
) -> str:
    """Draw a subject, any one if it is None, and return its name."""
    shares = np.array([share for share, _ in SUBJECTS.values()])
    name = subject or str(rng.choice(list(SUBJECTS), p=shares / shares.sum()))
    draw = TEST_SUBJECTS[name] if name in TEST_SUBJECTS else SUBJECTS[name][1]
    draw(canvas, rng, size)
    return name
