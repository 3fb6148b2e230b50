"""Posts from tables of any columns: layouts, mappings, formats and what is wrong with them."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts import table_json
from pipeline.posts.local_file import hashed_id
from pipeline.posts.metadata import REASONS, import_table
from pipeline.posts.table_source import TableOptions, TableSource
from sketch_models.errors import SengaError
from tests.pipeline.posts.table_files import FORMATS, Row, write_database, write_table

Result = tuple[dict[str, int], list[Row], list[list[str]]]

MD5 = "d34e4cf0a437a5d65f8e82b7bcd02606"


def run(path: Path, files: Path | None = None, **columns: str) -> Result:
    source = TableSource(path, TableOptions(columns=columns, files=files))
    out, quarantine = path.parent / "out.parquet", path.parent / "quarantine.csv"
    counts = import_table(source, out, quarantine)
    with quarantine.open(encoding="utf-8", newline="") as file:
        rejected = list(csv.reader(file))[1:]
    assert {row[1] for row in rejected} <= set(REASONS)
    return counts, pl.read_parquet(out).drop("line").rows(named=True), rejected


def post(**known: object) -> Row:
    """Return a post with what is known of it."""
    unknown = ("created_at", "rating", "score", "width", "height", "artist", "character")
    more = ("copyright", "meta", "source", "post_url")
    return dict.fromkeys([*unknown, *more]) | {"tags": ""} | known


KAGGLE: Row = {
    "id": 7,
    "created_at": 1264000000,
    "rating": "s",
    "score": 3,
    "sample_url": "//safebooru.org//samples/1/a.jpg",
    "sample_width": 850,
    "sample_height": 1200,
    "preview_url": "//safebooru.org/p.jpg",
    "tags": "1girl  solo",
}
DANBOORU: Row = {
    "id": 4560123,
    "created_at": "2021-05-29T01:02:03.004-04:00",
    "score": -2,
    "source": "https://a.example/art/1",
    "md5": MD5,
    "rating": "g",
    "image_width": 1000,
    "image_height": 1400,
    "tag_string": "1girl solo hatsune_miku vocaloid someone highres",
    "file_ext": "png",
    "tag_string_general": "1girl solo",
    "tag_string_character": "hatsune_miku",
    "tag_string_copyright": "vocaloid",
    "tag_string_artist": "someone",
    "tag_string_meta": "highres",
    "file_url": f"https://cdn.donmai.us/original/d3/4e/{MD5}.png",
    "large_file_url": f"https://cdn.donmai.us/sample/d3/4e/sample-{MD5}.jpg",
}
E621: Row = {
    "id": 12,
    "uploader_id": 3,
    "created_at": "2007-02-10 03:15:11.171531",
    "md5": MD5,
    "source": "https://a.example/1\nhttps://a.example/2",
    "rating": "e",
    "image_width": 600,
    "image_height": 800,
    "tag_string": "canine solo",
    "file_ext": "jpg",
    "score": 14,
    "description": 'He said "no",\nand left.',
}
MOEBOORU: Row = {
    "id": 99,
    "tags": "blush dress",
    "created_at": 1264000000,
    "author": "someone",
    "source": "https://a.example/1",
    "score": 5,
    "md5": MD5,
    "file_url": f"https://files.yande.re/image/{MD5}/yande.re%2099.jpg",
    "sample_url": f"https://files.yande.re/sample/{MD5}/s.jpg",
    "jpeg_url": f"https://files.yande.re/jpeg/{MD5}/j.jpg",
    "rating": "q",
    "width": 2000,
    "height": 3000,
}
GELBOORU: Row = {
    "id": 5,
    "created_at": "Fri Jan 29 09:00:00 +0900 2010",
    "score": 0,
    "width": 640,
    "height": 480,
    "md5": MD5,
    "directory": "d3/4e",
    "image": f"{MD5}.jpg",
    "rating": "sensitive",
    "source": "",
    "tags": "1girl &gt;_&lt;",
    "file_url": f"https://img3.gelbooru.com/images/d3/4e/{MD5}.jpg",
    "sample_url": "",
    "preview_url": "",
}
OLD_SAFEBOORU: Row = {
    "id": 5,
    "directory": "123",
    "hash": MD5,
    "image": f"{MD5}.jpg",
    "width": 640,
    "height": 480,
    "rating": "safe",
    "score": None,
    "tags": "a b",
    "change": 1264000000,
}
IMG2DATASET: Row = {
    "url": "https://a.example/1.jpg",
    "caption": "a girl, white background , smile",
    "key": "000000000",
    "status": "success",
    "error_message": None,
    "width": 256,
    "height": 256,
    "original_width": 900,
    "original_height": 700,
    "sha256": "00",
}
POSTS = {
    "kaggle": (
        KAGGLE,
        post(
            id=7,
            created_at=1264000000,
            rating="s",
            score=3,
            url="https://safebooru.org//samples/1/a.jpg",
            width=850,
            height=1200,
            tags="1girl solo",
            post_url="https://safebooru.org/index.php?page=post&s=view&id=7",
        ),
    ),
    "danbooru": (
        DANBOORU,
        post(
            id=4560123,
            created_at=1622264523,
            rating="s",
            score=-2,
            url=DANBOORU["file_url"],
            width=1000,
            height=1400,
            tags=DANBOORU["tag_string"],
            artist="someone",
            character="hatsune_miku",
            copyright="vocaloid",
            meta="highres",
            source="https://a.example/art/1",
            post_url="https://danbooru.donmai.us/posts/4560123",
        ),
    ),
    "e621": (
        E621,
        post(
            id=12,
            created_at=1171077311,
            rating="e",
            score=14,
            url=f"https://static1.e621.net/data/d3/4e/{MD5}.jpg",
            width=600,
            height=800,
            tags="canine solo",
            source="https://a.example/1 https://a.example/2",
            post_url="https://e621.net/posts/12",
        ),
    ),
    "moebooru": (
        MOEBOORU,
        post(
            id=99,
            created_at=1264000000,
            rating="q",
            score=5,
            url=MOEBOORU["file_url"],
            width=2000,
            height=3000,
            tags="blush dress",
            source="https://a.example/1",
            post_url="https://yande.re/post/show/99",
        ),
    ),
    "gelbooru": (
        GELBOORU,
        post(
            id=5,
            created_at=1264723200,
            rating="s",
            score=0,
            url=GELBOORU["file_url"],
            width=640,
            height=480,
            tags="1girl >_<",
            post_url="https://gelbooru.com/index.php?page=post&s=view&id=5",
        ),
    ),
    "old Safebooru": (
        OLD_SAFEBOORU,
        post(
            id=5,
            rating="s",
            url=f"https://safebooru.org//images/123/{MD5}.jpg",
            width=640,
            height=480,
            tags="a b",
            post_url="https://safebooru.org/index.php?page=post&s=view&id=5",
        ),
    ),
    "img2dataset": (
        IMG2DATASET,
        post(
            id=hashed_id("https://a.example/1.jpg"),
            url="https://a.example/1.jpg",
            width=900,
            height=700,
            tags="a_girl white_background smile",
        ),
    ),
}


@pytest.mark.parametrize("layout", POSTS)
@pytest.mark.parametrize("form", FORMATS)
def test_known_layouts_need_no_mapping(tmp_path: Path, form: str, layout: str) -> None:
    row, expected = POSTS[layout]
    counts, posts, _ = run(write_table(tmp_path, [row, row], form))
    assert counts == {"posts": 1, "duplicate_id": 1}
    assert posts == [expected]


def test_danbooru_without_all_tags_in_one_has_those_of_each_kind(tmp_path: Path) -> None:
    row = {
        name: value for name, value in DANBOORU.items() if name not in ("tag_string", "file_url")
    }
    _, [found], _ = run(write_table(tmp_path, [row | {"large_file_url": ""}], "parquet"))
    assert found["tags"] == "someone vocaloid hatsune_miku 1girl solo highres"
    assert found["url"] == DANBOORU["file_url"]


TAGS_2020 = [
    {"id": "1", "name": "solo", "category": "0"},
    {"id": "2", "name": "someone", "category": "1"},
    {"id": "3", "name": "hatsune_miku", "category": "4"},
    {"id": "4", "name": "vocaloid", "category": "3"},
]


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet"])
def test_tags_of_old_dumps_are_objects(tmp_path: Path, form: str) -> None:
    """Numbers are text in them."""
    row = {"id": "6", "md5": MD5, "file_ext": "jpg", "image_width": "9", "image_height": "8"}
    _, [found], _ = run(write_table(tmp_path, [row | {"tags": TAGS_2020}], form))
    assert found["tags"] == "solo someone hatsune_miku vocaloid"
    assert (found["artist"], found["character"], found["copyright"]) == (
        "someone",
        "hatsune_miku",
        "vocaloid",
    )
    assert found["url"] == f"https://cdn.donmai.us/original/d3/4e/{MD5}.jpg"


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet", "wrapped"])
def test_e621_answers_have_objects(tmp_path: Path, form: str) -> None:
    row = {
        "id": 3,
        "created_at": "2024-01-01T00:00:00.000-05:00",
        "file": {
            "width": 10,
            "height": 20,
            "ext": "jpg",
            "md5": MD5,
            "url": "https://a.example/f.jpg",
        },
        "score": {"up": 5, "down": -1, "total": 4},
        "tags": {"general": ["solo", "two words"], "artist": ["someone"], "species": ["cat"]},
        "rating": "s",
        "fav_count": 2,
        "sources": ["https://a.example/1", "https://a.example/2"],
    }
    if form == "wrapped":
        path = tmp_path / "posts.json"
        path.write_text(json.dumps({"posts": [row]}))
    else:
        path = write_table(tmp_path, [row], form)
    _, [found], _ = run(path)
    assert found == post(
        id=3,
        created_at=1704085200,
        rating="s",
        score=4,
        url="https://a.example/f.jpg",
        width=10,
        height=20,
        tags="someone cat solo two_words",
        artist="someone",
        source="https://a.example/1 https://a.example/2",
        post_url="https://e621.net/posts/3",
    )


def test_failures_of_img2dataset_are_counted(tmp_path: Path) -> None:
    failed = IMG2DATASET | {"url": "https://a.example/2.jpg", "status": "failed_to_download"}
    counts, _, [[line, reason, text]] = run(write_table(tmp_path, [IMG2DATASET, failed], "parquet"))
    assert counts == {"posts": 1, "not_downloaded": 1}
    assert (line, reason) == ("3", "not_downloaded")
    assert "https://a.example/2.jpg" in text


@pytest.mark.parametrize("form", FORMATS)
def test_columns_are_mapped_by_hand(tmp_path: Path, form: str) -> None:
    rows = [
        {"post id": 3, "labels": "b, long hair", "line": "https://a.example/3.jpg", "reason": "x"},
        {"post id": 2, "labels": "", "line": "https://a.example/2.jpg", "reason": "general"},
    ]
    columns = {"id": "post id", "tags": "labels", "url": "line", "rating": "reason"}
    counts, posts, _ = run(write_table(tmp_path, rows, form), **columns)
    assert counts == {"posts": 2}
    assert posts == [
        post(id=2, url="https://a.example/2.jpg", rating="s"),
        post(id=3, url="https://a.example/3.jpg", tags="b long_hair"),
    ]


def test_a_mapping_changes_a_known_layout(tmp_path: Path) -> None:
    path = write_table(tmp_path, [DANBOORU], "jsonl")
    _, [found], _ = run(path, url="large_file_url")
    assert found["url"] == DANBOORU["large_file_url"]
    assert found["artist"] == "someone"


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_lists_are_tags(tmp_path: Path, form: str) -> None:
    rows: list[Row] = [
        {"url": f"https://a.example/{number}.jpg", "tags": tags}
        for number, tags in enumerate([["long hair", "solo"], [], None])
    ]
    _, posts, _ = run(write_table(tmp_path, rows, form))
    assert sorted(row["tags"] for row in posts) == ["", "", "long_hair solo"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([None, "", "nan"], []),
        ([MD5, MD5, None], [hashed_id(MD5)]),
        (["a-1", "a-2", 5], [hashed_id("a-1"), hashed_id("a-2"), hashed_id("5")]),
        ([1, 2, "x"], [1, 2]),
        ([2**63 - 1, 2**63, -1], [2**63 - 1]),
        (["1.0", "1e3", "1,000,000"], [1, 1000, 1000000]),
        ([0, 1, 2], [1, 2, hashed_id("https://a.example/0.jpg")]),  # counted from 0
    ],
)
@pytest.mark.parametrize("form", ["csv", "jsonl", "db"])
def test_ids_are_numbers_or_hashes(
    tmp_path: Path, form: str, ids: list[Any], expected: list[int]
) -> None:
    rows = [{"id": one, "url": f"https://a.example/{n}.jpg"} for n, one in enumerate(ids)]
    counts, posts, _ = run(
        write_table(
            tmp_path,
            [{k: str(v) if v is not None else None for k, v in row.items()} for row in rows],
            form,
        )
    )
    assert [row["id"] for row in posts] == sorted(expected)
    assert sum(counts.values()) == 3
    assert set(counts) <= {"posts", "bad_id", "duplicate_id"}


@pytest.mark.parametrize(
    ("name", "value", "column", "expected"),
    [
        ("score", '{"total": 4}', "score", 4),
        ("score", "many", "score", None),
        ("created_at", '{"json_class": "Time", "s": 1264000000}', "created_at", 1264000000),
        ("created_at", "2010-01-29", "created_at", 1264723200),
        ("rating", "rating:Explicit", "rating", "e"),
        ("rating", "7", "rating", None),
        ("width", "wide", "width", None),
        ("tags", "a\tb", "tags", "a b"),
        ("tags", '["long hair", "solo"]', "tags", "long_hair solo"),
        ("tags", "[odd] solo", "tags", "[odd] solo"),
        ("tags", "Solo, long hair,", "tags", "solo long_hair"),
        ("url", " https://a.example/b.jpg?x=1&amp;y=2 ", "url", "https://a.example/b.jpg?x=1&y=2"),
        ("source", "", "source", None),
        ("post_url", "https://a.example/p", "post_url", "https://a.example/p"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "db"])
def test_spellings_of_a_field(
    tmp_path: Path, form: str, name: str, value: str, column: str, expected: object
) -> None:
    row = {"id": 1, "url": "https://a.example/1.jpg"} | {name: value}
    _, [found], _ = run(write_table(tmp_path, [row], form))
    assert found[column] == expected


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a.example/1.jpg", "file:///etc/passwd", "file:a.jpg?1-2", "a.jpg", "x" * 40_000],
)
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "db"])
def test_addresses_that_are_none_are_rows(tmp_path: Path, form: str, url: str) -> None:
    rows = [{"id": 1, "url": url}, {"id": 2, "url": "https://a.example/1.jpg"}]
    counts, posts, rejected = run(write_table(tmp_path, rows, form))
    reason = "too_long" if len(url) > 40 else "bad_url"
    assert counts == {"posts": 1, reason: 1}
    assert [row["id"] for row in posts] == [2]
    assert rejected[0][1:] == [reason, f"1,{url}"[: 1 << 15]]


@pytest.mark.parametrize("form", FORMATS)
def test_duplicates_are_told_by_their_rows(tmp_path: Path, form: str) -> None:
    rows = [
        {"id": number, "url": f"https://a.example/{place}.jpg"}
        for place, number in enumerate([5, 3, 5, 4, 3])
    ]
    counts, posts, rejected = run(write_table(tmp_path, rows, form))
    assert counts == {"posts": 3, "duplicate_id": 2}
    assert [row["url"][-5] for row in posts] == ["1", "3", "0"]
    assert [text for _, _, text in rejected] == [
        "5,https://a.example/2.jpg",
        "3,https://a.example/4.jpg",
    ]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": "post-id"}, "has no column post-id .did you mean post_id.*It has post_id, link"),
        ({"url": "nowhere"}, r"columns = url=nowhere: .* has no column nowhere\. It has"),
        ({}, "No column of .* is known to hold a picture's address or file: it has post_id, link"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_wrong_mappings_are_one_sentence(
    tmp_path: Path, form: str, columns: dict[str, str], words: str
) -> None:
    path = write_table(tmp_path, [{"post_id": 1, "link": "https://a.example/1.jpg"}], form)
    with pytest.raises(SengaError, match=words) as caught:
        run(path, **columns)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "holds no posts"),
        ("a.csv", b"id,url\n", "holds no posts"),
        ("a.json", b"[]", "no JSON objects|holds no posts"),
        ("a.json", b"[1, 2]", "no JSON objects"),
        ("a.json", b'{"a": ', "no JSON objects"),
        ("a.xlsx", b"PK\x03\x04\x14\0", "expected the header of a CSV"),
        ("a.xml", b"<posts></posts>", "expected the header of a CSV"),
        ("a.parquet", b"PAR1 and no more", "begins like Parquet but cannot be read"),
        ("a.db", b"SQLite format 3\0 and no more", "begins like a SQLite database"),
        ("a.csv.gz", gzip.compress(b"id,url\n" * 9, mtime=0)[:-9], "damaged gzip file"),
        ("a.csv.gz", b"\x1f\x8b nonsense", "damaged gzip file"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfd nonsense", "damaged zstd file|is damaged"),
        ("a.db.gz", gzip.compress(b"SQLite format 3\0", mtime=0), "within gzip. Unpack it"),
        ("a.parquet.gz", gzip.compress(b"PAR1", mtime=0), "within gzip. Unpack it"),
    ],
)
def test_files_of_something_else_are_one_sentence(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SengaError, match=words) as caught:
        run(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_missing_table_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"\[metadata\] table = .*none.csv is missing"):
        run(tmp_path / "none.csv")
    with pytest.raises(
        SengaError, match=r"\[metadata\] table = .* cannot be read \(Is a directory"
    ):
        run(tmp_path)


def test_zstd_of_other_bytes_than_utf8_is_one_sentence(tmp_path: Path) -> None:
    pl.DataFrame({"url": ["https://a.example/1.jpg"]}).write_csv(
        tmp_path / "a.csv.zst", compression="zstd"
    )
    # One raw block of zstd: a frame without a checksum.
    raw = b"url\nhttps://a.example/\xff.jpg\n"
    frame = b"\x28\xb5\x2f\xfd\x20" + bytes([len(raw)])
    frame += (len(raw) << 3 | 1).to_bytes(3, "little") + raw
    (tmp_path / "a.csv.zst").write_bytes(frame)
    with pytest.raises(SengaError, match="no UTF-8, or is damaged .*zstd -d"):
        run(tmp_path / "a.csv.zst")


VALUES = {
    "id": st.integers(1, 10**6),
    "url": st.sampled_from(["https://a.example/1.jpg", "//b.example/2.png?x", "nowhere", ""]),
    "tags": st.text("ab _,'\"[&;\n\té", max_size=12),
    "score": st.none() | st.integers(-(10**6), 10**6),
    "width": st.none() | st.integers(0, 10**4),
    "created_at": st.none() | st.integers(0, 2**31),
    "rating": st.none() | st.sampled_from(["s", "general", "q", "x", ""]),
}


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=8),
    block=st.sampled_from([600, 1 << 20]),
)
def test_every_format_gives_the_same_posts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[Row], block: int
) -> None:
    monkeypatch.setattr("pipeline.posts.kaggle_csv.BLOCK", block)
    monkeypatch.setattr(table_json, "_BLOCK", block)
    results = {}
    for form in ("csv", "tsv", "jsonl", "json", "parquet", "db", "jsonl.zst"):
        rows_of_form = rows
        if form == "tsv":  # a tab is the end of a field there, whatever is around it
            rows_of_form = [row | {"tags": row["tags"].replace("\t", " ")} for row in rows]
        results[form] = run(write_table(tmp_path, rows_of_form, form))[:2]
    for form, (counts, posts) in results.items():
        assert counts == results["csv"][0], form
        assert posts == results["csv"][1], form


def test_known_layout_of_several_tables_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write_database(path, {"other": [{"x": 1}], "posts": [KAGGLE], "tags": [{"name": "a"}]})
    assert run(path)[0] == {"posts": 1}
