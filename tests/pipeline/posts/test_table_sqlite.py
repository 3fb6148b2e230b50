"""SQLite: HakuBooru's databases, locks, and tables that hold no posts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.posts import table_sqlite
from pipeline.posts.metadata import import_table
from pipeline.posts.table_source import TableOptions, TableSource
from sketch_models.errors import SengaError
from tests.pipeline.posts.table_files import write_database

POST = {
    "created_at": "2023-01-01T00:00:00.000-05:00",
    "source": "https://a.example/1",
    "md5": "d34e4cf0a437a5d65f8e82b7bcd02606",
    "image_width": 10,
    "image_height": 20,
    "file_ext": "jpg",
    "score": 3,
    "large_file_url": None,
}
URL = "https://cdn.donmai.us/original/d3/4e/d34e4cf0a437a5d65f8e82b7bcd02606.jpg"


def run(path: Path, **columns: str) -> tuple[dict[str, int], pl.DataFrame]:
    source = TableSource(path, TableOptions(columns=columns))
    counts = import_table(source, path.parent / "out.parquet", path.parent / "quarantine.csv")
    return counts, pl.read_parquet(path.parent / "out.parquet")


def write_hakubooru(path: Path) -> None:
    names = ["solo", "someone", "miku", "vocaloid", "highres", "two words"]
    tags = [
        {"id": n, "name": name, "type": n if n < 5 else 0, "popularity": 1}
        for n, name in enumerate(names)
    ]
    pairs = [(9, 0), (2, 5), (9, 4), (9, 1), (7, 0), (9, 3), (9, 2), (2, 77), ("x", 0)]
    write_database(
        path,
        {
            "post": [
                {"id": 9, "rating": 0, "file_url": URL, **POST},
                {"id": 2, "rating": 3, "file_url": None, **POST},
                {"id": 4, "rating": 2, "file_url": URL, **POST},
            ],
            "tag": tags,
            "posttagrelation": [
                {"id": n, "post_id": post, "tag_id": tag} for n, (post, tag) in enumerate(pairs)
            ],
        },
    )


@pytest.mark.parametrize("batch", [1, 20_000])
def test_hakubooru_has_tags_in_a_table_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(table_sqlite, "_BATCH", batch)
    write_hakubooru(tmp_path / "danbooru.db")
    counts, posts = run(tmp_path / "danbooru.db")
    assert counts == {"posts": 3}
    assert posts["rating"].to_list() == ["e", "q", "s"]
    assert posts["url"].to_list() == [URL] * 3
    assert [set(tags.split()) for tags in posts["tags"]] == [
        {"two_words"},
        set(),
        {"solo", "highres", "someone", "vocaloid", "miku"},
    ]
    last = posts.row(-1, named=True)
    kinds = [last[kind] for kind in ("artist", "character", "copyright", "meta")]
    assert kinds == ["someone", "miku", "vocaloid", "highres"]


def test_a_locked_database_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_sqlite, "_PATIENCE", 0.01)
    path = tmp_path / "a.db"
    write_database(path, {"posts": [{"id": 1, "url": "https://a.example/1.jpg"}]})
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin exclusive")
        with pytest.raises(
            SengaError, match="locked by a program that writes to it. Wait"
        ) as caught:
            run(path)
    assert "\n" not in str(caught.value)
    assert run(path)[0] == {"posts": 1}


def test_nothing_is_written_to_it(tmp_path: Path) -> None:
    path = tmp_path / "odd ?#name.db"
    write_database(path, {"posts": [{"id": 1, "url": "https://a.example/1.jpg"}]})
    before = path.read_bytes()
    path.chmod(0o400)
    assert run(path)[0] == {"posts": 1}
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "odd ?#name.db",
        "out.parquet",
        "quarantine.csv",
    ]


@pytest.mark.parametrize(
    ("tables", "columns", "words"),
    [
        ({"users": [{"name": "a"}]}, {}, r"known to hold posts \(users: name\)"),
        ({"users": [{"name": "a"}]}, {"url": "link"}, r"known to hold posts \(users: name\)"),
        ({}, {}, "it has no tables"),
    ],
)
def test_other_databases_are_one_sentence(
    tmp_path: Path, tables: dict[str, Any], columns: dict[str, str], words: str
) -> None:
    write_database(tmp_path / "a.db", tables or {"x": [{"y": 1}]})
    if not tables:
        with closing(sqlite3.connect(tmp_path / "a.db")) as database:
            database.execute('drop table "x"')
    with pytest.raises(SengaError, match=words):
        run(tmp_path / "a.db", **columns)


def test_damaged_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    rows = [{"id": n, "url": f"https://a.example/{n}.jpg"} for n in range(1, 2000)]
    write_database(path, {"posts": rows})
    content = bytearray(path.read_bytes())
    content[5000:20000] = bytes(15000)
    path.write_bytes(content)
    with pytest.raises(SengaError, match="begins like a SQLite database but cannot be read"):
        run(path)


def test_long_rows_and_odd_bytes_are_rows(tmp_path: Path) -> None:
    url = "https://a.example/1.jpg"
    rows = [{"id": 1, "url": url, "tags": "x" * 400_000}, {"id": 2, "url": url, "tags": b"\xff a"}]
    write_database(tmp_path / "a.db", {"posts": rows})
    counts, posts = run(tmp_path / "a.db")
    assert counts == {"posts": 1, "too_long": 1}
    assert posts["tags"].to_list() == ["\ufffd a"]
