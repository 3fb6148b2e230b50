"""Segments: those of Hint-AUC at its size, about as many at every other, and each in one piece."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label
from skimage.segmentation import felzenszwalb

from pipeline.sample_booru.artist.draw import draw
from pipeline.segments import SIDE, find_segments


def drawing(side: int) -> np.ndarray:
    return np.asarray(cv2.resize(draw(3).color, (side, side), interpolation=cv2.INTER_AREA))


def test_parameters_are_those_of_hint_auc_at_its_size() -> None:
    picture = drawing(SIDE)
    expected = felzenszwalb(picture[..., ::-1], scale=100, sigma=0.5, min_size=100)
    np.testing.assert_array_equal(find_segments(picture), expected)


@pytest.mark.parametrize("side", [128, 256])
def test_a_picture_has_about_as_many_segments_at_every_size(side: int) -> None:
    few, many = (len(np.unique(find_segments(drawing(n), n))) for n in (side, SIDE))
    assert 0.7 < few / many < 1.4


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), height=st.integers(1, 40), width=st.integers(1, 40))
def test_a_segment_is_in_one_piece_and_numbers_have_no_gap(
    seed: int, height: int, width: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    segments = find_segments(picture, 40)
    assert np.unique(segments).tolist() == list(range(segments.max() + 1))
    assert label(segments, background=-1, connectivity=2).max() == segments.max() + 1
