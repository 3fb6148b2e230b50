"""Ties the life of a worker process to that of the process that started it.

Without it, killing `luigi` leaves its workers behind, and they go on writing.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from types import TracebackType

from luigi.worker import TaskProcess

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Lifeline:
    """What luigi.cfg names as `[worker] task_process_context`."""

    def __init__(self, process: TaskProcess) -> None:
        """Luigi hands over the process object, also where the task runs in the main process."""
        self._is_child = process.use_multiprocessing

    def __enter__(self) -> Lifeline:
        parent = multiprocessing.parent_process()
        if self._is_child and parent is not None:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            threading.Thread(target=_watch, args=(parent.pid,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


def _watch(parent: int | None) -> None:
    """Ends this process when its parent has gone: at once where prctl came too late, or is not."""
    while os.getppid() == parent:
        time.sleep(2)
    os.kill(os.getpid(), signal.SIGKILL)
