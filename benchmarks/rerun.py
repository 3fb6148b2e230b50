"""Measure a build of a hundred shards that has nothing to do.

`python benchmarks/rerun.py` prints a table; `--save` also writes it to `results/rerun.md`. The
reference is the same interpreter that imports the same modules and ends.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness.clock import seconds_of
from benchmarks.harness.report import make_parser, page, publish, table

TOP = Path(__file__).parents[1]
POSTS = 1000
WIDTH = 100  # post ids per shard


def luigi(data: str) -> list[str]:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    shards = ["--metadata-sample-posts", str(POSTS), "--build-shard-width", str(WIDTH)]
    small = ["--sketch-size", "128", "--pack-size", "32", "--build-data", data]
    return [*command, *shards, *small]


def median_seconds(command: list[str], runs: int) -> float:
    """Return the median seconds of a command."""
    return statistics.median(
        seconds_of(lambda: subprocess.run(command, cwd=TOP, check=True, capture_output=True))
        for _ in range(runs)
    )


def run(runs: int) -> str:
    """Return the page of results."""
    with tempfile.TemporaryDirectory() as data:
        first = median_seconds(luigi(data), 1)
        shards = len(list(Path(data).glob("sample/color/*.tar")))
        again = median_seconds(luigi(data), runs)
    bare = median_seconds([sys.executable, "-c", "import luigi.cmdline, tasks"], runs)
    rows = [
        ("the first build", f"{first:.1f}"),
        ("again, nothing to do", again),
        ("the imports alone", bare),
        ("**Luigi's time: the difference**", again - bare),
    ]
    return page(
        "A build with nothing to do",
        f"{shards} shards of {POSTS:,} posts; medians of {runs} runs.",
        ("luigi", "polars"),
        table([("what", "s"), ("seconds", ".2f")], rows),
    )


def main() -> None:
    parser = make_parser(__doc__, "rerun.md")
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    publish(run(args.runs), "rerun.md", save=args.save)


if __name__ == "__main__":
    main()
