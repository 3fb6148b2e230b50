"""XDoG extracts lines of any width and light; flat areas and soft edges give no ink."""

from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketch_models import xdog
from sketch_models.centerline import Centerline, CenterlineOptions, hysteresis_skeleton
from sketch_models.errors import ConfigError
from sketch_models.styles import ink_to_sketch
from sketch_models.xdog import PLAIN, Xdog, XdogOptions

Color = tuple[int, int, int]

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


def blur_1d(values: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur written out, of values whose ends go on as they are."""
    offsets = np.arange(-60, 61)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    return np.convolve(np.pad(values, 60, mode="edge"), kernel / kernel.sum(), mode="valid")


def test_plain_ink_follows_the_formula() -> None:
    """Winnemoeller's D and T, computed in one dimension from a coloured line."""
    options = replace(PLAIN, sigma=1.3, k=2.5, p=5.0, eps=0.3, phi=0.8)
    picture = np.full((60, 61, 3), (250, 180, 90), np.uint8)
    picture[:, 29:32] = (20, 60, 140)
    row = (picture[30] @ np.array([0.299, 0.587, 0.114])).round() / 255
    difference = 6 * blur_1d(row, 1.3) - 5 * blur_1d(row, 3.25)
    tone = np.where(difference >= 0.3, 1, 1 + np.tanh(0.8 * (difference - 0.3)))
    (ink,) = Xdog(options).lines([picture])
    assert 0.2 < (1 - tone).max() < 0.8
    np.testing.assert_allclose(ink[30], (1 - tone).clip(0, 1), atol=0.005)


def outlines(
    width: int, ground: Color = (240, 235, 225), line: Color = (45, 35, 40)
) -> tuple[np.ndarray, np.ndarray]:
    """Return two overlapping filled shapes, and the centre of their outlines."""
    picture, truth = np.full((320, 360, 3), ground, np.uint8), np.full((320, 360), 255, np.uint8)
    for centre, color in (((140, 150), (220, 150, 120)), ((210, 180), (130, 190, 210))):
        cv2.ellipse(picture, centre, (100, 80), 20, 0, 360, color, -1, cv2.LINE_AA)
        cv2.ellipse(picture, centre, (100, 80), 20, 0, 360, line, width, cv2.LINE_AA)
        cv2.ellipse(truth, centre, (100, 80), 20, 0, 360, 255, -1)
        cv2.ellipse(truth, centre, (100, 80), 20, 0, 360, 0, 1)
    return picture, truth == 0


def distance_to(mask: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)


def f1(picture: np.ndarray, truth: np.ndarray, options: XdogOptions, style: str) -> float:
    """F1 of the centre lines within 2 pixels."""
    (ink,) = Xdog(options).lines([picture])
    (line,) = Centerline(CenterlineOptions()).simplify([ink_to_sketch(ink, style)])
    found = hysteresis_skeleton(line, 0.5, 0.5) == 1
    if not found.any():
        return 0.0
    precision = (distance_to(truth)[found] <= 2).mean()
    recall = (distance_to(found)[truth] <= 2).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.sampled_from(["original", "pured"]))
def test_an_outline_of_any_width_is_one_line(width: int, style: str) -> None:
    picture, truth = outlines(width)
    assert f1(picture, truth, XdogOptions(), style) > (
        0.93 if width <= 16 else 0.84
    )  # crossings move


def test_a_plain_filter_makes_two_lines_of_a_wide_outline() -> None:
    assert f1(*outlines(14), replace(XdogOptions(), max_width=0), "original") < 0.2


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.08, 1), st.floats(0, 1), st.integers(2, 12), st.sampled_from(["original", "pured"])
)
def test_dark_and_pale_pictures_have_lines(
    gain: float, paleness: float, width: int, style: str
) -> None:
    picture, truth = outlines(width)
    light = picture * gain + paleness * 255 * (1 - gain)
    noisy = light + np.random.default_rng(width).normal(0, 0.4, picture.shape)
    dim = noisy.round().clip(0, 255).astype(np.uint8)
    assert f1(dim, truth, XdogOptions(), style) > 0.93


def test_without_contrast_a_dark_picture_has_no_lines() -> None:
    picture, truth = outlines(4)
    dark = (picture * 0.1).astype(np.uint8)
    assert f1(dark, truth, replace(XdogOptions(), contrast=0), "original") < 0.3


@settings(max_examples=15, deadline=None)
@given(st.integers(40, 75), st.floats(0, 2 * np.pi), st.sampled_from(["original", "pured"]))
def test_hues_of_equal_brightness_are_divided_by_a_line(
    lightness: int, hue: float, style: str
) -> None:
    lab = np.empty((120, 160, 3), np.float32)
    lab[..., 0] = lightness
    lab[:, :80, 1:] = 32 * np.cos(hue), 32 * np.sin(hue)
    lab[:, 80:, 1:] = -32 * np.cos(hue), -32 * np.sin(hue)
    picture = (cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255).round().clip(0, 255).astype(np.uint8)
    truth = np.zeros((120, 160), bool)
    truth[:, 80] = True
    assert f1(picture, truth, XdogOptions(), style) > 0.95


