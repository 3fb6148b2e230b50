"""Run commands with a limit, and look at the processes that they start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_INTERVAL = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Run:
    """One run of a command.

    Attributes:
        seconds: with its start-up.
        peak: most memory that it had, resident, in MB: of the process and its children together.
        code: its exit status; None if it was stopped at the limit.
        output: what it has printed.
    """

    seconds: float
    peak: float
    code: int | None
    output: str


def run(
    command: list[str],
    log: Path,
    *,
    max_seconds: float,
    environment: Mapping[str, str],
    cwd: Path | None = None,
) -> Run:
    """Run a command, and end all its processes at the limit.

    Args:
        command: the program and its arguments.
        log: file that gets what it prints.
        max_seconds: the limit.
        environment: its environment variables.
        cwd: the folder that it runs in.
    """
    start = time.perf_counter()
    peak = 0
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, cwd=cwd, start_new_session=True
        )
        try:
            while process.poll() is None and time.perf_counter() - start < max_seconds:
                peak = max(peak, resident_bytes(process.pid))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_INTERVAL)
            seconds, code = time.perf_counter() - start, process.poll()
        finally:
            kill_group(process)
    return Run(seconds, peak / 1e6, code, log.read_text(errors="replace"))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a session, and all that live on in it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started."""
    pids, waiting = [], [pid]
    while waiting:
        for file in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += (new := [int(child) for child in file.read_text().split()])
                pids += new
    return pids


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and its descendants, in bytes."""
    pages = 0
    for each in (pid, *descendants(pid)):
        with contextlib.suppress(OSError):  # it has ended
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def is_running(pid: int) -> bool:
    """Return whether a process runs; False for a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def busiest(pids: list[int]) -> int:
    """Return the process with the most CPU time, which is the one that downloads."""

    def ticks(pid: int) -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    return max(pids, key=ticks)
