"""Signals that end the `luigi` command: one line; elsewhere they are left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks import interrupt
from tests.end_to_end.luigi import ENV, TOP


def test_program_that_is_not_luigi_keeps_its_own_handlers() -> None:
    before = signal.getsignal(signal.SIGTERM), sys.excepthook
    interrupt.handle_interrupts()
    assert (signal.getsignal(signal.SIGTERM), sys.excepthook) == before


@pytest.mark.parametrize(
    ("workers", "number"), [(1, signal.SIGINT), (1, signal.SIGHUP), (2, signal.SIGTERM)]
)
def test_build_that_is_interrupted_says_so_in_one_line(
    tmp_path: Path, workers: int, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    command += ["--build-data", str(tmp_path), "--workers", str(workers)]
    with subprocess.Popen(command, cwd=TOP, env=ENV, stderr=subprocess.PIPE, text=True) as build:
        while not (tmp_path / "sample").exists():
            assert build.poll() is None
            time.sleep(0.02)
        build.send_signal(number)
        _, errors = build.communicate()
    assert build.returncode in (-signal.SIGINT, 130), errors
    assert errors.splitlines()[-1:] == ["Stopped. Run again: what is finished is kept."], errors
    assert "Traceback" not in errors


def test_signal_during_a_fork_is_sent_again_once_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *call: sent.append(call))
    interrupt._set(forking=True)  # Python would lose what is raised now
    try:
        interrupt._interrupt(signal.SIGTERM, None)
    finally:
        interrupt._set(forking=False)
    end = time.monotonic() + 10
    while not sent and time.monotonic() < end:
        time.sleep(0.02)
    assert sent == [(os.getpid(), signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt):
        interrupt._interrupt(signal.SIGTERM, None)


def test_windows_is_refused_in_one_sentence() -> None:
    code = "import sys; sys.platform = 'win32'; import tasks"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, env=ENV, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Senga builds and trains on Linux and macOS. On Windows, run it in WSL.\n"
    )
