"""The task that evaluates the colorizer against its baselines."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline import child_process, cores, store
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import EvaluateOptions
from pipeline.pairs.draw_job import FILES
from pipeline.progress import OnProgress
from pipeline.tables.newest import EVALUATION
from sketch_models.errors import ConfigError
from sketch_models.network_options import ComputeOptions
from sketch_models.weights.cache import digests_of, expand_path, is_file
from tasks import config
from tasks.draw_pairs import DrawPairs
from tasks.stage import Stage, StageResult
from tasks.train_colorizer import TrainColorizer, training_files


class EvaluateColorizer(Stage):
    """Colorize the test pictures with every generator and baseline, and compute their metrics."""

    stage = "evaluate"
    version = 5

    def __init__(self, *args: object, **values: object) -> None:
        """Check the options of the trainings, and that the weights of the metrics exist."""
        super().__init__(*args, **values)
        self._trainings()
        _weight_digests()

    def upstream(self) -> list[Stage]:
        """Return the trainings of the generators that are compared."""
        return list(self._trainings().values())

    def settings(self) -> dict[str, object]:
        """Return the options of hints and metrics, the seed, and the weights of the metrics."""
        sections: dict[str, object] = {
            options_type.section: config.result_options(options_type)
            for options_type in (EvaluateOptions, HintOptions, ComputeOptions)
        }
        seed = config.options(config.BuildOptions).seed
        return {**sections, "seed": seed, "weights": _weight_digests()}

    def shared_resources(self) -> dict[str, int]:
        """Let one network at a time use the GPU."""
        return {"gpu": 1}

    def artefact(self) -> Path:
        """Return the folder of `metrics.json`, the figures and `index.html`."""
        return self.dataset.evaluation(self.settings_hash())

    def complete(self) -> bool:
        """Return whether, besides, the links in the dataset's folder point at this evaluation."""
        return super().complete() and all(
            self.dataset.is_newest(name, path) for name, path in self._links().items()
        )

    def make(self, on_progress: OnProgress) -> StageResult:
        """Evaluate in a process of its own."""
        job = EvaluateJob(
            test=str(training_files().file("test").absolute()),
            others={name: str(path.absolute()) for name, path in _other_test_sets().items()},
            colorizers={
                name: str(task.artefact().absolute()) for name, task in self._trainings().items()
            },
            name=config.options(config.BuildOptions).dataset,
            seed=config.options(config.BuildOptions).seed,
            options=config.options(EvaluateOptions),
            hints=config.options(HintOptions),
            compute=config.options(ComputeOptions),
        )
        counter = child_process.ImageCounter(on_progress)
        cores.share_cores()
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            (folder / "job.json").write_text(job.to_json(), encoding="utf-8")
            child_process.run_module(
                "pipeline.colorizer.evaluation.evaluate",
                [str(folder / "job.json"), str(folder)],
                counter,
                1,
            )
        for name, path in self._links().items():
            self.dataset.link_newest(name, path)
        return StageResult(kept=counter.images)

    def log_done(self) -> None:
        """Log the line of the finished stage and the path of the page."""
        super().log_done()
        sys.stderr.write(f"  {self.dataset.newest(EVALUATION)}\n")

    def log_up_to_date(self) -> None:
        """Print the path of the page of the earlier evaluation."""
        sys.stderr.write(
            "Nothing to do: these colorizers are evaluated with exactly these settings.\n"
        )
        sys.stderr.write(f"  {self.dataset.newest(EVALUATION)}\n")

    def _links(self) -> dict[str, Path]:
        """Return what each link in the dataset's folder is to point at: the page, the folder."""
        folder = self.artefact()
        return {EVALUATION: folder / "index.html", f"{folder.parent.name}/{store.LATEST}": folder}

    def _trainings(self) -> dict[str, TrainColorizer]:
        names = config.options(EvaluateOptions).generators
        return {name: TrainColorizer(generator=name) for name in names}


def _other_test_sets() -> dict[str, Path]:
    """Return the files of pictures of characters that the training did not see, by their name."""
    files = training_files()
    if not isinstance(files, DrawPairs):
        return {}
    return {name: files.file(name) for name in FILES if name not in ("train", "test")}


def _weight_digests() -> dict[str, str]:
    """Return the sha256 of each file of weights that the metrics use, by option.

    Raises:
        ConfigError: if there is no such file.
    """
    digests = {}
    for name, path in config.options(EvaluateOptions).weight_files().items():
        if not is_file(expand_path(path)):
            raise ConfigError(
                f"[evaluate] {name} = {path}: there is no such file. Give the path of one, or "
                "leave it empty to skip that metric."
            )
        digests[name] = digests_of(expand_path(path)).sha256
    return digests
