"""Evaluate colorizers: `python -m pipeline.colorizer.evaluation.evaluate job.json folder`."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline import store
from pipeline.child_process import run_main
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation.comparison import differences_to_json
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.evaluation.evaluation import (
    FIGURE_PICTURES,
    GENERATOR_NAMES,
    Evaluation,
    all_methods,
    evaluate_methods,
)
from pipeline.colorizer.evaluation.hint_auc import FILE, HintAuc, auc_to_json
from pipeline.colorizer.evaluation.page import PageFacts, write_page
from pipeline.colorizer.evaluation.paper_figures import draw_figures
from pipeline.colorizer.evaluation.scores import scores_to_json
from pipeline.colorizer.packed_pictures import PackedPicture, read_pictures, read_variants
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.training.folder import TRAIN_LOG
from sketch_models.errors import SengaError


def require_same_size(name: str, colorizer: Colorizer, picture: PackedPicture, test: str) -> None:
    """Raise SengaError if a colorizer was trained on pictures of another size."""
    size = picture.line.shape[0]
    if colorizer.size != size:
        raise SengaError(
            f"{test} has pictures of {size} x {size}: expected {colorizer.size} x "
            f"{colorizer.size}, which {name} was trained on. Pack them with "
            f"--pack-size {colorizer.size}."
        )


def main(arguments: list[str]) -> None:
    """Run the command: evaluate by a job file, into a folder."""
    if len(arguments) != 2:
        raise SengaError("usage: python -m pipeline.colorizer.evaluation.evaluate JOB.json FOLDER")
    job = EvaluateJob.from_json(Path(arguments[0]).read_text(encoding="utf-8"))
    evaluate(job, Path(arguments[1]), _print_progress)


def _print_progress(done: int, total: int) -> None:
    sys.stdout.write(json.dumps({"images": done, "of": total}) + "\n")
    sys.stdout.flush()


def evaluate(job: EvaluateJob, folder: Path, on_progress: Callable[[int, int], None]) -> None:
    """Write `metrics.json`, `differences.json`, `hint_auc.json`, the figures and `index.html`.

    The scores of each other test set are in `metrics_<name>.json`, the differences between methods
    in `differences_<name>.json`.

    Args:
        job: what to evaluate, and how.
        folder: for the files; it must exist.
        on_progress: called with the number of pictures done, and of all.

    Raises:
        WeightsError: If a colorizer or other weights cannot be read.
        DatasetError: If the test file cannot be read.
        ConfigError: If this machine has no such device, or it cannot use the precision.
        SengaError: If a colorizer is of another size, or the disk is full.
    """
    started = time.monotonic()
    colorizers = {
        GENERATOR_NAMES[name]: Colorizer.load(path, job.compute.device, job.compute.precision)
        for name, path in job.colorizers.items()
    }
    files = (job.test, *job.others.values())
    number = sum(_check_test_set(path, job, colorizers) for path in files)
    auc = HintAuc.of(job, colorizers)
    runs = len(job.options.hint_counts) * len(all_methods(colorizers, job))
    count = _Counter(runs * number + auc.images, on_progress)
    pictures = _read_test_set(job.test, job)
    evaluation = evaluate_methods(pictures, colorizers, job, count)
    others = {
        name: evaluate_methods(_read_test_set(path, job), colorizers, job, count)
        for name, path in job.others.items()
    }
    auc_scores = auc.scores(count)
    logs = {
        GENERATOR_NAMES[name]: read_train_log(Path(path)) for name, path in job.colorizers.items()
    }
    variants = read_variants(job.test, job.options.line, FIGURE_PICTURES)
    figures = draw_figures(
        pictures[:FIGURE_PICTURES],
        variants,
        colorizers,
        evaluation.scores,
        evaluation.results,
        logs,
        job,
    )
    with store.explain_write_errors(folder):
        _write_metrics(folder, "", evaluation)
        for name, other in others.items():
            _write_metrics(folder, f"_{name}", other)
        (folder / FILE).write_text(auc_to_json(auc_scores), encoding="utf-8")
        for name, figure in figures.items():
            (folder / f"{name}.png").write_bytes(figure.png)
        facts = PageFacts(
            dataset=job.name,
            pictures=len(pictures),
            size=pictures[0].line.shape[0],
            colorizers={name: describe(colorizer) for name, colorizer in colorizers.items()},
            scores=evaluation.scores,
            differences=evaluation.differences,
            auc_scores=auc_scores,
            other_scores={name: other.scores for name, other in others.items()},
            other_differences={name: other.differences for name, other in others.items()},
            hints=job.options.hint_counts,
            figures=list(figures.values()),
            seconds=time.monotonic() - started,
        )
        write_page(folder / "index.html", facts)


def _write_metrics(folder: Path, suffix: str, evaluation: Evaluation) -> None:
    """Write the scores and the differences of a test set."""
    (folder / f"metrics{suffix}.json").write_text(
        scores_to_json(evaluation.scores), encoding="utf-8"
    )
    (folder / f"differences{suffix}.json").write_text(
        differences_to_json(evaluation.differences), encoding="utf-8"
    )


class _Counter:
    """Adds up the pictures that are done, for `on_progress`, which is told how many of how many."""

    def __init__(self, total: int, on_progress: Callable[[int, int], None]) -> None:
        self._done, self._total, self._on_progress = 0, total, on_progress

    def __call__(self, pictures: int) -> None:
        self._done += pictures
        self._on_progress(self._done, self._total)


def _check_test_set(path: str, job: EvaluateJob, colorizers: Mapping[str, Colorizer]) -> int:
    """Return the number of pictures to evaluate on; raise SengaError if they cannot be used."""
    first = read_pictures(path, job.options.line, 1)[0]
    for name, colorizer in colorizers.items():
        require_same_size(name, colorizer, first, path)
    pictures = len(DatasetReader(path))
    return min(pictures, job.options.max_pictures or pictures)


def _read_test_set(path: str, job: EvaluateJob) -> list[PackedPicture]:
    return read_pictures(path, job.options.line, job.options.max_pictures or None)


def read_train_log(folder: Path) -> list[dict[str, float]]:
    """Return the lines of a training's log; none if there is no log."""
    path = folder / TRAIN_LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = []
    for line in lines:
        with contextlib.suppress(ValueError):  # half-written: a kill ended the training
            rows.append(json.loads(line))
    return rows


def describe(colorizer: Colorizer) -> dict[str, str]:
    """Return the facts about a colorizer that the page shows, value by heading."""
    job = colorizer.train_job
    return {
        "parameters": f"{colorizer.num_parameters:,}",
        "width, map width, hidden": f"{job.network.width}, {job.network.map_width}, "
        f"{job.network.hidden}",
        "epochs": f"{job.options.epochs:g}",
        "batch size": str(job.options.batch_size),
        "loss weights": ", ".join(
            f"{name} {getattr(job.losses, name):g}"
            for name in ("feature_matching", "perceptual", "kld", "l1", "l2")
        ),
        "seed": str(job.seed),
    }


if __name__ == "__main__":
    sys.exit(run_main(main, sys.argv[1:]))
