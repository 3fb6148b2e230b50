"""Posts of tables with pictures."""

from __future__ import annotations

import csv
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pytest

from pipeline.posts import hf_source
from pipeline.posts.hf_files import find_tables
from pipeline.posts.local_file import parse_local, row_id
from pipeline.posts.metadata import REASONS, import_tables
from pipeline.posts.rows import POSTS
from sketch_models.errors import SengaError
from tests.pipeline.posts.picture_tables import dataset, png, write_parquet

IMAGE = pl.Struct({"bytes": pl.Binary, "path": pl.String})
Posts = dict[str, dict[str, Any]]


def imported(path: Path, **options: Any) -> tuple[Posts, list[tuple[str, str]]]:
    """Return the posts by file and row; and reason and text of the quarantine."""
    results = path.parent / "results"
    results.mkdir(exist_ok=True)
    table = results / "posts.parquet"
    tables = find_tables(path, leave_out=[results])
    counts = import_tables(tables, table, results / "quarantine.csv", **options)
    with (results / "quarantine.csv").open(newline="") as file:
        quarantine = [(row["reason"], row["text"]) for row in csv.DictReader(file)]
    frame = pl.read_parquet(table)
    assert dict(frame.schema) == POSTS
    assert frame["id"].is_sorted()
    assert counts.pop("posts") == frame.height
    assert sum(counts.values()) == len(quarantine)
    assert {reason for reason, _ in quarantine} <= REASONS.keys()
    files = [(parse_local(row["url"]), row) for row in frame.rows(named=True)]
    return {f"{file.path}#{file.member}": row for file, row in files}, quarantine


def test_a_row_is_a_post_with_what_its_columns_say(tmp_path: Path) -> None:
    columns = {
        "image": [png(1), png(2, (20, 50))],
        "tag_string_general": ["1girl white_background", "solo"],
        "tags_artist": [["Some One"], []],
        "rating": [0, 1],
        "score": [7, None],
        "source": ["https://a.example/1", None],
        "created_at": [datetime(2020, 1, 2), None],
        "embedding": [[0.5], [0.5]],
    }
    path = write_parquet(
        tmp_path / "t.parquet", columns, rating=datasets.ClassLabel(names=["s", "explicit"])
    )
    posts, quarantine = imported(path)
    assert not quarantine
    first, second = posts["t.parquet#0"], posts["t.parquet#1"]
    assert first["id"] == row_id("t.parquet", 0)
    assert [first[name] for name in ("tags", "artist", "rating", "score", "source")] == [
        "1girl white_background some_one",
        "some_one",
        "s",
        7,
        "https://a.example/1",
    ]
    assert first["created_at"] == 1_577_923_200
    assert (first["width"], first["height"]) == (40, 30)
    assert [second[name] for name in ("tags", "artist", "rating", "score", "width")] == [
        "solo",
        None,
        "e",
        None,
        20,
    ]


def test_whole_numbers_of_a_column_id_are_the_ids(tmp_path: Path) -> None:
    columns = {"image": [png(n) for n in range(5)], "id": [30, 10, 30, 0, None]}
    posts, quarantine = imported(write_parquet(tmp_path / "t.parquet", columns))
    assert {name: post["id"] for name, post in posts.items()} == {
        "t.parquet#1": 10,
        "t.parquet#0": 30,
        "t.parquet#3": row_id("t.parquet", 3),  # of tables that count from 0
    }
    assert [reason for reason, _ in quarantine] == ["bad_id", "duplicate_id"]
    assert quarantine[-1] == ("duplicate_id", "t.parquet#2")


def test_ids_of_text_are_none(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"image": [png(1)], "id": ["7"]})
    assert imported(path)[0]["t.parquet#0"]["id"] == row_id("t.parquet", 0)


def test_tables_of_all_kinds_and_depths_are_read(tmp_path: Path) -> None:
    root = tmp_path / "in"
    columns = {"image": [png(1), png(2)], "text": ["solo", "1girl, solo"]}
    write_parquet(root / "data" / "train-00000-of-00001.parquet", columns)
    dataset(columns).save_to_disk(root / "saved")
    (root / "saved" / "cache-12.arrow").write_bytes(b"something else")
    (root / "README.md").write_text("x")
    posts, quarantine = imported(root)
    assert not quarantine
    names = ("data/train-00000-of-00001.parquet", "saved/data-00000-of-00001.arrow")
    assert posts.keys() == {f"{name}#{row}" for name in names for row in (0, 1)}
    assert {post["tags"] for post in posts.values()} == {"solo", "1girl solo"}


def test_rows_without_bytes_are_counted_unless_a_file_lies_beside(tmp_path: Path) -> None:
    root = tmp_path / "in"
    paths = ["a.png", "gone.png", "../../secret.png", str(tmp_path / "secret.png"), "a\0b"]
    rows = [*({"bytes": None, "path": path} for path in paths), None]
    rows.append({"bytes": png(3), "path": None})
    (root / "data").mkdir(parents=True)
    (root / "data" / "a.png").write_bytes(png(9, (8, 9)))
    (tmp_path / "secret.png").write_bytes(png(9))
    pl.DataFrame({"image": rows}, schema={"image": IMAGE}).write_parquet(
        root / "data" / "t.parquet"
    )
    posts, quarantine = imported(root)
    assert posts.keys() == {"data/a.png#", "data/t.parquet#6"}
    assert (posts["data/a.png#"]["width"], posts["data/a.png#"]["height"]) == (8, 9)
    assert quarantine == [("no_bytes", f"data/t.parquet#{row}") for row in range(1, 6)]


