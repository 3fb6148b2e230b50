"""Sample drawings without people: size, and that colours and lines agree."""

import cv2
import numpy as np
import pytest

from pipeline.colorizer.areas import find_areas
from pipeline.demo.scenes import SCENES, draw_scene, scene_size


@pytest.mark.parametrize("name", SCENES)
def test_lines_are_drawn_in_the_picture_and_bound_areas(name: str) -> None:
    drawing = draw_scene(name, 300)
    width, height = scene_size(name, 300)
    assert max(width, height) == 300
    assert drawing.line.shape == drawing.color.shape[:2] == (2 * height, 2 * width)
    grey = cv2.cvtColor(drawing.color, cv2.COLOR_RGB2GRAY)
    assert np.quantile(grey[drawing.line < 30], 0.99) < 70
    areas = find_areas(cv2.resize(drawing.line, (width, height), interpolation=cv2.INTER_AREA))
    assert areas.max() >= 15
    assert 0.7 < (drawing.line > 200).mean() < 0.98


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_the_same_at_any_size(name: str) -> None:
    small, large = draw_scene(name, 200).color, draw_scene(name, 400).color
    reduced = cv2.resize(large, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - reduced).mean() < 8
