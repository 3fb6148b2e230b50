"""End worker processes together with the process that started them.

Without this, killing `luigi` leaves its workers running, and they keep writing files.
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

from tasks import interrupt

_PR_SET_PDEATHSIG = 1  # prctl(2)


class ExitWithParent:
    """The context in which every task runs: luigi.cfg names it in `[worker] task_process_context`.

    A worker process is killed as soon as its parent has ended. One that is interrupted says so in a
    line.
    """

    def __init__(self, process: TaskProcess) -> None:
        """Take Luigi's process object; it also exists if the task runs in the main process."""
        self._is_child = process.use_multiprocessing

    def __enter__(self) -> ExitWithParent:
        parent = multiprocessing.parent_process()
        if self._is_child and parent is not None:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            threading.Thread(target=_kill_after, args=(parent.pid,), daemon=True).start()
        try:
            interrupt.handle_interrupts()
        except KeyboardInterrupt as error:  # before what `__exit__` ends
            self._end_worker(error)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc_value, KeyboardInterrupt):
            self._end_worker(exc_value)

    def _end_worker(self, error: KeyboardInterrupt) -> None:
        """End a worker process without a traceback; return in the main process."""
        if self._is_child:
            if error.args:
                interrupt.show(error)
            raise SystemExit(interrupt.EXIT_INTERRUPTED) from None


def _kill_after(parent: int | None) -> None:
    """Kill this process once its parent has ended: for parents that ended before prctl was called.

    It is also what remains on systems without prctl.
    """
    while os.getppid() == parent:
        time.sleep(2)
    os.kill(os.getpid(), signal.SIGKILL)
