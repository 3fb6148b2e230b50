"""Posts from a CSV in the Kaggle layout, with its quirks and defects."""

from __future__ import annotations

import csv
import gzip
import io
import random
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts import kaggle_csv, metadata
from pipeline.posts.kaggle_csv import COLUMNS
from pipeline.posts.metadata import import_posts, import_rows
from pipeline.posts.options import MetadataOptions
from pipeline.posts.rows import FIELDS
from sketch_models.errors import ConfigError, SengaError

HEADER = b"id,created_at,rating,score,sample_url,sample_width,sample_height,preview_url,tags\n"
URL = "//safebooru.example/images/1/a.jpg"


def row(post_id: object = 7, **changes: object) -> bytes:
    fields: dict[str, object] = {
        "id": post_id,
        "created_at": 1264000000,
        "rating": "s",
        "score": 3,
        "url": f'"{URL}"',
        "width": 850,
        "height": 1200,
        "preview": '"//safebooru.example/p.jpg"',
        "tags": '"1girl solo"',
    }
    return (",".join(str(value) for value in (fields | changes).values()) + "\n").encode()


def run(folder: Path, content: bytes) -> tuple[dict[str, int], pl.DataFrame, list[list[str]]]:
    source = folder / "posts.csv"
    source.write_bytes(content)
    counts = import_posts(source, folder / "posts.parquet", folder / "quarantine.csv")
    with (folder / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        quarantine = list(csv.reader(file))
    assert quarantine[0] == ["line", "reason", "text"]
    return counts, pl.read_parquet(folder / "posts.parquet"), quarantine[1:]


UNKNOWN = FIELDS[len(COLUMNS) :]


def test_post_is_read(tmp_path: Path) -> None:
    counts, posts, quarantine = run(tmp_path, HEADER + row())
    assert counts == {"posts": 1}
    assert quarantine == []
    assert posts.rows(named=True) == [
        {
            "id": 7,
            "created_at": 1264000000,
            "rating": "s",
            "score": 3,
            "url": f"https:{URL}",
            "width": 850,
            "height": 1200,
            "tags": "1girl solo",
            **dict.fromkeys(UNKNOWN),
            "line": 2,
        }
    ]
    assert posts.schema == {
        "id": pl.Int64,
        "created_at": pl.Int64,
        "rating": pl.String,
        "score": pl.Int32,
        "url": pl.String,
        "width": pl.Int32,
        "height": pl.Int32,
        "tags": pl.String,
        **dict.fromkeys(UNKNOWN, pl.String),
        "line": pl.Int64,
    }


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"rating": "general"}, "rating", "s"),
        ({"rating": "safe"}, "rating", "s"),
        ({"rating": "g"}, "rating", "s"),
        ({"rating": "sensitive"}, "rating", "s"),
        ({"rating": '"questionable"'}, "rating", "q"),
        ({"rating": "explicit"}, "rating", "e"),
        ({"rating": "Safe"}, "rating", "s"),
        ({"rating": " EXPLICIT "}, "rating", "e"),
        ({"rating": "rating:questionable"}, "rating", "q"),
        ({"rating": "x"}, "rating", None),
        ({"rating": ""}, "rating", None),
        ({"score": ""}, "score", None),
        ({"score": "null"}, "score", None),
        ({"score": "many"}, "score", None),
        ({"score": -4}, "score", -4),
        ({"score": "3.0"}, "score", 3),
        ({"score": "2.5"}, "score", 2),
        ({"score": "-2.5"}, "score", -3),
        ({"score": '"3,0"'}, "score", 3),
        ({"score": '"1,234"'}, "score", 1234),
        ({"score": 10**12}, "score", 2**31 - 1),
        ({"score": "-1e12"}, "score", -(2**31)),
        ({"score": "inf"}, "score", None),
        ({"post_id": "1.0"}, "id", 1),
        ({"post_id": "1e+05"}, "id", 100_000),
        ({"post_id": "1.5e+06"}, "id", 1_500_000),
        ({"post_id": " +007 "}, "id", 7),
        ({"post_id": '"1,500,017"'}, "id", 1_500_017),
        ({"width": ""}, "width", None),
        ({"width": "NA"}, "width", None),
        ({"width": 0}, "width", None),
        ({"height": -5}, "height", None),
        ({"height": "1200.0"}, "height", 1200),
        ({"created_at": "today"}, "created_at", None),
        ({"created_at": "1264000000.0"}, "created_at", 1264000000),
        ({"created_at": 1264000000123}, "created_at", 1264000000),
        ({"created_at": 1264000000123456789}, "created_at", 1264000000),
        ({"created_at": "2010-01-20"}, "created_at", 1263945600),
        ({"created_at": "2010-01-20 15:06:40"}, "created_at", 1264000000),
        ({"created_at": "2010-01-20T15:06:40.5Z"}, "created_at", 1264000000),
        ({"created_at": "2010-01-21 00:06:40+09:00"}, "created_at", 1264000000),
        ({"created_at": "2010-01-20 15:06:40+00"}, "created_at", 1264000000),
        ({"created_at": "2010-02-31"}, "created_at", None),
        ({"created_at": 0}, "created_at", 0),
        ({"created_at": ""}, "created_at", None),
        ({"post_id": 2**63 - 1}, "id", 2**63 - 1),
        ({"url": '"http://a.example/b.png"'}, "url", "http://a.example/b.png"),
        ({"url": "https://a.example//b.png?77"}, "url", "https://a.example//b.png?77"),
        ({"url": "//a.example//samples/2/b.jpg"}, "url", "https://a.example//samples/2/b.jpg"),
        ({"url": '"//a.example/b,c.jpg"'}, "url", "https://a.example/b,c.jpg"),
        ({"tags": ""}, "tags", ""),
        ({"tags": '""'}, "tags", ""),
        (
            {"tags": '"kuon_(a&#039;b) &gt;_&lt; r&d tom_&amp;_jerry"'},
            "tags",
            "kuon_(a'b) >_< r&d tom_&_jerry",
        ),
        ({"tags": '"a&#10;b&#32;c"'}, "tags", "a b c"),
        ({"tags": '"a\x00b\tc"'}, "tags", "a b c"),
        ({"preview": '"\x1f"'}, "id", 7),
        ({"url": "//a.example/b.jpg?x=1&amp;y=2"}, "url", "https://a.example/b.jpg?x=1&y=2"),
        ({"url": "HTTPS://a.example/b.jpg"}, "url", "HTTPS://a.example/b.jpg"),
        ({"tags": '" a  b   c "'}, "tags", "a b c"),
        ({"tags": "null"}, "tags", "null"),
        ({"tags": '"nan"'}, "tags", "nan"),
        ({"tags": "NA"}, "tags", "NA"),
        ({"tags": '"say_""hi"" \u00e9 kuon_(utawarerumono)"'}, "tags", None),
    ],
)
def test_spellings_of_a_field_are_read(
    tmp_path: Path, changes: dict[str, Any], column: str, value: object
) -> None:
    counts, posts, _ = run(tmp_path, HEADER + row(**changes))
    assert counts == {"posts": 1}
    if column == "tags" and value is None:
        value = 'say_"hi" \u00e9 kuon_(utawarerumono)'
    assert posts.item(0, column) == value


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        *[
            (row(post_id), "bad_id")
            for post_id in ("abc", "", "-3", "0", 2**63, "../1", "1/2", "1.5", "1e300", "NaN")
        ],
        (row("\u0661"), "bad_id"),  # a digit, but not one of ours
        (row(url=""), "bad_url"),
        (row(url="ftp://a.example/b.jpg"), "bad_url"),
        (row(url="javascript:alert(1)"), "bad_url"),
        (row(url="//a.example"), "bad_url"),
        (row(url="///b.jpg"), "bad_url"),
        (row(url='"//a.example/b c.jpg"'), "bad_url"),
        (row(url="//a.example/b.jpg").replace(b"b.jpg", b"\x81.jpg"), "bad_url"),
        (b"1,2,s,4,//a.example/b.jpg,6,7\n", "field_count"),
        (b"1,2,s,4,//a.example/b.jpg,6,7,8\n", "field_count"),
        (b"1,2,s,4,//a.example/b.jpg,6,7,8,9,\n", "field_count"),
        (b"1,2,s,4,//a.example/b.jpg,6,7,8,9,10,11\n", "field_count"),
        (row(url='"//a.example/b\x00c.jpg"'), "bad_url"),
        (row(tags='"a b'), "broken_quote"),
        (row(tags='a b"'), "broken_quote"),
        (row(url='"//a"b.jpg"'), "broken_quote"),
        (b"\n", "empty_line"),
        (b"  \n", "empty_line"),
        (b",,,,,,,,\n", "empty_line"),  # as Excel leaves rows that were cleared
    ],
)
@pytest.mark.parametrize("neighbours", [0, 400])
def test_unreadable_lines_go_to_quarantine(
    tmp_path: Path, line: bytes, reason: str, neighbours: int
) -> None:
    before = b"".join(row(number + 10) for number in range(neighbours))
    after = b"".join(row(number + 10_000) for number in range(neighbours))
    counts, posts, quarantine = run(tmp_path, HEADER + before + line + after)
    assert counts == {"posts": 2 * neighbours, reason: 1}
    text = line.decode(errors="backslashreplace").replace("\0", r"\x00").removesuffix("\n")
    assert quarantine == [[str(neighbours + 2), reason, text]]
    assert posts["id"].is_sorted()


