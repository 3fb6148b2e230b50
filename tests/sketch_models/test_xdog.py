"""XDoG extracts lines; flat areas and soft edges give no ink."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketch_models.errors import ConfigError
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions

MODEL = Xdog(XdogOptions())


def line_picture(ground: int, ink: int) -> np.ndarray:
    picture = np.full((60, 60, 3), ground, np.uint8)
    cv2.line(picture, (30, 5), (30, 55), (ink, ink, ink), 2)
    return picture


@pytest.mark.parametrize(("ground", "ink"), [(255, 0), (200, 40), (120, 20)])
def test_dark_lines_are_ink(ground: int, ink: int) -> None:
    (result,) = MODEL.lines([line_picture(ground, ink)])
    assert result.dtype == np.float32
    assert result[30, 30] > 0.5
    assert result[30, 10] == 0


@pytest.mark.parametrize("grey", [0, 3, 128, 255])
def test_flat_pictures_are_paper(grey: int) -> None:
    (result,) = MODEL.lines([np.full((40, 50, 3), grey, np.uint8)])
    assert result.max() < 0.10


def test_soft_shadow_edge_is_fainter_than_a_line() -> None:
    shadow = np.full((60, 60, 3), 220, np.uint8)
    shadow[:, 30:] = 190
    (edge,), (line,) = MODEL.lines([shadow]), MODEL.lines([line_picture(220, 60)])
    assert edge.max() < line.max() / 3


def test_ink_follows_the_formula() -> None:
    """One pixel, computed by hand from Winnemoeller's D and T."""
    options = XdogOptions(sigma=1.0, k=2.0, p=5.0, eps=0.3, phi=2.0)
    picture = line_picture(200, 40)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float) / 255
    fine, wide = (cv2.GaussianBlur(grey, (0, 0), sigma)[30, 29] for sigma in (1.0, 2.0))
    difference = 6 * fine - 5 * wide
    tone = 1.0 if difference >= 0.3 else 1 + np.tanh(2 * (difference - 0.3))
    (ink,) = Xdog(options).lines([picture])
    assert ink[30, 29] == pytest.approx(min(1 - tone, 1), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_ink_map_has_the_size_of_any_picture(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    first, again = (
        MODEL.lines([picture, picture[::-1].copy()])[0],
        MODEL.lines([picture])[0],
    )
    assert first.shape == (height, width)
    assert 0 <= first.min() <= first.max() <= 1
    assert (first == again).all()


def test_styles_are_nested() -> None:
    ink = np.array([[0.0, 0.05, 0.12, 0.2, 1.0]], np.float32)
    sketches = {style: ink_to_sketch(ink, style).tolist()[0] for style in STYLES}
    assert sketches == {
        "original": [255, 242, 224, 204, 0],
        "enhanced": [255, 255, 224, 204, 0],
        "pured": [255, 255, 255, 204, 0],
    }


@pytest.mark.parametrize("wrong", [{"sigma": 0.0}, {"k": 1.0}, {"p": -1.0}, {"phi": 0.0}])
def test_wrong_option_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"\[xdog\] {next(iter(wrong))} = "):
        XdogOptions(**wrong)
