"""The line of a stroke is its middle, that of an area its rim."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.ink import areas_of_ink, lines_of_ink
from tests.pipeline.artbook.scoring import distance_to, share_near

STROKE = 30.0


def bar(width: int) -> np.ndarray:
    """Return a horizontal bar of ink, 150 pixels long, around row 100."""
    ink = np.zeros((200, 240), bool)
    ink[100 - width // 2 : 100 - width // 2 + width, 45:195] = True
    return ink


@pytest.mark.parametrize("width", [3, 4, 9, 16, 29])
def test_the_line_of_a_stroke_is_its_middle(width: int) -> None:
    ink = bar(width)
    assert not areas_of_ink(ink, STROKE).any()
    lines = lines_of_ink(ink, STROKE)
    inner = lines[:, 45 + width : 195 - width]
    assert (inner.sum(axis=0) == 1).all()
    assert np.abs(np.nonzero(inner)[0] - 100).max() <= 1


@pytest.mark.parametrize("width", [34, 60, 90])
def test_the_line_of_an_area_is_its_rim(width: int) -> None:
    ink = bar(width)
    lines = lines_of_ink(ink, STROKE)
    rim = ink & (distance_to(~ink) <= 1.5)
    sides = np.s_[:, 70:170]  # the ends have corners, which are strokes
    np.testing.assert_array_equal(lines[sides], rim[sides])
    assert share_near(lines, rim, 1.0) > 0.95
    assert not lines[100 - width // 2 + 3 : 100 + width // 2 - 4, 60:180].any()


def test_a_stroke_that_leaves_an_area_keeps_its_middle() -> None:
    ink = np.zeros((200, 240), np.uint8)
    cv2.circle(ink, (60, 100), 40, 1, -1)
    cv2.line(ink, (60, 100), (230, 100), 1, 9)
    lines = lines_of_ink(ink > 0, STROKE)
    assert not lines[80:120, 40:80].any()
    columns = lines[:, 120:220]
    assert (columns.sum(axis=0) == 1).all()
    assert np.abs(np.nonzero(columns)[0] - 100).max() <= 1


def test_the_line_of_a_dot_is_its_rim_and_a_small_ring_is_a_stroke() -> None:
    for thickness, is_dot in ((-1, True), (2, False)):
        ink = np.zeros((60, 60), np.uint8)
        cv2.ellipse(ink, ((30, 30), (12, 20), 20), 1, thickness)
        assert areas_of_ink(ink > 0, STROKE).any() == is_dot
        lines = lines_of_ink(ink > 0, STROKE)
        assert not lines[28:33, 28:33].any()
        assert lines.sum() > 35
    tiny = np.zeros((60, 60), bool)
    tiny[30:35, 30:35] = True
    assert not areas_of_ink(tiny, STROKE).any()


def test_no_ink_has_no_lines() -> None:
    assert not lines_of_ink(np.zeros((30, 40), bool), STROKE).any()


@settings(max_examples=25)
@given(
    width=st.integers(3, 50),
    angle=st.floats(0, 3.1),
    bend=st.floats(-40, 40),
)
def test_lines_lie_on_the_ink_and_no_ink_is_far_from_them(
    width: int, angle: float, bend: float
) -> None:
    t = np.linspace(-70, 70, 40)
    across = bend * (1 - (t / 70) ** 2)
    c, s = np.cos(angle), np.sin(angle)
    points = np.stack([120 + c * t - s * across, 120 + s * t + c * across], axis=1)
    ink = np.zeros((240, 240), np.uint8)
    cv2.polylines(ink, [np.round(points).astype(np.int32)], False, 1, width)
    lines = lines_of_ink(ink > 0, STROKE)
    assert not (lines & (ink == 0)).any()
    assert distance_to(lines)[ink > 0].max() <= width + 2
