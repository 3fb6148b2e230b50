"""Sheets of samples: rows of pictures."""

import numpy as np
import pytest

from pipeline.training.sample_sheet import make_sheet


def test_sheet_has_every_picture_in_its_place() -> None:
    pictures = [np.full((5, 6, 3), level, np.uint8) for level in range(6)]
    sheet = make_sheet([pictures[:3], pictures[3:]])
    assert sheet.shape == (2 * (5 + 4), 3 * (6 + 4), 3)
    for index, picture in enumerate(pictures):
        top, left = 9 * (index // 3), 10 * (index % 3)
        assert np.array_equal(sheet[top : top + 5, left : left + 6], picture)
    assert (sheet[5:9] == 255).all()
    assert (sheet[:, 6:10] == 255).all()


@pytest.mark.parametrize("width", [40, 128, 400])
def test_headings_stand_above_their_columns(width: int) -> None:
    picture = np.full((20, width, 3), 90, np.uint8)
    plain = make_sheet([[picture, picture]])
    sheet = make_sheet([[picture, picture]], ["line art", "i"])
    assert np.array_equal(sheet[-len(plain) :], plain)
    band = sheet[: -len(plain)]
    assert band.shape[1] == plain.shape[1]
    inked = np.flatnonzero((band < 128).any((0, 2)))
    left, right = inked[inked < width], inked[inked >= width + 4]
    assert len(left) > len(right) > 0
    assert abs((left[0] + left[-1]) / 2 - width / 2) <= 2
    assert abs((right[0] + right[-1]) / 2 - (width + 4 + width / 2)) <= 2
