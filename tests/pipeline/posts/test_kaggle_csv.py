"""Lines are split as one by one, in bulk: also the bad ones."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts import kaggle_csv, metadata, rows
from pipeline.posts.clean_text import clean_lines
from pipeline.posts.kaggle_csv import COLUMNS, FAULTS, CsvLayout, split_lines
from pipeline.posts.marks import Marks
from pipeline.posts.metadata import import_posts

HEADER = ",".join(COLUMNS).encode() + b"\n"
GOOD = b"1,0,s,1,//a.example/b.jpg,1,1,,solo\n"
BAD = {
    "empty": (b"\n", "empty_line"),
    "NULs": (b"\0\0\n", "empty_line"),
    "separators": (b",,,,,,,,\n", "empty_line"),
    "no separator": (b"x\n", "field_count"),
    "too many": (b",,,,,,,,,x\n", "field_count"),
    "a quote": (b'"\n', "broken_quote"),
    "quotes inside": (b'a""\n', "broken_quote"),
    "a separator in quotes": (b'",,,,,,,,"\n', "field_count"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_not_split_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    line, reason = BAD[name]
    split: list[bytes] = []
    original = kaggle_csv._split

    def count(lines: Iterable[bytes], layout: CsvLayout) -> pl.DataFrame:
        lines = list(lines)
        split.extend(lines)
        return original(lines, layout)

    monkeypatch.setattr(kaggle_csv, "_split", count)
    source = tmp_path / "posts.csv"
    source.write_bytes(HEADER + line * 3_000 + GOOD + line * 2_000)
    counts = import_posts(source, tmp_path / "posts.parquet", tmp_path / "quarantine.csv")
    assert counts == {"posts": 1, reason: 5_000}
    assert len(split) <= 1
    quarantine = (tmp_path / "quarantine.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in quarantine[1:]] == [
        [str(number), reason] for number in range(2, 5_003) if number != 3_002
    ]


def test_lines_past_the_end_of_the_quarantine_are_only_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[int] = []
    original = rows._list_lines
    monkeypatch.setattr(rows, "_list_lines", lambda *of: (listed.append(1), original(*of))[1])
    monkeypatch.setattr(metadata, "_MAX_QUARANTINE", 10_000)
    monkeypatch.setattr(kaggle_csv, "_MAX_LINES", 1_000)
    source = tmp_path / "posts.csv.gz"
    source.write_bytes(gzip.compress(HEADER + b"\n" * 100_000))
    counts = import_posts(source, tmp_path / "posts.parquet", tmp_path / "quarantine.csv")
    assert counts == {"posts": 0, "empty_line": 100_000}
    assert len(listed) == 1  # of 100 blocks


PIECE = st.sampled_from(['"', '""', ",", ",", "a", " ", "é", "#", "\\", "\0", "\r", "'"])
FIELD = st.sampled_from(["", "a", '"a"', '""', '"a""b"', '"a,b"', " ", "#x", 'a"b', '"'])
LINE = st.one_of(
    st.lists(PIECE, max_size=12).map("".join),
    st.lists(FIELD, min_size=9, max_size=9).map(",".join),
    st.lists(FIELD, min_size=8, max_size=10).map(",".join),
)


@pytest.mark.parametrize("doubtful", [0, 1000])
@given(lines=st.lists(LINE, min_size=1, max_size=30))
def test_lines_are_split_as_one_by_one(lines: list[str], doubtful: int) -> None:
    marks = clean_lines(Marks("".join(line + "\n" for line in lines).encode()))
    layout = CsvLayout()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kaggle_csv, "_MAX_LINEWISE", doubtful)
        split = split_lines(marks, layout)
    expected = kaggle_csv._split(marks.content.split(b"\n")[:-1], layout)
    reasons = [reason or "" for reason in expected["reason"]]
    assert [FAULTS[fault] for fault in split.faults] == reasons
    assert split.places.tolist() == [place for place, reason in enumerate(reasons) if not reason]
    is_row = pl.col("reason").is_null()
    assert split.rows.equals(expected.filter(is_row).select(COLUMNS))


def test_lines_that_polars_reads_in_another_way_are_split_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kaggle_csv, "_parse", lambda *_, **__: None)
    split = split_lines(Marks(GOOD + b"x\n" + GOOD), CsvLayout())
    assert split.places.tolist() == [0, 2]
    assert split.rows["tags"].to_list() == ["solo", "solo"]
    assert [FAULTS[fault] for fault in split.faults] == ["", "field_count", ""]
