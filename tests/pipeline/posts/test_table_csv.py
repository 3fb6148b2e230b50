"""CSVs of any columns: rows of several lines, and rows that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.posts import kaggle_csv, table_csv
from pipeline.posts.raw_rows import RawRows
from pipeline.posts.table_csv import CsvReader

HEADER = "id,url,note\n"


def read(path: Path, text: str | bytes) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    reader = CsvReader(path, {"id", "url"})
    parts: list[RawRows] = [part() for part in reader.parts(["id", "note"])]
    rows = [row for part in parts for row in part.rows.rows()]
    rejected = [(row.line, row.reason) for part in parts for row in part.rejected]
    return rows, rejected


def test_fields_may_have_several_lines(tmp_path: Path) -> None:
    text = HEADER + '1,u,"a\nb ""c"",\n\nd"\n2,u,e\n3,"u\n",""\n'
    assert read(tmp_path / "a.csv", text) == (
        [(2, "1", 'a b "c",  d'), (6, "2", "e"), (7, "3", "")],
        [],
    )


@pytest.mark.parametrize("block", [8, 40, 1 << 20])
def test_blocks_may_end_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(kaggle_csv, "BLOCK", block)
    rows = "".join(f'{number},u,"line\n{number}\nmore, {number}"\n' for number in range(1, 60))
    good, rejected = read(tmp_path / "a.csv", HEADER + rows)
    expected = [(3 * n - 1, str(n), f"line {n} more, {n}") for n in range(1, 60)]
    assert (good, rejected) == (expected, [])


@pytest.mark.parametrize("block", [8, 200, 1 << 20])
def test_a_stray_quote_costs_its_row_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(kaggle_csv, "BLOCK", block)
    monkeypatch.setattr(table_csv, "MAX_LINE", 500)
    rows = [f'{number},u,"two\nlines"\n' for number in range(1, 40)]
    rows[9] = '10,"u,x\n'
    rows[20] = '21,u,"x" y\n'
    rows[30] = "31,u\n"
    good, rejected = read(tmp_path / "a.csv", HEADER + "".join(rows))
    assert [row[1] for row in good] == [str(n) for n in range(1, 40) if n not in (10, 21, 31)]
    assert {row[2] for row in good} == {"two lines"}
    assert rejected == [(20, "broken_quote"), (41, "broken_quote"), (60, "field_count")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("id;url;note\n1;u;b\n", ["id", "url", "note"]),
        ("id\turl\tnote\n1\tu\tb\n", ["id", "url", "note"]),
        ("sep=|\nid|url|note\n1|u|b\n", ["id", "url", "note"]),
        ('\ufeff"id", url ,note\r\n1,u,b\r\n', ["id", "url", "note"]),
        ("id,note,id\n1,b,9\n", ["id", "note", "id"]),
    ],
)
def test_header_and_separator_are_told(tmp_path: Path, text: str, names: list[str]) -> None:
    (rows, rejected) = read(tmp_path / "a.csv", text)
    assert CsvReader(tmp_path / "a.csv", {"id", "url"}).names == names
    assert ([row[1:] for row in rows], rejected) == ([("1", "b")], [])


def test_one_column_is_a_table(tmp_path: Path) -> None:
    rows, rejected = read(tmp_path / "a.csv", "id\n1\n\n2\n")
    assert [row[1] for row in rows] == ["1", "2"]
    assert rejected == [(3, "empty_line")]


def test_bytes_of_windows_are_read(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", HEADER.encode() + b"1,u,pok\xe9mon\n")[0] == [
        (2, "1", "pokémon")
    ]


def test_long_lines_are_rejected_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle_csv, "MAX_LINE", 100)
    monkeypatch.setattr(kaggle_csv, "MAX_ROW", 50)
    rows = ["1,u,a\n", '2,u,"' + "x" * 500 + '"\n', '3,u,"a\nb"\n', "4,u," + "y" * 200 + "\n"]
    good, rejected = read(tmp_path / "a.csv", HEADER + "".join(rows))
    assert [row[1:] for row in good] == [("1", "a"), ("3", "a b")]
    assert [line for line, _ in rejected] == [3, 6]
