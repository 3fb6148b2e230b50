"""Posts from Parquet files, as converters write them."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts import kaggle_csv, metadata, parquet, rows
from pipeline.posts.kaggle_csv import COLUMNS
from pipeline.posts.metadata import import_posts
from sketch_models.errors import SengaError

Result = tuple[dict[str, int], pl.DataFrame, list[list[str]]]
URL = "//safebooru.example/images/1/a.jpg"
ROW: dict[str, Any] = {
    "id": 7,
    "created_at": 1264000000,
    "rating": "s",
    "score": 3,
    "sample_url": URL,
    "sample_width": 850,
    "sample_height": 1200,
    "preview_url": "//safebooru.example/p.jpg",
    "tags": "1girl solo",
}


def run(source: Path) -> Result:
    folder = source.parent
    counts = import_posts(source, folder / "out.parquet", folder / "quarantine.csv")
    with (folder / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        quarantine = list(csv.reader(file))
    assert quarantine[0] == ["line", "reason", "text"]
    return counts, pl.read_parquet(folder / "out.parquet"), quarantine[1:]


def run_frame(folder: Path, frame: pl.DataFrame, **options: Any) -> Result:
    frame.write_parquet(folder / "posts.parquet", **options)
    return run(folder / "posts.parquet")


def frame_of(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([ROW | row for row in rows], infer_schema_length=None)


def test_post_is_read(tmp_path: Path) -> None:
    counts, posts, quarantine = run_frame(tmp_path, frame_of({}))
    assert counts == {"posts": 1}
    assert quarantine == []
    known = posts.drop(rows.FIELDS[len(COLUMNS) :])
    assert known.rows() == [(7, 1264000000, "s", 3, f"https:{URL}", 850, 1200, "1girl solo", 2)]
    assert dict(posts.schema) == metadata.POSTS


@pytest.mark.parametrize(
    ("name", "values", "column", "expected"),
    [
        ("id", pl.Series([7], dtype=pl.UInt64), "id", 7),
        ("id", pl.Series(["7"]), "id", 7),
        ("id", pl.Series([7.0]), "id", 7),
        ("id", pl.Series([2**53 + 1]), "id", 2**53 + 1),
        ("id", pl.Series([Decimal(7)]), "id", 7),
        ("score", pl.Series([float("nan")]), "score", None),
        ("score", pl.Series([None], dtype=pl.Float32), "score", None),
        ("score", pl.Series([-4.0], dtype=pl.Float32), "score", -4),
        ("score", pl.Series([None], dtype=pl.Int8), "score", None),
        ("score", pl.Series([None]), "score", None),
        ("score", pl.Series([""]), "score", None),
        ("created_at", pl.Series([datetime(2010, 1, 29)]), "created_at", 1264723200),
        ("created_at", pl.Series([date(2010, 1, 29)]), "created_at", 1264723200),
        ("rating", pl.Series(["explicit"], dtype=pl.Categorical), "rating", "e"),
        ("rating", pl.Series(["q"], dtype=pl.Enum(["s", "q"])), "rating", "q"),
        ("tags", pl.Series([None], dtype=pl.String), "tags", ""),
        ("tags", pl.Series([" a  b,\"c' "]), "tags", "a b,\"c'"),
        ("preview_url", pl.Series([None]), "id", 7),
        ("preview_url", pl.Series(["\x1f"]), "id", 7),
        ("preview_url", pl.Series([[1]]), "id", 7),
        ("id", pl.Series(["1.0"]), "id", 1),
        ("created_at", pl.Series(["today"]), "created_at", None),
        ("rating", pl.Series([None]), "rating", None),
        ("rating", pl.Series([True]), "rating", None),
        ("score", pl.Series([2.5]), "score", 2),
        ("score", pl.Series([float("inf")]), "score", None),
        ("score", pl.Series([1e300]), "score", None),
        ("score", pl.Series([2**31]), "score", 2**31 - 1),
        ("sample_width", pl.Series([0]), "width", None),
        ("sample_height", pl.Series([None]), "height", None),
        ("tags", pl.Series(["a\nb"]), "tags", "a b"),
    ],
)
def test_dtypes_of_converters_are_read(
    tmp_path: Path, name: str, values: pl.Series, column: str, expected: object
) -> None:
    counts, posts, _ = run_frame(tmp_path, frame_of({}).with_columns(values.alias(name)))
    assert counts == {"posts": 1}
    assert posts.item(0, column) == expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, "bad_id"),
        ({"id": 0}, "bad_id"),
        ({"id": "1.5"}, "bad_id"),
        ({"sample_url": "ftp://a.example/b.jpg"}, "bad_url"),
        ({"tags": "a\x00b", "id": None}, "bad_id"),
        (dict.fromkeys(COLUMNS), "bad_id"),
    ],
)
def test_invalid_rows_go_to_the_quarantine(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    counts, posts, quarantine = run_frame(tmp_path, frame_of(changes))
    assert counts == {"posts": 0, reason: 1}
    assert posts.is_empty()
    assert [line[:2] for line in quarantine] == [["2", reason]]
    # The text is one line of CSV again, but for NUL, which no reader of CSV likes.
    text = io.StringIO(quarantine[0][2].replace(r"\x00", "\0"), newline="")
    if "\0" not in text.getvalue():
        fields = ["" if value is None else str(value) for value in (ROW | changes).values()]
        assert list(csv.reader(text)) == [fields]


def test_columns_that_no_post_needs_may_be_missing(tmp_path: Path) -> None:
    counts, posts, _ = run_frame(tmp_path, frame_of({}).select("tags", "id", "sample_url"))
    assert counts == {"posts": 1}
    known = posts.drop(rows.FIELDS[len(COLUMNS) :])
    assert known.rows() == [(7, None, None, None, f"https:{URL}", None, None, "1girl solo", 2)]


def test_columns_may_come_in_any_order_with_others(tmp_path: Path) -> None:
    frame = frame_of({}).with_columns(more=pl.Series([[1, 2]]), line=pl.lit("x"))
    assert run_frame(tmp_path, frame.select(reversed(frame.columns)))[0] == {"posts": 1}


def test_shuffled_file_is_sorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.posts.parquet._BATCH", 64)
    monkeypatch.setattr(metadata, "_SORT_BYTES", 10_000)
    numbers = list(range(1, 1001))
    random.Random(1).shuffle(numbers)
    numbers += numbers[:150]
    rows = [{"id": number, "score": index} for index, number in enumerate(numbers)]
    counts, posts, quarantine = run_frame(tmp_path, frame_of(*rows), row_group_size=300)
    assert counts == {"posts": 1000, "duplicate_id": 150}
    assert posts["id"].to_list() == list(range(1, 1001))
    assert [numbers[line - 2] for line in posts["line"]] == posts["id"].to_list()
    assert [int(line) for line, _, _ in quarantine] == list(range(1002, 1152))
    for line, reason, text in quarantine:
        assert reason == "duplicate_id"
        assert text.split(",")[0] == str(numbers[int(line) - 2])
        assert text.split(",")[3] == str(int(line) - 2)


@pytest.mark.parametrize("engine", ["pandas", "pandas-arrow", "polars"])
def test_converted_csv_is_imported_like_the_csv(tmp_path: Path, engine: str) -> None:
    pytest.importorskip("pyarrow")
    rows = [
        {},
        {"id": 3, "score": None, "tags": ""},
        {"id": 9, "rating": "x"},
        {"id": 3},
        {"id": 10, "score": None, "created_at": 0, "tags": 'say_"hi"  b'},
        {"id": 11, "sample_url": "nowhere"},
    ]
    source = tmp_path / "posts.csv"
    frame_of(*rows).write_csv(source, quote_style="non_numeric")
    converted = tmp_path / "converted"
    if engine == "polars":
        pl.read_csv(source).write_parquet(converted)
    elif engine == "pandas":
        pd.read_csv(source).to_parquet(converted)
    else:
        table = pd.read_csv(source, dtype_backend="pyarrow")
        table.astype({"rating": "category"}).to_parquet(converted, row_group_size=2)
    counts, posts, quarantine = run(source)
    of_parquet = run(converted)
    assert counts == {"posts": 4, "duplicate_id": 1, "bad_url": 1}
    assert of_parquet[0] == counts
    assert of_parquet[1].equals(posts)
    assert [line[:2] for line in of_parquet[2]] == [line[:2] for line in quarantine]


def test_long_rows_are_quarantined_with_their_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_PART_BYTES", 100_000)
    tags = {2: "a" * 40_000, 4: "b" * 1_000_000, 5: "é" * 200_000, 6: "a b" * 9_000}
    frame = frame_of(*({"id": number, "tags": tags.get(number, "solo")} for number in range(1, 9)))
    counts, posts, quarantine = run_frame(tmp_path, frame)
    assert counts == {"posts": 5, "too_long": 3}
    assert posts["id"].to_list() == [1, 3, 6, 7, 8]
    assert [row[:2] for row in quarantine] == [[str(line), "too_long"] for line in (3, 5, 6)]
    for (_, _, text), post_id in zip(quarantine, (2, 4, 5), strict=True):
        line = f"{post_id},1264000000,s,3,{URL},850,1200,{ROW['preview_url']},{tags[post_id]}"
        assert text == line.encode()[: kaggle_csv.MAX_ROW].decode(errors="backslashreplace")


def test_rows_of_one_text_are_changed_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take it once in a dictionary: 1,000 rows of 30 kB are a file of a few kB."""
    monkeypatch.setattr(parquet, "_PART_BYTES", 300_000)
    sizes: list[int] = []
    read = parquet.read_rows

    def read_rows(rows: pl.DataFrame) -> Any:
        sizes.append(rows.height)
        return read(rows)

    monkeypatch.setattr(parquet, "read_rows", read_rows)
    frame = pl.DataFrame({"id": range(1, 1_001), "sample_url": URL, "tags": "a" * 30_000})
    counts, posts, _ = run_frame(tmp_path, frame)
    assert (tmp_path / "posts.parquet").stat().st_size < 100_000
    assert counts == {"posts": 1_000}
    assert posts["id"].to_list() == list(range(1, 1_001))
    assert max(sizes) <= 10


