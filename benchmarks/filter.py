"""Filter a million synthetic posts with Senga, a row loop, pandas and bare polars.

`python benchmarks/filter.py` prints a table; `--save` also writes it to `results/filter.md`.
Each runs in a process of its own, on files that the page cache holds, and must keep the same
number of posts.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.harness.child import in_child, peak_memory
from benchmarks.harness.clock import seconds_of
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.posts.filter import FilterOptions, filter_posts
from pipeline.posts.metadata import import_posts

RECIPE = FilterOptions(extensions=("jpg", "jpeg", "png", "gif"))
WANTED, UNWANTED = RECIPE.all_tags, RECIPE.none_tags
SHARE = {  # of the posts that have the tag
    "white_background": 0.12,
    "solo": 0.5,
    "upper_body": 0.12,
    "pokemon": 0.02,
    "chibi": 0.03,
    "monochrome": 0.06,
}
SHARDS = 150


def make_posts(path: Path, rows: int) -> None:
    """Write a CSV in the Kaggle layout, 519 bytes a row; the same one every time."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(rng.choice(letters, rng.integers(4, 18))) for _ in range(4000)]
    phrases = [
        pl.Series([" ".join(rng.choice(words, 9)) for _ in range(4096)]).gather(
            rng.integers(0, 4096, rows)
        )
        for _ in range(3)
    ]
    has = [
        pl.select(pl.when(pl.Series(rng.random(rows) < share)).then(pl.lit(f"{tag} "))).to_series()
        for tag, share in SHARE.items()
    ]
    digits = rng.bytes(rows * 20).hex()
    digest = pl.Series([digits[40 * row : 40 * row + 40] for row in range(rows)])
    site, folder = "//safebooru.org", pl.Series(rng.integers(1, 3000, rows)).cast(pl.String)
    pl.select(
        id=pl.Series(2 * np.arange(1, rows + 1) + rng.integers(0, 2, rows)),
        created_at=pl.Series(1264000000 + 290 * np.arange(rows)),
        rating=pl.Series(["s", "q", "e"]).gather(rng.choice(3, rows, p=[0.86, 0.12, 0.02])),
        score=pl.Series(rng.integers(0, 20, rows)),
        sample_url=pl.format(f"{site}//samples/{{}}/sample_{{}}.jpg", folder, digest),
        sample_width=pl.Series(rng.integers(300, 1200, rows)),
        sample_height=pl.Series(rng.integers(300, 1200, rows)),
        preview_url=pl.format(f"{site}/thumbnails/{{}}/thumbnail_{{}}.jpg", folder, digest),
        tags=pl.concat_str(
            phrases[0] + " ", *has[:3], phrases[1] + " ", *has[3:], phrases[2], ignore_nulls=True
        ),
    ).write_csv(path, quote_style="non_numeric")


def csv_loop(folder: Path) -> int:
    """A Python loop over the rows of the csv module, counting tag hits as the original did."""
    with (folder / "posts.csv").open(encoding="utf-8", newline="") as file:
        return sum(_passes(row["tags"], row["rating"]) for row in csv.DictReader(file))


def frame_loop(folder: Path) -> int:
    """The same loop over the rows of a pandas table."""
    table = pd.read_csv(folder / "posts.csv", keep_default_na=False)
    return sum(_passes(row["tags"], row["rating"]) for _, row in table.iterrows())


def _passes(tags: str, rating: str) -> bool:
    wanted = unwanted = 0
    for tag in tags.split(" "):
        if tag in WANTED:
            wanted += 1
        if tag in UNWANTED:
            unwanted += 1
    return wanted >= len(WANTED) and not unwanted and rating == "s"


def pandas_table(folder: Path) -> int:
    """Whole columns at once in pandas, with the Arrow reader if it is installed."""
    engine: Literal["pyarrow", "c"] = "pyarrow" if importlib.util.find_spec("pyarrow") else "c"
    table = pd.read_csv(folder / "posts.csv", keep_default_na=False, engine=engine)
    padded = " " + table["tags"] + " "
    keep = table["rating"] == "s"
    for tag in WANTED:
        keep &= padded.str.contains(f" {tag} ", regex=False)
    for tag in UNWANTED:
        keep &= ~padded.str.contains(f" {tag} ", regex=False)
    return len(table[keep])


def bare_csv_scan(folder: Path) -> int:
    """A lazy polars scan of the CSV."""
    scan = pl.scan_csv(folder / "posts.csv", schema_overrides={"tags": pl.String})
    return _bare(scan.select("id", "sample_url", "rating", "tags"))


def bare_posts_scan(folder: Path) -> int:
    """A lazy polars scan of the imported posts."""
    return _bare(pl.scan_parquet(folder / "posts.parquet").select("id", "url", "rating", "tags"))


