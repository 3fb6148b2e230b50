"""How long a build takes that has nothing to do, over a hundred shards.

`python benchmarks/rerun.py` prints a table; `--save` also writes it to `results/rerun.md`. The
reference is the same interpreter that imports the same modules and ends.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness.machine import describe

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
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, cwd=TOP, check=True, capture_output=True)
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def report(runs: int) -> str:
    with tempfile.TemporaryDirectory() as data:
        first = seconds(luigi(data), 1)
        shards = len(list(Path(data).glob("sample/color/*.tar")))
        again = seconds(luigi(data), runs)
    bare = seconds([sys.executable, "-c", "import luigi.cmdline, tasks"], runs)
    return (
        f"# A build with nothing to do\n\n{shards} shards of {POSTS:,} posts; medians of {runs} "
        f"runs.\n{describe(('luigi', 'polars'))}.\n\n"
        "| what | seconds |\n|---|---:|\n"
        f"| the first build | {first:.1f} |\n"
        f"| again, nothing to do | {again:.2f} |\n"
        f"| the imports alone | {bare:.2f} |\n"
        f"| **Luigi's time: the difference** | {again - bare:.2f} |\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--save", action="store_true", help="write results/rerun.md")
    options = parser.parse_args()
    text = report(options.runs)
    sys.stdout.write(text)
    if options.save:
        target = Path(__file__).parent / "results" / "rerun.md"
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
