"""Import tables of a million posts, and read them with bare polars and the same checks.

`python benchmarks/import_tables.py` prints a table; `--save` also writes it to
`results/import_tables.md`. The two take turns on files that the page cache holds, and must write
the same table. Bare polars knows the columns, their types and the layout, and makes the same checks
as one query; it drops a row that fails one of them, or ends.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.filter import make_posts
from benchmarks.harness.clock import median_ratio, time_in_turns
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.posts.fields import INT32, MAX_SECONDS, is_untidy
from pipeline.posts.kaggle_csv import MAX_ROW
from pipeline.posts.metadata import ROW_GROUP, import_table
from pipeline.posts.rows import POSTS
from pipeline.posts.table_source import TableOptions, TableSource

RATINGS = {"s": "s", "g": "s", "q": "q", "e": "e"}
URL = r'^(?i:https?:)?//[^\x00-\x20"/?#]+/[^\x00-\x20"]+$'
KINDS = ("artist", "character", "copyright", "meta")
COLUMNS = {"id": "post_id", "url": "link", "tags": "labels", "width": "w", "height": "h"}
JSON_TYPES = {
    **dict.fromkeys(("id", "score", "image_width", "image_height"), pl.Int64),
    **dict.fromkeys(
        (
            "created_at",
            "rating",
            "file_url",
            "tag_string",
            "source",
            *(f"tag_string_{k}" for k in KINDS),
        ),
        pl.String,
    ),
}


def make_tables(folder: Path, rows: int) -> None:
    """Write the same posts as a CSV with a header of its own, and as Danbooru tells them."""
    make_posts(folder / "kaggle.csv", rows)
    posts = pl.read_csv(folder / "kaggle.csv", schema_overrides={"tags": pl.String})
    names = {"sample_url": "link", "sample_width": "w", "sample_height": "h"}
    posts.rename({"id": "post_id", "tags": "labels", **names}).write_csv(
        folder / "table.csv", quote_style="non_numeric"
    )
    time = pl.from_epoch("created_at").dt.strftime("%Y-%m-%dT%H:%M:%S.%3f-04:00")
    danbooru = posts.select(
        "id",
        "rating",
        "score",
        created_at=time,
        source=pl.format("https://a.example/art/{}", "id"),
        md5=pl.col("sample_url").str.extract("_([0-9a-f]{32})"),
        image_width="sample_width",
        image_height="sample_height",
        file_ext=pl.lit("jpg"),
        tag_string="tags",
        tag_string_general="tags",
        tag_string_artist=pl.lit("someone"),
        tag_string_character=pl.lit(""),
        tag_string_copyright=pl.lit("original"),
        tag_string_meta=pl.lit("highres"),
        file_url="https:" + pl.col("sample_url"),
        large_file_url="https:" + pl.col("sample_url"),
        is_deleted=pl.lit(False),
        fav_count=pl.col("score") + 3,
    )
    danbooru.write_ndjson(folder / "table.jsonl")
    danbooru.write_parquet(folder / "table.parquet")


def bare_csv(folder: Path) -> int:
    posts = pl.scan_csv(folder / "table.csv", row_index_name="line", row_index_offset=2).select(
        "line",
        id="post_id",
        created_at="created_at",
        rating="rating",
        score="score",
        url="link",
        width="w",
        height="h",
        tags="labels",
        **dict.fromkeys((*KINDS, "source", "post_url"), pl.lit(None, pl.String)),
    )
    return _bare(posts, folder, texts=["tags"])


def bare_jsonl(folder: Path) -> int:
    scan = pl.scan_ndjson(
        folder / "table.jsonl", schema=JSON_TYPES, row_index_name="line", row_index_offset=1
    )
    return _bare(_danbooru(scan), folder, texts=["tags", "source", *KINDS])


def bare_parquet(folder: Path) -> int:
    scan = pl.scan_parquet(folder / "table.parquet", row_index_name="line", row_index_offset=2)
    return _bare(_danbooru(scan), folder, texts=["tags", "source", *KINDS])


def _danbooru(scan: pl.LazyFrame) -> pl.LazyFrame:
    return scan.select(
        "line",
        "id",
        "rating",
        "score",
        "source",
        created_at=pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z").dt.epoch("s"),
        url="file_url",
        width="image_width",
        height="image_height",
        tags="tag_string",
        post_url=pl.format("https://danbooru.donmai.us/posts/{}", "id"),
        **{kind: pl.col(f"tag_string_{kind}") for kind in KINDS},
    )


def _bare(scan: pl.LazyFrame, folder: Path, texts: list[str]) -> int:
    good = scan.filter(
        pl.col("id") > 0,
        pl.col("url").str.contains(URL) & ~pl.col("url").str.contains("&", literal=True),
        pl.col("created_at").is_between(-MAX_SECONDS, MAX_SECONDS),
        pl.col("score").is_between(-INT32, INT32),
        pl.col("width").is_between(1, INT32) & pl.col("height").is_between(1, INT32),
        pl.sum_horizontal(pl.col("url", *texts).str.len_bytes()) <= MAX_ROW,
        *(~is_untidy(pl.col(name)) for name in texts),
        ~pl.any_horizontal(pl.col(texts).str.contains(r"[\x00-\x1f]")),
    ).with_columns(
        pl.col("rating").replace_strict(RATINGS, default=None),
        pl.col("score", "width", "height").cast(pl.Int32),
        pl.when(pl.col("url").str.starts_with("//"))
        .then("https:" + pl.col("url"))
        .otherwise("url")
        .alias("url"),
        *(pl.when(pl.col(name) != "").then(name) for name in texts if name != "tags"),
    )
    posts = good.select(pl.col(name).cast(dtype) for name, dtype in POSTS.items())
    table = posts.collect(engine="streaming")
    table = table.filter(pl.col("id").is_first_distinct())
    table.write_parquet(folder / "bare.parquet", compression="lz4", row_group_size=ROW_GROUP)
    return table.height


def senga(folder: Path, name: str, columns: dict[str, str]) -> int:
    source = TableSource(folder / name, TableOptions(columns=columns))
    return import_table(source, folder / "posts.parquet", folder / "quarantine.csv")["posts"]


TABLES: dict[str, tuple[str, Callable[[Path], int], dict[str, str]]] = {
    "table.csv": ("CSV, columns mapped by hand", bare_csv, COLUMNS),
    "table.jsonl": ("JSON lines of Danbooru's", bare_jsonl, {}),
    "table.parquet": ("Parquet with Danbooru's columns", bare_parquet, {}),
}


def measured(rows: int, repeats: int) -> list[tuple[object, ...]]:
    """Return label, size in MB, seconds of bare polars and of Senga, and their ratio."""
    results: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_tables(folder, rows)
        for name, (label, bare, columns) in TABLES.items():
            assert bare(folder) == senga(folder, name, columns)
            tables = [pl.read_parquet(folder / made) for made in ("bare.parquet", "posts.parquet")]
            assert tables[0].equals(tables[1])
            seconds = time_in_turns(
                {"bare": partial(bare, folder), "senga": partial(senga, folder, name, columns)},
                repeats,
            )
            ratio = median_ratio(seconds["senga"], seconds["bare"])
            times = [statistics.median(seconds[way]) for way in ("bare", "senga")]
            results.append((label, (folder / name).stat().st_size / 1e6, *times, ratio))
    return results


def main() -> None:
    parser: argparse.ArgumentParser = make_parser(__doc__, "import_tables.md")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    columns = [
        ("table", "s"),
        ("MB", ".0f"),
        ("bare polars, s", ".2f"),
        ("**Senga**, s", ".2f"),
        ("times bare polars", ".2f"),
    ]
    text = page(
        "Import of tables",
        f"{args.rows:,} posts.",
        ("numpy", "polars"),
        table(columns, measured(args.rows, args.repeats)),
        f"Seconds are the median of {args.repeats} runs, the ratio that of the ratios of runs in\n"
        "turn. Bare polars knows the columns and their types, makes the same checks in one query,\n"
        "and writes the same table; it has no quarantine, and one odd row stops it or is lost.",
    )
    publish(text, "import_tables.md", save=args.save)


if __name__ == "__main__":
    main()
