"""Sketch and simplify with the paper's networks, against the way of the original system.

`python benchmarks/networks.py` prints a table; `--save` also writes it to `results/networks.md`.

The original's way takes one picture after the other: decode, resize, sketchKeras in TensorFlow,
encode, decode, simplification of one sketch at a time in fp32, encode. The bare way puts the same
maps through the networks as Senga runs them, and does nothing else. Weights are random, of full
size.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness.clock import median_ratio, time_in_turns
from benchmarks.harness.drawings import write_pictures
from benchmarks.harness.random_weights import simo_serra as simo_serra_weights
from benchmarks.harness.random_weights import write_keras
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.draw.simplify import SimplifyOptions, simplify_shard
from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import OK
from pipeline.picture import decode, decode_grey, encode_png, resize_long_side
from sketch_models import simo_serra, sketchkeras
from sketch_models.network_options import ComputeOptions
from sketch_models.runner import Runner
from sketch_models.simo_serra import SimoSerra
from sketch_models.sketchkeras import SketchKeras
from sketch_models.sketchkeras_tensorflow import TensorflowNetwork
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.weights import keras_file

Run = Callable[[Sequence[NDArray[np.float32]]], list[NDArray[np.float32]]]
ORIGINAL, BARE = "the original's way", "bare forward passes"
SENGA = "**Senga**, both stages, tar to tar"
MEAN, STD = 0.96, 0.09


class Networks:
    """The two networks, as the original runs them and as Senga does."""

    def __init__(self, mod: Path, size: int) -> None:
        write_keras(mod)
        self.size = size
        sketch = {k: torch.from_numpy(v) for k, v in keras_file.read(mod).items()}
        line = {k: torch.from_numpy(v) for k, v in simo_serra_weights().items()}
        self.sketch_runner = Runner(sketchkeras.build_network(sketch, "zero"), ComputeOptions())
        self.line_runner = Runner(simo_serra.build_network(line), ComputeOptions())
        exact = Runner(simo_serra.build_network(line), ComputeOptions(precision="fp32"))
        self.original_sketch = SketchKeras(TensorflowNetwork(mod).run, square=True)
        self.original_line = SimoSerra(exact.run, MEAN, STD)

    def senga(self, color: Path, ids: Sequence[int], folder: Path) -> None:
        """Run both stages, from tar to tar."""
        sketches, lines = folder / "sketch.tar", folder / "line.tar"
        sketch = SketchKeras(self.sketch_runner.run, square=True)
        line = SimoSerra(self.line_runner.run, MEAN, STD)
        outcomes = sketch_shard(color, ids, sketches, sketch, SketchOptions(size=self.size))
        outcomes += simplify_shard(sketches, lines, line, SimplifyOptions())
        assert all(outcome.code == OK for outcome in outcomes)

    def original(self, contents: Sequence[bytes], folder: Path) -> None:
        """Run one picture after the other, and one sketch after the other."""
        for index, content in enumerate(contents):
            small = resize_long_side(decode(content), self.size)
            (ink,) = self.original_sketch.lines([small])
            for style in STYLES:
                file = folder / f"{index}.{style}.png"
                file.write_bytes(encode_png(ink_to_sketch(ink, style)))
            for style in STYLES:
                file = folder / f"{index}.{style}.png"
                (line,) = self.original_line.simplify([decode_grey(file.read_bytes())])
                file.write_bytes(encode_png(line))

    def inputs(self, contents: Sequence[bytes]) -> list[tuple[Runner, list[NDArray[np.float32]]]]:
        """Return the inputs of the networks, picture by picture."""
        inputs: list[tuple[Runner, list[NDArray[np.float32]]]] = []

        def recording(runner: Runner) -> Run:
            def run(maps: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
                inputs.append((runner, list(maps)))
                return runner.run(maps)

            return run

        sketch = SketchKeras(recording(self.sketch_runner), square=True)
        line = SimoSerra(recording(self.line_runner), MEAN, STD)
        for content in contents:
            (ink,) = sketch.lines([resize_long_side(decode(content), self.size)])
            line.simplify([ink_to_sketch(ink, style) for style in STYLES])
        return inputs


def measure(count: int, size: int, repeats: int) -> tuple[dict[str, list[float]], Runner]:
    """Return the seconds of each way, and the runner of Senga's first network."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        networks = Networks(folder / "mod.h5", size)
        color = folder / "color.tar"
        files = write_pictures(color, count)
        contents = list(files.values())
        inputs = networks.inputs(contents)
        networks.original(contents[:1], folder)
        ways = {
            ORIGINAL: lambda: networks.original(contents, folder),
            BARE: lambda: [runner.run(batch) for runner, batch in inputs],
            SENGA: lambda: networks.senga(color, list(files), folder),
        }
        return time_in_turns(ways, repeats), networks.sketch_runner


def report(runs: dict[str, list[float]], runner: Runner, count: int, size: int) -> str:
    """Return the page of results."""
    columns = [
        ("way", "s"),
        ("seconds a picture", ".2f"),
        ("times as fast as the original's", ".2f"),
        ("times the bare passes", ".2f"),
    ]
    rows = []
    for way, seconds in runs.items():
        faster, bare = median_ratio(runs[ORIGINAL], seconds), median_ratio(seconds, runs[BARE])
        rows.append((way, statistics.median(seconds) / count, faster, bare))
    precision = str(runner.dtype).removeprefix("torch.")
    return page(
        "The paper's networks, end to end",
        f"{count} pictures, long side {size}, three styles each; Senga and the bare passes in "
        f"{precision} on {runner.device}; median of {len(runs[SENGA])} runs.",
        ("torch", "keras", "numpy"),
        table(columns, rows),
    )


def main() -> None:
    parser = make_parser(__doc__, "networks.md")
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    runs, runner = measure(args.pictures, args.size, args.repeats)
    text = report(runs, runner, args.pictures, args.size)
    publish(text, "networks.md", save=args.save)


if __name__ == "__main__":
    main()
