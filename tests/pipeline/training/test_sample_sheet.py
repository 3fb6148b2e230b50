"""Sheets of samples: rows of pictures."""

import numpy as np

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
