"""JSON: objects by lines and in arrays, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts import kaggle_csv, table_json
from pipeline.posts.table_json import JsonReader
from sketch_models.errors import SengaError

Read = tuple[list[tuple[object, ...]], list[tuple[int, str, bytes]]]


def read(path: Path, content: str | bytes, *columns: str) -> Read:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    parts = [part() for part in JsonReader(path).parts(columns or ("id",))]
    rows = [row for part in parts for row in part.rows.rows()]
    rejected = [(row.line, row.reason, row.text) for part in parts for row in part.rejected]
    return rows, rejected


def test_lines_that_are_no_objects_are_rows(tmp_path: Path) -> None:
    lines = ['{"id": 1}', "", '{"id": ', "5", "[1]", "null", '{"id": NaN}', '{"id": "a\tb"}', "x"]
    rows, rejected = read(tmp_path / "a.jsonl", "\n".join([*lines, '{"id": 2}']))
    assert rows == [(1, "1"), (7, "NaN"), (8, "a\tb"), (10, "2")]
    assert [line for line, _, _ in rejected] == [3, 4, 5, 6, 9]
    assert {reason for _, reason, _ in rejected} == {"broken_json"}
    assert rejected[0][2] == b'{"id": '


def test_one_broken_line_of_many(tmp_path: Path) -> None:
    lines = [json.dumps({"id": number}) for number in range(500)]
    lines[123] = lines[123][:-1]
    rows, rejected = read(tmp_path / "a.jsonl", "\n".join(lines))
    assert [row[1] for row in rows] == [str(number) for number in range(500) if number != 123]
    assert [line for line, _, _ in rejected] == [124]


@pytest.mark.parametrize(
    ("content", "ids", "broken"),
    [
        ('[{"id": 1}, {"id": 2}]', "12", []),
        ('[\n {"id": 1},\n {"id": 2}\n]\n', "12", []),
        ('\ufeff [{"id":1},{"id":2}] trailing', "12", []),
        ('[{"id": 1}, {"id": 2', "1", [(2, '{"id": 2')]),
        ('[{"id": 1}, {"id": 2}', "12", []),
        ('[{"id": 1},', "1", [(2, "[")]),
        ('[{"id": 1}, 5, null, {"id": 2}]', "12", [(2, " 5"), (3, " null")]),
        ('{"posts": [{"id": 1}], "more": [{"id": 9}]}', "1", []),
        ('{"@attributes": {"limit": 1, "count": 2}, "post": [{"id": 1}, {"id": 2}]}', "12", []),
        ('[{"id": 1, "x": "],}{[\\""}, {"y": ["\\\\"], "id": 2}]', "12", []),
    ],
)
@pytest.mark.parametrize("block", [4, 1 << 20])
def test_arrays_are_cut_between_objects(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    ids: str,
    broken: list[tuple[int, str]],
    block: int,
) -> None:
    rows, rejected = read(tmp_path / "a.json", content)
    monkeypatch.setattr(table_json, "_BLOCK", block + 20)
    assert "".join(str(row[1]) for row in rows) == ids
    assert [(line, text.decode().strip()) for line, _, text in rejected] == [
        (line, text.strip()) for line, text in broken
    ]
    assert read(tmp_path / "a.json", content) == (rows, rejected)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('\\"[]{},\né x', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(VALUES, min_size=1, max_size=6), indent=st.sampled_from([None, 1]))
def test_any_array_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[Any], indent: int | None
) -> None:
    monkeypatch.setattr(table_json, "_BLOCK", 256)
    content = json.dumps([{"id": n, "x": value} for n, value in enumerate(values)], indent=indent)
    rows, rejected = read(tmp_path / "a.json", content, "id", "x")
    assert rejected == []
    assert [row[1] for row in rows] == [str(n) for n in range(len(values))]
    for row, value in zip(rows, values, strict=True):
        if isinstance(value, (list, dict)):
            assert json.loads(str(row[2])) == value
        elif isinstance(value, str):
            assert row[2] == value


def test_dots_lead_into_objects(tmp_path: Path) -> None:
    row = {"a.b": 1, "score": {"total": 3, "by": {"x": "y"}}, "flat": 2}
    columns = ("a.b", "score.total", "score.by.x", "score.none", "flat.x", "score.$[")
    rows, _ = read(tmp_path / "a.json", json.dumps([row]), *columns)
    assert rows == [(1, "1", "3", "y", "", "", "")]


def test_odd_text_is_read(tmp_path: Path) -> None:
    lines = [b'{"id": "\\ud83d x"}', b'{"id": "pok\xe9mon"}', b'{"id": "a\\u0000b"}']
    rows, rejected = read(tmp_path / "a.jsonl", b"\n".join(lines))
    assert [row[1] for row in rows] == ["\ufffd x", "pok\u00e9mon", "a\0b"]
    assert rejected == []


def test_long_lines_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle_csv, "MAX_LINE", 100)
    monkeypatch.setattr(kaggle_csv, "MAX_ROW", 50)
    lines = ['{"id": 1}', '{"id": 2, "x": "' + "y" * 200 + '"}', '{"id": 3}']
    rows, rejected = read(tmp_path / "a.jsonl", "\n".join(lines))
    assert [row[1] for row in rows] == ["1", "3"]
    assert [(line, reason) for line, reason, _ in rejected] == [(2, "too_long")]


def test_an_object_without_end_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_json, "_BLOCK", 64)
    with pytest.raises(SengaError, match="an object of more than .* after object 1"):
        read(tmp_path / "a.json", '[{"id": 1}, {"id": "' + "x" * 1000)