def _bare(scan: pl.LazyFrame) -> int:
    padded = " " + pl.col("tags") + " "
    keep = [pl.col("rating") == "s"]
    keep += [padded.str.contains(f" {tag} ", literal=True) for tag in WANTED]
    keep += [~padded.str.contains(f" {tag} ", literal=True) for tag in UNWANTED]
    return scan.filter(keep).collect(engine="streaming").height


def senga_import(folder: Path) -> int:
    """Senga: import alone."""
    return import_posts(folder / "posts.csv", folder / "posts.parquet", folder / "q.csv")["posts"]


def senga_filter(folder: Path) -> int:
    """Senga: filter, funnel and shards."""
    rows = pl.scan_parquet(folder / "posts.parquet").select(pl.col("id").max()).collect().item()
    shards = folder / "shards"
    shards.mkdir(exist_ok=True)
    return filter_posts(folder / "posts.parquet", shards, RECIPE, rows // SHARDS + 1).kept


def senga_both(folder: Path) -> int:
    """Senga: import and filter."""
    senga_import(folder)
    return senga_filter(folder)


WAYS: dict[str, tuple[str, Callable[[Path], int], int]] = {  # name: (label, function, runs)
    "frame_loop": ("row loop over a pandas table", frame_loop, 1),
    "csv_loop": ("row loop over the csv module", csv_loop, 1),
    "pandas_table": ("pandas, whole columns", pandas_table, 3),
    "bare_csv_scan": ("bare polars scan of the CSV", bare_csv_scan, 5),
    "senga_import": ("**Senga**, import of the CSV: checks, quarantine, parquet", senga_import, 5),
    "senga_both": ("**Senga**, import and filter", senga_both, 5),
    "bare_posts_scan": ("bare polars scan of the imported posts", bare_posts_scan, 5),
    "senga_filter": ("**Senga**, filter with funnel and 150 shards", senga_filter, 5),
}
BARE = {  # what each way is compared with
    "bare_csv_scan": "bare_csv_scan",
    "senga_import": "bare_csv_scan",
    "senga_both": "bare_csv_scan",
    "bare_posts_scan": "bare_posts_scan",
    "senga_filter": "bare_posts_scan",
}


def measure(way: str, folder: Path) -> dict[str, float]:
    """Run one way in this process.

    Returns:
        Median seconds, peak memory of the process in MB, and how many posts were kept.
    """
    _, function, runs = WAYS[way]
    kept: list[int] = []
    seconds = [seconds_of(lambda: kept.append(function(folder))) for _ in range(runs)]
    return {"seconds": statistics.median(seconds), "peak": peak_memory(), "kept": kept[-1]}


def measured(rows: int) -> tuple[float, dict[str, dict[str, float]]]:
    """Megabytes of the CSV, and what `measure` says of each way."""
    with tempfile.TemporaryDirectory() as folder:
        posts = Path(folder) / "posts.csv"
        in_child(__file__, "--make", str(posts), "--rows", str(rows))
        size = posts.stat().st_size / 1e6
        return size, {way: json.loads(in_child(__file__, "--measure", way, folder)) for way in WAYS}


def report(posts: int, size: float, results: dict[str, dict[str, float]]) -> str:
    """Return the page of results."""
    kept = {row["kept"] for way, row in results.items() if way != "senga_import"}
    assert len(kept) == 1, results
    columns = [
        ("way", "s"),
        ("seconds", ".2f"),
        ("times the row loop", ".1f"),
        ("times a bare scan's seconds", ".2f"),
        ("peak memory, MB", ".0f"),
    ]
    rows = []
    for way, (label, _, _) in WAYS.items():
        seconds, peak = results[way]["seconds"], results[way]["peak"]
        loop = results["frame_loop"]["seconds"] / seconds
        bare = seconds / results[BARE[way]]["seconds"] if way in BARE else ""
        rows.append((label, seconds, loop, bare, peak))
    return page(
        "Filter",
        f"{posts:,} posts, {size:.0f} MB; {kept.pop():,.0f} pass.",
        ("numpy", "polars", "pandas"),
        table(columns, rows),
        "Seconds are the median of 5 runs (pandas: 3, loops: 1). Row loop: the one\n"
        "over a pandas table. The bare scans do the same tests, but no checks, no funnel and no "
        "files.",
    )


def main() -> None:
    parser = make_parser(__doc__, "filter.md")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.make:
        make_posts(args.make, args.rows)
    elif args.measure:
        way, folder = args.measure
        sys.stdout.write(json.dumps(measure(way, Path(folder))))
    else:
        publish(report(args.rows, *measured(args.rows)), "filter.md", save=args.save)


if __name__ == "__main__":
    main()
