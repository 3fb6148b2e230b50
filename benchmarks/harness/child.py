"""Run a benchmark's script in a process of its own, so that no other memory counts."""

from __future__ import annotations

import resource
import subprocess
import sys


def in_child(script: str, *arguments: str) -> str:
    """Run a script with arguments; return what it prints."""
    command = [sys.executable, script, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def peak_memory() -> float:
    """Return the peak memory of this process, resident, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
