"""The sheet of groups of duplicates."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.picture import encode_png, resize_long_side
from pipeline.report.groups_sheet import groups_sheet
from pipeline.sample_booru.artist.draw import draw
from pipeline.sample_booru.files import encode
from pipeline.screen.duplicates import (
    REASONS,
    DuplicateGroups,
    group_duplicates,
    read_features,
    write_groups,
)
from pipeline.screen.screen import ScreenOptions, screen_shard
from pipeline.shard import write_shard

TAGS = "1girl solo smile blue_eyes long_hair upper_body white_background dress bow"


def write_colors(tmp_path: Path) -> Path:
    """Write equal files, one picture in two sizes and formats, two neighbours, and one alone."""
    bright = np.clip(draw(30).color.astype(int) + 60, 0, 255).astype(np.uint8)
    pictures = {
        10: ("jpg", encode(draw(1), "jpg")),
        11: ("jpg", encode(draw(1), "jpg")),
        20: ("jpg", encode(draw(2), "jpg")),
        25: ("png", encode_png(resize_long_side(draw(2).color, 500))),
        26: ("png", encode(draw(2), "png")),
        40: ("jpg", encode(draw(30), "jpg")),
        41: ("png", encode_png(np.ascontiguousarray(bright[:, ::-1]))),
        90: ("jpg", encode(draw(5), "jpg")),
    }
    write_shard(tmp_path / "color.tar", ((n, dict([entry])) for n, entry in pictures.items()))
    return tmp_path / "color.tar"


@pytest.fixture
def groups(tmp_path: Path) -> DuplicateGroups:
    color = write_colors(tmp_path)
    ids = [10, 11, 20, 25, 26, 40, 41, 90]
    screen_shard(color, ids, tmp_path / "screen", ScreenOptions())
    tags = [TAGS if n in (40, 41) else f"solo {n}" for n in ids]
    pl.DataFrame({"id": ids, "tags": tags}).write_parquet(tmp_path / "posts")
    duplicates = group_duplicates(read_features([tmp_path / "screen"], [tmp_path / "posts"], ids))
    write_groups(duplicates, tmp_path)
    return duplicates


def test_screened_files_are_grouped(groups: DuplicateGroups) -> None:
    assert groups.first == {10: 10, 11: 10, 20: 20, 25: 20, 26: 20, 40: 40, 41: 40, 90: 90}
    assert groups.counts == {"same_bytes": 1, "same_look": 2, "same_tags": 1}


@pytest.mark.usefixtures("groups")
def test_sheet_shows_groups_of_every_reason(tmp_path: Path) -> None:
    sheet = groups_sheet(tmp_path, [tmp_path / "color.tar"], cell=120)
    assert sheet is not None
    assert set(pl.read_parquet(tmp_path / "joins.parquet")["reason"]) == set(REASONS)
    rows = _row_heights(sheet)
    assert len(rows) == 3
    assert sheet.shape[1] > 3 * 120


def _row_heights(sheet: NDArray[np.uint8]) -> list[int]:
    """Return the heights of rows of pictures: at least 60 lines that are not all white."""
    inked = (sheet < 250).any(axis=(1, 2))
    edges = np.flatnonzero(np.diff(np.r_[False, inked, False].astype(int)))
    return [int(end - start) for start, end in edges.reshape(-1, 2) if end - start >= 60]


def test_no_duplicates_make_no_sheet(tmp_path: Path) -> None:
    write_groups(DuplicateGroups({1: 1, 2: 2}, []), tmp_path)
    assert groups_sheet(tmp_path, []) is None
