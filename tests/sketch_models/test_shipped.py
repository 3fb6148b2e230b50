"""The weights that come with the package: bad pictures, line art, text, and the sample booru."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import sketch_models
from pipeline.line_training.metrics import line_f1
from pipeline.picture import resize_long_side
from pipeline.sample_booru.artist.draw import draw
from sketch_models.styles import STYLES, THRESHOLDS, ink_to_sketch

PAPER = 255
NO_INK = THRESHOLDS["enhanced"]


def ink_of(picture: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the ink that the tracer finds, which is checked to be ink."""
    (ink,) = sketch_models.load("tracer", device="cpu").lines([picture])
    assert ink.shape == picture.shape[:2]
    assert ink.dtype == np.float32
    assert np.isfinite(ink).all()
    assert ink.min() >= 0
    assert ink.max() <= 1
    return ink


def lines_of(sketch: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return the line art that the inker draws, which is checked to be line art."""
    (lines,) = sketch_models.load("inker", device="cpu").simplify([sketch])
    assert lines.shape == sketch.shape[:2]
    assert lines.dtype == np.uint8
    return lines


def lines_by_both(picture: NDArray[np.generic], style: str) -> NDArray[np.uint8]:
    return lines_of(ink_to_sketch(ink_of(picture), style))


def f1(lines: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Return the F1 of line art, within 2 px."""
    return line_f1(1 - lines / np.float32(PAPER), truth, np.ones_like(truth))


def noise(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


def flat(color: object, height: int = 120, width: int = 90, dtype: str = "u1") -> NDArray[np.uint8]:
    """Return a picture of one colour, or of one grey: (H, W, C) or (H, W)."""
    return np.full((height, width, *np.shape(color)), color, np.dtype(dtype))  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    "picture",
    [
        flat((0, 0, 0)),
        flat((255, 255, 255)),
        flat((200, 30, 90)),
        flat(128),
        flat(30_000, dtype="u2"),
        flat((20, 130, 90, 0)),
        flat((90, 90, 90), height=300, width=1),
        flat((90, 90, 90), height=1, width=300),
    ],
    ids=["black", "white", "red", "grey", "16 bits", "transparent", "column", "row"],
)
def test_flat_picture_has_no_lines(picture: NDArray[np.generic]) -> None:
    ink = ink_of(picture)
    assert ink.max() < NO_INK
    for style in STYLES:
        assert lines_of(ink_to_sketch(ink, style)).min() == PAPER
    assert lines_of(picture).min() == PAPER  # as a sketch


@pytest.mark.parametrize(
    "picture",
    [
        noise(300, 1),
        noise(1, 300),
        noise(3, 300),
        noise(200, 8000),
        noise(120, 90, channels=4),
        noise(120, 90)[..., 0],
        noise(120, 90).astype(np.uint16) * 257,
    ],
    ids=["column", "row", "three rows", "strip", "transparent", "grey", "16 bits"],
)
def test_noise_of_any_shape_is_drawn(picture: NDArray[np.generic]) -> None:
    ink_of(picture)
    lines_of(picture)


def test_16_bits_and_opacity_change_nothing() -> None:
    picture = draw(11).color[:160, :120]
    opaque = np.dstack([picture, flat(255, *picture.shape[:2])])
    ink = ink_of(picture)
    assert np.array_equal(ink_of(opaque), ink)
    assert np.array_equal(ink_of(picture.astype(np.uint16) * 257), ink)


def line_art(stroke: int) -> NDArray[np.uint8]:
    """Return waves, circles and a star whose strokes have a width in pixels; (480, 640)."""
    page = np.full((480, 640), PAPER, np.uint8)
    x = np.arange(30, 610)
    turns = np.arange(10) * np.pi / 5
    radius = np.tile([90, 40], 5)
    star = np.stack([500 + radius * np.sin(turns), 280 - radius * np.cos(turns)], 1)
    waves = [(70, 25, 70), (150, 15, 40), (420, 35, 120)]
    curves = [np.stack([x, row + height * np.sin(x / length)], 1) for row, height, length in waves]
    for curve, is_closed in ((star, True), *((curve, False) for curve in curves)):
        points = np.rint(curve).astype(np.int32)
        cv2.polylines(page, [points], is_closed, 0, stroke, cv2.LINE_AA)
    for center, size in (((120, 280), 80), ((120, 280), 40), ((300, 260), 60), ((330, 300), 60)):
        cv2.circle(page, center, size, 0, stroke, cv2.LINE_AA)
    return page


@pytest.mark.parametrize("stroke", [2, 3, 4, 5])
def test_line_art_comes_out_as_it_went_in(stroke: int) -> None:
    page = line_art(stroke)
    assert f1(lines_of(page), page) >= 0.97
    assert f1(lines_by_both(page, "pured"), page) >= 0.97


def test_page_of_text_stays_text() -> None:
    page = np.full((200, 450), PAPER, np.uint8)
    for row in range(40, 200, 40):
        text = "Lines 1234567890"
        cv2.putText(page, text, (10, row), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 2, cv2.LINE_AA)
    assert f1(lines_of(page), page) >= 0.9
    assert f1(lines_by_both(page, "original"), page) >= 0.9


@pytest.mark.parametrize("post_id", [4321, 12_345, 19_000])
def test_lines_of_the_sample_booru_are_those_that_were_drawn(post_id: int) -> None:
    drawing = draw(post_id)
    picture, truth = (resize_long_side(each, 768) for each in (drawing.color, drawing.line))
    ink = ink_of(picture)
    for style in STYLES:
        assert f1(lines_of(ink_to_sketch(ink, style)), truth) >= 0.9


@pytest.mark.parametrize(("sigma", "floor"), [(1.5, 0.9), (2.5, 0.75)])
@pytest.mark.parametrize("post_id", [4321, 12_345])
def test_soft_outlines_are_found(post_id: int, sigma: float, floor: float) -> None:
    drawing = draw(post_id)
    picture, truth = (resize_long_side(each, 768) for each in (drawing.color, drawing.line))
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
    assert f1(lines_by_both(soft, "original"), truth) >= floor


def test_stripes_behind_a_figure_leave_its_lines_alone() -> None:
    """Most of the stripes are drawn still: the floor is far below that of plain backgrounds."""
    for post_id in (3028, 3174, 3347):
        drawing = draw(post_id)
        picture, truth = (resize_long_side(each, 768) for each in (drawing.color, drawing.line))
        assert f1(lines_by_both(picture, "original"), truth) >= 0.8


@pytest.mark.parametrize(("stroke", "floor"), [(8, 0.9), (12, 0.9), (16, 0.9), (25, 0.75)])
def test_wide_outline_is_one_line(stroke: int, floor: float) -> None:
    picture, truth = flat((255, 255, 255), 480, 480), flat(PAPER, 480, 480)
    for center, size, color in (
        ((170, 180), 110, (240, 200, 60)),
        ((320, 320), 90, (90, 160, 220)),
    ):
        cv2.circle(picture, center, size, color, -1, cv2.LINE_AA)
        cv2.circle(truth, center, size, PAPER, -1)
        cv2.circle(picture, center, size, (0, 0, 0), stroke, cv2.LINE_AA)
        cv2.circle(truth, center, size, 0, 2, cv2.LINE_AA)
    cv2.line(picture, (130, 180), (210, 190), (0, 0, 0), stroke, cv2.LINE_AA)
    cv2.line(truth, (130, 180), (210, 190), 0, 2, cv2.LINE_AA)
    for style in STYLES:
        assert f1(lines_by_both(picture, style), truth) >= floor
