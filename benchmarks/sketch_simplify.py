"""Sketch and simplify a shard, against the bare compute on pictures in memory.

`python benchmarks/sketch_simplify.py` prints a table; `--save` also writes it to
`results/sketch_simplify.md`.

Senga's way reads pictures from a tar, decodes, resizes, draws, encodes PNG and writes tars. The
bare ways compute on arrays in memory, with a thread per core, and throw the results away: the
models alone on arrays that have the working size, and the same with the resizing before them.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.clock import median_ratio, time_in_turns
from benchmarks.harness.drawings import CENTERLINE, SIZE, XDOG, line_maps, write_pictures
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.draw.simplify import SimplifyOptions, simplify_shard
from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import OK
from pipeline.picture import decode, keep_freed_memory, resize_long_side

MODELS, RESIZING = "models, arrays in memory", "resizing and models, arrays in memory"
SENGA = "**Senga**, both stages, tar to tar"


def bare(pictures: Sequence[NDArray[np.uint8]]) -> None:
    """Run the models alone, and the resizing of pictures that do not have the working size."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(line_maps, pictures))


def senga(color: Path, ids: Sequence[int], folder: Path) -> None:
    """Run both stages, files included."""
    sketches, lines = folder / "sketch.tar", folder / "line.tar"
    outcomes = sketch_shard(color, ids, sketches, XDOG, SketchOptions())
    outcomes += simplify_shard(sketches, lines, CENTERLINE, SimplifyOptions())
    assert all(outcome.code == OK for outcome in outcomes)


def measure(count: int, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each way."""
    keep_freed_memory()  # as the stages do
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        color = folder / "color.tar"
        files = write_pictures(color, count)
        pictures = [decode(content) for content in files.values()]
        small = [resize_long_side(picture, SIZE) for picture in pictures]
        bare(pictures[:4])
        ways = {
            MODELS: lambda: bare(small),
            RESIZING: lambda: bare(pictures),
            SENGA: lambda: senga(color, list(files), folder),
        }
        return time_in_turns(ways, repeats)


def report(runs: dict[str, list[float]], count: int) -> str:
    """Return the page of results."""
    columns = [
        ("way", "s"),
        ("seconds", ".2f"),
        ("pictures/s", ".1f"),
        ("times the models", ".2f"),
        ("times resizing and models", ".2f"),
    ]
    rows = []
    for way, seconds in runs.items():
        median = statistics.median(seconds)
        ratios = (median_ratio(seconds, runs[other]) for other in (MODELS, RESIZING))
        rows.append((way, median, count / median, *ratios))
    return page(
        "Sketch and simplify",
        f"{count} pictures, long side {SIZE}, three styles each; median of {len(runs[SENGA])} "
        "runs.",
        ("numpy", "opencv-python-headless", "scikit-image", "pillow", "isal"),
        table(columns, rows),
    )


def main() -> None:
    parser = make_parser(__doc__, "sketch_simplify.md")
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    runs = measure(args.pictures, args.repeats)
    publish(report(runs, args.pictures), "sketch_simplify.md", save=args.save)


if __name__ == "__main__":
    main()
