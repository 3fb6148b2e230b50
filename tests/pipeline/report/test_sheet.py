"""Labels, frames and letters of sheets go where they should."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from pipeline.report.sheet import EDGE, FRAME, HEAD, QUIET, draw_label, draw_picture, fitting_size


def test_a_picture_stands_in_a_frame_of_one_pixel() -> None:
    sheet = Image.new("RGB", (20, 20), "white")
    draw_picture(sheet, np.full((4, 6), 7, np.uint8), left=5, top=3)
    pixels = np.asarray(sheet)
    assert (pixels[3:7, 5:11] == 7).all()
    assert (pixels[2:8, 4:12] == FRAME).all(axis=2).sum() == 6 * 8 - 4 * 6
    assert (pixels == 255).all(axis=2).sum() == 20 * 20 - 6 * 8


def test_a_label_is_written_upwards_around_its_middle() -> None:
    sheet = Image.new("RGB", (60, 200), "white")
    draw_label(sheet, "a long label", middle=120)
    rows, columns = np.nonzero((np.asarray(sheet) < 200).all(axis=2))
    assert np.ptp(rows) > 4 * np.ptp(columns)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(120, abs=3)
    assert columns.max() < EDGE + 20
    assert np.asarray(sheet).min() >= min(QUIET)


def test_an_empty_label_leaves_the_sheet_white() -> None:
    sheet = Image.new("RGB", (60, 60), "white")
    draw_label(sheet, "", middle=30)
    assert (np.asarray(sheet) == 255).all()


def test_letters_shrink_until_the_longest_text_fits() -> None:
    texts = ["SPADE", "nearest-hint fill"]
    assert fitting_size(texts, 1000, HEAD) == HEAD
    size = fitting_size(texts, 100, HEAD)
    assert 9 < size < HEAD
    assert ImageFont.load_default(size).getlength(texts[1]) <= 100
    assert fitting_size(texts, 10, HEAD) == 9
    assert fitting_size([], 10, HEAD) == HEAD
