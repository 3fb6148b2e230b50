"""Grids: pictures in their cells, headings and labels."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.colorizer.evaluation.figures import (
    SWEEP,
    GridRow,
    latent_sweep,
    picture_grid,
    thickness_grid,
)
from pipeline.report.sheet import GROUP_GAP

CELL = 100


def plain(tone: int, height: int = 40, width: int = 40) -> NDArray[np.uint8]:
    return np.full((height, width), tone, np.uint8)


def red(tone: int, height: int = 40, width: int = 40) -> NDArray[np.uint8]:
    return np.stack([plain(tone, height, width), *[plain(0, height, width)] * 2], axis=2)


def locate(sheet: NDArray[np.uint8], color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the largest filled area of one colour."""
    mask = (sheet == color).all(axis=2)
    rows = np.flatnonzero(mask.sum(axis=1) > CELL // 8)
    columns = np.flatnonzero(mask.sum(axis=0) > CELL // 8)
    left, top = int(columns[0]), int(rows[0])
    width, height = len(columns), len(rows)
    assert mask[top : top + height, left : left + width].all()
    return left, top, width, height


def test_grey_and_coloured_pictures_are_in_their_cells() -> None:
    rows = [
        GridRow(label="1", pictures=[plain(60), red(70), plain(80)]),
        GridRow(label="2", pictures=[plain(90), red(110), plain(130)]),
    ]
    sheet = picture_grid(["line art", "result", "truth"], rows, CELL)
    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3
    first = [locate(sheet, color) for color in ((60, 60, 60), (70, 0, 0), (80, 80, 80))]
    second = [locate(sheet, color) for color in ((90, 90, 90), (110, 0, 0), (130, 130, 130))]
    assert {cell[2:] for cell in first + second} == {(CELL, CELL)}
    assert [cell[0] for cell in first] == [cell[0] for cell in second]
    assert np.diff([cell[0] for cell in first]).tolist() == [CELL + 6] * 2  # a sixteenth between
    assert {cell[1] for cell in second} == {first[0][1] + CELL + 6}
    assert sheet.shape[1] - (first[2][0] + CELL) == 18


def test_picture_keeps_its_aspect_and_is_centred() -> None:
    rows = [GridRow(label="", pictures=[plain(60, 20, 80), plain(90, 80, 20)])]
    sheet = picture_grid(["wide", "tall"], rows, CELL)
    left, top, width, height = locate(sheet, (60, 60, 60))
    assert (width, height) == (CELL, CELL // 4)
    tall = locate(sheet, (90, 90, 90))
    assert tall[2:] == (CELL // 4, CELL)
    assert top + height / 2 == pytest.approx(tall[1] + CELL / 2, abs=1)
    assert tall[0] + tall[2] / 2 == pytest.approx(left + CELL + 6 + CELL / 2, abs=1)


def test_headings_and_labels_are_drawn_and_empty_labels_take_no_room() -> None:
    def draw(heading: str, label: str) -> NDArray[np.uint8]:
        return picture_grid([heading], [GridRow(label=label, pictures=[plain(60)])], CELL)

    bare = draw("", "")
    assert (bare[:40] == 255).all()
    assert (draw("SPADE", "")[:40] < 128).any()
    assert (draw("SPADE", "") != draw("truth", "")).any()
    assert draw("", "1").shape[1] > bare.shape[1]
    assert (draw("", "1500486") != draw("", "1500562")).any()


def test_row_needs_a_picture_for_every_heading() -> None:
    with pytest.raises(ValueError, match="zip"):
        picture_grid(["a", "b"], [GridRow(label="1", pictures=[plain(60)])])


def test_grid_without_rows_has_headings_alone() -> None:
    sheet = picture_grid(["a", "b"], [], CELL)
    assert (sheet[60:] == 255).all()
    assert (sheet < 128).any()


def test_sweep_has_a_column_per_value() -> None:
    assert (SWEEP[0], SWEEP[-1], len(SWEEP)) == (-100, 90, 20)
    rows = [GridRow(label="z[3]", pictures=[plain(30 + 8 * n) for n in range(20)])]
    sheet = latent_sweep(rows, cell=40)
    lefts = [locate(sheet, (30 + 8 * n,) * 3)[0] for n in range(20)]
    assert np.diff(lefts).tolist() == [43] * 19
    other = latent_sweep(rows, values=range(20), cell=40)
    top = locate(sheet, (30,) * 3)[1] - 1
    assert (sheet[:top, : lefts[1]] != other[:top, : lefts[1]]).any()  # -100 and 0
    assert np.array_equal(sheet[top:], other[top:])


def test_line_art_is_above_its_result() -> None:
    lines = [[plain(60), plain(70)], [plain(80), plain(90)]]
    results = [[red(100), red(110)], [red(120), red(130)]]
    sheet = thickness_grid(["768 px", "512 px"], lines, results, CELL)
    places = {tone: locate(sheet, (tone, tone, tone)) for tone in (60, 70, 80, 90)}
    places |= {tone: locate(sheet, (tone, 0, 0)) for tone in (100, 110, 120, 130)}
    for line, result in ((60, 100), (70, 110), (80, 120), (90, 130)):
        assert places[line][0] == places[result][0]
        assert places[result][1] - places[line][1] == CELL + 6
    assert places[80][1] - places[100][1] == CELL + GROUP_GAP  # pairs stand apart
    assert places[70][0] > places[60][0]
