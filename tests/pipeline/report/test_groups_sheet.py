"""The sheet of pictures that show the same."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.picture import encode_png, resize_long_side
from pipeline.report.groups_sheet import groups_sheet
from pipeline.sample_booru.artist.draw import draw
from pipeline.sample_booru.files import encode
from pipeline.screen.duplicates import REASONS, Groups, described, group, write_groups
from pipeline.screen.screen import ScreenOptions, screen_shard
from pipeline.shard import write_shard

TAGS = "1girl solo smile blue_eyes long_hair upper_body white_background dress bow"


def colors(tmp_path: Path) -> Path:
    """Two equal files, one picture in two sizes and formats, two neighbours, and two alone."""
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
def groups(tmp_path: Path) -> Groups:
    color = colors(tmp_path)
    ids = [10, 11, 20, 25, 26, 40, 41, 90]
    screen_shard(color, ids, tmp_path / "screen", ScreenOptions())
    tags = [TAGS if n in (40, 41) else f"solo {n}" for n in ids]
    pl.DataFrame({"id": ids, "tags": tags}).write_parquet(tmp_path / "posts")
    found = group(described([tmp_path / "screen"], [tmp_path / "posts"], ids))
    write_groups(found, tmp_path)
    return found


def test_from_files_to_groups(groups: Groups) -> None:
    assert groups.first == {10: 10, 11: 10, 20: 20, 25: 20, 26: 20, 40: 40, 41: 40, 90: 90}
    assert groups.counts == {"same_bytes": 1, "same_look": 2, "same_tags": 1}


@pytest.mark.usefixtures("groups")
def test_shows_groups_of_every_reason(tmp_path: Path) -> None:
    sheet = groups_sheet(tmp_path, [tmp_path / "color.tar"], cell=120)
    assert sheet is not None
    assert set(pl.read_parquet(tmp_path / "joins.parquet")["reason"]) == set(REASONS)
    rows = _bands(sheet)
    assert len(rows) == 3
    assert sheet.shape[1] > 3 * 120


def _bands(sheet: NDArray[np.uint8]) -> list[int]:
    """Rows of pictures: stretches of at least 60 lines that are not white all over."""
    inked = (sheet < 250).any(axis=(1, 2))
    edges = np.flatnonzero(np.diff(np.r_[False, inked, False].astype(int)))
    return [int(end - start) for start, end in edges.reshape(-1, 2) if end - start >= 60]


def test_nothing_to_show(tmp_path: Path) -> None:
    write_groups(Groups({1: 1, 2: 2}, []), tmp_path)
    assert groups_sheet(tmp_path, []) is None
