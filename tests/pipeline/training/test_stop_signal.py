"""Signals that stop a training: noticed in it, held back from the processes that it starts."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from pipeline.child_process import StoppedError
from pipeline.training.context import TrainContext
from pipeline.training.stop_signal import (
    SIGNALS,
    catch_stop_signals,
    hold_stop_signals,
    raise_stopped,
)
from pipeline.training.train_log import TrainSchedule

CPU = torch.device("cpu")


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_is_kept_and_ends_nothing(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with catch_stop_signals() as stop:
        assert stop.number == 0
        os.kill(os.getpid(), number)
        assert stop.number == number
    assert signal.getsignal(number) == before


def test_second_ctrl_c_ends_the_process_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), catch_stop_signals():
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)


def test_end_of_the_terminal_stays_ignored_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with catch_stop_signals() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.number == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_held_signals_come_after_the_block_and_never_to_processes_started_in_it() -> None:
    code = "import os, signal; [os.kill(os.getpid(), n) for n in (1, 2, 15)]; print('alive')"
    with catch_stop_signals() as stop:
        with hold_stop_signals():
            signal.raise_signal(signal.SIGTERM)  # this thread: others do not hold it
            child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            assert stop.number == 0
        assert stop.number == signal.SIGTERM
    assert child.stdout == "alive\n"


def test_first_process_says_what_is_saved_and_the_others_end_in_silence() -> None:
    schedule = TrainSchedule(pictures=100, batch_size=32, steps=1000)
    with pytest.raises(StoppedError, match=r"^Stopped after 3,200 of 32,000 images; a ") as stopped:
        raise_stopped(signal.SIGTERM, schedule, 100, TrainContext(device=CPU))
    assert stopped.value.number == signal.SIGTERM
    with pytest.raises(SystemExit, match="0"):
        raise_stopped(signal.SIGTERM, schedule, 100, TrainContext(device=CPU, rank=1, world_size=2))
