"""Pack a shard, against the bare decode, resize and write of the same pictures.

`python benchmarks/pack.py` prints a table; `--save` also writes it to `results/pack.md`.

The bare way decodes each JPEG and its three line maps, resizes them by area to the square and
writes them into uncompressed h5py datasets, with a thread per core; it has no box, no check, no
digest, no tags and no compression, but it keeps freed memory as `pack` does. Memory is that of
a process that packs and nothing else; its many pictures are the same bytes under many ids.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import h5py
import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.child import in_child, peak_memory
from benchmarks.harness.clock import median_ratio, seconds_of
from benchmarks.harness.drawings import line_maps
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.outcome import OK
from pipeline.pack.pack import PackOptions, ShardPaths, pack
from pipeline.picture import decode, decode_grey, encode_png, keep_freed_memory
from pipeline.sample_booru.artist.draw import draw
from pipeline.shard import ShardReader, write_shard
from sketch_models.styles import STYLES

SIZE = 256
DISTINCT = 50  # drawings that the pictures repeat
ATTRIBUTES = {"dataset": "benchmark", "split": "train", "fingerprint": "", "config": "{}"}


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).resize((850, 1200)).save(file, "jpeg", quality=92)
    return file.getvalue()


def make_shard(folder: Path, pictures: int) -> None:
    """Write the shard: JPEGs of 850 x 1200 and line maps of 544 x 768."""
    contents, maps = [], []
    for post_id in range(DISTINCT):
        content = jpeg(draw(post_id).color)
        lines = line_maps(decode(content))
        contents.append(content)
        maps.append({f"{style}.png": encode_png(line) for style, line in lines.items()})
    ids = range(1, pictures + 1)
    write_shard(folder / "color.tar", ((i, {"jpg": contents[i % DISTINCT]}) for i in ids))
    write_shard(folder / "line.tar", ((i, maps[i % DISTINCT]) for i in ids))
    tags = pl.DataFrame({"id": list(ids), "tags": ["solo white_background"] * pictures})
    tags.write_parquet(folder / "posts.parquet")


def senga(folder: Path) -> None:
    """Run `pack` as the build does."""
    posts, color, line = (folder / name for name in ("posts.parquet", "color.tar", "line.tar"))
    paths = ShardPaths(posts=posts, color=color, sketches={}, lines={"": line}, screen=folder)
    ids = pl.read_parquet(posts)["id"].to_list()
    outcomes = pack(
        folder / "train.h5", ids, [paths], PackOptions(size=SIZE), attributes=ATTRIBUTES
    )
    assert all(outcome.code == OK for outcome in outcomes)


def bare(folder: Path) -> None:
    """Decode, resize and write, and nothing else."""
    keep_freed_memory()
    with (
        ShardReader(folder / "color.tar") as color,
        ShardReader(folder / "line.tar") as line,
        h5py.File(folder / "bare.h5", "w") as file,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        count = len(color.ids)
        shapes = {"color": (SIZE, SIZE, 3)} | dict.fromkeys(STYLES, (SIZE, SIZE))
        sets = {
            name: file.create_dataset(name, (count, *shape), "u1", chunks=(1, *shape))
            for name, shape in shapes.items()
        }

        def load(post_id: int) -> list[NDArray[np.uint8]]:
            pictures = [decode(color.read(post_id, "jpg"))]
            pictures += [decode_grey(line.read(post_id, f"{style}.png")) for style in STYLES]
            return [
                np.asarray(cv2.resize(p, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
                for p in pictures
            ]

        for start in range(0, count, 64):
            for row, pictures in enumerate(pool.map(load, color.ids[start : start + 64]), start):
                for data, picture in zip(sets.values(), pictures, strict=True):
                    data[row] = picture


@dataclass(frozen=True, kw_only=True)
class Run:
    """Seconds and peak memory of one way."""

    seconds: float
    peak: float  # MB, of a process of its own


def measure(way: str, folder: Path) -> Run:
    """Run one way in this process."""
    work = {"senga": senga, "bare": bare}[way]
    return Run(seconds=seconds_of(lambda: work(folder)), peak=peak_memory())


def measure_in_child(way: str, folder: Path) -> Run:
    """Run one way in a process of its own."""
    return Run(**json.loads(in_child(__file__, "--measure", way, str(folder))))


def measure_all(repeats: int) -> tuple[list[Run], list[Run], Run]:
    """Run the bare way and `pack` with 1,000 pictures, in turns, and `pack` with 10,000."""
    with tempfile.TemporaryDirectory() as top:
        small, large = Path(top) / "1k", Path(top) / "10k"
        for folder, pictures in ((small, 1_000), (large, 10_000)):
            folder.mkdir()
            make_shard(folder, pictures)
        runs = [
            (measure_in_child("bare", small), measure_in_child("senga", small))
            for _ in range(repeats)
        ]
        return [run for run, _ in runs], [run for _, run in runs], measure_in_child("senga", large)


def report(bare_runs: list[Run], senga_runs: list[Run], large_run: Run) -> str:
    """Return the page of results."""
    columns = [
        ("way", "s"),
        ("pictures", ","),
        ("seconds", ".1f"),
        ("pictures/s", ".0f"),
        ("times the bare way", ".2f"),
        ("peak memory, MB", ".0f"),
    ]
    ratio = median_ratio([run.seconds for run in senga_runs], [run.seconds for run in bare_runs])

    def row(way: str, count: int, runs: list[Run], times: float | str) -> tuple[object, ...]:
        seconds = statistics.median(run.seconds for run in runs)
        peak = statistics.median(run.peak for run in runs)
        return way, count, seconds, count / seconds, times, peak

    rows = [
        row("bare decode, resize and write", 1_000, bare_runs, 1.0),
        row("**Senga**", 1_000, senga_runs, ratio),
        row("**Senga**", 10_000, [large_run], ""),
    ]
    return page(
        "Pack",
        f"Colour of 850 x 1200 (JPEG) and three line maps of 544 x 768 (PNG), to {SIZE}; "
        f"median of {len(senga_runs)} runs, of the ratio too.",
        ("numpy", "h5py", "pillow", "opencv-python-headless"),
        table(columns, rows),
    )


def main() -> None:
    parser = make_parser(__doc__, "pack.md")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        way, folder = args.measure
        sys.stdout.write(json.dumps(asdict(measure(way, Path(folder)))))
    else:
        publish(report(*measure_all(args.repeats)), "pack.md", save=args.save)


if __name__ == "__main__":
    main()
