"""Random colours that could stand side by side on a page."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np

from pipeline.sample_booru.artist.palette import Color

MOODS = ("free", "pastel", "vivid", "dark", "grey", "paper", "one_hue")


def random_palette(rng: np.random.Generator) -> list[Color]:
    """Return four to ten colours of one mood, with a white, a black and a skin now and then."""
    mood = str(rng.choice(MOODS, p=(0.3, 0.14, 0.16, 0.14, 0.1, 0.06, 0.1)))
    hue = float(rng.random())
    colors = [_random_color(rng, mood, hue) for _ in range(int(rng.integers(4, 11)))]
    extra: Sequence[tuple[float, Color]] = (
        (0.35, (250, 250, 250)),
        (0.2, (12, 10, 14)),
        (0.3, (252, 226, 208)),
    )
    return colors + [color for probability, color in extra if rng.random() < probability]


def random_color(rng: np.random.Generator) -> Color:
    """Return any colour."""
    return _random_color(rng, "free", 0.0)


def _random_color(rng: np.random.Generator, mood: str, hue: float) -> Color:
    ranges = {  # of saturation and brightness
        "free": (0.0, 1.0, 0.1, 1.0),
        "pastel": (0.05, 0.4, 0.8, 1.0),
        "vivid": (0.55, 1.0, 0.55, 1.0),
        "dark": (0.1, 0.8, 0.05, 0.4),
        "grey": (0.0, 0.08, 0.1, 1.0),
        "paper": (0.0, 0.1, 0.85, 1.0),
        "one_hue": (0.1, 0.9, 0.15, 1.0),
    }[mood]
    if mood == "one_hue":
        hue += float(rng.normal(0, 0.04))
    else:
        hue = float(rng.random())
    r, g, b = colorsys.hsv_to_rgb(hue % 1, rng.uniform(*ranges[:2]), rng.uniform(*ranges[2:]))
    return round(255 * r), round(255 * g), round(255 * b)
