"""The command that draws a folder of pictures: `senga lines FOLDER RESULTS`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from pipeline.child_process import EXIT_FAILURE
from pipeline.cores import share_cores
from pipeline.draw.draw_folder import FolderResult, draw_folder
from pipeline.draw.folder_options import FolderOptions, parse
from sketch_models.errors import SengaError

_EXIT_SOME_FAILED = 1
_EXIT_STOPPED = 130  # as a shell reports SIGINT


def main(arguments: Sequence[str]) -> int:
    """Draw a folder of pictures; return the exit status."""
    share_cores()
    try:
        options = parse(arguments)
        result = draw_folder(options)
    except SengaError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILURE
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Run it again to draw the rest.\n")
        return _EXIT_STOPPED
    sys.stdout.write(summary(options, result))
    return _EXIT_SOME_FAILED if result.errors else 0


def summary(options: FolderOptions, result: FolderResult) -> str:
    """Return what was drawn and where it is, for people."""
    before = f", {result.done_before:,} done before" if result.done_before else ""
    lines = [f"{_pictures(result.drawn)} drawn{before}: {options.results}"]
    if result.errors:
        failed, reasons = len(result.errors), "reason" if len(result.errors) == 1 else "reasons"
        lines.append(f"{_pictures(failed)} could not be drawn, for the {reasons} in {result.table}")
    return "".join(f"{line}\n" for line in lines)


def _pictures(count: int) -> str:
    return f"{count:,} picture{'' if count == 1 else 's'}"


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored in background jobs
        signal.signal(number, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
