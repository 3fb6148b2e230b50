"""How the processes of `--workers` start: they are forks."""

from __future__ import annotations

import multiprocessing

from luigi.interface import core

from sketch_models.errors import ConfigError

_FORK = "fork"


def choose_fork() -> None:
    """Let worker processes start as forks of this one, whatever Python's default is.

    They inherit the lock of the dataset and the options of the command line. A process that starts
    anew has neither: it would make another dataset.

    Raises:
        ConfigError: if this system has no forks, and there is to be more than one worker.
    """
    if _FORK in multiprocessing.get_all_start_methods():
        multiprocessing.set_start_method(_FORK, force=True)
    elif core().workers > 1:
        raise ConfigError(
            f"--workers {core().workers}: this system cannot fork processes, which several workers "
            "are. Leave --workers out, or run this on Linux, macOS or WSL."
        )
