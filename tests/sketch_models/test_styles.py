"""The three styles of a sketch: what each leaves of an ink map."""

import numpy as np

from sketch_models.styles import STYLES, ink_to_sketch


def test_styles_are_nested() -> None:
    ink = np.array([[0.0, 0.05, 0.12, 0.2, 1.0]], np.float32)
    sketches = {style: ink_to_sketch(ink, style).tolist()[0] for style in STYLES}
    assert sketches == {
        "original": [255, 242, 224, 204, 0],
        "enhanced": [255, 255, 224, 204, 0],
        "pured": [255, 255, 255, 204, 0],
    }


def test_ink_of_exactly_the_threshold_is_kept() -> None:
    below = np.nextafter(np.float32([0.10, 0.18]), np.float32(0))
    ink = np.stack([below, np.float32([0.10, 0.18])], axis=1)
    assert ink_to_sketch(ink[:1], "enhanced").tolist() == [[255, 229]]
    assert ink_to_sketch(ink[1:], "pured").tolist() == [[255, 209]]


def test_ink_beyond_0_and_1_is_paper_and_black() -> None:
    """Networks overshoot."""
    ink = np.array([[-300.0, -0.1, 1.0, 1.1, 300.0]], np.float32)
    for style in STYLES:
        assert ink_to_sketch(ink, style).tolist() == [[255, 255, 0, 0, 0]]
