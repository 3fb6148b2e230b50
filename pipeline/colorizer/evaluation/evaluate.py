"""Evaluates colorizers: `python -m pipeline.colorizer.evaluation.evaluate job.json folder`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline import store
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation.evaluate_job import Job, read_job
from pipeline.colorizer.evaluation.evaluation import NAMES, SHOWN, measure_all
from pipeline.colorizer.evaluation.page import PageFacts, write_page
from pipeline.colorizer.evaluation.paper_figures import draw_figures
from pipeline.colorizer.evaluation.scores import scores_to_json
from pipeline.colorizer.packed_pictures import HeldOut, read_held_out, read_relatives
from pipeline.colorizer.training.train_log import METRICS
from pipeline.run import command
from sketch_models.errors import SengaError


def require_same_size(name: str, colorizer: Colorizer, picture: HeldOut, test: str) -> None:
    """Raises SengaError where a colorizer was trained on pictures of another size."""
    size = picture.line.shape[0]
    if colorizer.size != size:
        raise SengaError(
            f"{test} has pictures of {size} x {size}, expected {colorizer.size} x "
            f"{colorizer.size}, which {name} was trained on: pack them with "
            f"--pack-size {colorizer.size}."
        )


def main(arguments: list[str]) -> None:
    """The command: evaluates by a job, into a folder."""
    if len(arguments) != 2:
        raise SengaError("usage: python -m pipeline.colorizer.evaluation.evaluate JOB.json FOLDER")
    job = read_job(Path(arguments[0]).read_text(encoding="utf-8"))
    evaluate(job, Path(arguments[1]), _say)


def _say(done: int, total: int) -> None:
    sys.stdout.write(json.dumps({"images": done, "of": total}) + "\n")
    sys.stdout.flush()


def evaluate(job: Job, folder: Path, hear: Callable[[int, int], None]) -> None:
    """Writes `metrics.json`, the figures and `index.html`.

    Args:
        job: what is evaluated.
        folder: that exists.
        hear: told how many pictures are painted, of how many.

    Raises:
        SengaError: a colorizer or a test file that cannot be used; no space.
    """
    started = time.monotonic()
    pictures = read_held_out(job.test, job.options.line, job.options.pictures or None)
    colorizers = {
        NAMES[name]: Colorizer.load(path, job.gpu) for name, path in job.colorizers.items()
    }
    for name, colorizer in colorizers.items():
        require_same_size(name, colorizer, pictures[0], job.test)
    scores, painted = measure_all(pictures, colorizers, job, hear)
    histories = {NAMES[name]: history(Path(path)) for name, path in job.colorizers.items()}
    relatives = read_relatives(job.test, job.options.line, SHOWN)
    drawn = draw_figures(pictures[:SHOWN], relatives, colorizers, scores, painted, histories, job)
    with store.writing(folder):
        (folder / "metrics.json").write_text(scores_to_json(scores), encoding="utf-8")
        for name, figure in drawn.items():
            (folder / f"{name}.png").write_bytes(figure.png)
        facts = PageFacts(
            dataset=job.name,
            pictures=len(pictures),
            size=pictures[0].line.shape[0],
            colorizers={name: known(colorizer) for name, colorizer in colorizers.items()},
            scores=scores,
            hints=job.options.hints,
            figures=list(drawn.values()),
            seconds=time.monotonic() - started,
        )
        write_page(folder / "index.html", facts)


def history(folder: Path) -> list[dict[str, float]]:
    """The lines of a training's metrics; none where it has left none."""
    path = folder / METRICS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def known(colorizer: Colorizer) -> dict[str, str]:
    """What people want to know of a colorizer."""
    task = colorizer.recipe
    return {
        "parameters": f"{colorizer.parameters:,}",
        "width, maps, hidden": f"{task.network.width}, {task.network.map_width}, "
        f"{task.network.hidden}",
        "epochs": f"{task.options.epochs:g}",
        "pictures a step": str(task.options.batch_size),
        "losses": ", ".join(
            f"{name} {getattr(task.losses, name):g}"
            for name in ("features", "perceptual", "kld", "l1", "l2")
        ),
        "seed": str(task.seed),
    }


if __name__ == "__main__":
    sys.exit(command(main, sys.argv[1:]))
