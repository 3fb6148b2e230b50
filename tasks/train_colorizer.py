"""The colorizer, trained on the newest build of the dataset."""

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
from pipeline.colorizer.train_job import JOB, TRAIN_LOG, WEIGHTS, TrainJob
from pipeline.pack.pack import PackOptions
from pipeline.progress import OnProgress, Progress
from sketch_models.network_options import ComputeOptions
from tasks import config
from tasks.build_dataset import BuildDataset
from tasks.pack_dataset import PackDataset
from tasks.stage import Stage, StageResult, check_requirements

logger = logging.getLogger("senga")

NAMES = (WEIGHTS, JOB)
"""What the top of the dataset's folder points at, of the newest training."""


class TrainColorizer(Stage):
    """Trains a generator with its encoder and discriminator, in a process of its own."""

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
        """The networks, with this task's generator; raises OptionError if there is no such one."""
        options = config.options(NetworkOptions)
        return replace(options, generator=self.generator) if self.generator else options

    def upstream(self) -> list[Stage]:
        """The packed files."""
        return [PackDataset()]

    def requires(self) -> list[Stage]:
        """The whole build, report included."""
        return [BuildDataset()]

    def settings(self) -> dict[str, object]:
        """Networks, hints, augmentation, losses, rates, precision, seed; and which weights."""
        kinds = (
            NetworkOptions,
            HintOptions,
            AugmentOptions,
            LossOptions,
            TrainOptions,
            ComputeOptions,
        )
        chosen = {kind.section: config.result_options(kind) for kind in kinds}
        chosen[NetworkOptions.section]["generator"] = self.network_options().generator
        losses = config.options(LossOptions)
        ready = perceptual_weights.are_ready(losses)
        identity = perceptual_weights.identity(losses) if ready else ""
        return {**chosen, "seed": self._seed, "perceptual": identity}

    def inputs(self) -> dict[str, object]:
        """Without the parameter: which generator it is, the settings say."""
        return {**super().inputs(), "parameters": {}}

    def process_resources(self) -> dict[str, int]:
        """It takes the GPU for itself."""
        return {"gpu": 1}

    def unmet_requirements(self) -> list[str]:
        """Return a message if weights of the perceptual loss are missing that must be there."""
        losses = config.options(LossOptions)
        if losses.perceptual:
            perceptual_weights.identity(losses)
        message = perceptual_weights.unmet_requirement(losses)
        return [] if message is None else [message]

    def artefact(self) -> Path:
        """Folder of the weights and of all that training says of itself."""
        return self.dataset.colorizer(self.settings_hash())

    def complete(self) -> bool:
        """Return whether the names at the top of the dataset's folder point at it, too."""
        return self._is_trained() and self._is_newest()

    def make_and_record(self) -> None:
        """Train, unless it is made already and another one since: point back at it, then."""
        if self._is_trained() and not self._is_newest():
            store.lock_dataset(self.dataset.root)
            self._link()
        super().make_and_record()

    def _is_trained(self) -> bool:
        """Return whether the weights are there, not only the folder of the checkpoints."""
        return (self.artefact() / WEIGHTS).exists() and super().complete()

    def _is_newest(self) -> bool:
        """Return whether the names at the top are right: they are of the configured generator."""
        return not self._is_configured() or all(
            self.dataset.is_newest(name, self.artefact() / name) for name in NAMES
        )

    def _is_configured(self) -> bool:
        return self.network_options() == config.options(NetworkOptions)

    def _link(self) -> None:
        """Make the names at the top of the dataset's folder point at it, if they are its own."""
        if self._is_configured():
            for name in NAMES:
                self.dataset.link_newest(name, self.artefact() / name)

    def job(self) -> TrainJob:
        """What the training process is told."""
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
        """Images, of which the newest checkpoint has some behind it."""
        pictures = int(str(PackDataset().manifest().facts["train"]))
        return Progress(total=round(pictures * config.options(TrainOptions).epochs))

    def make(self, on_progress: OnProgress) -> StageResult:
        """Trains in a process of its own and passes on what it says."""
        self._log_missing_loss()
        folder = self.artefact()
        job = folder / JOB
        _set_aside_another(folder, self.job().content)
        with store.publish(job) as temporary:
            temporary.write_text(self.job().to_json(), encoding="utf-8")
        said = 0

        def on_message(line: child_process.JsonLine) -> None:
            nonlocal said
            on_progress(line["images"] - said)
            said = line["images"]

        child_process.run_module(
            "pipeline.colorizer.training.train",
            [str(job), str(folder)],
            on_message,
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
        """Return where people find the weights: at the top, if of the configured generator."""
        name = self.dataset.newest(WEIGHTS)
        return name if self._is_configured() else self.artefact() / WEIGHTS

    def _log_missing_loss(self) -> None:
        losses = config.options(LossOptions)
        if perceptual_weights.are_missing(losses):
            message = perceptual_weights.skipped_message(losses)
            logger.info("train     without the perceptual loss. %s", message)

    def _processes(self) -> int:
        on_gpus = config.options(ComputeOptions).device in ("auto", "cuda")
        return (
            config.options(TrainOptions).processes
            or (child_process.count_gpus() if on_gpus else 0)
            or 1
        )

    @property
    def _seed(self) -> int:
        return config.options(config.BuildOptions).seed


def _set_aside_another(folder: Path, content: str) -> None:
    """Keeps a training on pictures that have changed since; goes on with one on these, if any."""
    job = folder / JOB
    if job.exists():
        trained_on = json.loads(job.read_text(encoding="utf-8"))["content"]
        if trained_on == content:
            return
        folder.rename(_aside(folder, trained_on))
    if _aside(folder, content).exists():
        _aside(folder, content).rename(folder)


def _aside(folder: Path, content: str) -> Path:
    return folder.with_name(f"{folder.name}-{content[:12]}")


@TrainColorizer.event_handler(luigi.Event.DEPENDENCY_PRESENT)
def _log_up_to_date(training: TrainColorizer) -> None:
    training.log_up_to_date()
