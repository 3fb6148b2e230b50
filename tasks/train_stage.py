"""`TrainStage`, the base class of the tasks that train a network in a process of its own."""

from __future__ import annotations

import json
import logging
import sys
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import child_process, cores, lock, store
from pipeline.progress import OnProgress, Pace
from pipeline.training.folder import TRAIN_LOG
from tasks.stage import Stage, StageResult

logger = logging.getLogger("senga")


class TrainStage(Stage):
    """A training: its artefact is a folder with weights, log, sample sheets and checkpoints.

    It resumes from the last checkpoint in that folder. Links in the dataset's folder point at the
    files of the newest training.
    """

    unit = "images"

    module = ""  # that trains by a job file, into a folder: `run_module` runs it
    up_to_date = ""  # one sentence for people, if it is trained already

    def __init__(self, *args: object, **values: object) -> None:
        """Check the options; nothing is trained yet."""
        super().__init__(*args, **values)
        self._counter: child_process.ImageCounter | None = None  # while it trains

    # What a subclass defines

    @abstractmethod
    def files(self) -> Sequence[str]:
        """Return the names of the files to link to: the weights, then the job."""

    @abstractmethod
    def job_text(self) -> str:
        """Return what the training process is to do, as JSON."""

    def made_files(self) -> list[Path]:
        """Return the files to link to; checkpoints and logs may be deleted."""
        return [self.artefact() / name for name in self.files()]

    def is_linked(self) -> bool:
        """Return whether the links in the dataset's folder are for a training like this one."""
        return True

    def before_training(self) -> None:
        """Prepare the folder of the training."""

    def facts(self) -> dict[str, Any]:
        """Return the last line of the training's log, for the manifest."""
        *_, last = (self.artefact() / TRAIN_LOG).read_text(encoding="utf-8").splitlines()
        return dict(json.loads(last))

    def processes(self) -> int:
        """Return the number of processes."""
        return 1

    # What follows from these

    def pace(self) -> Pace | None:
        """Return how fast it trains, as the log of the training has it."""
        return self._counter.pace if self._counter is not None else None

    def shared_resources(self) -> dict[str, int]:
        """Let one network at a time use the GPU."""
        return {"gpu": 1}

    def complete(self) -> bool:
        """Return whether it is trained, and the links in the dataset's folder point at it."""
        return self._is_trained() and self._is_newest()

    def make_and_record(self) -> None:
        """Train; or, if only a later training has taken the links, set them back."""
        if self._is_trained() and not self._is_newest():
            lock.lock_dataset(self.dataset.root)
            self._link()
        super().make_and_record()

    def make(self, on_progress: OnProgress) -> StageResult:
        """Train in a process of its own, from the last checkpoint if there is one."""
        self.before_training()
        folder = self.artefact()
        _, job_name = self.files()
        job = folder / job_name
        with store.publish(job) as temporary:
            temporary.write_text(self.job_text(), encoding="utf-8")
        self._counter = child_process.ImageCounter(on_progress)
        cores.share_cores()
        child_process.run_module(
            self.module, [str(job), str(folder)], self._on_message, self.processes()
        )
        self._link()
        facts = self.facts()
        return StageResult(kept=facts["images"], facts=facts)

    def _on_message(self, message: child_process.JsonLine) -> None:
        """Count the images, once it is known how fast it trains; log that it resumes."""
        if message.get("resumes"):
            images, of = message["images"], message["of"]
            logger.info("%-9s resumes from image %s of %s", self.stage, f"{images:,}", f"{of:,}")
            return
        assert self._counter is not None
        self._counter(message)

    def log_done(self) -> None:
        """Log the line of the finished stage and the path of the weights."""
        super().log_done()
        sys.stderr.write(f"  {self.weights()}\n")

    def log_up_to_date(self) -> None:
        """Print the path of the weights of the earlier training."""
        sys.stderr.write(f"Nothing to do: {self.up_to_date}\n")
        sys.stderr.write(f"  {self.weights()}\n")

    def weights(self) -> Path:
        """Return the path of the weights: the link if there is one for this training."""
        name, _ = self.files()
        return self.dataset.newest(name) if self.is_linked() else self.artefact() / name

    def _is_trained(self) -> bool:
        """Return whether the weights are there, not only the folder of the checkpoints."""
        name, _ = self.files()
        return (self.artefact() / name).exists() and super().complete()

    def _is_newest(self) -> bool:
        return not self.is_linked() or all(
            self.dataset.is_newest(name, path) for name, path in self._links().items()
        )

    def _link(self) -> None:
        if self.is_linked():
            for name, path in self._links().items():
                self.dataset.link_newest(name, path)

    def _links(self) -> dict[str, Path]:
        """Return what each link in the dataset's folder is to point at: the files, the folder."""
        folder = self.artefact()
        return {
            **{name: folder / name for name in self.files()},
            f"{folder.parent.name}/{store.LATEST}": folder,
        }
