"""F1 of centre lines: shifts, what is missing or wrong, and what does not count."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.line_training.metrics import line_f1


def stripes(*rows: int, width: int = 3) -> NDArray[np.uint8]:
    lines = np.full((60, 80), 255, np.uint8)
    for row in rows:
        lines[row - width // 2 : row + width // 2 + 1, 5:75] = 0
    return lines


def f1(found: NDArray[np.uint8], true: NDArray[np.uint8], hidden: slice = slice(0, 0)) -> float:
    weight = np.ones_like(true)
    weight[hidden] = 0
    return line_f1(1 - found.astype(np.float32) / 255, true, weight)


def test_equal_lines_have_an_f1_of_1_whatever_their_width() -> None:
    assert f1(stripes(20, 40), stripes(20, 40)) == 1
    assert f1(stripes(20, 40, width=7), stripes(20, 40)) == pytest.approx(1, abs=0.03)


def test_lines_within_two_pixels_are_the_same() -> None:
    assert f1(stripes(22), stripes(20)) == 1
    assert f1(stripes(23), stripes(20)) == 0


def test_missing_and_wrong_lines_cost_the_same() -> None:
    assert f1(stripes(20), stripes(20, 40)) == pytest.approx(2 / 3)
    assert f1(stripes(20, 40), stripes(20)) == pytest.approx(2 / 3)


def test_empty_pages_are_right_only_together() -> None:
    assert f1(stripes(), stripes()) == 1
    assert f1(stripes(), stripes(20)) == f1(stripes(20), stripes()) == 0


def test_pixels_of_weight_0_do_not_count() -> None:
    assert f1(stripes(20), stripes(20, 40), hidden=slice(30, 60)) == 1
    assert f1(stripes(20, 40), stripes(20), hidden=slice(30, 60)) == 1


def test_faint_ink_is_no_line() -> None:
    faint = np.where(stripes(20) == 0, np.float32(0.4), np.float32(0))
    assert line_f1(faint, stripes(20), np.ones((60, 80), np.uint8)) == 0
