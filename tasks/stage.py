"""What all tasks share: they are complete when their manifest says what they were made from."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import socket
import subprocess
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from importlib import metadata
from pathlib import Path

import luigi

from pipeline import store
from pipeline.progress import Advance, Meter, Progress
from pipeline.store import Dataset, Manifest
from sketch_models.errors import SengaError
from tasks import config

logger = logging.getLogger("senga")

BUILD = f"{socket.gethostname()}-{os.getpid()}-{time.time():.0f}"
"""Names this run of Luigi; worker processes inherit it."""

_LIBRARIES = (
    "luigi",
    "polars",
    "opencv-python-headless",
    "pillow",
    "h5py",
    "numpy",
    "scikit-image",
    "torch",
)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a stage has to say of what it made; the fields are those of `Manifest`."""

    kept: int
    content: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    unfinished: int = 0


class NotReadyError(Exception):
    """Something upstream is not made yet, so that nobody can say what this is made from."""


class Stage(luigi.Task):
    """A task of the DAG.

    A subclass says what its artefact is called, what settings and upstream content it is made
    from, and makes it. Raise `version` when the same inputs give another result.
    """

    version = 1
    stage = ""  # the word for it in progress lines and tables
    unit = "pictures"
    retry_count = 1  # Luigi's: what may pass is retried inside the stage, the rest needs a person

    def __init__(self, *args: object, **values: object) -> None:
        """Refuses a configuration that cannot work, before anything runs."""
        super().__init__(*args, **values)
        # Asked for thousands of times in a build of many shards:
        self._recipe: str | None = None
        self._path: Path | None = None  # of the manifest
        self._ready: tuple[int, int] | None = None  # stamp of the manifest once it was complete
        config.check()

    # What a subclass says

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """The options that change the result."""

    @abstractmethod
    def artefact(self) -> Path:
        """The file or folder that this makes."""

    @abstractmethod
    def make(self, advance: Advance) -> Made:
        """Makes and publishes the artefact."""

    def upstream(self) -> list[Stage]:
        """The tasks whose artefacts this one reads."""
        return []

    def recipe_from(self) -> list[Stage]:
        """The tasks whose settings lead to this one."""
        return self.upstream()

    def needs(self) -> list[str]:
        """What a person must provide before this can run, a sentence each."""
        return []

    def prepare(self) -> None:
        """Gets and checks what this needs from elsewhere, before any stage runs.

        Raises:
            SengaError: where it cannot be had.
        """

    def content_from(self) -> list[str]:
        """Digests of everything upstream that the artefact is made from.

        Raises:
            NotReadyError: where some of it is not made yet.
        """
        return [task.manifest().content for task in self.upstream()]

    def progress(self) -> Progress:
        """How far the stage is when this task begins."""
        return Progress()

    # What follows from it

    @property
    def dataset(self) -> Dataset:
        """The folder that the build writes."""
        options = config.options(config.BuildOptions)
        return Dataset(Path(options.data) / options.dataset)

    def recipe(self) -> str:
        """Fingerprint of the settings that lead to here, known before anything is made."""
        if self._recipe is None:
            upstream = [task.recipe() for task in self.recipe_from()]
            chain = [self.task_family, self.version, self.settings(), upstream]
            self._recipe = store.fingerprint(chain)
        return self._recipe

    def inputs(self) -> dict[str, object]:
        """Everything that the artefact is made from; raises NotReadyError."""
        return {
            "stage": self.task_family,
            "version": self.version,
            "parameters": self.param_kwargs,
            "settings": self.settings(),
            "content": self.content_from(),
        }

    def manifest_path(self) -> Path:
        """Where the manifest lies."""
        return store.manifest_path(self.artefact())

    def manifest(self) -> Manifest:
        """The manifest of the finished artefact; raises NotReadyError.

        What is complete stays so for as long as its manifest does: nothing upstream of it is made
        again in this process. Else every stage would look at all that is above it, every time.
        """
        if self._path is None:
            self._path = self.manifest_path()
        stamp = store.file_identity(self._path)
        if stamp is None or (stamp != self._ready and not self.complete()):
            raise NotReadyError(str(self))
        manifest = store.read_manifest(self._path)
        if manifest is None:
            raise NotReadyError(str(self))
        self._ready = stamp
        return manifest

    def is_ready(self) -> bool:
        """Whether there is a `manifest`."""
        try:
            self.manifest()
        except NotReadyError:
            return False
        return True

    def complete(self) -> bool:
        """Whether the artefact exists and was made from exactly these inputs."""
        manifest = store.read_manifest(self.manifest_path())
        if manifest is None or not self.artefact().exists():
            return False
        if manifest.unfinished and manifest.build != BUILD:
            return False
        try:
            return manifest.fingerprint == store.fingerprint(self.inputs())
        except (NotReadyError, SengaError):
            return False

    def requires(self) -> list[Stage]:
        """The tasks that Luigi runs first."""
        return self.upstream()

    def output(self) -> luigi.LocalTarget:
        """The manifest, since it is written last."""
        return luigi.LocalTarget(str(self.manifest_path()))

    def run(self) -> Iterator[Sequence[Stage]] | None:
        """Makes the artefact and writes its manifest."""
        self.make_and_record()
        return None

    def make_and_record(self) -> None:
        """Runs `make` under the dataset's lock and progress line, then writes the manifest.

        Luigi asks before anything runs what is complete; by now, more may be.
        """
        if self.complete():
            self.say_nothing_to_do()
            return
        for sentence in self.needs():
            raise SengaError(sentence)
        store.lock_dataset(self.dataset.root)
        inputs = self.inputs()
        started = time.monotonic()
        with Meter(
            self.stage,
            self.progress(),
            unit=self.unit,
            live=multiprocessing.parent_process() is None,
            report=self._tell_luigi,
        ) as meter:
            made = self.make(meter.advance)
        Manifest(
            fingerprint=store.fingerprint(inputs),
            inputs=inputs,
            content=made.content or store.fingerprint(inputs),
            kept=made.kept,
            dropped=dict(made.dropped),
            facts=dict(made.facts),
            unfinished=made.unfinished,
            build=BUILD,
            bytes=store.size_of(self.artefact()),
            seconds=round(time.monotonic() - started, 3),
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            host=socket.gethostname(),
            versions=versions(),
        ).write(self.manifest_path())
        self.say_done()

    def say_nothing_to_do(self) -> None:
        """Says that what is upstream has not changed after all: nothing, by default."""

    def say_done(self) -> None:
        """Says the stage's line."""
        say(self.stage, [self.manifest()], self.unit)

    def _tell_luigi(self, share: float) -> None:
        if self.set_progress_percentage and self.set_status_message:  # Luigi's, while `run` runs
            self.set_progress_percentage(round(100 * share))
            self.set_status_message(f"{self.stage}: {share:.0%}")

    def on_failure(self, exception: BaseException) -> str:
        """What Luigi's scheduler shows: the sentence where there is one, else the traceback."""
        if isinstance(exception, SengaError):
            return str(exception)
        return super().on_failure(exception)


