"""Export a shard in every format, against the bare encode and write of the same pictures.

`python benchmarks/export.py` prints a table; `--save` also writes it to `results/export.md`.

The bare way decodes each JPEG and its line map, resizes them by area to the same size, encodes both
as PNG with the same encoders and writes them, a file each, with a thread per core; it has no
captions, no checks, no digests, no records to resume from, and does not wait for the disk. Memory
is that of a process that exports and nothing else.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.child import in_child, peak_memory
from benchmarks.harness.clock import median_ratio, seconds_of
from benchmarks.harness.drawings import line_maps
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.export.card import CardFacts
from pipeline.export.drawings import choose_drawings
from pipeline.export.export import export
from pipeline.export.formats import FORMATS
from pipeline.export.options import ExportOptions
from pipeline.export.post import Post
from pipeline.export.read import Plan
from pipeline.pack.pack import ShardPaths
from pipeline.pack.square import resample
from pipeline.picture import decode, decode_grey, encode_png, keep_freed_memory
from pipeline.sample_booru.artist.draw import draw
from pipeline.shard import ShardReader, write_shard

SIZE = 512
DISTINCT = 50  # drawings that the pictures repeat
FACTS = CardFacts(dataset="benchmark", version="", recipe={}, steps=[], drawn=True)
BARE = "bare"


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).resize((850, 1200)).save(file, "jpeg", quality=92)
    return file.getvalue()


def make_shard(folder: Path, pictures: int) -> None:
    """Write the shard: JPEGs of 850 x 1200 and a line map of 544 x 768."""
    distinct = min(DISTINCT, pictures)
    contents, maps = [], []
    for post_id in range(distinct):
        content = jpeg(draw(post_id).color)
        contents.append(content)
        maps.append({"original.png": encode_png(line_maps(decode(content))["original"])})
    ids = range(1, pictures + 1)
    write_shard(folder / "color.tar", ((i, {"jpg": contents[i % distinct]}) for i in ids))
    write_shard(folder / "line.tar", ((i, maps[i % distinct]) for i in ids))
    schema = {"id": pl.Int64, **dict.fromkeys(list(Post.__dataclass_fields__)[1:], pl.String)}
    rows = [{"id": i, "tags": "solo white_background upper_body"} for i in ids]
    pl.DataFrame(rows, schema).write_parquet(folder / "posts.parquet")


def senga(folder: Path, name: str) -> None:
    """Export as the task does."""
    options = ExportOptions(format=name, size=SIZE)
    paths = ShardPaths(
        posts=folder / "posts.parquet",
        color=folder / "color.tar",
        screen=folder / "screen.parquet",
        sketches={},
        lines={"": folder / "line.tar"},
    )
    ids = pl.read_parquet(paths.posts)["id"].to_list()
    split = {i: "test" if i == ids[-1] else "train" for i in ids}
    plan = Plan(options=options, drawings=choose_drawings([""], [""], options))
    done = export(folder / "out", split, [paths], plan, FACTS, fingerprint="")
    assert sum(done.counts.values()) == len(ids)


def bare(folder: Path) -> None:
    """Decode, resize, encode and write, and nothing else."""
    keep_freed_memory()
    for name in ("color", "line"):
        (folder / "out" / name).mkdir(parents=True)
    with (
        ShardReader(folder / "color.tar") as color,
        ShardReader(folder / "line.tar") as line,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):

        def write(post_id: int) -> None:
            picture = decode(color.read(post_id, "jpg"))
            scale = SIZE / max(picture.shape)
            height, width = (round(side * scale) for side in picture.shape[:2])
            drawing = decode_grey(line.read(post_id, "original.png"))
            for name, pixels in (("color", picture), ("line", drawing)):
                content = encode_png(resample(pixels, width, height))
                (folder / "out" / name / f"{post_id}.png").write_bytes(content)

        list(pool.map(write, color.ids))


@dataclass(frozen=True, kw_only=True)
class Run:
    """Seconds, peak memory and size of one way."""

    seconds: float
    peak: float  # MB, of a process of its own
    written: float  # MB


def measure(way: str, folder: Path) -> Run:
    """Run one way in this process."""
    seconds = seconds_of(lambda: bare(folder) if way == BARE else senga(folder, way))
    files = [file for file in (folder / "out").rglob("*") if file.is_file()]
    written = sum(file.stat().st_size for file in files) / 1e6
    shutil.rmtree(folder / "out")
    return Run(seconds=seconds, peak=peak_memory(), written=written)


def measure_in_child(way: str, folder: Path) -> Run:
    """Run one way in a process of its own."""
    return Run(**json.loads(in_child(__file__, "--measure", way, str(folder))))


def measure_all(pictures: int, repeats: int) -> dict[str, list[Run]]:
    """Run the bare way and every format, in turns."""
    runs: dict[str, list[Run]] = {way: [] for way in (BARE, *FORMATS)}
    with tempfile.TemporaryDirectory() as top:
        make_shard(Path(top), pictures)
        for _ in range(repeats):
            for way, of_way in runs.items():
                of_way.append(measure_in_child(way, Path(top)))
    return runs


def report(runs: dict[str, list[Run]], pictures: int) -> str:
    """Return the page of results."""
    columns = [
        ("way", "s"),
        ("seconds", ".1f"),
        ("pictures/s", ".0f"),
        ("times the bare way", ".2f"),
        ("peak memory, MB", ".0f"),
        ("written, MB", ".0f"),
    ]
    bare_seconds = [run.seconds for run in runs[BARE]]
    rows = []
    for way, of_way in runs.items():
        seconds = statistics.median(run.seconds for run in of_way)
        rows.append(
            (
                "bare decode, resize, encode and write" if way == BARE else f"**Senga**, `{way}`",
                seconds,
                pictures / seconds,
                median_ratio([run.seconds for run in of_way], bare_seconds),
                statistics.median(run.peak for run in of_way),
                of_way[0].written,
            )
        )
    return page(
        "Export",
        f"{pictures:,} pictures of 850 x 1200 (JPEG), each with a line map of 544 x 768 (PNG), to "
        f"PNGs with a long side of {SIZE}; median of {len(bare_seconds)} runs, of the ratio too.",
        ("numpy", "polars", "pillow", "opencv-python-headless"),
        table(columns, rows),
    )


def main() -> None:
    parser = make_parser(__doc__, "export.md")
    parser.add_argument("--pictures", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        way, folder = args.measure
        sys.stdout.write(json.dumps(asdict(measure(way, Path(folder)))))
    else:
        runs = measure_all(args.pictures, args.repeats)
        publish(report(runs, args.pictures), "export.md", save=args.save)


if __name__ == "__main__":
    main()
