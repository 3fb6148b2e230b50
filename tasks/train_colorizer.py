"""The task that trains the colorizer on the newest build of the dataset."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import luigi

from pipeline import child_process
from pipeline.colorizer import initial_weights, perceptual_weights
from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import (
    AugmentOptions,
    LossOptions,
    NetworkOptions,
    TrainOptions,
    require_size,
)
from pipeline.colorizer.train_job import JOB, WEIGHTS, TrainJob
from pipeline.pack.pack import PackOptions
from pipeline.pairs.options import ArtbookOptions
from pipeline.progress import Progress
from sketch_models.errors import SengaError
from sketch_models.network_options import ComputeOptions
from sketch_models.option import settings_of
from tasks import config
from tasks.build_dataset import BuildDataset
from tasks.draw_pairs import DrawPairs
from tasks.pack_dataset import PackDataset
from tasks.stage import Stage, check_requirements
from tasks.train_stage import TrainStage

logger = logging.getLogger("senga")

_PLAIN: dict[str, dict[str, Any]] = {
    "spade": {"spread_hints": False, "copy_hints": False, "z_everywhere": False, "norm": "batch"}
}
"""Options of the networks of a generator that another one is compared with."""


class TrainColorizer(TrainStage):
    """Train a generator with its encoder and discriminator, in a process of its own."""

    stage = "train"
    module = "pipeline.colorizer.training.train"
    up_to_date = "it is trained on exactly this dataset with these settings."

    generator = luigi.Parameter(
        default="", description="netl_spade or spade; [colorizer] generator if empty"
    )

    def __init__(self, *args: object, **values: object) -> None:
        """Check the options, and that everything is there that a person must provide."""
        super().__init__(*args, **values)
        self._check_options()
        check_requirements([self, *sources()])

    def _check_options(self) -> None:
        """Raise ConfigError for a picture size or a generator that cannot be trained."""
        require_size(config.options(PackOptions).size)
        self._initial_content()
        self.network_options()

    def network_options(self) -> NetworkOptions:
        """Return the options of the networks, with the generator of this task.

        SPADE, trained for a comparison, is as it was published: plain.

        Raises:
            ConfigError: if there is no such generator.
        """
        options = config.options(NetworkOptions)
        if self.generator in ("", options.generator):
            return options
        return replace(options, generator=self.generator, **_PLAIN.get(self.generator, {}))

    def upstream(self) -> list[Stage]:
        """Return the files to train on."""
        return [training_files()]

    def requires(self) -> list[Stage]:
        """Return the whole build, report included; or the drawn pictures."""
        return [training_files() if is_drawn() else BuildDataset()]

    def settings(self) -> dict[str, object]:
        """Return the options of the training, the seed, and the weights of the perceptual loss."""
        options_types = (
            NetworkOptions,
            HintOptions,
            AugmentOptions,
            LossOptions,
            TrainOptions,
            ComputeOptions,
        )
        sections = {each.section: config.result_options(each) for each in options_types}
        sections[NetworkOptions.section] = settings_of(self.network_options())
        losses = config.options(LossOptions)
        ready = perceptual_weights.are_ready(losses)
        identity = perceptual_weights.identity(losses) if ready else ""
        initial = self._initial_content()
        starts = {"initial": initial} if initial else {}
        return {**sections, "seed": self._seed, "perceptual": identity, **starts}

    def inputs(self) -> dict[str, object]:
        """Return the inputs without the task's parameter: the settings name the generator."""
        return {**super().inputs(), "parameters": {}}

    def unmet_requirements(self) -> list[str]:
        """Return a message if required weights of the perceptual loss do not exist."""
        losses = config.options(LossOptions)
        if losses.perceptual:
            perceptual_weights.identity(losses)
        message = perceptual_weights.unmet_requirement(losses)
        return [] if message is None else [message]

    def artefact(self) -> Path:
        """Return the folder of the weights, the log, the sample grids and the checkpoints."""
        return self.dataset.colorizer(self.settings_hash())

    def is_linked(self) -> bool:
        """Return whether the generator is that of `[colorizer] generator`."""
        return self.network_options() == config.options(NetworkOptions)

    def files(self) -> tuple[str, str]:
        """Return the names of the weights and of the job."""
        return WEIGHTS, JOB

    def job(self) -> TrainJob:
        """Return what the training process is to do."""
        packed = training_files()
        return TrainJob(
            train=str(packed.file("train").absolute()),
            test=str(packed.file("test").absolute()),
            content=packed.manifest().content,
            initial_content=self._initial_content(),
            seed=self._seed,
            network=self.network_options(),
            losses=config.options(LossOptions),
            hints=config.options(HintOptions),
            augment=config.options(AugmentOptions),
            options=self._train_options(),
            compute=config.options(ComputeOptions),
        )

    def progress(self) -> Progress:
        """Count the images of all epochs; those of a checkpoint are reported as done at once."""
        pictures = int(str(training_files().manifest().facts["train"]))
        return Progress(total=round(pictures * config.options(TrainOptions).epochs))

    def job_text(self) -> str:
        """Return what the training process is to do, as JSON."""
        return self.job().to_json()

    def _train_options(self) -> TrainOptions:
        """Return the options of the training; a generator that is compared starts from nothing."""
        options = config.options(TrainOptions)
        return options if self.is_linked() else replace(options, initial_weights="")

    def _initial_content(self) -> str:
        """Return the digest of the colorizer that it starts from; empty without one."""
        name = self._train_options().initial_weights
        return _identity(name) if name else ""

    def before_training(self) -> None:
        """Set a training on other pictures aside."""
        self._log_missing_loss()
        _swap_training(self.artefact(), self.job().content)

    def processes(self) -> int:
        """Return the number of processes: as configured, else one per GPU, else one."""
        on_gpus = config.options(ComputeOptions).device in ("auto", "cuda")
        return (
            config.options(TrainOptions).processes
            or (child_process.count_gpus() if on_gpus else 0)
            or 1
        )

    def _log_missing_loss(self) -> None:
        """Log that the perceptual loss is left out, if its weights do not exist."""
        losses = config.options(LossOptions)
        if perceptual_weights.are_missing(losses):
            message = perceptual_weights.skipped_message(losses)
            logger.info("train     without the perceptual loss. %s", message)

    @property
    def _seed(self) -> int:
        return config.options(config.BuildOptions).seed


