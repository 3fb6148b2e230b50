"""Labels, frames and font sizes of sheets."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from pipeline.report.sheet import (
    FRAME_COLOR,
    HEADING_SIZE,
    MARGIN,
    MUTED_COLOR,
    draw_label,
    draw_picture,
    fit_font_size,
)


def test_picture_has_a_frame_of_one_pixel() -> None:
    sheet = Image.new("RGB", (20, 20), "white")
    draw_picture(sheet, np.full((4, 6), 7, np.uint8), left=5, top=3)
    pixels = np.asarray(sheet)
    assert (pixels[3:7, 5:11] == 7).all()
    assert (pixels[2:8, 4:12] == FRAME_COLOR).all(axis=2).sum() == 6 * 8 - 4 * 6
    assert (pixels == 255).all(axis=2).sum() == 20 * 20 - 6 * 8


def test_label_is_rotated_and_centred() -> None:
    sheet = Image.new("RGB", (60, 200), "white")
    draw_label(sheet, "a long label", middle=120)
    rows, columns = np.nonzero((np.asarray(sheet) < 200).all(axis=2))
    assert np.ptp(rows) > 4 * np.ptp(columns)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(120, abs=3)
    assert columns.max() < MARGIN + 20
    assert np.asarray(sheet).min() >= min(MUTED_COLOR)


def test_empty_label_draws_nothing() -> None:
    sheet = Image.new("RGB", (60, 60), "white")
    draw_label(sheet, "", middle=30)
    assert (np.asarray(sheet) == 255).all()


def test_font_size_fits_the_longest_text() -> None:
    texts = ["SPADE", "nearest-hint fill"]
    assert fit_font_size(texts, 1000, HEADING_SIZE) == HEADING_SIZE
    size = fit_font_size(texts, 100, HEADING_SIZE)
    assert 9 < size < HEADING_SIZE
    assert ImageFont.load_default(size).getlength(texts[1]) <= 100
    assert fit_font_size(texts, 10, HEADING_SIZE) == 9
    assert fit_font_size([], 10, HEADING_SIZE) == HEADING_SIZE
