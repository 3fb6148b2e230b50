"""Sketch and simplify a shard, against the bare compute on pictures in memory.

`python benchmarks/sketch_simplify.py` prints a table; `--save` also writes it to
`results/sketch_simplify.md`.

Senga's way reads pictures from a tar, decodes, resizes, draws, encodes PNG and writes tars. The
bare ways compute on arrays in memory, with as many threads as the models say, and throw the results
away: the models alone on arrays that have the working size, and the same with the resizing before
them. Both pairs of models take turns: the networks, and the filters.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.clock import median_ratio, time_in_turns
from benchmarks.harness.drawings import SIZE, write_pictures
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.cores import share_cores
from pipeline.draw.simplify import SimplifyOptions, simplify_shard
from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import OK
from pipeline.picture import decode, keep_freed_memory, resize_long_side
from sketch_models import registry
from sketch_models.model import LineModel, SketchModel
from sketch_models.network_options import ComputeOptions
from sketch_models.styles import STYLES, ink_to_sketch

PAIRS = (("tracer", "inker"), ("xdog", "centerline"))
MODELS, RESIZING = "models, arrays in memory", "resizing and models, arrays in memory"
SENGA = "**Senga**, both stages, tar to tar"


Models = tuple[SketchModel, LineModel]


def load(sketch: str, line: str) -> Models:
    """Return two models by their names; networks run on the CPU."""
    compute = ComputeOptions(device="cpu")
    sketch_model = registry.sketch_model(registry.SKETCH_OPTIONS[sketch](), compute, "torch")
    return sketch_model, registry.line_model(registry.LINE_OPTIONS[line](), compute)


def bare(models: Models, pictures: Sequence[NDArray[np.uint8]]) -> None:
    """Run the models alone, and the resizing of pictures that do not have the working size."""
    sketch, line = models

    def draw(picture: NDArray[np.uint8]) -> None:
        (ink,) = sketch.lines([resize_long_side(picture, SIZE)])
        line.simplify([ink_to_sketch(ink, style) for style in STYLES])

    with ThreadPoolExecutor(max(model.threads for model in models)) as pool:
        list(pool.map(draw, pictures))


def senga(models: Models, color: Path, ids: Sequence[int], folder: Path) -> None:
    """Run both stages, files included."""
    sketches, lines = folder / "sketch.tar", folder / "line.tar"
    outcomes = sketch_shard(color, ids, sketches, models[0], SketchOptions())
    outcomes += simplify_shard(sketches, lines, models[1], SimplifyOptions())
    assert all(outcome.code == OK for outcome in outcomes)


def measure(count: int, repeats: int) -> dict[tuple[str, str], list[float]]:
    """Return the seconds of each way, by pair of models and way."""
    share_cores()  # as the stages do
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        color = folder / "color.tar"
        files = write_pictures(color, count)
        pictures = [decode(content) for content in files.values()]
        small = [resize_long_side(picture, SIZE) for picture in pictures]
        ways: dict[tuple[str, str], Callable[[], None]] = {}
        for pair in PAIRS:
            models, label = load(*pair), " + ".join(pair)
            bare(models, pictures[:4])
            ways[label, MODELS] = partial(bare, models, small)
            ways[label, RESIZING] = partial(bare, models, pictures)
            ways[label, SENGA] = partial(senga, models, color, list(files), folder)
        return time_in_turns(ways, repeats)


def report(runs: dict[tuple[str, str], list[float]], count: int) -> str:
    """Return the page of results."""
    columns = [
        ("models", "s"),
        ("way", "s"),
        ("seconds", ".2f"),
        ("pictures/s", ".1f"),
        ("times the models", ".2f"),
        ("times resizing and models", ".2f"),
    ]
    rows = []
    for (models, way), seconds in runs.items():
        median = statistics.median(seconds)
        ratios = (median_ratio(seconds, runs[models, other]) for other in (MODELS, RESIZING))
        rows.append((models, way, median, count / median, *ratios))
    return page(
        "Sketch and simplify",
        f"{count} pictures, long side {SIZE}, three styles each; median of "
        f"{len(next(iter(runs.values())))} runs.",
        ("torch", "numpy", "opencv-python-headless", "scikit-image", "pillow", "isal"),
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
