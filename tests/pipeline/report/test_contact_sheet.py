"""The contact sheet shows the right pictures in the right cells."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.pack.pack import PackOptions, ShardPaths, pack
from pipeline.picture import encode_png
from pipeline.report.contact_sheet import SheetRow, contact_sheet, read_contact_sheet
from pipeline.shard import write_shard
from sketch_models.styles import STYLES

CELL = 100
ABOUT = {"dataset": "sample", "split": "train", "fingerprint": "", "config": "{}"}


def row_of(label: str, width: int, height: int, tone: int) -> SheetRow:
    """Return a red picture whose sketches and lines have a grey level each."""
    color = np.zeros((height, width, 3), np.uint8)
    color[..., 0] = tone
    maps = [np.full((height // 2, width // 2), tone + n, np.uint8) for n in range(1, 7)]
    return SheetRow(
        label=label,
        color=color,
        sketches=dict(zip(STYLES, maps[:3], strict=True)),
        lines=dict(zip(STYLES, maps[3:], strict=True)),
    )


def area_of(sheet: NDArray[np.uint8], color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the rectangle of one colour."""
    rows, columns = np.nonzero((sheet == color).all(axis=2))
    left, top = int(columns.min()), int(rows.min())
    assert rows.size == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    return left, top, int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def test_colour_sketches_and_lines_are_in_one_row() -> None:
    sheet = contact_sheet([row_of("1", 80, 120, 60), row_of("2", 120, 80, 150)], CELL)
    for tone, size in [(60, (100, 150)), (150, (100, 67))]:
        cells = [area_of(sheet, (tone, 0, 0))]
        cells += [area_of(sheet, (tone + n, tone + n, tone + n)) for n in range(1, 7)]
        assert {cell[2:] for cell in cells} == {size}
        assert len({cell[1] for cell in cells}) == 1
        gaps = np.diff([cell[0] for cell in cells]) - CELL
        assert (gaps > 0).all()
        assert set(gaps[[1, 2, 4, 5]]) == {gaps[1]}  # even within a group
        assert gaps[0] == gaps[3] > gaps[1]  # wider between them
    assert area_of(sheet, (60, 0, 0))[1] < area_of(sheet, (150, 0, 0))[1]


def test_narrow_picture_is_centred_in_its_cell() -> None:
    sheet = contact_sheet([row_of("1", 20, 200, 60), row_of("2", 120, 80, 150)], CELL)
    narrow, wide = area_of(sheet, (60, 0, 0)), area_of(sheet, (150, 0, 0))
    assert narrow[2:] == (15, 150)
    assert narrow[0] + narrow[2] / 2 == pytest.approx(wide[0] + CELL / 2, abs=1)


def test_sketches_may_be_left_out() -> None:
    row = row_of("1", 80, 120, 60)
    complete, without = (
        contact_sheet([shown], CELL)
        for shown in (row, SheetRow(label="1", color=row.color, lines=row.lines))
    )
    assert without.shape[1] < complete.shape[1] - 3 * CELL
    area_of(without, (64, 64, 64))


def test_labels_are_written() -> None:
    one, two = (contact_sheet([row_of(label, 80, 120, 60)], CELL) for label in ("1", "4100317"))
    assert one.shape == two.shape
    assert (one != two).any()


def test_no_rows_make_a_white_sheet() -> None:
    assert (contact_sheet([]) == 255).all()


@pytest.mark.parametrize(("count", "shown"), [(2, [1, 8]), (3, [1, 3, 8]), (9, [1, 2, 3, 7, 8])])
def test_sheet_of_a_packed_file_shows_evenly_spaced_posts(
    tmp_path: Path, count: int, shown: list[int]
) -> None:
    shards = []
    for number, ids in enumerate([[1, 2, 3], [7, 8]]):
        posts, color, sketch, line = (tmp_path / f"{number}.{name}" for name in "pcsl")
        paths = ShardPaths(
            posts=posts, color=color, sketches={"": sketch}, lines={"": line}, screen=tmp_path
        )
        pl.DataFrame({"id": ids, "tags": ["solo"] * len(ids)}).write_parquet(paths.posts)
        rows = {i: row_of(str(i), 40, 60, 20 * i) for i in ids}
        write_shard(paths.color, [(i, {"png": encode_png(rows[i].color)}) for i in ids])
        for path, field in ((sketch, "sketches"), (line, "lines")):
            maps = {i: getattr(rows[i], field) for i in ids}
            parts = {i: {f"{s}.png": encode_png(m) for s, m in maps[i].items()} for i in ids}
            write_shard(path, parts.items())
        shards.append(paths)
    target = tmp_path / "train.h5"
    pack(target, [1, 2, 3, 7, 8], shards, PackOptions(size=16), attributes=ABOUT)
    sheet = read_contact_sheet(target, shards, count, CELL)
    expected = contact_sheet([row_of(str(i), 40, 60, 20 * i) for i in shown], CELL)
    assert np.array_equal(sheet, expected)