def test_pages_that_unpack_to_too_much_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_MAX_BATCH_BYTES", 1 << 20)
    frame = frame_of(*({"id": number, "tags": str(number) * 1000} for number in range(1, 2000)))
    with pytest.raises(SengaError, match="some rows take more than 1 MiB"):
        run_frame(tmp_path, frame, data_page_size=1 << 30)


def test_progress_counts_rows(tmp_path: Path) -> None:
    frame_of({}, {"id": None}, {"id": 8}).write_parquet(tmp_path / "p")
    reported: list[int] = []
    import_posts(tmp_path / "p", tmp_path / "out.parquet", tmp_path / "q.csv", reported.append)
    assert sum(reported) == 3


FRAME = frame_of({})


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (FRAME.clear(), "holds no posts"),
        (FRAME.drop("id", "tags"), "lacks the columns id, tags"),
        (FRAME.select("id"), "lacks the columns sample_url, tags"),
        (
            FRAME.rename({"sample_url": "file_url", "tags": "tag_string"}),
            "posts of Danbooru.*file_url as sample_url",
        ),
        (FRAME.with_columns(tags=pl.Series([["a", "b"]])), "Column tags .* type List"),
        (FRAME.with_columns(sample_url=pl.Series([True])), "Column sample_url .* type Boolean"),
        (FRAME.with_columns(id=pl.Series([date(2010, 1, 1)])), "Column id .* type Date"),
        (FRAME.with_columns(tags=pl.Series([b"a"])), "Column tags .* type Binary"),
    ],
)
def test_table_of_something_else_is_one_sentence(
    tmp_path: Path, frame: pl.DataFrame, words: str
) -> None:
    with pytest.raises(SengaError, match=words) as caught:
        run_frame(tmp_path, frame)
    assert "posts.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("kept", [4, 12, 0.5, -1])
