"""What the pages show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.artbook.booru import draw_booru
from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.composition import draw_composition
from pipeline.artbook.dicebear import draw_dicebear

SUBJECTS: dict[str, tuple[float, Callable[[PageCanvas, np.random.Generator, int], None]]] = {
    "composition": (0.5, draw_composition),
    "booru": (0.3, draw_booru),
    "dicebear": (0.2, draw_dicebear),
}
"""Every subject, how often it is drawn, and by what."""


def draw_subject(
    canvas: PageCanvas, rng: np.random.Generator, size: int, subject: str | None
) -> str:
    """Draw a subject, any one if it is None, and return its name."""
    shares = np.array([share for share, _ in SUBJECTS.values()])
    name = subject or str(rng.choice(list(SUBJECTS), p=shares / shares.sum()))
    SUBJECTS[name][1](canvas, rng, size)
    return name
