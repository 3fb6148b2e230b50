"""Runs a colorizer's command in a process of its own, which ends when this one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import Any

from sketch_models.errors import SengaError
from sketch_models.option import OptionError

Line = dict[str, Any]
"""What the command says each time, such as `{"images": 3200, "of": 16000, "images_per_s": 9.7}`."""

WITH_PARENT = "--with-parent"
_SENTENCE = "senga: "  # begins the line on the standard error that says what is wrong
FAILED = 3  # exit status of a command that has said in one sentence what is wrong


def run(
    module: str, arguments: Sequence[str], hear: Callable[[Line], None], processes: int
) -> None:
    """Runs `python -m <module> <arguments>` to its end.

    PyTorch and a GPU's memory are its own; the caller stays light and may fork.

    Args:
        module: with a command as `command` makes it.
        arguments: for it.
        hear: is told every line of JSON that it writes to its standard output.
        processes: how many torchrun runs side by side; 1 for a plain process.

    Raises:
        SengaError: with its sentence, where it fails.
    """
    program = ["-m", module, *arguments, WITH_PARENT]
    if processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        program = [*torchrun, *program]
    with (
        tempfile.TemporaryFile("w+") as errors,
        # The process sees its standard input end when this one is killed, however that happens.
        subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    hear(json.loads(line))
        except BaseException:
            process.kill()
            raise
        status = process.wait()
        errors.seek(0)
        _raise(module, status, errors.read())


def _raise(module: str, status: int, errors: str) -> None:
    said = [line for line in errors.splitlines() if line.startswith(_SENTENCE)]
    if said:
        raise SengaError(said[-1].removeprefix(_SENTENCE))
    if status < 0:
        raise SengaError(
            f"{module} was killed by signal {-status}, expected it to end by itself: where the "
            "system has killed it for its memory, use fewer pictures at once; then run again, it "
            "goes on from its last checkpoint."
        )
    if status:
        raise RuntimeError(f"{module} failed:\n{errors}")


def gpus() -> int:
    """GPUs that PyTorch sees; asked of another process, since CUDA cannot follow a fork."""
    code = "import torch; print(torch.cuda.device_count())"
    asked = [sys.executable, "-c", code]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)  # noqa: S603
    return int(done.stdout)


def command(main: Callable[[list[str]], None], arguments: Sequence[str]) -> int:
    """Runs a command for people and for `run`.

    Args:
        main: given the arguments; raises what is wrong.
        arguments: of the command line.

    Returns:
        The exit status: 0, or `FAILED` after one sentence on the standard error.
    """
    if WITH_PARENT in arguments:
        threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        main([argument for argument in arguments if argument != WITH_PARENT])
    except (SengaError, OptionError) as error:
        sys.stderr.write(f"{_SENTENCE}{error}\n")
        return FAILED
    return 0


def _die_with_parent() -> None:
    """Ends this process when the one at the other end of its standard input has gone."""
    while os.read(0, 1):
        pass
    os._exit(1)