def test_bytes_that_are_no_utf8_are_those_of_windows(tmp_path: Path) -> None:
    """Excel writes "CSV (Comma delimited)" so; one damaged byte costs no post either."""
    tags = "pok\u00e9mon \u20ac \u00df"
    lines = row(1, tags=tags).decode().encode("cp1252") + row(2, tags=tags) + row(3)
    lines += row(4, tags='"a').replace(b'"a', b'"\x81"')
    counts, posts, _ = run(tmp_path, HEADER + lines)
    assert counts == {"posts": 4}
    assert posts["tags"].to_list() == [tags, tags, "1girl solo", "\ufffd"]


def test_unclosed_quote_rejects_its_line_alone(tmp_path: Path) -> None:
    lines = [row(number) for number in range(1, 2001)]
    for number in (100, 101, 1500):
        lines[number] = row(number + 1, url=f'"{URL}')
    counts, posts, quarantine = run(tmp_path, HEADER + b"".join(lines))
    assert counts == {"posts": 1997, "broken_quote": 3}
    assert [line for line, _, _ in quarantine] == ["102", "103", "1502"]
    assert len(posts) == 1997


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_truncated_last_line_is_quarantined(tmp_path: Path, cut: int) -> None:
    content = HEADER + row(1) + row(2)
    counts, posts, quarantine = run(tmp_path, content[: -cut - 1])
    assert counts["posts"] == 1
    assert len(quarantine) == 1
    assert posts["id"].to_list() == [1]


def test_last_line_end_may_be_missing(tmp_path: Path) -> None:
    assert run(tmp_path, HEADER + row(1) + row(2).rstrip())[0] == {"posts": 2}


def test_bom_and_crlf_are_read(tmp_path: Path) -> None:
    lines = (HEADER + row(1) + row(2, tags="")).replace(b"\n", b"\r\n")
    counts, posts, _ = run(tmp_path, b"\xef\xbb\xbf" + lines)
    assert counts == {"posts": 2}
    assert posts["tags"].to_list() == ["1girl solo", ""]


@pytest.mark.parametrize("name", ["posts.csv", "posts.csv.gz"])
def test_gzip_is_read_under_any_name(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(gzip.compress(HEADER + row(1)))
    counts = import_posts(source, tmp_path / "posts.parquet", tmp_path / "q.csv")
    assert counts == {"posts": 1}


def test_first_of_two_rows_with_one_id_is_kept(tmp_path: Path) -> None:
    lines = [row(5, score=1), row(3), b"broken\n", row(5, score=2), row(4), row(3, tags="x")]
    counts, posts, quarantine = run(tmp_path, HEADER + b"".join(lines))
    assert counts == {"posts": 3, "duplicate_id": 2, "field_count": 1}
    assert posts["id"].to_list() == [3, 4, 5]
    assert posts["score"].to_list() == [3, 3, 1]
    assert [line[:2] for line in quarantine] == [
        ["4", "field_count"],
        ["5", "duplicate_id"],
        ["7", "duplicate_id"],
    ]
    assert quarantine[2][2] == row(3, tags="x").decode().strip()


def test_shuffled_file_is_sorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle_csv, "BLOCK", 4096)
    monkeypatch.setattr(metadata, "_SORT_BYTES", 10_000)
    numbers = list(range(1, 1001))
    random.Random(1).shuffle(numbers)
    numbers += numbers[:50]
    counts, posts, quarantine = run(tmp_path, HEADER + b"".join(map(row, numbers)))
    assert counts == {"posts": 1000, "duplicate_id": 50}
    assert posts["id"].to_list() == list(range(1, 1001))
    assert [int(line) for line, _, _ in quarantine] == list(range(1002, 1052))
    assert list(tmp_path.glob("*.draft")) == []


def test_progress_counts_lines(tmp_path: Path) -> None:
    source = tmp_path / "posts.csv"
    source.write_bytes(HEADER + row(1) + b"broken\n" + row(2))
    reported: list[int] = []
    import_posts(source, tmp_path / "posts.parquet", tmp_path / "q.csv", reported.append)
    assert sum(reported) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no posts"),
        (HEADER, "holds no posts: it is empty, or has a header alone"),
        (HEADER.rstrip(), "holds no posts"),
        (b"id,tags\n1,solo\n", "'id,tags'"),
        (b"id,a,b,c,d,e,f,g,h,i,tags\n" + row(), "expected the header id,created_at"),
        (row(1) + row(2), "expected the header"),
        (b"PK\x03\x04abc\n", "Unpack it"),
        (gzip.compress(HEADER + row())[:-9], "damaged gzip"),
        (gzip.compress(HEADER + row())[:-8] + bytes(8), "damaged gzip"),
        (b"\x1f\x8b nonsense", "damaged gzip"),
    ],
)
def test_file_of_something_else_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(SengaError, match="posts.csv") as caught:
        run(tmp_path, content)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "posts.parquet").exists()


def test_missing_file_names_its_source(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"missing.*alamson/safebooru.*\[metadata\] csv"):
        import_posts(tmp_path / "none.csv", tmp_path / "posts.parquet", tmp_path / "q.csv")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match="cannot be read"):
        import_posts(tmp_path, tmp_path / "posts.parquet", tmp_path / "q.csv")


def test_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle_csv, "_MAX_SKIPPED", 10**7)
    endless = tmp_path / "endless.csv"
    with gzip.open(endless, "wb", compresslevel=1) as file:
        file.write(HEADER + row(1))
        for _ in range(30):
            file.write(bytes(1_000_000))
    with pytest.raises(SengaError, match="longer than"):
        import_posts(endless, tmp_path / "posts.parquet", tmp_path / "q.csv")


def test_long_row_is_quarantined_with_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kaggle_csv, "BLOCK", 1 << 20)
    long = {
        3: row(3, tags='"' + "solo " * 7_000 + '"'),
        4: row(4, tags='"' + "solo " * 700_000 + '"'),  # over several blocks
        5: b"\0" * 300_000 + b"\n",
        6: b'"' * 300_001 + b"\n",
        7: b"&#" + b"1" * 400_000 + b"\n",
    }
    lines = [row(2), *long.values(), row(8), b"x" * 2_000_000]
    counts, posts, quarantine = run(tmp_path, HEADER + b"".join(lines))
    assert counts == {"posts": 2, "too_long": 6}
    assert posts["id"].to_list() == [2, 8]
    assert [line[:2] for line in quarantine] == [[str(n), "too_long"] for n in (3, 4, 5, 6, 7, 9)]
    for (_, _, text), line in zip(quarantine, [*long.values(), lines[-1]], strict=True):
        assert text.replace(r"\x00", "\0") == line[: kaggle_csv.MAX_ROW].decode()


