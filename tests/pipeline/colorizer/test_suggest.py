"""Suggested hints: a colour for every area that has none, and nothing else."""

import colorsys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.colorizer.areas import find_areas
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.letterbox import Letterbox
from pipeline.colorizer.spread import spread_hints
from pipeline.colorizer.suggest import suggest_hints
from pipeline.demo.scenes import draw_scene


def face(size: int = 128) -> NDArray[np.uint8]:
    """Return a square with a face: a head, two eyes of one size, and a mouth."""
    line = np.full((size, size), 255, np.uint8)
    unit, width = size / 128, max(1, round(2 * size / 128))
    for x, y, radius in ((64, 64, 50), (44, 50, 10), (84, 50, 10)):
        center = (round(x * unit), round(y * unit))
        cv2.circle(line, center, round(radius * unit), 0, width)
    cv2.ellipse(
        line,
        (round(64 * unit), round(90 * unit)),
        (round(20 * unit), round(8 * unit)),
        0,
        0,
        360,
        0,
        width,
    )
    return line


HEAD, LEFT_EYE, RIGHT_EYE, MOUTH, OUTSIDE = (64, 68), (44, 50), (84, 50), (64, 90), (4, 4)


def color_of(hints: Hints, line: NDArray[np.uint8], point: tuple[int, int]) -> set[tuple[int, ...]]:
    """Return the colours of the hints in the area around a point, x and y of 128."""
    areas = find_areas(line)
    x, y = (value * line.shape[0] // 128 for value in point)
    inside = (areas == areas[y, x]) & hints.mask
    return set(map(tuple, hints.color[inside].tolist()))


@pytest.mark.parametrize("size", [96, 128, 700])
def test_every_area_gets_one_colour_and_twins_the_same(size: int) -> None:
    line = face(size)
    hints = suggest_hints(line, seed=3)
    colors = [color_of(hints, line, point) for point in (HEAD, MOUTH, LEFT_EYE, RIGHT_EYE, OUTSIDE)]
    assert all(len(each) == 1 for each in colors)
    assert colors[2] == colors[3]
    assert len(set.union(*colors)) == 4
    (behind,) = colors[4]
    _, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in behind))
    assert saturation < 0.2
    assert value > 0.9
    assert 0.001 < hints.mask.mean() < 0.02


def test_hints_that_are_given_stay_alone_in_their_area() -> None:
    line = face()
    given_hints = Hints(color=np.zeros((128, 128, 3), np.uint8), mask=np.zeros((128, 128), bool))
    given_hints.color[70:73, 60:63] = 1, 2, 3
    given_hints.mask[70:73, 60:63] = True
    hints, free = suggest_hints(line, given_hints, 3), suggest_hints(line, None, 3)
    assert color_of(hints, line, HEAD) == {(1, 2, 3)}
    for point in (MOUTH, LEFT_EYE, RIGHT_EYE, OUTSIDE):
        assert color_of(hints, line, point) == color_of(free, line, point)
    assert given_hints.mask.sum() == 9  # not changed in place


def test_a_seed_is_a_palette() -> None:
    line = face()
    palettes = [suggest_hints(line, None, seed).color for seed in (0, 1, (5, 1), (5, 2))]
    np.testing.assert_array_equal(suggest_hints(line, None, 1).color, palettes[1])
    for index, one in enumerate(palettes):
        assert not any(np.array_equal(one, other) for other in palettes[index + 1 :])


def test_nothing_is_put_into_the_margin_of_a_drawing() -> None:
    line = np.full((128, 200), 255, np.uint8)
    line[:, 36:164] = face()
    hints = suggest_hints(line, None, 3, (36, 0, 164, 128))
    assert not hints.mask[:, :36].any()
    assert not hints.mask[:, 164:].any()
    drawing = Hints(color=hints.color[:, 36:164], mask=hints.mask[:, 36:164])
    for point in (HEAD, MOUTH, LEFT_EYE, RIGHT_EYE, OUTSIDE):
        assert len(color_of(drawing, face(), point)) == 1


def test_areas_are_those_that_colorizers_see() -> None:
    """They put a drawing into a square: what joins two areas beside its wall is closed as a gap."""
    line = np.full((128, 90), 255, np.uint8)
    cv2.rectangle(line, (2, 60), (89, 68), 0, cv2.FILLED)  # two pixels from the side
    hints = suggest_hints(line, None, 0)
    box = Letterbox.of(line, hints, 128)
    assert box.hints is not None
    left, top, right, bottom = box.placement.box
    spread = spread_hints(box.line, box.hints, box.placement.box)
    nearness = spread.nearness[top:bottom, left:right]
    assert (nearness[line == 255] > 0).mean() > 0.97


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    fill=st.sampled_from([0, 255, None]),
    seed=st.integers(0, 1000),
)
def test_any_drawing_has_suggestions_or_none(
    height: int, width: int, fill: int | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    line = rng.choice(np.array([0, 255], np.uint8), (height, width), p=(0.1, 0.9))
    if fill is not None:
        line[:] = fill
    hints = suggest_hints(line, None, seed)
    assert hints.mask.shape == line.shape
    assert not hints.color[~hints.mask].any()
    if fill == 0:
        assert not hints.mask.any()
    if fill == 255 and min(height, width) > 4:
        assert hints.mask.any()


def test_few_areas_of_a_drawing_stay_without_a_hint() -> None:
    drawing = draw_scene("robot", 256).line
    line = cv2.resize(drawing, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    hints = suggest_hints(np.asarray(line, np.uint8))
    areas = find_areas(np.asarray(line, np.uint8))
    hinted = np.unique(areas[hints.mask])
    assert np.isin(areas, hinted).sum() > 0.97 * (areas > 0).sum()
