"""The command `senga`, or `python -m senga`: `senga build --pack-size 128`."""

from __future__ import annotations

import os
import sys

from pipeline.exit_code import EXIT_NOTHING_RAN
from pipeline.programs import PROGRAMS, run_program
from sketch_models.errors import SengaError


def main() -> None:
    """Run a task or a program; what is wrong with config files or arguments is one sentence."""
    word, *arguments = sys.argv[1:] or [""]
    try:
        if word in PROGRAMS:
            run_program(word, arguments)
        else:
            from tasks.command import run  # which reads the config files

            run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # `senga --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_NOTHING_RAN)
    except SengaError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_NOTHING_RAN)


if __name__ == "__main__":
    main()
