"""The sidecar of all pictures of a folder."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts import sidecar_table
from pipeline.posts.sidecar import SidecarError
from pipeline.posts.sidecar_table import SidecarTable, read_table

BROKEN_JSON = "not a JSON object, or cut off"
BROKEN_QUOTE = "a quotation mark is not closed, or stands inside a field"


def read(folder: Path, name: str, content: str | bytes) -> SidecarTable:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return read_table(folder / name)


def test_table_of_an_imagefolder_is_read(tmp_path: Path) -> None:
    rows = [
        {"file_name": "a.png", "text": "1girl, white background"},
        {"file_name": "./b/c.png", "tags": ["solo"], "rating": "s"},
    ]
    table = read(tmp_path, "metadata.jsonl", "\n".join(map(json.dumps, rows)) + "\n\n")
    assert table.records == {
        "a.png": (1, {"tags": "1girl white_background"}),
        "b/c.png": (2, {"tags": "solo", "rating": "s"}),
    }
    assert table.faults == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_table_of_csv_is_read(tmp_path: Path, end: str) -> None:
    lines = [
        "\ufefffile_name,text,score",
        'a.png,"1girl, solo",3',
        'b.png,"1girl',
        'solo",',
        "c.png",
    ]
    table = read(tmp_path, "metadata.csv", end.join(lines) + end + end)
    assert table.records == {
        "a.png": (2, {"tags": "1girl solo", "score": "3"}),
        "b.png": (3, {"tags": "1girl solo"}),
        "c.png": (5, {}),
    }
    assert table.faults == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_table_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    line = '{"file_name": "ā.png", "text": "café"}\r\n'
    table = read(tmp_path, "metadata.jsonl", line.encode(encoding))
    assert table.records == {"ā.png": (1, {"tags": "café"})}
    table = read(tmp_path, "metadata.csv", "file_name,text\r\nā.png,café\r\n".encode(encoding))
    assert table.records == {"ā.png": (2, {"tags": "café"})}


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('{"file_na', BROKEN_JSON),
        ("[1]", BROKEN_JSON),
        ("x", BROKEN_JSON),
        ("\0\0", BROKEN_JSON),
        ("[" * 9_000, "nested too deeply"),
        ('{"text": "solo"}', "it has no file_name"),
        ('{"file_name": 3}', "it has no file_name"),
    ],
)
def test_bad_line_of_json_costs_itself_alone(tmp_path: Path, line: str, cause: str) -> None:
    good = [json.dumps({"file_name": name, "text": "solo"}) for name in ("a.png", "b.png")]
    table = read(tmp_path, "metadata.jsonl", f"{good[0]}\n{line}\n{good[1]}\n{line}")
    assert table.records == {"a.png": (1, {"tags": "solo"}), "b.png": (3, {"tags": "solo"})}
    assert table.faults == [(2, cause), (4, cause)]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('x.png,"1girl', BROKEN_QUOTE),
        ('x.png,"1girl" solo', BROKEN_QUOTE),
        ("x.png,1girl, solo", "3 fields, and the first line has 2"),
        ("x.png,1gi\0rl", "NUL bytes"),
        (",solo", "it has no file_name"),
        (f"x.png,{'a' * 200_000}", "field larger than field limit (131072)"),
    ],
)
def test_bad_line_of_csv_costs_itself_alone(tmp_path: Path, line: str, cause: str) -> None:
    content = f'file_name,text\na.png,solo\n{line}\nb.png,"solo"\n{line}'
    table = read(tmp_path, "metadata.csv", content)
    assert table.records == {"a.png": (2, {"tags": "solo"}), "b.png": (4, {"tags": "solo"})}
    assert table.faults == [(3, cause), (5, cause)]


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("metadata.csv", "name;text\na.png;solo\n", "its first line names no column file_name"),
        ("metadata.csv", "", "its first line names no column file_name"),
        ("metadata.csv", 'file_name,"text\na.png,solo\n', f"line 1: {BROKEN_QUOTE}"),
        ("metadata.jsonl", "x\n" * 2_000, "none of its first 1,000 lines is good; line 1: "),
    ],
)
def test_table_that_is_something_else_is_an_error(
    tmp_path: Path, name: str, content: str, cause: str
) -> None:
    with pytest.raises(SidecarError, match=cause):
        read(tmp_path, name, content)


def test_table_that_is_too_large_or_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SidecarError, match="No such file"):
        read_table(tmp_path / "metadata.jsonl")
    monkeypatch.setattr(sidecar_table, "MAX_TABLE_BYTES", 3_000_000)
    with pytest.raises(SidecarError, match="more than 3 MB"):
        read(tmp_path, "metadata.jsonl", b" " * 3_000_001)


@given(st.binary(max_size=200), st.sampled_from(sidecar_table.TABLES))
def test_any_table_is_read_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    try:
        table = read(folder, name, b"file_name,text\n" + content)
    except SidecarError:
        return
    assert all(line >= 1 and cause for line, cause in table.faults)
