"""`Stage`, the base class of the tasks: complete if the manifest names exactly its inputs."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
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

from pipeline import lock, store
from pipeline.damage import DamagedFileError
from pipeline.manifest import Manifest, file_identity, file_sizes, have_sizes, read_manifest
from pipeline.progress import Meter, OnProgress, Pace, Progress
from pipeline.store import Dataset
from pipeline.unexpected import UNEXPECTED
from sketch_models.atomic import open_append
from sketch_models.errors import SengaError
from tasks import config
from tasks.senga_task import RUN_ID, SengaTask

logger = logging.getLogger("senga")

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


_DEFECTS = 10  # so many errors are no odd picture


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """The result of `Stage.make`; the fields are those of `Manifest`."""

    kept: int
    content: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    unfinished: int = 0


_Stamp = tuple[tuple[int, int] | None, tuple[int, int] | None]
"""Identities of a task's manifest and of the list of damaged files."""


class NotReadyError(Exception):
    """Something upstream is not made yet, so that the inputs of a task cannot be listed."""


class Stage(SengaTask):
    """A task of the DAG.

    A subclass defines the path of its artefact, the settings and upstream content that it is made
    from, and how it is made. Raise `version` when the same inputs give another result.
    """

    version = 1
    stage = ""  # its name in progress lines and tables
    unit = "pictures"  # what progress lines and tables count

    def __init__(self, *args: object, **values: object) -> None:
        """Check the whole configuration, before anything runs."""
        super().__init__(*args, **values)
        # Cached, since they are read thousands of times in a build of many shards.
        self._settings_hash: str | None = None
        self._manifest_path: Path | None = None
        self._complete_stamp: _Stamp | None = None  # of a complete task

    # What a subclass defines

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """Return the options that change the result."""

    @abstractmethod
    def artefact(self) -> Path:
        """Return the path of the file or folder that this task makes."""

    @abstractmethod
    def make(self, on_progress: OnProgress) -> StageResult:
        """Make and publish the artefact."""

    def upstream(self) -> list[Stage]:
        """Return the tasks whose artefacts this one reads."""
        return []

    def made_from(self) -> Sequence[Stage]:
        """Return the tasks that this one waits for when it runs; their files may be damaged."""
        return self.upstream()

    def made_files(self) -> list[Path]:
        """Return the files of the finished artefact, which must be there for it to be complete."""
        artefact = self.artefact()
        files = artefact.rglob("*") if artefact.is_dir() else [artefact]
        return [file for file in files if file.is_file() and file != self.manifest_path()]

    def settings_from(self) -> list[Stage]:
        """Return the tasks whose settings are a part of this one's settings hash."""
        return self.upstream()

    def shared_resources(self) -> dict[str, int]:
        """Return how much it needs of what builds share, such as `gpu`: see [resources]."""
        return {}

    def unmet_requirements(self) -> list[str]:
        """Return what a person must provide before this can run, a message each."""
        return []

    def content_from(self) -> list[str]:
        """Return the digests of everything upstream that the artefact is made from.

        Raises:
            NotReadyError: if some of it is not made yet.
        """
        return [task.manifest().content for task in self.upstream()]

    def progress(self) -> Progress:
        """Return the progress of the stage when this task begins."""
        return Progress()

    def pace(self) -> Pace | None:
        """Return how fast this task is, if its own process has measured that."""
        return None

    # What follows from these

    @property
    def dataset(self) -> Dataset:
        """The folder of the dataset that is being built."""
        return Dataset(config.options(config.BuildOptions).folder)

    def settings_hash(self) -> str:
        """Return the fingerprint of the settings of this task and of those that lead to it.

        It depends on options alone, so that it exists before anything is made.
        """
        if self._settings_hash is None:
            upstream = [task.settings_hash() for task in self.settings_from()]
            chain = [self.task_family, self.version, self.settings(), upstream]
            self._settings_hash = store.fingerprint(chain)
        return self._settings_hash

    def inputs(self) -> dict[str, object]:
        """Return everything that the artefact is made from; raise NotReadyError until it exists."""
        return {
            "stage": self.task_family,
            "version": self.version,
            "parameters": self.param_kwargs,
            "settings": self.settings(),
            "content": self.content_from(),
        }

    def manifest_path(self) -> Path:
        """Return the path of the manifest."""
        return store.manifest_path(self.artefact())

    def manifest(self) -> Manifest:
        """Return the manifest of the finished artefact; raise NotReadyError until it is."""
        manifest = read_manifest(self._path_of_manifest) if self.complete() else None
        if manifest is None:
            raise NotReadyError(str(self))
        return manifest

    def is_ready(self) -> bool:
        """Return whether the artefact is finished, so that `manifest` returns one."""
        try:
            self.manifest()
        except NotReadyError:
            return False
        return True

    @property
    def _path_of_manifest(self) -> Path:
        if self._manifest_path is None:
            self._manifest_path = self.manifest_path()
        return self._manifest_path

    def complete(self) -> bool:
        """Return whether the artefact is whole and was made from exactly these inputs.

        A complete task counts as complete until its manifest changes or a damaged file is found:
        else nothing upstream of it is made again in this run. Otherwise each of thousands of
        shards would check all that is upstream, every time that Luigi asks.
        """
        log = self.dataset.damage_log()
        stamp = (file_identity(self._path_of_manifest), file_identity(log))
        if stamp[0] is None:
            return False
        if stamp != self._complete_stamp:
            self._complete_stamp = stamp if self._is_complete() else None
        return self._complete_stamp is not None

    def _is_complete(self) -> bool:
        manifest = read_manifest(self.manifest_path())
        if manifest is None or not self.is_whole():
            return False
        if manifest.unfinished and manifest.build != RUN_ID:
            return False
        try:
            return manifest.fingerprint == store.fingerprint(self.inputs())
        except (NotReadyError, SengaError):
            return False

    def is_whole(self) -> bool:
        """Return whether every file of the manifest is there with its size; none is read."""
        manifest = read_manifest(self.manifest_path())
        if manifest is None or not manifest.files:  # of an earlier version
            return self.artefact().exists()
        return have_sizes(manifest.files, self.manifest_path().parent)

    def record_sizes(self) -> dict[str, int]:
        """Return the sizes of the files that were made, for the manifest."""
        return file_sizes(self.made_files(), self.manifest_path().parent)

    def discard(self) -> None:
        """Delete the record that the artefact is complete, so that it is made again."""
        self.manifest_path().unlink(missing_ok=True)

    def requires(self) -> Sequence[luigi.Task]:
        """Return the tasks that Luigi runs first."""
        return self.upstream()

    def process_resources(self) -> dict[str, int]:
        """Lock the dataset, if there is anything to do, and return `shared_resources`.

        Luigi asks when it schedules the task, before it starts workers, which inherit the lock. So
        a build that is refused ends before the scheduler knows of it.

        Raises:
            SengaError: if another build has the lock, or the folder cannot be written.
        """
        if not self.complete():
            lock.lock_dataset(self.dataset.root)
        return self.shared_resources()

    def output(self) -> luigi.LocalTarget:
        """Return the manifest as Luigi's target, since it is written last."""
        return luigi.LocalTarget(str(self.manifest_path()))

    def run(self) -> Iterator[Sequence[Stage]]:
        """Wait for what it is made from, make the artefact and write its manifest.

        A file that turns out to be damaged is made again first, once in a run.

        Raises:
            SengaError: if what it is made from was complete, and is not any more.
        """
        made_again: set[Path] = set()
        while True:
            try:
                made_from = self.made_from()
            except NotReadyError as error:
                raise _changed_meanwhile(error) from error
            yield made_from
            try:
                self.make_and_record()
            except NotReadyError as error:
                raise _changed_meanwhile(error) from error
            except DamagedFileError as error:
                if error.path in made_again:
                    raise _damaged_again(error) from error
                self._discard_owner(error)
                made_again.add(error.path)
            else:
                return

    def _discard_owner(self, error: DamagedFileError) -> None:
        """Discard the artefact that a damaged file is of, unless this run has made it again.

        Raises:
            DamagedFileError: if it is of none upstream.
        """
        owner = next((task for task in self._ancestors() if error.path in task.made_files()), None)
        if owner is None:
            raise error
        manifest = read_manifest(owner.manifest_path())
        if manifest is not None and manifest.build == RUN_ID:
            return  # by another worker, while this one read the file that was there before
        logger.warning("%s is damaged: %s. It is made again.", error.path, error.fault)
        log = self.dataset.damage_log()
        with store.explain_write_errors(log), open_append(log) as file:
            file.write(f"{_now()} {error.path}: {error.fault}\n".encode())
        owner.discard()

    def _ancestors(self) -> Iterator[Stage]:
        """Yield the tasks that this one is made from, and what these are made from, the near first.

        A task may come several times.
        """
        tasks = list(self.made_from())
        while tasks:
            yield from tasks
            tasks = list(dict.fromkeys(before for task in tasks for before in task.made_from()))

    def make_and_record(self) -> None:
        """Run `make` with the dataset's lock and a progress line, then write the manifest.

        Luigi checks which tasks are complete before anything runs; by now, this one may be, too.
        """
        if self.complete():
            self.log_still_complete()
            return
        check_requirements([self])
        lock.lock_dataset(self.dataset.root)
        inputs = self.inputs()
        started = time.monotonic()
        with Meter(
            self.stage,
            self.progress(),
            unit=self.unit,
            live=multiprocessing.parent_process() is None,
            on_fraction=self._update_luigi_progress,
            pace=self.pace,
        ) as meter:
            result = self.make(meter.advance)
        _refuse_defects(result, self.unit)
        Manifest(
            fingerprint=store.fingerprint(inputs),
            inputs=inputs,
            content=result.content or store.fingerprint(inputs),
            kept=result.kept,
            dropped=dict(result.dropped),
            facts=dict(result.facts),
            unfinished=result.unfinished,
            build=RUN_ID,
            bytes=store.size_of(self.artefact()),
            files=self.record_sizes(),
            seconds=round(time.monotonic() - started, 3),
            created=_now(),
            host=socket.gethostname(),
            versions=versions(),
        ).write(self.manifest_path())
        self.log_done()

    def log_up_to_date(self) -> None:
        """Log that the task was complete before anything ran; no line by default."""

    def log_still_complete(self) -> None:
        """Log that it is complete though something upstream was made again."""
        self.log_up_to_date()

    def log_done(self) -> None:
        """Log the line of the finished stage."""
        log_summary(self.stage, [self.manifest()], self.unit)

    def _update_luigi_progress(self, fraction: float) -> None:
        if self.set_progress_percentage and self.set_status_message:  # Luigi's, while `run` runs
            self.set_progress_percentage(round(100 * fraction))
            self.set_status_message(f"{self.stage}: {fraction:.0%}")

    def on_failure(self, exception: BaseException) -> str:
        """Return what Luigi's scheduler shows: the message of a SengaError, else the traceback."""
        if isinstance(exception, SengaError):
            return str(exception)
        return super().on_failure(exception)