_identity = cache(initial_weights.identity)  # each task asks for it, several times


def is_drawn() -> bool:
    """Return whether the colorizer is trained on pictures that the artbook draws."""
    return config.options(ArtbookOptions).pictures > 0


def training_files() -> PackDataset | DrawPairs:
    """Return the task that makes `train.h5` and `test.h5`."""
    return DrawPairs() if is_drawn() else PackDataset()


def sources() -> list[Stage]:
    """Return the tasks that use what a person provides, for the pictures to train on."""
    return [DrawPairs()] if is_drawn() else BuildDataset.sources()


def _swap_training(folder: Path, content: str) -> None:
    """Rename the folder of a training on other pictures; bring back that on these, if any.

    Args:
        folder: the folder to train in.
        content: digest of the pictures to train on.
    """
    job = folder / JOB
    if job.exists():
        trained_on = _content_of(job)
        if trained_on == content:
            return
        folder.rename(_folder_of_content(folder, trained_on))
    earlier = _folder_of_content(folder, content)
    if earlier.exists():
        earlier.rename(folder)


def _content_of(job: Path) -> str:
    """Return the digest of the pictures of a training, as its job has it.

    Raises:
        SengaError: if the job cannot be read.
    """
    try:
        return str(json.loads(job.read_text(encoding="utf-8"))["content"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise SengaError(
            f"{job} is damaged, so that the pictures of the training beside it are not known. If "
            "they are the present ones, delete the file, and the training goes on from its last "
            "checkpoint; else move its folder away. Then run again."
        ) from error


def _folder_of_content(folder: Path, content: str) -> Path:
    """Return the folder that keeps a training while `folder` is used for other pictures."""
    return folder.with_name(f"{folder.name}-{content[:12]}")
