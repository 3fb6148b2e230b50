"""Ctrl-C, SIGTERM and the end of the terminal: the `luigi` command stops, and says so in a line."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from types import FrameType, TracebackType

from luigi.cmdline_parser import CmdlineParser

EXIT_INTERRUPTED = 130  # as a shell reports SIGINT

_STOPPED = "Stopped. Run again: what is finished is kept."
_AGAIN_AFTER = 0.1  # seconds until a signal that came during a fork is sent again

_is_forking = False  # Python loses what is raised in the hooks of a fork
_is_new_worker = False  # until its first task, which catches interrupts


def _set(*, forking: bool, new_worker: bool = False) -> None:
    global _is_forking, _is_new_worker
    _is_forking, _is_new_worker = forking, new_worker


os.register_at_fork(
    before=lambda: _set(forking=True),
    after_in_parent=lambda: _set(forking=False),
    after_in_child=lambda: _set(forking=False, new_worker=True),
)


def handle_interrupts() -> None:
    """Make a process of the `luigi` command stop at every signal that asks for it.

    To be called before each task, too: Polars replaces the handler of Ctrl-C, and its own does not
    wake a process that waits for another one.
    """
    if CmdlineParser.get_instance() is None:  # a program of somebody else's
        return
    _set(forking=False)
    # Workers get these from the terminal, and SIGTERM from the process that has started them.
    from_terminal = signal.SIG_IGN if _is_worker() else _interrupt
    signal.signal(signal.SIGINT, from_terminal)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, from_terminal)
    signal.signal(signal.SIGTERM, _interrupt)
    sys.excepthook = _show_error


def show(interrupt: KeyboardInterrupt) -> None:
    """Print what a training has said when it was stopped, or that this process has stopped."""
    sys.stderr.write(f"{interrupt}\n" if interrupt.args else f"{_STOPPED}\n")


def _is_worker() -> bool:
    return multiprocessing.parent_process() is not None


def _interrupt(number: int, _: FrameType | None) -> None:
    """Stop this process, and the workers that it has started and waits for at its end."""
    if _is_new_worker:
        os._exit(EXIT_INTERRUPTED)
    if _is_forking:
        threading.Timer(_AGAIN_AFTER, os.kill, (os.getpid(), number)).start()
        return
    if _is_worker():  # once: it may wait for a training that saves a checkpoint
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for worker in multiprocessing.active_children():
        if worker.pid is not None:  # no `terminate`: Luigi's waits, and ends its training, too
            os.kill(worker.pid, signal.SIGTERM)
    raise KeyboardInterrupt


def _show_error(
    error_type: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if isinstance(error, KeyboardInterrupt):
        show(error)
    else:
        sys.__excepthook__(error_type, error, traceback)