def _refuse_defects(result: StageResult, unit: str) -> None:
    """Raise SengaError if most of what was done failed in ways that nobody foresaw.

    Some odd pictures may; if most do, it is Senga or the machine, and each would be lost.
    """
    unexpected = result.dropped.get(UNEXPECTED, 0)
    if unexpected >= _DEFECTS and unexpected > result.kept:
        raise SengaError(
            f"{unexpected:,} {unit} failed with errors that Senga did not foresee, and "
            f"{result.kept:,} did not. The lines above name each: a defect of Senga, of a library "
            "or of this machine. Nothing of them is recorded; once it is mended, run it again."
        )


def _changed_meanwhile(error: NotReadyError) -> SengaError:
    return SengaError(
        f"What {error} is made from has changed since it was made in this run. Wait until nothing "
        "else writes there, then run again."
    )


def _damaged_again(error: DamagedFileError) -> SengaError:
    return SengaError(
        f"{error.path} is damaged ({error.fault}), though it was made in this run. Check the disk "
        "and the memory of this machine, then run again."
    )


def _now() -> str:
    """Return the time, UTC, as ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@Stage.event_handler(luigi.Event.DEPENDENCY_PRESENT)
def _log_up_to_date(task: Stage) -> None:
    task.log_up_to_date()


def check_requirements(stages: Sequence[Stage]) -> None:
    """Raise one error that lists everything that the stages lack.

    Raises:
        SengaError: if a person must provide something first; one line for each thing.
    """
    messages = [message for stage in stages for message in stage.unmet_requirements()]
    if messages:
        raise SengaError("\n".join(dict.fromkeys(messages)))


def log_summary(stage: str, manifests: Sequence[Manifest], unit: str) -> None:
    """Log one line for a finished stage: what it kept, its seconds, and what it dropped most."""
    kept = sum(manifest.kept for manifest in manifests)
    seconds = sum(manifest.seconds for manifest in manifests)
    dropped: Counter[str] = Counter()
    for manifest in manifests:
        dropped.update(manifest.dropped)
    top = dropped.most_common(1)
    reason = f"; dropped {dropped.total():,}, mostly {top[0][0]}" if top else ""
    if unexpected := dropped[UNEXPECTED]:
        reason += f"; {unexpected:,} by errors that Senga did not foresee: see the log"
    logger.info("%-9s %s %s in %.1f s%s", stage, f"{kept:,}", unit, seconds, reason)


@cache
def versions() -> dict[str, str]:
    """Return Senga's version, its commit if it runs from a clone, and the libraries' versions."""
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    commit = ""
    with contextlib.suppress(OSError):  # no git
        git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        process = subprocess.run(git, capture_output=True, text=True, check=False)  # noqa: S603
        commit = process.stdout.strip()
    return {"senga": metadata.version("senga"), "commit": commit, **libraries}