@Stage.event_handler(luigi.Event.DEPENDENCY_DISCOVERED)
def _hold_before_workers_fork(task: Stage, _: Stage) -> None:
    """Takes the dataset's lock in the scheduling process, so that all of its workers have it.

    Luigi discovers the dependencies of what it is going to run, there and not in the workers.
    """
    with contextlib.suppress(SengaError):  # `run` says it
        store.lock_dataset(task.dataset.root)


def say(stage: str, manifests: Sequence[Manifest], unit: str) -> None:
    """One line for a finished stage."""
    kept = sum(manifest.kept for manifest in manifests)
    seconds = sum(manifest.seconds for manifest in manifests)
    dropped: Counter[str] = Counter()
    for manifest in manifests:
        dropped.update(manifest.dropped)
    most = dropped.most_common(1)
    left_out = f"; left out {dropped.total():,}, mostly {most[0][0]}" if most else ""
    logger.info("%-9s %s %s in %.1f s%s", stage, f"{kept:,}", unit, seconds, left_out)


@cache
def versions() -> dict[str, str]:
    """What made the artefact: Senga's commit, where it runs from a clone, and the libraries."""
    found = {name: metadata.version(name) for name in _LIBRARIES}
    here = Path(__file__).parent
    commit = ""
    with contextlib.suppress(OSError):  # no git
        git = ["git", "-C", str(here), "rev-parse", "HEAD"]
        done = subprocess.run(git, capture_output=True, text=True, check=False)  # noqa: S603
        commit = done.stdout.strip()
    return {"senga": metadata.version("senga"), "commit": commit, **found}
