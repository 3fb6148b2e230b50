"""Fills under the line art."""

import numpy as np

from pipeline.colorizer.evaluation.baselines import nearest_hint_fill, white_fill
from pipeline.colorizer.hints import Hints


def two_hints() -> Hints:
    hints = Hints.none(4, 10)
    hints.mask[1, 1], hints.color[1, 1] = True, (200, 0, 0)
    hints.mask[1, 8], hints.color[1, 8] = True, (0, 100, 50)
    return hints


def test_white_fill_is_the_line_art() -> None:
    line = np.arange(40, dtype=np.uint8).reshape(4, 10)
    assert (white_fill(line) == line[..., None]).all()


def test_every_pixel_has_the_colour_of_the_nearest_hint() -> None:
    filled = nearest_hint_fill(np.full((4, 10), 255, np.uint8), two_hints())
    assert (filled[:, :5] == (200, 0, 0)).all()
    assert (filled[:, 5:] == (0, 100, 50)).all()


def test_lines_are_multiplied_on_top() -> None:
    line = np.full((4, 10), 255, np.uint8)
    line[2] = 0
    line[3] = 51
    filled = nearest_hint_fill(line, two_hints())
    assert (filled[2] == 0).all()
    assert (filled[3, 0] == (40, 0, 0)).all()


def test_fill_without_hints_is_white() -> None:
    line = np.full((4, 10), 255, np.uint8)
    assert (nearest_hint_fill(line, Hints.none(4, 10)) == 255).all()
