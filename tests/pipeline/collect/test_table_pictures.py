"""Pictures out of tables, each by its row."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from pipeline.collect import table_pictures
from pipeline.collect.copy import copy_shard
from pipeline.collect.download import DownloadResult
from pipeline.collect.local_pictures import LocalPictures
from pipeline.collect.options import DownloadOptions
from pipeline.collect.table_pictures import TablePictures
from pipeline.posts.local_file import LocalFile
from pipeline.posts.picture_table import PictureTable
from pipeline.shard import ShardReader
from pipeline.table import write_table
from tests.pipeline.posts.picture_tables import dataset, png, write_parquet

PICTURES: list[bytes | None] = [png(number) for number in range(12)]


def address(path: Path, row: int) -> LocalFile:
    facts = path.stat()
    return LocalFile(
        path=path.name, size=facts.st_size, modified=facts.st_mtime_ns, member=str(row)
    )


def copy(root: Path, addresses: list[LocalFile], **options: int) -> DownloadResult:
    ids = range(1, len(addresses) + 1)
    write_table(
        pl.DataFrame({"id": ids, "url": [each.to_url() for each in addresses]}), root / "posts"
    )
    pictures = LocalPictures(
        root=root,
        options=DownloadOptions(**options),  # type: ignore[arg-type]
        tables=TablePictures(root),
    )
    return copy_shard(root / "posts", root / "a.tar", root / "outcomes", pictures)


def codes(result: DownloadResult) -> list[str]:
    return [row.code for row in result.outcomes]


def test_rows_of_parquet_and_arrow_are_copied(tmp_path: Path) -> None:
    first = write_parquet(tmp_path / "a.parquet", {"image": PICTURES})
    dataset({"image": PICTURES}).save_to_disk(tmp_path / "saved")
    second = tmp_path / "b.arrow"
    (tmp_path / "saved" / "data-00000-of-00001.arrow").rename(second)
    addresses = [address(path, row) for path in (first, second) for row in range(12)]
    assert codes(copy(tmp_path, addresses)) == ["ok"] * 24
    with ShardReader(tmp_path / "a.tar") as shard:
        assert [shard.read(each, "png") for each in shard.ids] == [*PICTURES, *PICTURES]


def test_what_is_odd_in_a_table_is_a_row(tmp_path: Path) -> None:
    contents = [b"", None, b"<html></html>", png(1)[:60], png(1, (400, 300)), png(2)]
    path = write_parquet(tmp_path / "a.parquet", {"image": contents})
    addresses = [address(path, row) for row in range(7)]
    assert codes(copy(tmp_path, addresses, max_bytes=1000)) == [
        "empty",
        "empty",
        "html",
        "truncated",
        "too_many_bytes",
        "ok",
        "unreadable",
    ]


def gone(path: Path) -> None:
    path.unlink()


def touched(path: Path) -> None:
    os.utime(path, (5, 5))


def cut(path: Path) -> None:
    facts = path.stat()
    path.write_bytes(path.read_bytes()[:-9] + bytes(9))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


@pytest.mark.parametrize(
    ("happen", "code"), [(gone, "missing_file"), (touched, "changed_file"), (cut, "unreadable")]
)
def test_a_table_that_is_another_since_the_import_is_rows(
    tmp_path: Path, happen: Callable[[Path], None], code: str
) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"image": PICTURES})
    addresses = [address(path, row) for row in range(3)]
    happen(path)
    result = copy(tmp_path, addresses)
    assert codes(result) == [code] * 3
    assert result.transient == 3


def test_a_row_where_there_are_no_tables_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"image": PICTURES})
    pictures = LocalPictures(root=tmp_path, options=DownloadOptions())
    assert pictures.read(1, address(path, 0).to_url()).outcome.code == "bad_url"


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each batch that is unpacked is appended."""
    batches: list[int] = []
    real = PictureTable.read

    def read(self: PictureTable, number: int, columns: list[str]) -> pl.DataFrame:
        batches.append(number)
        return real(self, number, columns)

    monkeypatch.setattr(PictureTable, "read", read)
    return batches


def in_batches(folder: Path) -> Path:
    path = folder / "a.parquet"
    pl.DataFrame({"image": PICTURES}).write_parquet(path, row_group_size=3)
    return path


def test_neighbours_are_unpacked_once_whatever_the_threads(
    tmp_path: Path, unpacked: list[int]
) -> None:
    path = in_batches(tmp_path)
    pictures = TablePictures(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        files = [address(path, row) for row in range(12)]
        assert list(pool.map(lambda file: pictures.read(file, 10_000), files)) == PICTURES
    assert sorted(unpacked) == [0, 1, 2, 3]


def test_memory_for_batches_is_bounded(
    tmp_path: Path, unpacked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = in_batches(tmp_path)
    monkeypatch.setattr(table_pictures, "_KEPT_BYTES", 4 * len(png(0)))
    pictures = TablePictures(tmp_path)
    for row in (0, 3, 1, 4, 6, 7, 3, 0, 6):
        assert pictures.read(address(path, row), 10_000) == PICTURES[row]
    assert unpacked == [0, 1, 2, 0, 2]
