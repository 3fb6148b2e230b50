"""Signals that stop a training, which saves a checkpoint first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from pipeline.child_process import StoppedError
from pipeline.training.context import TrainContext
from pipeline.training.train_log import TrainSchedule

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C; the end of a job or of the system; the end of the terminal."""


class StopSignal:
    """The signal that has asked this process to stop, if any.

    Attributes:
        number: of the signal; 0 without any.
    """

    def __init__(self) -> None:
        self.number = 0

    def receive(self, number: int, _: FrameType | None) -> None:
        """Keep the number of a signal, as its handler; a second Ctrl-C ends the process at once."""
        self.number = number
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def catch_stop_signals() -> Iterator[StopSignal]:
    """Keep signals from ending this process, for a block that looks for them itself."""
    stop = StopSignal()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            if number != signal.SIGHUP or before[number] != signal.SIG_IGN:  # as nohup does
                signal.signal(number, stop.receive)
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_stopped(
    number: int, schedule: TrainSchedule, step: int, context: TrainContext
) -> NoReturn:
    """End this process, once the checkpoint of a step is saved; the first process says so.

    Args:
        number: of the signal that has asked for it.
        schedule: of the training.
        step: number of steps done.
        context: says which process this is.

    Raises:
        StoppedError: In the first process.
        SystemExit: In the others. Their status is 0, else torchrun would kill the first one.
    """
    if context.rank:
        raise SystemExit(0)
    images, of = step * schedule.batch_size, schedule.steps * schedule.batch_size
    raise StoppedError(
        f"Stopped after {images:,} of {of:,} images; a checkpoint is saved. Run again: it resumes "
        "from there.",
        number,
    )


@contextmanager
def hold_stop_signals() -> Iterator[None]:
    """Hold signals until the end of the block, and for good in the processes that it starts.

    Ctrl-C reaches all processes of a terminal. One that loads pictures would end, and its training
    fail before it has saved anything; they end with the training anyway.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