def test_row_of_many_tags_is_a_post(tmp_path: Path) -> None:
    tags = " ".join(f"tag_{number}" for number in range(3_000))
    counts, posts, _ = run(tmp_path, HEADER + row(tags=f'"{tags}"'))
    assert counts == {"posts": 1}
    assert posts["tags"].to_list() == [tags]


@pytest.mark.parametrize("line", [b"\n", b"\0\n", b"\r\n", b" , \n", b",,,,,,,,\n"])
def test_blank_lines_are_counted_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(kaggle_csv, "_MAX_LINES", 900)
    content = [row(1), line * 5_000, row(2), b"broken\n", line, row(3), line]
    counts, posts, quarantine = run(tmp_path, HEADER + b"".join(content))
    assert counts == {"posts": 3, "empty_line": 5_002, "field_count": 1}
    assert posts["line"].to_list() == [2, 5003, 5006]
    bad = [*range(3, 5003), 5004, 5005, 5007]
    assert [int(number) for number, _, _ in quarantine] == bad
    assert quarantine[5_000] == ["5004", "field_count", "broken"]


def test_block_has_a_bounded_number_of_lines() -> None:
    blocks = list(kaggle_csv.read_blocks(io.BytesIO(b"\n" * 1_000_000 + b"x")))
    assert max(block.content.count(b"\n") for block in blocks) == 200_000
    assert [block.line for block in blocks] == list(range(1, 1_000_002, 200_000))
    assert b"".join(block.content for block in blocks) == b"\n" * 1_000_000 + b"x\n"


def test_quarantine_ends_at_its_limit_and_counts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "_MAX_QUARANTINE", 10_000)
    monkeypatch.setattr(kaggle_csv, "_MAX_LINES", 100)
    counts, _, quarantine = run(tmp_path, HEADER + row(1) + b"broken\n" * 5_000)
    assert counts == {"posts": 1, "field_count": 5_000}
    assert len(quarantine) < 700
    assert (tmp_path / "quarantine.csv").stat().st_size < 15_000


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_list_of_duplicates_ends_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(metadata, "_MAX_QUARANTINE", 10_000)
    monkeypatch.setattr(metadata, "_LISTED_AT_ONCE", 10)
    source = tmp_path / "posts.csv"
    source.write_bytes(HEADER + row(1) * 2_000)
    if kind == "parquet":
        table = pl.read_csv(source)
        source = tmp_path / "posts.parquet.in"
        table.write_parquet(source)
    counts = import_posts(source, tmp_path / "posts.parquet", tmp_path / "quarantine.csv")
    assert counts == {"posts": 1, "duplicate_id": 1_999}
    assert 10_000 <= (tmp_path / "quarantine.csv").stat().st_size < 15_000


@pytest.mark.parametrize("entity", ["&#" + "1" * 5000 + ";", "&#x" + "f" * 5000 + ";", "&" * 5000])
def test_endless_entity_stays_text(tmp_path: Path, entity: str) -> None:
    counts, posts, _ = run(tmp_path, HEADER + row(tags=f'"{entity} &amp;"'))
    assert counts == {"posts": 1}
    assert posts["tags"].to_list() == [f"{entity} &"]


