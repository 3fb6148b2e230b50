"""The task that lists, and deletes, what the configuration no longer needs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

import luigi

from pipeline import lock, prune
from pipeline.prune import Unused
from pipeline.report.report import format_bytes
from pipeline.store import Dataset
from pipeline.tables.newest import newest_build
from sketch_models.errors import DatasetError, SengaError
from tasks import config
from tasks.build_dataset import BuildDataset
from tasks.evaluate_colorizer import EvaluateColorizer
from tasks.export_dataset import ExportDataset
from tasks.stage import Stage, logger
from tasks.train_colorizer import TrainColorizer, sources
from tasks.train_lines import TrainLineNetwork

_OTHERS: dict[Sequence[str], Callable[[], list[Stage]]] = {
    ("colorizer", "evaluation"): lambda: [TrainColorizer(), EvaluateColorizer()],
    ("export",): lambda: [ExportDataset()],
    ("tracer",): lambda: [TrainLineNetwork(network="tracer")],
    ("inker",): lambda: [TrainLineNetwork(network="inker")],
}
"""The tasks beside the build, by the folders of their artefacts."""


class Prune(luigi.Task):
    """List the artefacts of settings that the configuration no longer has, or delete them."""

    delete = luigi.BoolParameter(description="delete them; without it they are listed")
    folders = luigi.Parameter(
        default="",
        description="folders of the dataset to look through, separated by commas: sketch,line; "
        "all if empty",
    )

    def __init__(self, *args: object, **values: object) -> None:
        """Check the configuration before anything runs."""
        super().__init__(*args, **values)
        config.check()
        self._done = False

    def complete(self) -> bool:
        """Return whether it has run in this process."""
        return self._done

    def run(self) -> None:
        """List what is not needed; delete it if asked to."""
        dataset = BuildDataset().dataset
        lock.lock_dataset(dataset.root)
        needed = settings_hashes([*sources(), BuildDataset()]) | _newest_hashes(dataset)
        folders = self._choose_folders(dataset)
        for names, tasks in _OTHERS.items():
            hashes = _hashes_if_known(tasks, names)
            needed |= hashes
            if not hashes:
                folders = [name for name in folders if name not in names]
        unused = prune.find_unused(dataset, needed, folders)
        if self.delete:
            prune.delete_unused(unused)
        _print(unused, deleted=self.delete)
        self._done = True

    def _choose_folders(self, dataset: Dataset) -> list[str]:
        """Return the folders to look through; raise SengaError if one does not exist."""
        existing = prune.stages_of(dataset)
        chosen = [name.strip() for name in self.folders.split(",") if name.strip()]
        for name in chosen:
            if name not in existing:
                raise SengaError(
                    f"--folders {self.folders}: {dataset.root} has no folder {name}. Choose from "
                    f"{', '.join(existing)}."
                )
        return chosen or existing


def settings_hashes(tasks: Iterable[Stage]) -> set[str]:
    """Return the settings hashes of tasks, and of all that they are made from."""
    hashes: set[str] = set()
    for task in tasks:
        hashes |= {task.settings_hash()} | settings_hashes(task.settings_from())
    return hashes


def _newest_hashes(dataset: Dataset) -> set[str]:
    """Return the settings hashes of the build that the links point at; none if there is none."""
    try:
        return newest_build(dataset.root).lineage.settings_hashes()
    except DatasetError:
        return set()


def _hashes_if_known(tasks: Callable[[], list[Stage]], folders: Sequence[str]) -> set[str]:
    """Return the settings hashes of tasks; none, with a line, if their options are wrong."""
    try:
        return settings_hashes(tasks())
    except SengaError as error:
        logger.warning("%s: all is kept. %s", " and ".join(folders), error)
        return set()


def _print(unused: Sequence[Unused], *, deleted: bool) -> None:
    """Print a line for each folder: day of its last change, size, path; and the size of all."""
    if not unused:
        sys.stderr.write("Nothing to delete: all is needed by this configuration.\n")
        return
    for each in unused:
        line = f"{each.changed.isoformat()}  {format_bytes(each.bytes):>8}  {each.path}\n"
        sys.stderr.write(line)
    size = format_bytes(sum(each.bytes for each in unused))
    end = "Deleted." if deleted else "Not needed by this configuration: --delete deletes them."
    sys.stderr.write(f"{len(unused):,} folder{'s' if len(unused) > 1 else ''}, {size}. {end}\n")
