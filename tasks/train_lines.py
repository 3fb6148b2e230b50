"""The task that trains the networks of lines, `tracer` and `inker`, on the artbook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import luigi

from pipeline.line_training import validation
from pipeline.line_training.options import NETWORKS, LineOptions
from pipeline.line_training.train_job import METRICS, LineTrainJob, job_name, weights_name
from pipeline.progress import Progress
from sketch_models import line_weights
from sketch_models.errors import ConfigError
from sketch_models.network_options import ComputeOptions
from sketch_models.weights.cache import expand_path, is_file
from tasks import config
from tasks.senga_task import SengaTask
from tasks.stage import check_requirements
from tasks.train_stage import TrainStage


class TrainLines(SengaTask, luigi.WrapperTask):
    """Train tracer and inker; they need no pictures but those that the artbook draws."""

    network = luigi.Parameter(default="", description="tracer or inker; both if empty")

    def __init__(self, *args: object, **values: object) -> None:
        """Check the options, and that everything is there that a person must provide."""
        super().__init__(*args, **values)
        if self.network not in ("", *NETWORKS):
            raise ConfigError(f"--network {self.network}: expected one of {', '.join(NETWORKS)}.")
        check_requirements(self.requires())

    def requires(self) -> list[TrainLineNetwork]:
        """Return a training for each network."""
        names = (self.network,) if self.network else NETWORKS
        return [TrainLineNetwork(network=name) for name in names]


@TrainLines.event_handler(luigi.Event.DEPENDENCY_PRESENT)
def _log_up_to_date(task: TrainLines) -> None:
    for training in task.requires():
        training.log_up_to_date()


class TrainLineNetwork(TrainStage):
    """Train one network of lines, in a process of its own."""

    version = 3
    module = "pipeline.line_training.train"
    up_to_date = "it is trained with exactly these settings."

    network = luigi.ChoiceParameter(choices=NETWORKS, description="tracer or inker")

    def __init__(self, *args: object, **values: object) -> None:
        """Check the options."""
        super().__init__(*args, **values)
        self.stage = self.network
        self.job()

    def settings(self) -> dict[str, object]:
        """Return everything that the training depends on."""
        return self.job().settings()

    def unmet_requirements(self) -> list[str]:
        """Return a message if the packages that the artbook draws with are not installed."""
        from pipeline.artbook import dicebear  # loads OpenCV, which no other task needs so early

        return dicebear.missing_packages("TrainLines draws")

    def artefact(self) -> Path:
        """Return the folder of the weights, the logs, the sample sheets and the checkpoints."""
        return self.dataset.line_network(self.network, self.settings_hash())

    def files(self) -> Sequence[str]:
        """Return the names of the weights and of the job."""
        return weights_name(self.network), job_name(self.network)

    def job(self) -> LineTrainJob:
        """Return what the training process is to do.

        Raises:
            ConfigError: If an option names a file or a folder that cannot be used.
            WeightsError: If weights that an option names are of another network.
        """
        options = config.options(LineOptions)
        return LineTrainJob(
            network=self.network,
            seed=config.options(config.BuildOptions).seed,
            initial_content=_content(
                self.network,
                f"{self.network}_initial_weights",
                options.initial_weights(self.network),
            ),
            tracer_content=_content(
                "tracer", "inker_tracer_weights", options.sketches_by(self.network)
            ),
            validation_content=_validation_content(self.network),
            options=options,
            compute=config.options(ComputeOptions),
        )

    def job_text(self) -> str:
        """Return what the training process is to do, as JSON."""
        return self.job().to_json()

    def progress(self) -> Progress:
        """Count the images; those of a checkpoint are reported as done at once."""
        return Progress(total=config.options(LineOptions).images)

    def facts(self) -> dict[str, Any]:
        """Return the last line of the log, and the metrics of the best weights."""
        metrics = (self.artefact() / METRICS).read_text(encoding="utf-8")
        return {**super().facts(), "best": json.loads(metrics)}


@cache
def _content(network: str, option: str, name: str) -> str:
    """Return the digest of the weights of a network that an option names; empty without any."""
    if not name:
        return ""
    if name != line_weights.SHIPPED and not is_file(expand_path(name)):
        raise ConfigError(
            f"[lines] {option} = {name}: there is no such file. Give the path of one, "
            f"{line_weights.SHIPPED}, or leave it empty."
        )
    return line_weights.identity(name, network)


@cache
def _validation_content(network: str) -> str:
    """Return the digest of the pictures that the best weights are chosen by; empty without any."""
    folder = config.options(LineOptions).validation
    if not folder:
        return ""
    return validation.digest(validation.find_pairs(expand_path(folder), network))
