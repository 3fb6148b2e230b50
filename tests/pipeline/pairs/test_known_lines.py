"""Known lines drawn again: by their seed, of many widths, rough only if they are asked to be."""

import numpy as np
import pytest

from pipeline.pairs.known_lines import known_lines

SIZE, SCALE = 192, 2.0


def cross() -> np.ndarray:
    lines = np.full((SIZE, SIZE), 255, np.uint8)
    lines[95:98, 20:-20] = 0
    lines[20:-20, 95:98] = 0
    return lines


def drawn(seed: int, roughness: float) -> np.ndarray:
    return known_lines(cross(), SCALE, roughness, np.random.default_rng(seed))


def test_a_clean_pen_keeps_the_lines_where_they_are() -> None:
    for seed in range(20):
        line = drawn(seed, 0)
        assert line.dtype == np.uint8
        assert (line[96, 20:-20] < 190).all()
        assert line[96, 20:-20].max() == line[96, 20:-20].min()
        assert (line[:80, :80] == 255).all()
        np.testing.assert_array_equal(line, line[::-1, ::-1].T[::-1, ::-1])


def test_pens_differ_in_width_and_pressure() -> None:
    pages = [drawn(seed, 0) for seed in range(40)]
    widths = [int((page[:80, 96 - 40 : 96 + 40] < 255).any(axis=0).sum()) for page in pages]
    assert min(widths) <= 4
    assert max(widths) >= 7
    darkest = [int(page.min()) for page in pages]
    assert min(darkest) < 20
    assert max(darkest) > 80


@pytest.mark.parametrize("roughness", [0.4, 1.0])
def test_a_rough_pen_moves_lines_a_little_and_leaves_gaps(roughness: float) -> None:
    missing = []
    for seed in range(20):
        line = drawn(seed, roughness)
        near = line[96 - 10 : 96 + 11, 24:-24]
        missing.append((near.min(axis=0) > 200).mean())
        far = np.ones((SIZE, SIZE), bool)
        far[82:111], far[:, 82:111] = False, False
        assert (line[far] == 255).all()
    assert np.mean(missing) < 0.35 * roughness
    assert roughness < 1 or max(missing) > 0.01