def test_full_disk_is_one_sentence(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "posts.csv").write_bytes(HEADER + b"".join(map(row, range(1, 5000))))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(SengaError, match="could not be written: it is larger than this system"):
            import_posts(tmp_path / "posts.csv", tmp_path / "posts.parquet", tmp_path / "q.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.glob("posts.parquet*"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"source": "web"}, "source = web"),
        ({"source": "csv"}, "alamson/safebooru"),
        ({"sample_posts": 0}, "sample_posts = 0"),
        ({"folder": "a", "table": "b.csv"}, "folder = a and table = b.csv are two sources"),
        ({"source": "api", "folder": "a"}, "source = api and folder = a are two sources"),
        ({"source": "table", "table": "b.csv", "hf": "c"}, "table = b.csv and hf = c are two"),
        ({"api_url": "https:///index.php"}, "api_url = https:///index.php: expected an address"),
        ({"api_url": "https://[a/"}, "api_url = https://[a/: expected an address"),
        ({"api_url": "a.example"}, "api_url = a.example: expected an address"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MetadataOptions(**options)
    assert words in str(caught.value)


@pytest.mark.parametrize("tail", ["?api_key=secret&user_id=5", "#secret", "?"])
@pytest.mark.parametrize("user", ["", "me:secret@"])
def test_a_key_in_the_address_is_refused_and_not_shown(user: str, tail: str) -> None:
    with pytest.raises(
        ConfigError, match=r"api_url.*SENGA_BOARD_KEY|expected an address"
    ) as caught:
        MetadataOptions(source="api", api_url=f"https://{user}gelbooru.com/index.php{tail}")
    assert "secret" not in str(caught.value)


WORDS = st.text(
    st.characters(min_codepoint=33, exclude_categories=["Z", "C"]), min_size=1, max_size=8
)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 2**63 - 1),
        st.integers(-(2**40), 2**40),
        st.sampled_from(["s", "q", "e", "general", "explicit"]),
        st.integers(-(2**31), 2**31 - 1),
        st.sampled_from([URL, "http://a.example/b,c.png?1", "https://a.example//d.gif"]),
        st.integers(1, 2**31 - 1),
        st.integers(1, 2**31 - 1),
        WORDS,
        st.lists(WORDS, max_size=5).map(" ".join),
    ),
    unique_by=lambda fields: fields[0],
    min_size=1,
    max_size=12,
)
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(rows=ROWS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_agrees_with_the_csv_module(
    tmp_path: Path, rows: list[Any], quoting: Literal[0, 1]
) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows(rows)
    counts, posts, quarantine = run(tmp_path, HEADER + text.getvalue().encode())
    assert counts == {"posts": len(rows)}
    assert quarantine == []
    expected = sorted(csv.reader(io.StringIO(text.getvalue())), key=lambda fields: int(fields[0]))
    for line, post in zip(expected, posts.iter_rows(named=True), strict=True):
        assert [post["id"], post["created_at"], post["score"]] == [
            int(line[column]) for column in (0, 1, 3)
        ]
        assert post["rating"] == {"general": "s", "explicit": "e"}.get(line[2], line[2])
        assert post["url"] == (f"https:{line[4]}" if line[4].startswith("//") else line[4])
        assert [post["width"], post["height"]] == [int(line[5]), int(line[6])]
        assert post["tags"] == line[8]


PIECES = st.sampled_from(
    [b'"', b'""', b",", b"\r", b"\n", b"a", b" ", b"\xff", b"\x00", b"7", b'","', b"\xc3\xa9"]
)
CHANGES = st.lists(st.tuples(st.integers(0, 400), PIECES, st.integers(0, 3)), max_size=5)


@FUZZ
@given(changes=CHANGES)
def test_every_line_is_a_post_or_quarantined(tmp_path: Path, changes: list[Any]) -> None:
    content = bytearray(b"".join(row(number, tags='"a ""b"" c"') for number in range(1, 6)))
    for offset, piece, length in changes:
        content[offset : offset + length] = piece
    lines = bytes(content).split(b"\n")
    lines = lines if lines[-1] else lines[:-1]
    counts, posts, quarantine = run(tmp_path, HEADER + bytes(content))
    assert counts["posts"] == len(posts)
    reported = [int(line) for line, _, _ in quarantine] + posts["line"].to_list()
    assert sorted(reported) == list(range(2, len(lines) + 2))


@FUZZ
@given(changes=CHANGES)
def test_line_is_read_the_same_beside_others(tmp_path: Path, changes: list[Any]) -> None:
    content = bytearray(row(1, tags='"a ""b"" c"'))
    for offset, piece, length in changes:
        offset %= len(content)
        content[offset : offset + length] = piece
    line = bytes(content).replace(b"\n", b"") + b"\n"
    alone = run(tmp_path, HEADER + line)[2]
    beside = run(tmp_path, HEADER + row(2**61) + line + row(2**62))[2]
    assert [reason for _, reason, _ in alone] == [reason for _, reason, _ in beside]


FIELDS = ["7", "1264000000", "s", "3", URL, "850", "1200", "//a.example/p.jpg", "1girl solo"]


def board_row(post_id: object, **changes: str) -> list[str]:
    fields = dict(zip(kaggle_csv.COLUMNS, FIELDS, strict=True))
    return list((fields | {"id": str(post_id)} | changes).values())


def run_rows(
    folder: Path, batches: Iterable[metadata.Rows]
) -> tuple[dict[str, int], pl.DataFrame, list[list[str]]]:
    counts = import_rows(batches, folder / "posts.parquet", folder / "quarantine.csv")
    with (folder / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        quarantine = list(csv.reader(file))
    assert not (folder / "posts.parquet.rows").exists()
    return counts, pl.read_parquet(folder / "posts.parquet"), quarantine[1:]


def test_long_row_of_a_board_is_quarantined_with_its_beginning(tmp_path: Path) -> None:
    long = board_row(2, tags="solo " * 10_000_000)
    counts, posts, quarantine = run_rows(tmp_path, [[(1, board_row(1)), (2, long)]])
    assert counts == {"posts": 1, "too_long": 1}
    assert posts["id"].to_list() == [1]
    [(line, reason, text)] = quarantine
    assert (line, reason, len(text)) == ("2", "too_long", kaggle_csv.MAX_ROW)
    assert text.startswith("2,")


def test_rows_are_imported_like_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "_SPOOL_BYTES", 2)
    batches: list[metadata.Rows] = [
        [(1, board_row(9)), (2, board_row(5, score="")), (3, board_row(6, tags='a\n"b'))],
        [],
        [
            (10, board_row(5)),
            (11, board_row("x")),
            (12, board_row(4, tags="\ud83d x")),
            (20, board_row(3)[:-1]),
        ],
        [(30, board_row(2, tags=" \u00e9  b "))],
    ]
    counts, posts, quarantine = run_rows(tmp_path, batches)
    assert counts.pop("posts") == 5
    assert counts == dict.fromkeys(["bad_id", "field_count", "duplicate_id"], 1)
    assert posts.select("id", "score", "tags", "line").rows() == [
        (2, 3, "\u00e9 b", 30),
        (4, 3, "\ufffd x", 12),
        (5, None, "1girl solo", 2),
        (6, 3, 'a "b', 3),
        (9, 3, "1girl solo", 1),
    ]
    assert [line[:2] for line in quarantine] == [
        ["11", "bad_id"],
        ["20", "field_count"],
        ["10", "duplicate_id"],
    ]
    assert next(csv.reader([quarantine[2][2]])) == board_row(5)
    assert next(csv.reader([quarantine[0][2]])) == board_row("x")


def test_progress_counts_rows_of_each_batch(tmp_path: Path) -> None:
    reported: list[int] = []

    def batches() -> Iterator[metadata.Rows]:
        yield [(1, board_row(1)), (2, board_row(2))]
        assert reported == [2]
        yield [(3, board_row(3))]

    counts = import_rows(batches(), tmp_path / "posts.parquet", tmp_path / "q.csv", reported.append)
    assert counts == {"posts": 3}
    assert reported == [2, 1]


@pytest.mark.parametrize("batches", [[], [[], []]])
def test_source_without_rows_is_one_sentence(tmp_path: Path, batches: list[metadata.Rows]) -> None:
    with pytest.raises(SengaError, match="^The source has no posts"):
        run_rows(tmp_path, batches)
    assert list(tmp_path.iterdir()) == []


def test_failing_source_of_rows_leaves_no_files(tmp_path: Path) -> None:
    def batches() -> Iterator[metadata.Rows]:
        yield [(1, board_row(1))]
        raise OSError("the network is gone")

    with pytest.raises(OSError, match="the network is gone"):
        run_rows(tmp_path, batches())
    assert list(tmp_path.iterdir()) == []


def test_full_disk_while_spooling_is_one_sentence(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(
            SengaError,
            match=r"posts\.parquet\.rows could not be written: it is larger than this system",
        ):
            run_rows(tmp_path, [[(number, board_row(number)) for number in range(1, 500)]])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
