"""Figures: pictures land in their cells, curves where their values are."""

import numpy as np
import pytest

from pipeline.colorizer.figures import GridRow, hint_curves, loss_curves, picture_grid
from tests.pipeline.colorizer.test_scores import score

RED, GREEN = (np.full((20, 20, 3), color, np.uint8) for color in ((250, 0, 0), (0, 250, 0)))


def test_pictures_land_in_their_cells() -> None:
    rows = [GridRow(label="1", pictures=[RED, GREEN]), GridRow(label="2", pictures=[GREEN, RED])]
    grid = picture_grid(["a", "b"], rows, cell=40)
    assert (grid == (250, 0, 0)).all(2).sum() == 2 * 40 * 40
    assert (grid == (0, 250, 0)).all(2).sum() == 2 * 40 * 40
    ys, xs = np.nonzero((grid == (250, 0, 0)).all(2))
    assert xs[ys < ys.mean()].max() < xs[ys > ys.mean()].min()  # first row left, second row right


def test_grey_line_art_is_a_picture_too() -> None:
    line = np.full((20, 20), 77, np.uint8)
    grid = picture_grid(["line"], [GridRow(label="", pictures=[line])], cell=30)
    assert (grid == 77).all(2).sum() == 30 * 30


def test_a_long_heading_stays_over_its_column() -> None:
    texts = ["nearest-hint fill"] * 2
    grid = picture_grid(texts, [GridRow(label="", pictures=[RED, RED])], cell=60)
    above = grid[14:30].min(2) < 200
    gap = np.nonzero((grid[40] == (250, 0, 0)).all(1))[0][60] - 4  # between the columns
    assert above.any()
    assert not above[:, gap].any()


@pytest.mark.parametrize("count", [1, 4])
def test_loss_curves_have_a_panel_per_loss(count: int) -> None:
    lines = [
        {"images": images, **{f"loss/{number}": 1 / images for number in range(count)}}
        for images in range(1, 20)
    ]
    picture = loss_curves({"netL-SPADE": lines, "SPADE": lines[:5]})
    assert picture.dtype == np.uint8
    assert picture.shape[1] > 300 * min(3, count)
    blue = (np.abs(picture.astype(int) - (0x4A, 0x5F, 0xC1)).sum(2) < 30).sum()
    assert blue > 50 * count


def test_hint_curves_show_rivals_alone() -> None:
    scores = [
        score(method, "psnr", 10 + hints, z, hints=hints)
        for hints in (0, 5)
        for method, z in [("white fill", ""), ("netL-SPADE", "zero"), ("the truth", "")]
    ]
    picture = hint_curves(scores, ["psnr"])
    assert (np.abs(picture.astype(int) - (0x4A, 0x5F, 0xC1)).sum(2) < 30).sum() > 50
    assert np.ptp(picture) > 200