def test_tags_without_end_do_not_cost_the_picture(tmp_path: Path) -> None:
    tags = " ".join(f"tag_{number}" for number in range(20_000))
    columns = {"image": [png(1), png(2)], "tags": [tags, "solo"]}
    posts, quarantine = imported(write_parquet(tmp_path / "t.parquet", columns))
    assert [post["tags"] for post in posts.values()] == ["", "solo"]
    fault = "its tags and addresses take more than 32,768 bytes"
    assert quarantine == [("bad_sidecar", f"t.parquet#0: {fault}")]


def test_bytes_of_no_picture_are_counted(tmp_path: Path) -> None:
    columns = {"image": [b"", b"<html>", png(1)]}
    posts, quarantine = imported(write_parquet(tmp_path / "t.parquet", columns))
    assert list(posts) == ["t.parquet#2"]
    assert quarantine == [("empty", "t.parquet#0"), ("not_a_picture", "t.parquet#1")]


def test_files_that_are_no_tables_are_counted_beside_others(tmp_path: Path) -> None:
    root = tmp_path / "in"
    good = write_parquet(root / "good.parquet", {"image": [png(1)]})
    (root / "a.parquet").write_bytes(good.read_bytes()[:-9])
    (root / "b.arrow").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (root / "link.parquet").symlink_to(good)
    pl.DataFrame({"text": ["a"]}).write_parquet(root / "other.parquet")
    posts, quarantine = imported(root)
    assert list(posts) == ["good.parquet#0"]
    texts = dict.fromkeys(reason for reason, _ in quarantine)
    assert list(texts) == ["symbolic_link", "bad_table"]
    faults = [text for reason, text in quarantine if reason == "bad_table"]
    assert faults[0].startswith("a.parquet: it cannot be read (")
    assert faults[1] == "b.arrow: it is a pointer of Git LFS: run `git lfs pull` beside it"
    assert faults[2].startswith("other.parquet: no column has the bytes of pictures")


def test_rows_of_a_batch_that_is_damaged_are_counted(tmp_path: Path) -> None:
    frame = pl.DataFrame({"image": [png(n) for n in range(4)], "text": ["solo"] * 4})
    path = tmp_path / "t.parquet"
    frame.write_parquet(path, row_group_size=2, compression="zstd")
    content = bytearray(path.read_bytes())
    place = content.index(b"\x28\xb5\x2f\xfd")  # where the first page begins
    content[place : place + 4] = bytes(4)
    path.write_bytes(content)
    posts, quarantine = imported(path)
    assert list(posts) == ["t.parquet#2", "t.parquet#3"]
    assert quarantine == [("bad_table", "t.parquet#0"), ("bad_table", "t.parquet#1")]


def test_nothing_but_damage_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(SengaError, match=r"t\.parquet: it cannot be read \("):
        imported(path)


def test_only_rows_without_pictures_are_one_sentence(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", {"image": [None, png(1)[:0]]})
    with pytest.raises(SengaError, match="no row of its tables has a picture"):
        imported(path)


def test_an_id_stays_as_files_are_added(tmp_path: Path) -> None:
    root = tmp_path / "in"
    write_parquet(root / "m.parquet", {"image": [png(1)]})
    before = imported(root)[0]["m.parquet#0"]
    write_parquet(root / "a.parquet", {"image": [png(1)]})
    after = imported(root)[0]["m.parquet#0"]
    assert before | {"line": 2} == after


def test_pictures_of_files_that_have_not_changed_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "in"
    write_parquet(root / "a.parquet", {"image": [png(1)], "text": ["solo"]})
    write_parquet(root / "b.parquet", {"image": [png(1)], "text": ["solo"]})
    before, _ = imported(root)
    os.utime(root / "b.parquet", (5, 5))
    monkeypatch.setattr(hf_source, "picture_size", lambda _file: (7, 8))
    previous = tmp_path / "results" / "posts.parquet"
    posts, _ = imported(root, previous=previous)
    assert posts["a.parquet#0"] == before["a.parquet#0"]
    assert (posts["b.parquet#0"]["width"], posts["b.parquet#0"]["tags"]) == (7, "solo")


def test_many_rows_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf_source, "_ROWS", 3)
    columns = {"image": [png(n) for n in range(8)], "text": [f"tag{n}" for n in range(8)]}
    posts, _ = imported(write_parquet(tmp_path / "t.parquet", columns))
    assert [posts[f"t.parquet#{n}"]["tags"] for n in range(8)] == columns["text"]
    assert [posts[f"t.parquet#{n}"]["line"] for n in range(8)] == list(range(1, 9))
