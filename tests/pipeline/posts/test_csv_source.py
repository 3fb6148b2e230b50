"""A table of posts comes back the same from a CSV, whichever program has written it."""

from __future__ import annotations

import gzip
import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts import kaggle_csv
from pipeline.posts.kaggle_csv import COLUMNS
from pipeline.posts.marks import Marks
from pipeline.posts.metadata import import_posts
from pipeline.posts.rows import FIELDS
from sketch_models.errors import SengaError
from tests.pipeline.posts.table_writers import (
    Row,
    Writer,
    write_duckdb,
    write_excel,
    write_pandas,
    write_r,
)

TAG = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x3FFF, exclude_categories=["Z", "C"]),
    min_size=1,
    max_size=6,
).filter(lambda tag: "&" not in tag)
NUMBER = st.integers(1, 10**7)
OFTEN_NONE = st.none() | NUMBER
ROW = st.fixed_dictionaries(
    {
        "id": NUMBER | st.sampled_from([100_000, 2_000_000, 3_000_000]),
        "created_at": st.integers(12 * 10**8, 16 * 10**8),
        "rating": st.sampled_from(["s", "q", "e", "Safe", "explicit"]),
        "score": st.none() | st.integers(-(10**6), 10**6),
        "sample_url": st.sampled_from(
            ["//safebooru.org//samples/1/a.jpg", "https://a.example/b;c,d.png?1"]
        ),
        "sample_width": OFTEN_NONE,
        "sample_height": OFTEN_NONE,
        "preview_url": st.sampled_from(["", "//safebooru.org/p.jpg"]),
        "tags": st.lists(TAG, max_size=4).map(" ".join),
    }
)
TABLES = st.lists(ROW, min_size=1, max_size=12, unique_by=lambda row: int(str(row["id"])))

PANDAS = st.builds(
    partial,
    st.just(write_pandas),
    index=st.booleans(),
    floats=st.booleans(),
    dates=st.sampled_from(["seconds", "naive", "utc", "nanoseconds"]),
    na_rep=st.sampled_from(["", "nan", "NULL"]),
)
R = st.builds(
    partial,
    st.just(write_r),
    function=st.sampled_from(["write.csv", "write.csv2", "write.table"]),
    doubles=st.booleans(),
)
EXCEL = st.builds(
    partial,
    st.just(write_excel),
    separator=st.sampled_from([",", ";", "\t"]),
    sep_line=st.booleans(),
    encoding=st.sampled_from(["utf-8-sig", "cp1252"]),
    blank_rows=st.integers(0, 2),
)
DUCKDB = st.builds(partial, st.just(write_duckdb), doubles=st.booleans(), dates=st.booleans())


def imported(folder: Path, content: bytes) -> tuple[dict[str, int], list[tuple[Any, ...]]]:
    """Return the counts of an import, and its posts without their lines."""
    (folder / "posts.csv").write_bytes(content)
    counts = import_posts(folder / "posts.csv", folder / "posts.parquet", folder / "quarantine.csv")
    return counts, pl.read_parquet(folder / "posts.parquet").drop(
        "line", *FIELDS[len(COLUMNS) :]
    ).rows()


def post(row: Row) -> tuple[object, ...]:
    """Return the post of a row."""
    url = str(row["sample_url"])
    return (
        row["id"],
        row["created_at"],
        str(row["rating"])[0].lower(),
        row["score"],
        f"https:{url}" if url.startswith("//") else url,
        row["sample_width"],
        row["sample_height"],
        row["tags"],
    )


def test_row_names_of_r_are_told_where_the_preview_comes_before_the_picture(tmp_path: Path) -> None:
    row = '"1",1,"//a.example/p.jpg","//a.example/1.jpg",0,9,9,"s",0,""'
    header = '"id","preview_url","sample_url","score","sample_width","sample_height","rating"'
    content = f'{header},"created_at","tags"\n{row}\n'.encode()
    assert imported(tmp_path, content)[0] == {"posts": 1}


@pytest.mark.parametrize(
    "writer", [PANDAS, R, EXCEL, DUCKDB], ids=["pandas", "R", "Excel", "DuckDB"]
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rows=TABLES, order=st.permutations(COLUMNS), packed=st.booleans())
def test_posts_come_back_from_any_program(
    tmp_path: Path,
    writer: st.SearchStrategy[Writer],
    data: st.DataObject,
    rows: list[Row],
    order: list[str],
    packed: bool,
) -> None:
    write = data.draw(writer)
    content = write([{name: row[name] for name in order} for row in rows])
    counts, posts = imported(tmp_path, gzip.compress(content) if packed else content)
    assert counts.pop("posts") == len(rows)
    assert set(counts) <= {"empty_line"}
    assert posts == sorted(map(post, rows), key=lambda row: int(str(row[0])))


