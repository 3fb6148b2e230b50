"""Run Luigi's command, as people do."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
ENV = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}


def run_luigi(*arguments: str, task: str = "BuildDataset", code: int = 0, **variables: str) -> str:
    """Run a task in a process of its own; return its standard error.

    Args:
        arguments: arguments of the command line.
        task: name of the task.
        code: exit status that is expected.
        variables: further environment variables.
    """
    done = subprocess.run(
        [sys.executable, "-m", "luigi", "--module", "tasks", task, *arguments],
        cwd=TOP,
        env={**ENV, **variables},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr
