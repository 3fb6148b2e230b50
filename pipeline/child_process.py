"""Run a module in a child process, which ends when this process does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any

from pipeline.progress import OnProgress, Pace
from sketch_models.errors import SengaError

JsonLine = dict[str, Any]
"""A line that the child prints, such as `{"images": 3200, "of": 16000, "images_per_s": 9.7}`."""

EXIT_FAILURE = 3  # exit status of a command that has printed one sentence about what is wrong
_EXIT_WITH_PARENT = "--exit-with-parent"
_ERROR_PREFIX = "senga: "  # of an error message on the standard error
_STOP = "\n"  # on the standard input of a child: the parent was told to stop

_RESUMES = "lower the batch size. Run again: it resumes from the last checkpoint"


def run_module(
    module: str,
    arguments: Sequence[str],
    on_message: Callable[[JsonLine], None],
    processes: int,
    *,
    advice: str = _RESUMES,
) -> None:
    """Run `python -m <module> <arguments>` and wait for it.

    The child alone imports PyTorch and takes memory of the GPU; the caller may still fork.

    Args:
        module: a module that calls `run_main`.
        arguments: the arguments of its command line.
        on_message: called with every line of JSON that it writes to its standard output.
        processes: number of processes that torchrun starts; 1 for a plain process.
        advice: what to do if the system ran out of memory.

    Raises:
        SengaError: if the module printed an error or was killed; with that message.
        KeyboardInterrupt: if this process was interrupted, once the module has ended; with the
            message that it printed.
        RuntimeError: if it failed otherwise; with what it wrote to its standard error.
    """
    program = ["-m", module, *arguments, _EXIT_WITH_PARENT]
    if processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        program = [*torchrun, *program]
    with (
        tempfile.TemporaryFile("w+") as errors,
        # The child's standard input ends when this process is killed, however that happens.
        subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_environment(),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    on_message(json.loads(line))
            status = process.wait()
        except KeyboardInterrupt:
            _stop(process)
            raise KeyboardInterrupt(*_messages(_read(errors))[-1:]) from None
        except BaseException:
            process.kill()
            raise
        _check_exit_status(module, status, _read(errors), advice)


def _environment() -> dict[str, str]:
    """Return the environment of a child, which finds the modules that this process finds."""
    given = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, given])}


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask the child to stop, and wait until it has: a training saves a checkpoint first.

    A terminal sends a second Ctrl-C to the child, too, which ends at once then.
    """
    with contextlib.suppress(BrokenPipeError):
        assert process.stdin is not None
        process.stdin.write(_STOP)  # no signal: torchrun cannot bear another one while it stops
        process.stdin.flush()
    while process.poll() is None:
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _messages(errors: str) -> list[str]:
    """Return the error messages in what a child wrote to its standard error."""
    lines = errors.splitlines()
    return [line.removeprefix(_ERROR_PREFIX) for line in lines if line.startswith(_ERROR_PREFIX)]


def _check_exit_status(module: str, status: int, errors: str, advice: str) -> None:
    """Raise an exception if the child failed, see `run_module`.

    Args:
        module: the name of the module.
        status: exit status, or the negative number of the signal that killed it.
        errors: what it wrote to its standard error.
        advice: what to do if the system ran out of memory.
    """
    if messages := _messages(errors):
        raise SengaError(messages[-1])
    if status < 0:
        raise KilledError(module, -status, advice)
    if status:
        raise RuntimeError(f"{module} failed:\n{errors}")


class KilledError(SengaError):
    """A signal has killed a child.

    Args:
        module: that it ran.
        number: of the signal.
        advice: what to do if the system ran out of memory.
    """

    def __init__(self, module: str, number: int, advice: str) -> None:
        super().__init__(
            f"{module} was killed by signal {number}. If the system ran out of memory, {advice}."
        )
        self.number = number


class ImageCounter:
    """An `on_message` for children that print the number of images so far.

    Args:
        on_progress: called with the number of images since the last message.

    Attributes:
        images: the number of images so far.
        pace: how fast the child is, if it says so.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self.images = 0
        self.pace: Pace | None = None

    def __call__(self, message: JsonLine) -> None:
        """Report the images since the last message."""
        if "seconds_left" in message:
            self.pace = Pace(rate=message["images_per_s"], seconds_left=message["seconds_left"])
        self._on_progress(message["images"] - self.images)
        self.images = message["images"]


def count_gpus() -> int:
    """Return the number of GPUs that PyTorch sees, without initializing CUDA in this process.

    A process that has initialized CUDA cannot use it in its forks.
    """
    code = "import torch; print(torch.cuda.device_count())"
    arguments = [sys.executable, "-c", code]
    process = subprocess.run(arguments, capture_output=True, text=True, check=True)  # noqa: S603
    return int(process.stdout)


class StoppedError(SengaError):
    """A signal has stopped a command, which has saved what it had done.

    Args:
        message: what is saved, and what to do.
        number: of the signal.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def run_main(main: Callable[[list[str]], None], arguments: Sequence[str]) -> int:
    """Run the `main` of a command and print its error as one sentence.

    Args:
        main: called with the arguments; raises SengaError if something is wrong.
        arguments: the arguments of the command line.

    Returns:
        The exit status: 0; `EXIT_FAILURE` after one sentence on the standard error; 128 and the
        number of the signal that has stopped it, as shells have it.
    """
    if _EXIT_WITH_PARENT in arguments:
        threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        main([argument for argument in arguments if argument != _EXIT_WITH_PARENT])
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 128 + signal.SIGINT
    except SengaError as error:
        sys.stderr.write(f"{_ERROR_PREFIX}{error}\n")
        return 128 + error.number if isinstance(error, StoppedError) else EXIT_FAILURE
    return 0


def _follow_parent() -> None:
    """Stop when the parent does, and exit as soon as it has ended.

    It then writes to the standard input, or that ends.
    """
    while os.read(0, 1):
        os.kill(os.getpid(), signal.SIGTERM)
    os._exit(1)
