"""Sketching and simplifying with the paper's networks, against the way of the original system.

`python benchmarks/networks.py` prints a table; `--save` also writes it to `results/networks.md`.

The original's way takes one picture after the other: decode, resize, sketchKeras in TensorFlow,
encode, decode, simplification of one sketch at a time in fp32, encode. The bare way puts the same
maps through the networks as Senga runs them, and does nothing else. Weights are random, of full
size.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch
from machine import describe
from numpy.typing import NDArray
from random_weights import simo_serra as simo_serra_weights
from random_weights import write_keras

from pipeline.draw.simplify import SimplifyOptions, simplify_shard
from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import OK
from pipeline.picture import decode, decode_grey, encode_png, fit, sniff
from pipeline.sample_booru.catalogue import post
from pipeline.sample_booru.server import picture
from pipeline.shard import write_shard
from sketch_models import simo_serra, sketchkeras
from sketch_models.network_options import GpuOptions
from sketch_models.runner import Runner
from sketch_models.simo_serra import SimoSerra
from sketch_models.sketchkeras import SketchKeras
from sketch_models.sketchkeras_tensorflow import TensorflowNetwork
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.weights import keras_file

Run = Callable[[Sequence[NDArray[np.float32]]], list[NDArray[np.float32]]]
FIRST = 30_000  # post id
MEAN, STD = 0.96, 0.09


class Networks:
    """Both networks, as the original runs them and as Senga does."""

    def __init__(self, mod: Path, size: int) -> None:
        write_keras(mod)
        self.size = size
        sketch = {k: torch.from_numpy(v) for k, v in keras_file.read(mod).items()}
        line = {k: torch.from_numpy(v) for k, v in simo_serra_weights().items()}
        options = GpuOptions()
        self.sketch_runner = Runner(sketchkeras.build_network(sketch, "zero"), options)
        self.line_runner = Runner(simo_serra.build_network(line), options)
        exact = Runner(simo_serra.build_network(line), GpuOptions(precision="fp32"))
        self.original_sketch = SketchKeras(TensorflowNetwork(mod).run, square=True)
        self.original_line = SimoSerra(exact.run, MEAN, STD)

    def senga(self, color: Path, ids: Sequence[int], folder: Path) -> None:
        """Both stages, tar to tar."""
        sketches, lines = folder / "sketch.tar", folder / "line.tar"
        sketch = SketchKeras(self.sketch_runner.run, square=True)
        line = SimoSerra(self.line_runner.run, MEAN, STD)
        outcomes = sketch_shard(color, ids, sketches, sketch, SketchOptions(size=self.size))
        outcomes += simplify_shard(sketches, lines, line, SimplifyOptions())
        assert all(outcome.code == OK for outcome in outcomes)

    def original(self, contents: Sequence[bytes], folder: Path) -> None:
        """One picture after the other, one sketch after the other."""
        for place, content in enumerate(contents):
            (ink,) = self.original_sketch.extract_lines([fit(decode(content), self.size)])
            for style in STYLES:
                file = folder / f"{place}.{style}.png"
                file.write_bytes(encode_png(ink_to_sketch(ink, style)))
            for style in STYLES:
                file = folder / f"{place}.{style}.png"
                (line,) = self.original_line.simplify([decode_grey(file.read_bytes())])
                file.write_bytes(encode_png(line))

    def maps(self, contents: Sequence[bytes]) -> list[tuple[Runner, list[NDArray[np.float32]]]]:
        """What goes through the networks, picture by picture."""
        seen: list[tuple[Runner, list[NDArray[np.float32]]]] = []

        def keeping(runner: Runner) -> Run:
            def run(maps: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
                seen.append((runner, list(maps)))
                return runner.run(maps)

            return run

        sketch = SketchKeras(keeping(self.sketch_runner), square=True)
        line = SimoSerra(keeping(self.line_runner), MEAN, STD)
        for content in contents:
            (ink,) = sketch.extract_lines([fit(decode(content), self.size)])
            line.simplify([ink_to_sketch(ink, style) for style in STYLES])
        return seen


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="write results/networks.md")
    args = parser.parse_args()
    ids = list(islice((i for i in count(FIRST) if post(i).fate != "truncated"), args.pictures))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        networks = Networks(folder / "mod.h5", args.size)
        files = {post_id: picture(post_id) for post_id in ids}
        write_shard(folder / "color.tar", ((i, {sniff(c): c}) for i, c in files.items()))
        contents = list(files.values())
        maps = networks.maps(contents)
        networks.original(contents[:1], folder)
        runs = np.array(
            [
                (
                    seconds_of(lambda: networks.original(contents, folder)),
                    seconds_of(lambda: [runner.run(batch) for runner, batch in maps]),
                    seconds_of(lambda: networks.senga(folder / "color.tar", ids, folder)),
                )
                for _ in range(args.repeats)
            ]
        )
    ways = ("the original's way", "bare forward passes", "**Senga**, both stages, tar to tar")
    lines = [
        "| way | seconds a picture | times as fast as the original's | times the bare passes |",
        "|---|---:|---:|---:|",
    ]
    for column, way in enumerate(ways):
        seconds = statistics.median(runs[:, column]) / args.pictures
        faster = statistics.median(runs[:, 0] / runs[:, column])
        bare = statistics.median(runs[:, column] / runs[:, 1])
        lines.append(f"| {way} | {seconds:.2f} | {faster:.2f} | {bare:.2f} |")
    precision = str(networks.sketch_runner.dtype).removeprefix("torch.")
    text = (
        f"# The paper's networks, end to end\n\n{args.pictures} pictures, long side {args.size}, "
        f"three styles each; Senga and the bare passes in {precision} on "
        f"{networks.sketch_runner.device}; median of {args.repeats} runs.\n"
        f"{describe(('torch', 'keras', 'numpy'))}.\n\n" + "\n".join(lines) + "\n"
    )
    sys.stdout.write(text)
    if args.save:
        target = Path(__file__).parent / "results" / "networks.md"
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
