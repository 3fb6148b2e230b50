"""Sketching and simplifying a shard, against the bare compute on pictures in memory.

`python benchmarks/sketch_simplify.py` prints a table; `--save` also writes it to
`results/sketch_simplify.md`.

The whole way reads pictures from a tar, decodes, resizes, draws, encodes PNG and writes tars. The
bare ways compute on arrays in memory, with a thread per core, and throw the results away: the
models alone on arrays that have the working size, and the same with the resizing before them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import numpy as np
from machine import describe
from numpy.typing import NDArray

from pipeline.draw.simplify import SimplifyOptions, simplify_shard
from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import OK
from pipeline.picture import decode, fit, keep_freed_memory, sniff
from pipeline.sample_booru.catalogue import post
from pipeline.sample_booru.server import picture
from pipeline.shard import write_shard
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions

XDOG, CENTERLINE = Xdog(XdogOptions()), Centerline(CenterlineOptions())
FIRST = 30_000  # post id
WAYS = (
    "models, arrays in memory",
    "resizing and models, arrays in memory",
    "**Senga**, both stages, tar to tar",
)


def bare(pictures: Sequence[NDArray[np.uint8]]) -> float:
    """Seconds of computing alone; pictures that have the working size already stay as they are."""

    def one(picture: NDArray[np.uint8]) -> None:
        (ink,) = XDOG.extract_lines([fit(picture, SketchOptions().size)])
        CENTERLINE.simplify([ink_to_sketch(ink, style) for style in STYLES])

    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, pictures))
    return time.perf_counter() - started


def whole(color: Path, ids: Sequence[int], folder: Path) -> float:
    """Seconds of both stages, files included."""
    started = time.perf_counter()
    sketches, lines = folder / "sketch.tar", folder / "line.tar"
    outcomes = sketch_shard(color, ids, sketches, XDOG, SketchOptions())
    outcomes += simplify_shard(sketches, lines, CENTERLINE, SimplifyOptions())
    seconds = time.perf_counter() - started
    assert all(outcome.code == OK for outcome in outcomes)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--save", action="store_true", help="write results/sketch_simplify.md")
    options = parser.parse_args()
    keep_freed_memory()  # as the stages do
    ids = list(islice((i for i in count(FIRST) if post(i).fate != "truncated"), options.pictures))
    with tempfile.TemporaryDirectory() as folder:
        color = Path(folder) / "color.tar"
        files = {post_id: picture(post_id) for post_id in ids}
        write_shard(color, ((i, {sniff(content): content}) for i, content in files.items()))
        pictures = [decode(content) for content in files.values()]
        small = [fit(picture, SketchOptions().size) for picture in pictures]
        bare(pictures[:4])
        runs = np.array(
            [
                (bare(small), bare(pictures), whole(color, ids, Path(folder)))
                for _ in range(options.repeats)
            ]
        )
    lines = [
        "| way | seconds | pictures/s | times the models | times resizing and models |",
        "|---|---:|---:|---:|---:|",
    ]
    for column, label in enumerate(WAYS):
        seconds = np.median(runs[:, column])
        models, computing = (np.median(runs[:, column] / runs[:, other]) for other in (0, 1))
        rate = options.pictures / seconds
        lines.append(f"| {label} | {seconds:.2f} | {rate:.1f} | {models:.2f} | {computing:.2f} |")
    text = (
        f"# Sketch and simplify\n\n{options.pictures} pictures, long side {SketchOptions().size}, "
        f"three styles each; median of {options.repeats} runs.\n"
        f"{describe(('numpy', 'opencv-python-headless', 'scikit-image', 'pillow', 'isal'))}.\n\n"
        + "\n".join(lines)
        + "\n"
    )
    sys.stdout.write(text)
    if options.save:
        target = Path(__file__).parent / "results" / "sketch_simplify.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
