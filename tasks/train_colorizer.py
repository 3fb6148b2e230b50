"""The task that trains the colorizer on the newest build of the dataset."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

import luigi

from pipeline import child_process, store
from pipeline.colorizer import perceptual_weights
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
from pipeline.progress import OnProgress, Progress
from pipeline.training.folder import TRAIN_LOG
from sketch_models.network_options import ComputeOptions
from tasks import config
from tasks.build_dataset import BuildDataset
from tasks.pack_dataset import PackDataset
from tasks.stage import Stage, StageResult, check_requirements

logger = logging.getLogger("senga")

LINKED = (WEIGHTS, JOB)
"""Files of the newest training that the dataset's folder links to."""


class TrainColorizer(Stage):
    """Train a generator with its encoder and discriminator, in a process of its own."""

    stage = "train"
    unit = "images"

    generator = luigi.Parameter(
        default="", description="netl_spade or spade; [colorizer] generator if empty"
    )

    def __init__(self, *args: object, **values: object) -> None:
        """Check the options, and that everything is there that a person must provide."""
        super().__init__(*args, **values)
        self._check_options()
        check_requirements([self, *BuildDataset.sources()])

    def _check_options(self) -> None:
        """Raise ConfigError for a picture size or a generator that cannot be trained."""
        require_size(config.options(PackOptions).size)
        self.network_options()

    def network_options(self) -> NetworkOptions:
        """Return the options of the networks, with the generator of this task.

        Raises:
            ConfigError: if there is no such generator.
        """
        options = config.options(NetworkOptions)
        return replace(options, generator=self.generator) if self.generator else options

    def upstream(self) -> list[Stage]:
        """Return the packed files."""
        return [PackDataset()]

    def requires(self) -> list[Stage]:
        """Return the whole build, report included."""
        return [BuildDataset()]

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
        sections[NetworkOptions.section]["generator"] = self.network_options().generator
        losses = config.options(LossOptions)
        ready = perceptual_weights.are_ready(losses)
        identity = perceptual_weights.identity(losses) if ready else ""
        return {**sections, "seed": self._seed, "perceptual": identity}

    def inputs(self) -> dict[str, object]:
        """Return the inputs without the task's parameter: the settings name the generator."""
        return {**super().inputs(), "parameters": {}}

    def process_resources(self) -> dict[str, int]:
        """Let one network at a time use the GPU."""
        return {"gpu": 1}

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

    def complete(self) -> bool:
        """Return whether it is trained, and the links in the dataset's folder point at it."""
        return self._is_trained() and self._is_newest()

    def make_and_record(self) -> None:
        """Train; or, if only a later training has taken the links, set them back."""
        if self._is_trained() and not self._is_newest():
            store.lock_dataset(self.dataset.root)
            self._link()
        super().make_and_record()

    def _is_trained(self) -> bool:
        """Return whether the weights are there, not only the folder of the checkpoints."""
        return (self.artefact() / WEIGHTS).exists() and super().complete()

    def _is_newest(self) -> bool:
        """Return whether the links point at it; the links are the configured generator's alone."""
        return not self._is_configured() or all(
            self.dataset.is_newest(name, self.artefact() / name) for name in LINKED
        )

    def _is_configured(self) -> bool:
        """Return whether the generator is that of `[colorizer] generator`."""
        return self.network_options() == config.options(NetworkOptions)

    def _link(self) -> None:
        """Make the links in the dataset's folder point at it, if its generator is configured."""
        if self._is_configured():
            for name in LINKED:
                self.dataset.link_newest(name, self.artefact() / name)

    def job(self) -> TrainJob:
        """Return what the training process is to do."""
        packed = PackDataset()
        return TrainJob(
            train=str(packed.file("train").absolute()),
            test=str(packed.file("test").absolute()),
            content=packed.manifest().content,
            seed=self._seed,
            network=self.network_options(),
            losses=config.options(LossOptions),
            hints=config.options(HintOptions),
            augment=config.options(AugmentOptions),
            options=config.options(TrainOptions),
            compute=config.options(ComputeOptions),
        )

    def progress(self) -> Progress:
        """Count the images of all epochs; those of a checkpoint are reported as done at once."""
        pictures = int(str(PackDataset().manifest().facts["train"]))
        return Progress(total=round(pictures * config.options(TrainOptions).epochs))

    def make(self, on_progress: OnProgress) -> StageResult:
        """Train in a process of its own, from the last checkpoint if there is one."""
        self._log_missing_loss()
        folder = self.artefact()
        job = folder / JOB
        _swap_training(folder, self.job().content)
        with store.publish(job) as temporary:
            temporary.write_text(self.job().to_json(), encoding="utf-8")
        child_process.run_module(
            "pipeline.colorizer.training.train",
            [str(job), str(folder)],
            child_process.ImageCounter(on_progress),
            self._processes(),
        )
        *_, last = (folder / TRAIN_LOG).read_text(encoding="utf-8").splitlines()
        facts = json.loads(last)
        self._link()
        return StageResult(kept=facts["images"], facts=facts)

    def log_done(self) -> None:
        """Log the line of the finished stage and the path of the weights."""
        super().log_done()
        sys.stderr.write(f"  {self.weights()}\n")

    def log_up_to_date(self) -> None:
        """Print the path of the weights of the earlier training."""
        sys.stderr.write(
            "Nothing to do: it is trained on exactly this dataset with these settings.\n"
        )
        sys.stderr.write(f"  {self.weights()}\n")

    def weights(self) -> Path:
        """Return the path of the weights: the link if there is one for this generator."""
        link = self.dataset.newest(WEIGHTS)
        return link if self._is_configured() else self.artefact() / WEIGHTS

    def _log_missing_loss(self) -> None:
        """Log that the perceptual loss is left out, if its weights do not exist."""
        losses = config.options(LossOptions)
        if perceptual_weights.are_missing(losses):
            message = perceptual_weights.skipped_message(losses)
            logger.info("train     without the perceptual loss. %s", message)

    def _processes(self) -> int:
        """Return the number of processes: as configured, else one per GPU, else one."""
        on_gpus = config.options(ComputeOptions).device in ("auto", "cuda")
        return (
            config.options(TrainOptions).processes
            or (child_process.count_gpus() if on_gpus else 0)
            or 1
        )

    @property
    def _seed(self) -> int:
        return config.options(config.BuildOptions).seed


def _swap_training(folder: Path, content: str) -> None:
    """Rename the folder of a training on other pictures; bring back that on these, if any.

    Args:
        folder: the folder to train in.
        content: digest of the pictures to train on.
    """
    job = folder / JOB
    if job.exists():
        trained_on = json.loads(job.read_text(encoding="utf-8"))["content"]
        if trained_on == content:
            return
        folder.rename(_folder_of_content(folder, trained_on))
    earlier = _folder_of_content(folder, content)
    if earlier.exists():
        earlier.rename(folder)


def _folder_of_content(folder: Path, content: str) -> Path:
    """Return the folder that keeps a training while `folder` is used for other pictures."""
    return folder.with_name(f"{folder.name}-{content[:12]}")
