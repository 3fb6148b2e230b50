"""How long a build takes that has nothing to do, over a hundred shards.

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
from benchmarks.harness.report import options, page, publish, table

TOP = Path(__file__).parents[1]
POSTS = 1000
WIDTH = 100  # post ids per shard


def luigi(data: str) -> list[str]:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    many = ["--metadata-sample-posts", str(POSTS), "--build-shard-width", str(WIDTH)]
    small = ["--sketch-size", "128", "--pack-size", "32", "--build-data", data]
    return [*command, *many, *small]


def seconds(command: list[str], runs: int) -> float:
    """The median of some runs."""
    return statistics.median(
        seconds_of(lambda: subprocess.run(command, cwd=TOP, check=True, capture_output=True))
        for _ in range(runs)
    )


def measured(runs: int) -> str:
    """The page."""
    with tempfile.TemporaryDirectory() as data:
        first = seconds(luigi(data), 1)
        shards = len(list(Path(data).glob("sample/color/*.tar")))
        again = seconds(luigi(data), runs)
    bare = seconds([sys.executable, "-c", "import luigi.cmdline, tasks"], runs)
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
    parser = options(__doc__, "rerun.md")
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    publish(measured(args.runs), "rerun.md", save=args.save)


if __name__ == "__main__":
    main()
