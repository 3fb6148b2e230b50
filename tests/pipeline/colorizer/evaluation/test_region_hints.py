"""Hints of Hint-AUC: regions, longest paths, scribbles and dots."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from pipeline.colorizer.evaluation.region_hints import (
    KINDS,
    RATIOS,
    RegionHints,
    find_region_hints,
    longest_path,
)

RED, BLUE, GREEN = (200, 30, 40), (40, 60, 200), (20, 160, 60)


def blocks() -> np.ndarray:
    """Return a large red, a smaller blue and a small green block, (512, 512, 3)."""
    picture = np.empty((512, 512, 3), np.uint8)
    picture[:] = RED
    picture[:, 320:] = BLUE
    picture[400:, 320:] = GREEN
    return picture


def steps(skeleton: np.ndarray) -> dict[tuple[int, int], dict[tuple[int, int], float]]:
    """Return the allowed steps between pixels, in plain Python."""
    pixels = {(int(y), int(x)) for y, x in np.argwhere(skeleton)}
    found: dict[tuple[int, int], dict[tuple[int, int], float]] = {pixel: {} for pixel in pixels}
    for (y, x), dy, dx in product(pixels, (-1, 0, 1), (-1, 0, 1)):
        if (dy, dx) == (0, 0) or (y + dy, x + dx) not in pixels:
            continue
        if dy and dx and ((y + dy, x) in pixels or (y, x + dx) in pixels):
            continue
        found[y, x][y + dy, x + dx] = float(np.hypot(dy, dx))
    return found


def diameter(skeleton: np.ndarray) -> float:
    """Return the length of the longest shortest path (Floyd and Warshall)."""
    edges = steps(skeleton)
    far = {(a, b): edges[a].get(b, np.inf) for a in edges for b in edges} | {
        (a, a): 0.0 for a in edges
    }
    for via, a, b in product(edges, edges, edges):
        far[a, b] = min(far[a, b], far[a, via] + far[via, b])
    return max(length for length in far.values() if np.isfinite(length))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), side=st.integers(1, 6), share=st.floats(0.2, 0.8))
def test_the_path_is_the_longest_of_the_shortest(seed: int, side: int, share: float) -> None:
    skeleton = np.random.default_rng(seed).random((side, side)) < share
    path = longest_path(skeleton)
    assert path.shape == skeleton.shape
    assert not (path & ~skeleton).any()
    assert path.any() == skeleton.any()
    if skeleton.any():
        assert label(path, connectivity=2).max() == 1
        assert diameter(path) == pytest.approx(diameter(skeleton))


def test_of_equally_long_paths_it_is_the_first_in_reading_order() -> None:
    cross = np.zeros((5, 5), bool)
    cross[2], cross[:, 2] = True, True
    expected = np.zeros((5, 5), bool)
    expected[:3, 2], expected[2, :2] = True, True
    np.testing.assert_array_equal(longest_path(cross), expected)


def test_a_region_has_a_scribble_and_a_dot_on_it_in_its_colour() -> None:
    hints = find_region_hints(blocks())
    assert hints.regions.shape == (64, 64)
    # The largest first; where colours meet, the segmentation has narrow regions of its own.
    assert [tuple(color) for color in hints.colors[:3]] == [RED, BLUE, GREEN]
    for number in range(3):
        region = hints.regions == number
        assert (hints.scribbles & region).sum() > 8
        assert (hints.dots & region).sum() == 1
    assert not (hints.dots & ~hints.scribbles).any()


def test_parts_of_one_colour_that_do_not_touch_are_regions_of_their_own() -> None:
    picture = np.full((512, 512, 3), 250, np.uint8)
    picture[:, 240:272] = RED
    hints = find_region_hints(picture)
    assert {hints.regions[30, 5], hints.regions[30, 60]} == {0, 1}
    assert (hints.colors[:2] == 250).all()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 99), height=st.integers(20, 70), width=st.integers(20, 70))
def test_any_picture_has_regions_from_the_largest_down(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (5, 4, 3), np.uint8).repeat(height, 0).repeat(width, 1)
    first, again = find_region_hints(picture), find_region_hints(picture)
    np.testing.assert_array_equal(first.scribbles, again.scribbles)
    np.testing.assert_array_equal(first.regions, again.regions)
    sizes = np.bincount(first.regions.ravel())
    assert len(sizes) == len(first.colors)
    assert (np.diff(sizes) <= 0).all()
    assert first.dots.sum() <= len(sizes)


@pytest.mark.parametrize("kind", KINDS)
def test_a_ratio_keeps_the_hints_of_the_largest_regions(kind: str) -> None:
    regions = np.arange(64 * 64, dtype=np.int32).reshape(64, 64) // 1024  # four
    marks = np.zeros((64, 64), bool)
    marks[::16, 3] = True
    colors = np.array([RED, BLUE, GREEN, (1, 2, 3)], np.uint8)
    hints = RegionHints(regions=regions, colors=colors, scribbles=marks, dots=marks)
    for ratio, kept in ((0.0, 0), (0.2, 0), (0.25, 1), (0.5, 2), (0.99, 3), (1.0, 4)):
        at = hints.at(ratio, kind, 128, 64)
        assert at.mask.shape == (128, 64)
        assert at.mask.sum() == 2 * kept  # a pixel of the grid is two high
        assert {tuple(color) for color in at.color[at.mask]} == {
            tuple(color) for color in colors[:kept]
        }
    assert RATIOS[0] == 0
    assert RATIOS[-1] == 1
