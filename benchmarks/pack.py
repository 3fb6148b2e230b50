"""Packs a shard, against the bare decode, resize and write of the same pictures.

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
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import h5py
import numpy as np
import polars as pl
from machine import describe
from numpy.typing import NDArray
from PIL import Image

from pipeline.outcome import OK
from pipeline.pack.pack import PackOptions, ShardPaths, pack
from pipeline.picture import decode, decode_grey, encode_png, fit, keep_freed_memory
from pipeline.sample_booru.artist import draw
from pipeline.shard import ShardReader, write_shard
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions

SIZE = 256
DISTINCT = 50  # drawings that the pictures repeat
ATTRIBUTES = {"dataset": "benchmark", "split": "train", "fingerprint": "", "config": "{}"}


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).resize((850, 1200)).save(file, "jpeg", quality=92)
    return file.getvalue()


def make(folder: Path, pictures: int) -> None:
    """Writes the shard: JPEGs of 850 x 1200 and line maps of 544 x 768."""
    contents, maps = [], []
    for post_id in range(DISTINCT):
        content = jpeg(draw(post_id).color)
        (ink,) = Xdog(XdogOptions()).extract_lines([fit(decode(content), 768)])
        lines = Centerline(CenterlineOptions()).simplify(
            [ink_to_sketch(ink, style) for style in STYLES]
        )
        contents.append(content)
        maps.append({f"{s}.png": encode_png(m) for s, m in zip(STYLES, lines, strict=True)})
    ids = range(1, pictures + 1)
    write_shard(folder / "color.tar", ((i, {"jpg": contents[i % DISTINCT]}) for i in ids))
    write_shard(folder / "line.tar", ((i, maps[i % DISTINCT]) for i in ids))
    tags = pl.DataFrame({"id": list(ids), "tags": ["solo white_background"] * pictures})
    tags.write_parquet(folder / "posts.parquet")


def whole(folder: Path) -> float:
    """Seconds of `pack`."""
    posts, color, line = (folder / name for name in ("posts.parquet", "color.tar", "line.tar"))
    paths = ShardPaths(posts=posts, color=color, sketches={}, lines={"": line})
    ids = pl.read_parquet(posts)["id"].to_list()
    started = time.perf_counter()
    outcomes = pack(
        folder / "train.h5", ids, [paths], PackOptions(size=SIZE), attributes=ATTRIBUTES
    )
    assert all(outcome.code == OK for outcome in outcomes)
    return time.perf_counter() - started


def bare(folder: Path) -> float:
    """Seconds of decoding, resizing and writing alone."""
    keep_freed_memory()
    started = time.perf_counter()
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
    return time.perf_counter() - started


def in_child(folder: Path, way: str) -> dict[str, float]:
    """Seconds and peak memory (MB) of one way, in a process of its own."""
    command = [sys.executable, __file__, "--measure", way, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def measure(way: str, folder: Path) -> None:
    seconds = {"whole": whole, "bare": bare}[way](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="write results/pack.md")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]))
        return
    with tempfile.TemporaryDirectory() as top:
        small, large = Path(top) / "1k", Path(top) / "10k"
        for folder, pictures in ((small, 1_000), (large, 10_000)):
            folder.mkdir()
            make(folder, pictures)
        runs = [(in_child(small, "bare"), in_child(small, "whole")) for _ in range(options.repeats)]
        many = in_child(large, "whole")
    report(runs, many, options.save)


def report(
    runs: list[tuple[dict[str, float], dict[str, float]]], many: dict[str, float], save: bool
) -> None:
    ratio = statistics.median(whole["seconds"] / bare["seconds"] for bare, whole in runs)
    medians = [
        {key: statistics.median(run[way][key] for run in runs) for key in ("seconds", "peak")}
        for way in (0, 1)
    ]
    rows = [
        ("bare decode, resize and write", 1_000, medians[0], "1.00"),
        ("**Senga**", 1_000, medians[1], f"{ratio:.2f}"),
        ("**Senga**", 10_000, many, ""),
    ]
    lines = ["| way | pictures | seconds | pictures/s | times the bare way | peak memory, MB |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for way, count, run, times in rows:
        rate = count / run["seconds"]
        lines.append(
            f"| {way} | {count:,} | {run['seconds']:.1f} | {rate:.0f} | {times} | "
            f"{run['peak']:.0f} |"
        )
    text = (
        f"# Pack\n\nColour of 850 x 1200 (JPEG) and three line maps of 544 x 768 (PNG), to {SIZE}; "
        f"median of {len(runs)} runs, of the ratio too.\n"
        f"{describe(('numpy', 'h5py', 'pillow', 'opencv-python-headless'))}.\n\n"
        + "\n".join(lines)
        + "\n"
    )
    sys.stdout.write(text)
    if save:
        target = Path(__file__).parent / "results" / "pack.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
