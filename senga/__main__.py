"""The command `senga`, or `python -m senga`: `senga BuildDataset --pack-size 128`."""

from __future__ import annotations

import sys

from pipeline.exit_code import EXIT_NOTHING_RAN
from sketch_models.errors import SengaError


def main() -> None:
    """Run a task; what is wrong with config files or arguments is one sentence."""
    try:
        from tasks.command import run  # which reads the config files

        run(sys.argv[1:])
    except SengaError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_NOTHING_RAN)


if __name__ == "__main__":
    main()
