"""`SengaTask`, the base class of all tasks: the configuration is checked, and a part of the id."""

from __future__ import annotations

import os
import re
import socket
import time
from functools import cache
from pathlib import Path

import luigi

from pipeline import store
from tasks import config, config_files

RUN_ID = f"{socket.gethostname()}-{os.getpid()}-{time.time():.0f}"
"""Identifies this run of Luigi; worker processes inherit it."""


class SengaTask(luigi.Task):
    """A Luigi task whose id says what it is a part of: dataset, recipe, options, run.

    Luigi makes an id of a task's name and its parameters, but what a task does depends on the
    options, too. With a scheduler that several builds share, one would take the tasks of another
    for its own: done when those are, or failed when those have.
    """

    retry_count = 1  # Luigi's: a stage retries transient failures itself, others need a person

    def __init__(self, *args: object, **values: object) -> None:
        """Check the whole configuration, before anything runs."""
        super().__init__(*args, **values)
        config.check()
        self.task_id = self._id()

    @classmethod
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        """Return names and parameters, which Luigi looks for in the class at every call."""
        return _params(cls)

    def _id(self) -> str:
        """Return the id, such as `PackDataset_solo_solo_1a2b3c4d5e`: dataset, recipe, digest.

        The run is a part of it, since two runs never share a task: a dataset is locked by the one
        that builds it, and what has failed in one run may succeed in the next.
        """
        parameters = self.to_str_params()
        words = [
            self.task_family,
            config.options(config.BuildOptions).dataset,
            Path(os.environ.get(config_files.RECIPE_VARIABLE, "")).stem,
            *parameters.values(),
            store.fingerprint([_run_digest(), parameters])[:10],
        ]
        return re.sub(r"[^\w-]+", "_", "_".join(word for word in words if word))


@cache
def _params(task_type: type[SengaTask]) -> list[tuple[str, luigi.Parameter]]:
    params: list[tuple[str, luigi.Parameter]] = super(SengaTask, task_type).get_params()
    return params


@cache
def _run_digest() -> str:
    """Return the fingerprint of this run: its folder, options and `RUN_ID`."""
    folder = config.options(config.BuildOptions).folder.absolute()
    return store.fingerprint([str(folder), config.texts(), RUN_ID])