def test_brightness_alone_does_not_divide_hues() -> None:
    picture = np.full((120, 160, 3), (170, 100, 100), np.uint8)
    picture[:, 80:] = (90, 134, 140)  # as bright
    (ink,) = Xdog(replace(XdogOptions(), hue_threshold=0)).lines([picture])
    assert ink.max() < 0.3
    assert MODEL.lines([picture])[0][60, 78:83].max() > 0.9


def test_an_outline_between_hues_is_not_widened() -> None:
    picture = np.full((120, 160, 3), (200, 90, 90), np.uint8)
    picture[:, 80:] = (80, 140, 90)
    picture[:, 79:82] = (20, 20, 25)
    (ink,) = MODEL.lines([picture])
    assert (ink[60] > 0.3).sum() <= 5


@pytest.mark.parametrize("fill", [(75, 70, 95), (52, 50, 58)])
def test_a_dark_area_in_a_darker_outline_keeps_its_outline(fill: Color) -> None:
    picture = np.full((200, 200, 3), 235, np.uint8)
    cv2.rectangle(picture, (90, 30), (112, 170), fill, -1)
    cv2.rectangle(picture, (90, 30), (112, 170), (25, 20, 30), 3)
    (ink,) = MODEL.lines([picture])
    assert ink[100, 89:92].max() > 0.3
    assert ink[100, 97:105].max() < 0.1


def test_a_round_spot_and_a_filled_area_keep_their_outlines() -> None:
    picture = np.full((200, 240, 3), 235, np.uint8)
    cv2.circle(picture, (50, 100), 13, (20, 20, 20), -1)
    cv2.rectangle(picture, (110, 40), (210, 160), (20, 20, 20), -1)
    (ink,) = MODEL.lines([picture])
    assert ink[100, 50] < 0.1
    assert ink[100, 36:40].max() > 0.3
    assert ink[70:130, 130:190].max() < 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (200, 8000), (2, 3)])
@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (200, 30, 90)])
def test_one_colour_of_any_shape_is_paper(size: tuple[int, int], color: Color) -> None:
    (ink,) = MODEL.lines([np.full((*size, 3), color, np.uint8)])
    assert ink.shape == size
    assert ink.max() < 0.1


def test_line_art_comes_out_as_it_went_in() -> None:
    _, truth = outlines(3)
    art = np.where(distance_to(truth) < 1.5, 0, 255).astype(np.uint8)
    assert f1(np.repeat(art[..., None], 3, 2), truth, XdogOptions(), "original") > 0.99


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


@pytest.mark.parametrize(
    "wrong",
    [
        {"sigma": 0.0},
        {"k": 1.0},
        {"p": -1.0},
        {"phi": 0.0},
        {"contrast": -0.1},
        {"max_width": 201.0},
        {"hue_threshold": -1.0},
        {"sigma": 0.09},
        {"sigma": 20.1},
        {"k": 20.1},
        {"contrast": 1.1},
        {"max_width": -0.1},
        {"hue_threshold": 10.1},
    ],
)
def test_wrong_option_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"\[xdog\] {next(iter(wrong))} = "):
        XdogOptions(**wrong)


def test_options_of_the_filter() -> None:
    assert asdict(XdogOptions()) == {
        "sigma": 0.6,
        "k": 4.0,
        "p": 20.0,
        "eps": -0.1,
        "phi": 0.2,
        "contrast": 0.22,
        "max_width": 30.0,
        "hue_threshold": 0.2,
    }
    assert (PLAIN.contrast, PLAIN.max_width, PLAIN.hue_threshold) == (0, 0, 0)
    XdogOptions(sigma=0.1, k=20, contrast=1, max_width=200, hue_threshold=10)
    XdogOptions(sigma=20, contrast=0, max_width=0, hue_threshold=0)
    for name, value, bounds in (("sigma", 0, "0.1 to 20"), ("max_width", -1, "0 to 200")):
        with pytest.raises(ConfigError, match=f"expected a number of pixels from {bounds}"):
            replace(PLAIN, **{name: float(value)})


@pytest.mark.parametrize(("contrast", "gain"), [(0.0, 1.0), (0.1, 6.375), (0.2, 8.0), (1.0, 8.0)])
def test_gain_of_flat_surroundings(contrast: float, gain: float) -> None:
    """A deviation of 4 levels is added to that of the picture, here 0; the gain has a limit."""
    mean, found = xdog._surroundings(np.full((64, 80), 0.5, np.float32), contrast)
    assert mean.shape == found.shape == (64, 80)
    np.testing.assert_allclose(mean, 0.5, atol=1e-6)
    np.testing.assert_allclose(found, gain, rtol=0.01)


def test_flat_surroundings_in_a_picture_of_contrasts_count_as_half_of_all() -> None:
    grey = np.zeros((320, 320), np.float32)
    grey[:, :80:2] = 1.0  # stripes on a quarter: a deviation of 0.33 over all
    _, gain = xdog._surroundings(grey, 1.0)
    of_all = grey.std()
    assert gain[160, 300] == pytest.approx(1 / (of_all / 2 + 4 / 255), rel=0.01)
    assert gain[160, 2] == pytest.approx(1 / (0.5 + 4 / 255), rel=0.1)
