"""Measure the import of a folder of pictures against a bare scan of their headers.

`python benchmarks/folder.py` prints tables; `--save` also writes them to `results/folder.md`. The
bare scan walks through the folder, opens every picture with Pillow, asks for its size, and reads
every sidecar: what no import can leave out.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.harness.clock import seconds_of
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.posts.folder_scan import digest_of_folder
from pipeline.posts.metadata import import_folder

TOP = Path(__file__).parents[1]
_SUFFIXES = (".jpg", ".png", ".webp")


def fill(root: Path, pictures: int) -> None:
    """Write pictures of 800 x 1000 with a sidecar each, a hundred to a folder."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (125, 100, 3), np.uint8)
    drawn = Image.fromarray(pixels).resize((800, 1000))
    for suffix in _SUFFIXES:
        drawn.save(root.parent / f"drawn{suffix}", quality=80)
    contents = {suffix: (root.parent / f"drawn{suffix}").read_bytes() for suffix in _SUFFIXES}
    for number in range(pictures):
        folder = root / f"{number // 100:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        suffix = _SUFFIXES[number % len(_SUFFIXES)]
        (folder / f"{number}{suffix}").write_bytes(contents[suffix])
        (folder / f"{number}.txt").write_text("1girl, white background, solo", encoding="utf-8")


def bare_scan(root: Path) -> int:
    """Return the number of pixels of all pictures, by their headers."""
    pixels = 0
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.suffix == ".txt":
                path.read_bytes()
            else:
                with Image.open(path) as image:
                    pixels += image.size[0] * image.size[1]
    return pixels


def alternate(runs: int, *functions: Callable[[], object]) -> list[float]:
    """Return the median seconds of each function; they take turns."""
    seconds: list[list[float]] = [[] for _ in functions]
    for _ in range(runs):
        for function, times in zip(functions, seconds, strict=True):
            times.append(seconds_of(function))
    return [statistics.median(times) for times in seconds]


def measure_import(root: Path, runs: int) -> list[tuple[object, ...]]:
    results = root.parent / "results"
    results.mkdir()
    posts, quarantine = results / "posts.parquet", results / "quarantine.csv"

    def first() -> None:
        posts.unlink(missing_ok=True)
        import_folder(root, posts, quarantine)

    def again() -> None:
        import_folder(root, posts, quarantine, previous=posts)

    bare, new, known, digest = alternate(
        runs, lambda: bare_scan(root), first, again, lambda: digest_of_folder(root)
    )
    return [
        ("bare scan: Pillow, one thread", bare, 1.0),
        ("import", new, new / bare),
        ("import after a change: headers of the other files are known", known, known / bare),
        ("whether anything has changed", digest, digest / bare),
    ]


def build(root: Path, data: Path) -> str:
    """Import and filter with the command that people use; return what it logs."""
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "FilterPosts"]
    options = ["--metadata-folder", str(root), "--build-data", str(data)]
    done = subprocess.run([*command, *options], cwd=TOP, check=True, capture_output=True, text=True)
    return done.stderr


def shards_of_posts(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in data.glob("*/posts/*/shard-*.parquet")}


def measure_command(root: Path, runs: int) -> list[tuple[object, ...]]:
    data = root.parent / "data"
    first = seconds_of(lambda: build(root, data))
    (again,) = alternate(runs, lambda: build(root, data))
    before = shards_of_posts(data)
    picture = next(root.rglob("*.png"))
    (picture.parent / "new.png").write_bytes(picture.read_bytes())
    one_new = seconds_of(lambda: build(root, data))
    after = shards_of_posts(data)
    changed = sum(before.get(name) != content for name, content in after.items())
    return [
        ("the first time", first, f"{len(before)} shards"),
        ("again, nothing to do", again, ""),
        ("one new picture", one_new, f"{changed} of {len(after)} shards changed"),
    ]


def run(pictures: int, runs: int) -> str:
    """Return the page of results."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "pictures"
        fill(root, pictures)
        imports = measure_import(root, runs)
        commands = measure_command(root, runs)
    intro = (
        f"{pictures:,} pictures of 800 x 1000 in JPEG, PNG and WebP, each with a sidecar of tags, "
        f"in the page cache; medians of {runs} runs that take turns."
    )
    columns = [("ImportMetadata and FilterPosts", "s"), ("seconds", ".2f"), ("shards", "s")]
    return page(
        "A folder of pictures",
        intro,
        ("pillow", "polars"),
        table([("import", "s"), ("seconds", ".2f"), ("ratio", ".2f")], imports),
        table(columns, commands),
    )


def main() -> None:
    parser = make_parser(__doc__, "folder.md")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    publish(run(args.pictures, args.runs), "folder.md", save=args.save)


if __name__ == "__main__":
    main()
