"""Ctrl-C, SIGTERM and the end of the terminal: the `luigi` command stops, and says so in a line."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from types import FrameType, TracebackType

from luigi.cmdline_parser import CmdlineParser

_STOPPED = "Stopped. Run again: what is finished is kept."


def handle_interrupts() -> None:
    """Make a process of the `luigi` command stop at every signal that asks for it.

    To be called before each task, too: Polars replaces the handler of Ctrl-C, and its own does not
    wake a process that waits for another one.
    """
    if CmdlineParser.get_instance() is None:  # a program of somebody else's
        return
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


def _interrupt(_: int, __: FrameType | None) -> None:
    """Stop this process, and the workers that it has started and waits for at its end."""
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
