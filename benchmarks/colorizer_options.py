"""What each option of a colorizer's recipe brings: short trainings, each with one change.

`python benchmarks/colorizer_options.py --recipe configs/demo.cfg` draws pictures by that recipe
with DrawPairs, trains on them, and prints a table; `--save` also writes it to
`results/colorizer_options.md`. Trainings that are done are not repeated: they are kept in
`--folder`. Changes that the recipe has made already are left out.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness.report import make_parser, page, publish, table
from pipeline import child_process
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.evaluation.evaluation import evaluate_methods
from pipeline.colorizer.evaluation.scores import MISSING, TYPICAL_HINTS, ZERO
from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import (
    AugmentOptions,
    EvaluateOptions,
    LossOptions,
    NetworkOptions,
    TrainOptions,
)
from pipeline.colorizer.packed_pictures import read_pictures
from pipeline.colorizer.train_job import WEIGHTS, TrainJob
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pairs.draw_job import FILES
from pipeline.training.folder import TRAIN_LOG

HINTS = (1, TYPICAL_HINTS, 50)
FILLS = ("nearest-hint fill", "geodesic fill")
AREAS = ("area_difference", "unevenness", "leakage")
TEST_SETS = tuple(name for name in FILES if name != "train")
_AREA_COLUMNS = (("CIEDE2000", ".1f"), ("unevenness", ".2f"), ("leakage", ".3f"))
CHANGES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "the recipe": {},
    "SPADE": {"network": {"generator": "spade"}},
    "plain SPADE": {
        "network": {
            "generator": "spade",
            "spread_hints": False,
            "copy_hints": False,
            "even_areas": False,
            "z_everywhere": False,
        }
    },
    "hints are not spread": {"network": {"spread_hints": False, "copy_hints": False}},
    "hints are not copied": {"network": {"copy_hints": False}},
    "hints are copied beyond lines": {"network": {"copy_beyond_lines": True}},
    "batch normalisation": {"network": {"norm": "batch"}},
    "group normalisation": {"network": {"norm": "group"}},
    "no adversary": {"losses": {"adversarial": 0.0, "feature_matching": 0.0}},
    "an adversary from the start": {
        "losses": {"adversarial": 1.0, "feature_matching": 2.0, "adversarial_start": 0.0}
    },
    "hints are spread": {"network": {"spread_hints": True}},
    "hints are spread and copied": {"network": {"spread_hints": True, "copy_hints": True}},
    "hints are strokes": {"hints": {"shape": "stroke"}},
    "hints are squares": {"hints": {"shape": "patch"}},
    "L2 instead of L1": {"losses": {"l1": 0.0, "l2": 400.0}},
    "known lines alone": {"options": {"lines": ("original_known", "pured_known")}},
    "wider maps, narrower blocks": {"network": {"map_width": 32, "width": 6}},
}
"""Each change by its name: new values by part of the training job and option."""


def recipe_job(recipe: Path, images: int, draw: Mapping[str, int]) -> TrainJob:
    """Return the training of a recipe for a number of images; draw its pictures if need be.

    Args:
        recipe: the config.
        images: to train on.
        draw: options of `[artbook]` that the recipe has otherwise.
    """
    os.environ["LUIGI_CONFIG_PATH"] = str(recipe)
    from luigi import configuration  # reads the recipe when it is imported

    from tasks import DrawPairs, config

    command = [sys.executable, "-m", "luigi", "--module", "tasks", "DrawPairs"]
    for name, value in draw.items():
        command += [f"--artbook-{name.replace('_', '-')}", str(value)]
        configuration.get_config().set("artbook", name, str(value))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    train = DrawPairs().file("train")
    pictures = len(DatasetReader(train))
    options = replace(
        config.options(TrainOptions),
        epochs=images / pictures,
        sample_every=10**9,
        checkpoint_every=10**9,
        tensorboard=False,
    )
    return TrainJob(
        train=str(train.absolute()),
        test=str(train.with_name("test.h5").absolute()),
        network=config.options(NetworkOptions),
        losses=config.options(LossOptions),
        hints=config.options(HintOptions),
        augment=config.options(AugmentOptions),
        options=options,
    )


def changed(job: TrainJob, change: Mapping[str, Mapping[str, Any]]) -> TrainJob:
    """Return a job with other values of some options."""
    parts = {name: replace(getattr(job, name), **values) for name, values in change.items()}
    return replace(job, **parts)


def train(job: TrainJob, folder: Path) -> float:
    """Train, unless that is done already; return the images per second of the whole training."""
    if not (folder / WEIGHTS).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "job.json").write_text(job.to_json(), encoding="utf-8")
        child_process.run_module(
            "pipeline.colorizer.training.train",
            [str(folder / "job.json"), str(folder)],
            lambda line: _show_progress(f"{folder.name}: {line['images']:,} images"),
            1,
        )
        sys.stderr.write("\n")
    lines = (folder / TRAIN_LOG).read_text(encoding="utf-8").splitlines()
    rates = [json.loads(line)["images_per_s"] for line in lines]
    return len(rates) / sum(1 / rate for rate in rates)


def _show_progress(text: str) -> None:
    sys.stderr.write(f"\r{text}")


def measure(job: TrainJob, pictures: int, colorizer: Colorizer | None, method: str) -> list[float]:
    """Return PSNR by test set and number of hints, and what a user sees with ten, over all sets.

    Args:
        job: whose hints are used, as strokes.
        pictures: of each test set.
        colorizer: to measure; None for a fill without a network.
        method: the name of the fill, or any.
    """
    psnr: list[float] = []
    areas: dict[str, list[float]] = {name: [] for name in AREAS}
    for name in TEST_SETS:
        path = Path(job.train).with_name(f"{name}.h5")
        evaluate_job = EvaluateJob(
            test=str(path),
            colorizers={},
            name=name,
            options=EvaluateOptions(hint_counts=HINTS),
            hints=replace(job.hints, shape="stroke"),
        )
        colorizers = {method: colorizer} if colorizer else {}
        scores = evaluate_methods(
            read_pictures(path, limit=pictures), colorizers, evaluate_job, lambda _: None
        ).scores
        of_method = [s for s in scores if s.method == method and s.z in ("", ZERO)]
        own = {(s.metric, s.hints): s.mean for s in of_method}
        psnr += [own["psnr", count] for count in HINTS]
        for metric, values in areas.items():
            values.append(own[metric, TYPICAL_HINTS])
    return psnr + [statistics.mean(values) for values in areas.values()]


def main() -> None:
    """Run the command."""
    parser = make_parser(__doc__, "colorizer_options.md")
    parser.add_argument("--recipe", type=Path, default=Path("configs/demo.cfg"))
    parser.add_argument("--pictures", type=int, default=2000, help="to train on; 2,000")
    parser.add_argument("--images", type=int, default=8000, help="in all epochs; 8,000")
    parser.add_argument("--test-pictures", type=int, default=40, help="of each test set; 40")
    parser.add_argument("--folder", type=Path, default=Path("data/colorizer_options"))
    parser.add_argument("--only", nargs="*", choices=CHANGES, help="some of the changes")
    arguments = parser.parse_args()
    draw = {"pictures": arguments.pictures, "test_pictures": arguments.test_pictures}
    job = recipe_job(arguments.recipe, arguments.images, draw)
    rows: list[list[object]] = [
        [fill, MISSING, *measure(job, arguments.test_pictures, None, fill)] for fill in FILLS
    ]
    done: dict[str, str] = {}
    for name in arguments.only or CHANGES:
        changed_job = changed(job, CHANGES[name])
        if changed_job.fingerprint() in done:
            continue  # the recipe has this value
        done[changed_job.fingerprint()] = name
        folder = arguments.folder / f"{name.replace(' ', '_')}-{changed_job.fingerprint()[:8]}"
        rate = train(changed_job, folder)
        colorizer = Colorizer.load(folder)
        rows.append([name, rate, *measure(job, arguments.test_pictures, colorizer, name)])
    columns = [(f"{name}, {count}", ".2f") for name in TEST_SETS for count in HINTS]
    text = page(
        "Options of the colorizer",
        f"Each row is a training by `{arguments.recipe}` with one change, on "
        f"{arguments.images:,} images, of {arguments.pictures:,} pictures of the artbook. PSNR in "
        f"dB, with 1, 10 and 50 hints and z = 0, on {arguments.test_pictures} pictures of each "
        f"test set; then, with {TYPICAL_HINTS} hints and over all sets, CIEDE2000 between a hint "
        "and its area, how uneven areas are as a multiple of the original's, and the share of "
        "leaked pixels.",
        ["torch"],
        table(
            [("", "s"), ("images/s", ".1f"), *columns, *_AREA_COLUMNS],
            rows,
        ),
    )
    publish(text, "colorizer_options.md", save=arguments.save)


if __name__ == "__main__":
    main()