def table(rows: int) -> list[Row]:
    return [
        {
            "id": number,
            "created_at": 1264000000,
            "rating": "s",
            "score": None if number % 3 else number,
            "sample_url": f"//safebooru.org/{number}.jpg",
            "sample_width": 850,
            "sample_height": 1200,
            "preview_url": "",
            "tags": f'solo a;b,{number} "x"' if number % 5 else "",
        }
        for number in range(1, rows + 1)
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("last", ["tags", "preview_url", "score"])
def test_lines_are_counted_in_any_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, separator: str, last: str
) -> None:
    monkeypatch.setattr(kaggle_csv, "BLOCK", 4096)
    rows = [
        {name: row[name] for name in sorted(row, key=lambda n: n == last)} for row in table(900)
    ]
    content = write_excel(
        rows, separator=separator, sep_line=True, encoding="utf-8-sig", blank_rows=1
    )
    lines = content.split(b"\r\n")
    lines[100] = b"broken"
    lines[500] = lines[500].replace(b"//safebooru.org/", b"nowhere")
    counts, posts = imported(tmp_path, b"\r\n".join(lines))
    assert counts == {"posts": 898, "field_count": 1, "bad_url": 1, "empty_line": 1}
    quarantine = pl.read_csv(tmp_path / "quarantine.csv", infer_schema=False)
    assert quarantine["line"].to_list() == ["101", "501", "903"]
    expected = [post(row) for row in table(900) if row["id"] not in (99, 499)]
    assert posts == expected


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b'"","ID"," Sample_URL ","tags","id"', [7]),
        (b"tags,id,sample_url", []),
    ],
)
def test_header_names_the_columns(tmp_path: Path, header: bytes, names: list[int]) -> None:
    counts, posts = imported(tmp_path, header + b"\n1,7,//a.example/b.jpg,solo,9\n")
    assert [row[0] for row in posts] == names
    assert counts == ({"posts": 1} if names else {"posts": 0, "field_count": 1})


def test_columns_that_no_post_needs_may_be_missing(tmp_path: Path) -> None:
    counts, posts = imported(tmp_path, b"tags,id,sample_url\nsolo,7,//a.example/b.jpg\n")
    assert counts == {"posts": 1}
    assert posts == [(7, None, None, None, "https://a.example/b.jpg", None, None, "solo")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,score,tags\n", "it lacks sample_url. Use the file all_data.csv of Kaggle"),
        (b"id,file_url,tag_string\n", "posts of Danbooru.*file_url as sample_url.*donmai.us"),
        (
            json.dumps({"id": 1, "tag_string": "solo", "file_url": "https://x"}).encode(),
            "posts of Danbooru",
        ),
        (b'[{"id": 1}]\n', "It is JSON"),
        ("id,tags\n".encode("utf-16"), "UTF-16, save it as CSV UTF-8"),
        (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml\n", "Excel workbook"),
    ],
)
def test_other_files_are_told_apart(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(SengaError, match=words) as caught:
        imported(tmp_path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("first", [True, False])
def test_long_broken_line_beside_a_good_one(first: bool) -> None:
    good = b"7,0,s,1,//a.example/b.jpg,9,9,,solo\n"
    broken = b'8,"' + b"x" * 40_000 + b"\n"
    lines = [broken, good] if first else [good, broken]
    layout = kaggle_csv.CsvLayout()
    split = kaggle_csv.split_lines(Marks(b"".join(lines)), layout)
    reasons = ["broken_quote", ""] if first else ["", "broken_quote"]
    assert [kaggle_csv.FAULTS[fault] for fault in split.faults] == reasons
    assert split.places.tolist() == [1 if first else 0]
    assert split.rows["id"].to_list() == ["7"]


class Endless(io.BytesIO):
    """A line that never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.part = b"x" * kaggle_csv.BLOCK

    def read(self, size: int | None = -1) -> bytes:
        assert size == len(self.part)
        self.sent += len(self.part)
        return self.part

    def readline(self, size: int | None = -1) -> bytes:
        part = self.part[: size or 0]
        self.sent += len(part)
        return part


def test_line_without_end_is_refused_after_a_gigabyte() -> None:
    stream = Endless()
    with pytest.raises(SengaError, match="a line longer than 1 GiB after line 1"):
        next(kaggle_csv.read_blocks(stream))
    assert 2**30 < stream.sent < 2**30 + 3 * kaggle_csv.BLOCK


def test_blocks_have_a_bounded_number_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle_csv, "BLOCK", 64)
    monkeypatch.setattr(kaggle_csv, "_MAX_LINES", 4)
    lines = [b"%d" % number for number in range(60)]
    blocks = list(kaggle_csv.read_blocks(io.BytesIO(b"\n".join(lines))))
    assert b"".join(block.content for block in blocks) == b"\n".join([*lines, b""])
    for block in blocks:
        count = block.content.count(b"\n")
        assert 1 <= count <= 4
        assert block.content.split(b"\n")[:-1] == lines[block.line - 1 :][:count]
    assert any(block.content.count(b"\n") == 4 for block in blocks)


def test_long_lines_are_cut_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle_csv, "MAX_LINE", 20)
    monkeypatch.setattr(kaggle_csv, "MAX_ROW", 10)
    lines = [b"a" * 20, b"b" * 21, b"c", b"d" * 500, b"e" * 19]
    (block,) = kaggle_csv.read_blocks(io.BytesIO(b"\n".join(lines) + b"\n"))
    kept = [b"a" * 20, b"b" * 10, b"c", b"d" * 10, b"e" * 19]
    assert block.content == b"\n".join([*kept, b""])
    assert block.cut == {2, 4}
