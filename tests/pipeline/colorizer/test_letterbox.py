"""Line art and hints in a square and back."""

import numpy as np

from pipeline.colorizer.hints import Hints
from pipeline.colorizer.letterbox import Letterbox


def test_tiny_hint_on_a_large_drawing_is_kept() -> None:
    hints = Hints.none(512, 512)
    hints.mask[100:104, 100:104] = True
    hints.color[hints.mask] = (10, 20, 250)
    resized = Letterbox.of(np.full((512, 512), 255, np.uint8), hints, 64).hints
    assert resized is not None
    assert resized.mask.sum() == 1
    assert (resized.color[resized.mask] == (10, 20, 250)).all()


def test_hints_are_aligned_with_the_line_art() -> None:
    line = np.full((40, 20), 255, np.uint8)
    line[:, 10:] = 0
    hints = Hints.none(40, 20)
    hints.mask[:, 10:] = True
    hints.color[hints.mask] = (1, 2, 3)
    box = Letterbox.of(line, hints, 64)
    expected = np.zeros((64, 64), bool)
    expected[:, 32:48] = True
    assert np.array_equal(box.line < 128, expected)
    assert box.hints is not None
    assert np.array_equal(box.hints.mask, expected)
    assert not box.hints.color[~box.hints.mask].any()


def test_square_of_the_right_size_is_unchanged() -> None:
    line = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    hints = Hints.none(64, 64)
    box = Letterbox.of(line, hints, 64)
    assert np.array_equal(box.line, line)
    assert box.hints is hints
    picture = np.repeat(line[..., None], 3, axis=2)
    assert np.array_equal(box.crop(picture), picture)


def test_crop_removes_the_padding_at_any_size() -> None:
    box = Letterbox.of(np.full((40, 20), 255, np.uint8), None, 64)
    square = np.zeros((64, 64, 3), np.uint8)
    square[:, 16:48] = (9, 8, 7)
    for size, expected in (((), (40, 20)), ((32, 64), (64, 32))):
        cropped = box.crop(square, *size)
        assert cropped.shape == (*expected, 3)
        assert (cropped == (9, 8, 7)).all()