def test_truncated_file_is_one_sentence(tmp_path: Path, kept: float) -> None:
    FRAME.write_parquet(tmp_path / "posts.parquet")
    content = (tmp_path / "posts.parquet").read_bytes()
    end = kept if isinstance(kept, int) else int(kept * len(content))
    (tmp_path / "posts.parquet").write_bytes(content[:end])
    with pytest.raises(
        SengaError, match=r"posts\.parquet begins like Parquet .*Write it again"
    ) as caught:
        run(tmp_path / "posts.parquet")
    assert "\n" not in str(caught.value)


def test_damaged_pages_are_one_sentence(tmp_path: Path) -> None:
    frame = frame_of(*({"id": number} for number in range(1, 500)))
    frame.write_parquet(tmp_path / "posts.parquet", compression="zstd")
    content = bytearray((tmp_path / "posts.parquet").read_bytes())
    content[4:400] = bytes(396)
    (tmp_path / "posts.parquet").write_bytes(content)
    with pytest.raises(SengaError, match="begins like Parquet but cannot be read"):
        run(tmp_path / "posts.parquet")


def test_path_is_not_a_glob(tmp_path: Path) -> None:
    folder = tmp_path / "id=3" / "a[bc]*"
    folder.mkdir(parents=True)
    FRAME.write_parquet(folder / "posts")
    counts = import_posts(folder / "posts", tmp_path / "out.parquet", tmp_path / "q.csv")
    assert counts == {"posts": 1}
    assert pl.read_parquet(tmp_path / "out.parquet")["id"].to_list() == [7]


FIELDS = st.tuples(
    st.sampled_from(["1", "2", "3", "4", "5", "6", "0", "", "x", "1.0", "-1"]),
    st.sampled_from(["0", "1264000000", "", "null", "then"]),
    st.sampled_from(["s", "general", "x", ""]),
    st.sampled_from(["3", "-3", "", "null", "3.0", "99999999999"]),
    st.sampled_from([URL, "https://a.example/b,c.png", "", "//a", '//a"/b']),
    st.sampled_from(["850", "0", "", "1e3"]),
    st.sampled_from(["1200", "-1", "2147483648"]),
    st.sampled_from(["", "p"]),
    st.sampled_from(["", "null", " a  b ", 'say_"hi"', "a\tb", "\u00e9, b"]),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(FIELDS, min_size=1, max_size=20))
def test_text_is_read_as_in_a_csv(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    with (tmp_path / "posts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    counts, posts, quarantine = run(tmp_path / "posts.csv")
    frame = pl.DataFrame(rows, dict.fromkeys(COLUMNS, pl.String), orient="row")
    of_parquet = run_frame(tmp_path, frame)
    assert of_parquet[0] == counts
    assert of_parquet[1].equals(posts)
    assert of_parquet[2] == quarantine
