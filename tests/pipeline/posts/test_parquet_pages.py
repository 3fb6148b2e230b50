"""Batches of rows of a Parquet file have a bounded size, whatever wrote it or damaged it."""

import itertools
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from pipeline.posts import parquet_pages
from pipeline.posts.parquet_pages import PageError, read_batches, row_groups

COLUMNS = ("id", "tags")
ROWS = 6_000
TABLE = pl.DataFrame(
    {
        "id": range(ROWS),
        "tags": [str(number) * 100 for number in range(ROWS)],
        "few": ["a", "b", "c"] * (ROWS // 3),
        "lists": [[1, 2, 3]] * ROWS,
    }
)


def batches(path: Path, **limits: Any) -> list[range]:
    chosen = {"rows": 10_000, "size": 100_000, "max_size": 10_000_000} | limits
    return list(read_batches(path, COLUMNS, **chosen))


def write(path: Path, **options: Any) -> Path:
    TABLE.write_parquet(path, **options)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {"data_page_size": 20_000},
        {"data_page_size": 20_000, "row_group_size": 700},
        {"data_page_size": 20_000, "compression": "uncompressed", "statistics": "full"},
    ],
)
def test_batches_are_all_rows_in_pages_of_a_bounded_size(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    found = batches(write(tmp_path / "t.parquet", **options))
    assert list(itertools.chain.from_iterable(found)) == list(range(ROWS))
    sizes = [TABLE[batch.start : batch.stop]["tags"].str.len_bytes().sum() for batch in found]
    assert max(sizes) <= 100_000
    assert len(found) < 100


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_pages_of_arrow_are_found(tmp_path: Path, version: str, compression: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    table = TABLE.to_arrow().replace_schema_metadata({"a": "b" * 10_000})
    options = {"data_page_size": 20_000, "row_group_size": 2_500, "write_batch_size": 10}
    parquet.write_table(table, path, compression=compression, data_page_version=version, **options)
    for use in (True, False):  # of a dictionary, which each batch reads
        parquet.write_table(
            table,
            path,
            compression=compression,
            data_page_version=version,
            use_dictionary=use,
            **options,
        )
        found = batches(path, size=200_000)
        assert list(itertools.chain.from_iterable(found)) == list(range(ROWS))
        assert 3 <= len(found) < 50


def test_batch_has_a_bounded_number_of_rows(tmp_path: Path) -> None:
    found = batches(write(tmp_path / "t.parquet"), rows=1_000, size=10**9, max_size=10**9)
    assert [len(batch) for batch in found] == [1_000] * 6


def test_rows_that_take_too_much_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", data_page_size=20_000)
    with pytest.raises(PageError, match="some rows take more than 0 MiB"):
        batches(path, max_size=10_000)
    assert batches(path, size=1)


def test_large_footer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_pages, "_MAX_FOOTER", 100)
    with pytest.raises(PageError, match="its footer takes more than 0 MiB"):
        batches(write(tmp_path / "t.parquet"))


@pytest.mark.parametrize(
    "footer",
    [
        b"",
        b"\x1c" * 50_000,  # structs in structs
        b"\x19" * 50_000,  # lists in lists
        b"\x49\xfc" + b"\xff" * 9 + b"\x01",  # a list of 2**63 row groups
        b"\x49\x1c\x00\x00",  # a row group without columns
        b"\x46" + b"\xff" * 50,
    ],
)
def test_hostile_footer_is_refused(tmp_path: Path, footer: bytes) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(PageError):
        batches(path)


def test_damage_is_an_error_or_no_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", data_page_size=20_000, row_group_size=2_000)
    whole, random = path.read_bytes(), Random(0)
    outcomes = set()
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(random.choice((1, 1, 5))):
            at = random.randrange(
                len(content) - random.choice((1, 2_000, len(content) - 1)), len(content)
            )
            content[at] = random.randrange(256)
        path.write_bytes(content[: len(content) - random.choice((0, 0, 0, 5))])
        try:
            outcomes.add(sum(map(len, batches(path))))
        except PageError:
            outcomes.add(-1)
    assert {-1, ROWS} <= outcomes


def test_row_groups_say_what_columns_take_unpacked(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"image": [{"bytes": bytes(5_000), "path": None}] * 10, "lists": [[1]] * 10}
    )
    frame.write_parquet(tmp_path / "t.parquet", row_group_size=4)
    groups = row_groups(tmp_path / "t.parquet", ["image"])
    assert [group.rows for group in groups] == [4, 4, 2]
    assert [group.sizes.keys() for group in groups] == [{"image"}] * 3
    assert all(5_000 <= group.sizes["image"] < 5_000 * 4 + 500 for group in groups)
    assert [group.sizes for group in row_groups(tmp_path / "t.parquet", [])] == [{}] * 3


def test_row_groups_of_damage_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet")
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(1_000) + content[1_004:])
    with pytest.raises(PageError):
        row_groups(path, COLUMNS)
